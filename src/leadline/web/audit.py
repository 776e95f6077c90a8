"""Audit: who did what, where and when, and what it cost."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from leadline.control.audit import AuditFilter, AuditPage
from leadline.control.views import AuditView
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.struct import asdict, dataclass

ACTIONS = (
    "place", "twin", "shell", "verdict", "removed", "expired", "anchor", "canary", "set",
    "off", "on", "purged", "source", "signed-in", "signed-out", "key-added", "key-revoked",
    "key-rotated",
)  # fmt: skip
"""What the log knows, to choose from; another one can be typed into the address."""
_BRIEF_CHARS = 80
_PLACED = "id limits capture terms owner frames moment anchor"
_ORDERED = "code digest"
_LESS = frozenset(f"{_PLACED} {_ORDERED}".split())
"""Members of a placed probe that its own page shows, or that nobody reads at a glance."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `told` is the gist of its detail, `whole` all of it as JSON, `code` what was
    run in a twin; `cost` is what its probe cost until now, in seconds, if an instance says."""

    entry: AuditView
    told: list[tuple[str, str]]
    code: str
    whole: str
    cost: float | None


@dataclass(frozen=True, slots=True)
class Audit:
    """What the view shows: newest first. `before` is the number that was asked for, 0: none."""

    entries: list[Entry]
    more: bool
    matching: AuditFilter
    before: int

    @property
    def query(self) -> str:
        """What is chosen as the end of an address."""
        return self._address()

    @property
    def older(self) -> str:
        """Where the entries before these are."""
        return "/audit" + self._address(before=self.entries[-1].entry.id)

    @property
    def newest(self) -> str:
        """Where the newest ones are."""
        return "/audit" + self._address(before=0)

    @property
    def any(self) -> bool:
        """Whether anything is chosen."""
        return any(asdict(self.matching).values())

    @property
    def actions(self) -> list[str]:
        """What can be chosen."""
        return sorted({*ACTIONS, *filter(None, [self.matching.action])})

    def _address(self, before: int | None = None) -> str:
        named = asdict(self.matching) | {"before": self.before if before is None else before}
        said = urlencode({name: value for name, value in named.items() if value})
        return f"?{said}" if said else ""


def audit(
    page: AuditPage, receipts: Mapping[str, int], matching: AuditFilter, before: int
) -> Audit:
    """Make the view model."""
    return Audit(entries(page, receipts), page.more, matching, before)


def entries(page: AuditPage, receipts: Mapping[str, int]) -> list[Entry]:
    """Return entries as they are shown, newest first; `receipts` are nanoseconds by probe."""
    return [
        Entry(
            entry=one,
            told=_told(one.detail),
            code=_code(one.action, one.detail),
            whole=json.dumps(one.detail, indent=1, ensure_ascii=False),
            cost=receipts[one.probe] / 1e9 if one.probe in receipts else None,
        )
        for one in reversed(page.entries)
    ]


def page(frame: Frame, view: Audit) -> str:
    """Return the whole page."""
    return render("audit.html", frame=frame, view=view)


def part(view: Audit) -> str:
    """Return what of it changes while one looks."""
    return render("audit_part.html", view=view)


def _code(action: str, detail: Mapping[str, Any]) -> str:
    """Return the whole code of a twin: of an order, or of one request to a shell."""
    if action == "shell":
        return _typed(str(detail.get("text", "")))
    code = detail.get("code")
    return "\n".join(map(str, code)) if action == "twin" and isinstance(code, list) else ""


def _typed(text: str) -> str:
    """Return what was typed at a shell, from what was sent: `wire.stepping.Request`."""
    try:
        said = json.loads(text)
        return f"{said['do']} {said.get('text', '')}".strip()
    except (ValueError, KeyError, TypeError):
        return text


def _told(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, value in detail.items():
        if not value or name in _LESS or (name == "text" and "number" in detail):
            continue
        text = _text(value)
        short = f"{text[:_BRIEF_CHARS]}…" if len(text) > _BRIEF_CHARS else text
        found.append((name, short))
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, dict) and {"file", "line"} <= set(value):
        return f"{value['file']}:{value['line']}"
    if isinstance(value, dict) and {"module", "function"} == set(value):
        return f"{value['module']}:{value['function']}"
    if isinstance(value, dict) and all(isinstance(one, str | int) for one in value.values()):
        return ", ".join(f"{name} {one}" for name, one in value.items() if one)
    return json.dumps(value, ensure_ascii=False)
