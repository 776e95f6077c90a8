"""Hits: what was captured, newest first, live, and how many there were over time."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from leadline.control.hits import Columns, HitsPage, Sources
from leadline.control.views import HitView
from leadline.web.frame import Frame
from leadline.web.hit_filters import LAST, Filters
from leadline.web.rendering import render
from leadline.wire.struct import dataclass
from leadline.wire.value import Value

FIRST_HITS = 100
"""Hits that a page comes with; those that arrive while it is open are added."""
_BEHIND = 6
_BRIEF_CHARS = 24
"""Variables that stand behind a hit in the list, and how long one may be."""
_CSV = (
    "id", "time", "service", "instance", "probe", "file", "line", "function", "thread", "task",
    "trace", "span", "message", "values",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Row:
    """One hit in the list. `behind` are variables of a snapshot that has no watches; `tag` says
    what it is, if it is not a line of a log."""

    hit: HitView
    process: str
    place: str
    behind: str
    tag: str


@dataclass(frozen=True, slots=True)
class Hits:
    """What the view shows. `newest` is where a stream begins; `partly` is how many of the
    newest hits were searched, 0 for all."""

    rows: list[Row]
    more: bool
    columns: Columns
    filters: Filters
    sources: Sources
    newest: int
    partly: int

    @property
    def shown_processes(self) -> str:
        """The names of instances as JSON, for rows that a module makes."""
        return json.dumps(self.sources.processes)

    @property
    def stream(self) -> str:
        """The filters of the stream as JSON."""
        return json.dumps(self.filters.streamed | {"after": str(self.newest)})

    @property
    def older(self) -> str:
        """The address of the hits before these."""
        return self.filters.address(before=str(self.rows[-1].hit.id)) if self.rows else ""

    @property
    def times(self) -> tuple[tuple[str, str], ...]:
        """Times to choose from."""
        return LAST


def rows(found: HitsPage, processes: Mapping[str, str]) -> list[Row]:
    """Return hits as rows, newest first."""
    return [row(hit, processes) for hit in reversed(found.hits)]


def row(hit: HitView, processes: Mapping[str, str]) -> Row:
    """Return one hit as a row."""
    process = processes.get(hit.instance, hit.instance[:8])
    return Row(hit, process, f"{short_path(hit.file)}:{hit.line}", behind(hit), tag(hit))


def page(frame: Frame, view: Hits) -> str:
    """Return the whole page."""
    return render("hits.html", frame=frame, view=view)


def histogram(view: Columns) -> str:
    """Return the picture over time, which changes while one looks."""
    return render("hits_over_time.html", columns_=view)


def as_json(found: HitsPage) -> str:
    """Return hits as the API lists them, for a file."""
    hits = [
        {name: getattr(hit, name) for name in HitView.__dataclass_fields__}
        for hit in found.hits
    ]
    return json.dumps({"schema_version": 1, "hits": hits, "more": found.more}, indent=1)


def as_csv(found: HitsPage) -> str:
    """Return hits as CSV. What a spreadsheet would take for a formula is text there."""
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(_CSV)
    for hit in found.hits:
        cells = {name: getattr(hit, name) for name in _CSV}
        cells["time"] = datetime.fromtimestamp(hit.time, UTC).isoformat()
        cells["values"] = json.dumps(hit.values, ensure_ascii=False)
        lines.writerow([_cell(cells[name]) for name in _CSV])
    return out.getvalue()


def short_path(file: str) -> str:
    """Return the last two parts of a path."""
    return "/".join(PurePath(file).parts[-2:])


def tag(hit: HitView) -> str:
    """Return what a hit is, as `hit-stream.js` does too."""
    detail: Any = hit.detail
    twin: Any = hit.twin
    if twin:
        return str(twin["use"])
    if hit.call:
        return "capture"
    if not detail:
        return ""
    return "snapshot" if detail.get("exception") is None else "exception"


def behind(hit: HitView) -> str:
    """Return the first variables of a snapshot without watches, as `hit-stream.js` does too."""
    detail: Any = hit.detail
    if not detail or hit.values or not detail["frames"]:
        return ""
    named = list(detail["frames"][0].get("locals", {}).items())
    more = "  …" if len(named) > _BEHIND else ""
    return "  ".join(f"{name}={_brief(value)}" for name, value in named[:_BEHIND]) + more


def _brief(value: Value) -> str:
    if isinstance(value, dict):
        if value.get("omitted") == "redacted":
            return "<redacted>"
        if "text" not in value or value.get("form"):
            return f"{value.get('type', '?')}(…)"
        value = value["text"]
        return f"{value[:_BRIEF_CHARS]}…" if len(value) > _BRIEF_CHARS else value
    if isinstance(value, str):
        return f"'{value[:_BRIEF_CHARS]}…'" if len(value) > _BRIEF_CHARS else f"'{value}'"
    return repr(value)


def _cell(value: object) -> object:
    if isinstance(value, str):
        value = value.replace("\0", "\\0")
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value
