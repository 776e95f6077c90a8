"""How the server is, all in one: what would otherwise have to be found out piece by piece."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from leadline import __version__
from leadline.control.context import Context, Keep
from leadline.control.instances import overview
from leadline.control.switches import Switch
from leadline.control.views import ExporterView, InstanceView, Losses
from leadline.store.keep import Kind, Shelved, Sizes
from leadline.wire.struct import dataclass

NEARLY_FULL = 0.9
"""Of a cap in number or size: from here on the oldest go because there is no room, not because
they are old."""


class Level(StrEnum):
    """How grave a finding is."""

    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that somebody should look at; `hint` says what to do and may be empty."""

    level: Level
    subject: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ServerState:
    """The process of the server."""

    version: str
    python: str
    sqlite: str
    pid: int
    started_at: float


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The database, its limits, and what is in it; see `store.keep`.

    `bytes` are those of its files, of which `free_bytes` hold nothing. `disk_free_bytes` is
    None where the disk cannot be asked.
    """

    path: str
    schema: int
    bytes: int
    free_bytes: int
    disk_free_bytes: int | None
    max_bytes: int
    keep_s: float
    keep_audit_s: float
    stored: dict[Kind, Shelved]


@dataclass(frozen=True, slots=True)
class Health:
    """All of it. Times are seconds since 1970, `now` the server's clock."""

    now: float
    server: ServerState
    database: DatabaseState
    exporter: ExporterView | None
    off: list[Switch]
    instances: list[InstanceView]
    losses: Losses
    findings: list[Finding]


def examine(context: Context) -> Health:
    """Look at everything."""
    seen = overview(context)
    sizes = context.store.sizes()
    exporter = context.exporter.view() if context.exporter else None
    return Health(
        now=context.clock(),
        server=ServerState(
            version=__version__,
            python=sys.version.split()[0],
            sqlite=sqlite3.sqlite_version,
            pid=os.getpid(),
            started_at=context.started_at,
        ),
        database=_database(sizes, context.keep),
        exporter=exporter,
        off=context.desired.switches(),
        instances=[
            one for service in seen.services for one in service.instances if one.connected
        ],
        losses=seen.losses,
        findings=list(_findings(sizes, context.keep, seen.losses)),
    )


def _database(sizes: Sizes, keep: Keep) -> DatabaseState:
    try:
        room = shutil.disk_usage(Path(sizes.path).absolute().parent).free
    except OSError:
        room = None
    return DatabaseState(
        path=sizes.path,
        schema=sizes.schema,
        bytes=sizes.bytes,
        free_bytes=sizes.free,
        disk_free_bytes=room,
        max_bytes=keep.bytes,
        keep_s=keep.age_s,
        keep_audit_s=keep.audit_s,
        stored=sizes.stored,
    )


def _findings(sizes: Sizes, keep: Keep, losses: Losses) -> Iterator[Finding]:
    used = sizes.bytes - sizes.free
    if used > NEARLY_FULL * keep.bytes:
        yield Finding(
            Level.WARNING,
            "database",
            f"it takes {used / 1e6:.1f} MB of {keep.bytes / 1e6:g}: the oldest go to make room",
            "Keep less for less long, or allow more with --keep-size.",
        )
    for kind, shelved in sizes.stored.items():
        if kind is not Kind.PROBES and shelved.count > NEARLY_FULL * shelved.at_most:
            yield Finding(
                Level.NOTE,
                "database",
                f"it holds {shelved.count:,} {kind} of at most {shelved.at_most:,}: the oldest "
                "go to make room",
            )
    for slug, hits in losses.not_stored.items():
        yield Finding(
            Level.WARNING,
            "losses",
            f"{hits} hits could not be stored since the server started [{slug}]; their agents "
            "may have sent them again",
        )
