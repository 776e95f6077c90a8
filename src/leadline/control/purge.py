"""Deleting what is stored because somebody asks for it, and giving the space back."""

import contextlib
import time
from enum import StrEnum

from leadline.control.context import Context
from leadline.store.keep import Kind
from leadline.wire.errors import UnavailableError, UsageError
from leadline.wire.service import check_service
from leadline.wire.struct import dataclass

__all__ = ["Kind", "Purged", "What", "purge"]

PURGE_S = 3.0
"""One request deletes for so long at most, and gives back space for as long again: commands
wait ten seconds for an answer."""


class What(StrEnum):
    """What can be deleted: a kind of stored things, or all of them."""

    HITS = "hits"
    POINTS = "points"
    VERDICTS = "verdicts"
    INSTANCES = "instances"
    PROBES = "probes"
    AUDIT = "audit"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was deleted, or would be; `bytes` is by how much the files have shrunk. `more`
    says that there was not enough time for all of it."""

    purged: bool
    counts: dict[Kind, int]
    bytes: int
    more: bool


def purge(
    context: Context,
    what: What,
    *,
    who: str,
    service: str | None = None,
    before: float | None = None,
    confirm: bool = False,
) -> Purged:
    """Delete what is over, gone or written; without `confirm` only count it.

    Raises slugs `bad-service-name`, and `bad-purge` for an audit log that would not be left
    whole behind a time.
    """
    kinds = _kinds(what, service, before)
    if not confirm:
        counts = {
            kind: context.store.purgeable(kind, before=before, service=service)
            for kind in kinds
        }
        return Purged(False, counts, 0, more=False)
    context.store.note(
        who, "purge", service or "", {"what": what, "before": before}, now=context.clock()
    )
    counts = dict.fromkeys(kinds, 0)
    finished = _delete(context, counts, before, service)
    size, more = 0, False
    with contextlib.suppress(UnavailableError):  # then what is free is used again
        size, more = context.store.compact()
    context.note(who, "purged", service or "", {"counts": counts, "bytes": size})
    return Purged(True, counts, size, more=more or not finished)


def _kinds(what: What, service: str | None, before: float | None) -> list[Kind]:
    if service is not None:
        check_service(service)
    if what is What.AUDIT:
        if before is None or service is not None:
            raise UsageError(
                "bad-purge",
                "The audit log is deleted by age only, and for all services at once.",
                "Say how old with `before` (`leadline purge --what audit --before 400d`), "
                "and name no service.",
            )
        return [Kind.AUDIT]
    if what is not What.ALL:
        return [Kind(what)]
    with_audit = before is not None and service is None
    return [kind for kind in Kind if with_audit or kind is not Kind.AUDIT]


def _delete(
    context: Context, counts: dict[Kind, int], before: float | None, service: str | None
) -> bool:
    end = time.monotonic() + PURGE_S
    for kind in counts:
        after: int | None = 0
        while after is not None:
            if time.monotonic() > end:
                return False
            gone, after = context.store.purge(kind, after, before=before, service=service)
            counts[kind] += gone
    return True
