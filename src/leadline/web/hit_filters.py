"""Which hits a page shows, as its address says it: every choice is a link to send on."""

from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import urlencode

from leadline.wire.errors import WireError

LAST = (
    ("60", "last minute"),
    ("300", "last 5 minutes"),
    ("3600", "last hour"),
    ("86400", "last day"),
)
"""Times that go on with the clock, in seconds."""
_NAMES = {
    "service": "service",
    "probe": "probe",
    "kind": "kind",
    "instance": "process",
    "thread": "thread",
    "task": "task",
    "trace": "trace",
    "text": "message has",
    "value": "value",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, and the address without it."""

    name: str
    text: str
    without: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What was chosen, as text; empty is everything. `last` is a number of seconds until now,
    `since` and `until` are seconds since 1970, `before` is the number of a hit."""

    service: str = ""
    probe: str = ""
    kind: str = ""
    instance: str = ""
    thread: str = ""
    task: str = ""
    trace: str = ""
    text: str = ""
    value: str = ""
    last: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    def address(self, path: str = "/hits", **changes: str) -> str:
        """Return the address of `path` for these, or for these with changes."""
        said = {name: text for name, text in (asdict(self) | changes).items() if text}
        return f"{path}?{urlencode(said, errors='replace')}" if said else path

    def said(self, now: float) -> dict[str, Any]:
        """Return what `control.hit_filter` takes. Raises slug `bad-message` for no number."""
        found: dict[str, Any] = {name: getattr(self, name) or None for name in _NAMES}
        since, last = _number("since", self.since), _number("last", self.last)
        found["since"] = since if since is not None or last is None else now - last
        found["until"] = _number("until", self.until)
        return found

    @property
    def before_hit(self) -> int | None:
        """The number that hits shall be below."""
        if self.before and not (self.before.isascii() and self.before.isdigit()):
            raise WireError("before is the number of a hit.")
        return int(self.before[:18]) if self.before else None

    @property
    def streamed(self) -> dict[str, str]:
        """The filters of a stream of hits."""
        return {name: getattr(self, name) for name in _NAMES if getattr(self, name)}

    @property
    def over(self) -> bool:
        """Whether nothing new can match."""
        return bool(self.until or self.before)

    @property
    def chips(self) -> list[Chip]:
        """What is chosen beside the time, to be shown and taken back."""
        return [
            Chip(name, getattr(self, one), self.address(**{one: "", "before": ""}))
            for one, name in _NAMES.items()
            if getattr(self, one)
        ]

    @property
    def more_open(self) -> bool:
        """Whether one of the filters is set that are not always in sight."""
        return any((self.kind, self.instance, self.thread, self.task, self.trace))

    @property
    def any(self) -> bool:
        """Whether anything is chosen at all."""
        return any(getattr(self, one.name) for one in fields(self))


def _number(name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise WireError(f"{name} is a number of seconds.") from None
