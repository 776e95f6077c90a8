"""Audit: who did what, where and when, and what it cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from leadline.control.views import AuditView
from leadline.web.frame import Frame
from leadline.web.rendering import render

PAGE = 50
"""Entries of one page."""
_LEFT_OUT = ("limits", "capture", "terms", "moment", "frames")
"""What every placement says, and nobody asks for first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry; `cost_s` is what its probe took so far, in seconds, if it took anything."""

    entry: AuditView
    told: str
    cost_s: float | None


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Which entries: those with exactly this of what is not empty; all if nothing is."""

    who: str = ""
    action: str = ""
    service: str = ""
    probe: str = ""

    def address(self, before: int) -> str:
        """Return where the entries before a number are."""
        said = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        return f"/audit?{urlencode({**said, 'before': before})}"


@dataclass(frozen=True, slots=True)
class Audit:
    """What the view shows, newest first. `older` is the address of the next page, or empty."""

    filters: AuditFilters
    rows: Sequence[Row]
    older: str
    newest: bool


def audit(
    filters: AuditFilters,
    entries: Sequence[AuditView],
    costs: Mapping[str, int],
    *,
    more: bool,
    newest: bool,
) -> Audit:
    """Make the view model; `entries` are oldest first, `costs` nanoseconds by probe."""
    rows = [
        Row(
            entry,
            details(entry.detail),
            costs[entry.probe] / 1e9 if costs.get(entry.probe) else None,
        )
        for entry in reversed(entries)
    ]
    older = filters.address(entries[0].id) if more and entries else ""
    return Audit(filters, rows, older, newest)


def details(detail: Mapping[str, object]) -> str:
    """Return what an entry says beside its action, as one line; all of it is in the API."""
    return ", ".join(
        f"{name} {_told(value)}"
        for name, value in detail.items()
        if name not in _LEFT_OUT and value not in (None, "", [], {})
    )


def _told(value: object) -> str:
    match value:
        case str():
            return value
        case {"file": file, "line": line}:
            return f"{file}:{line}"
        case {"text": text}:
            return str(text)
    return json.dumps(value, ensure_ascii=False)


def page(frame: Frame, view: Audit) -> str:
    """Return the whole page."""
    return render("audit.html", frame=frame, view=view)
