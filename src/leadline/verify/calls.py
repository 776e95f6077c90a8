"""The calls that a candidate is run on: captured ones, as far as they can be made again."""

from collections.abc import Sequence
from typing import Any

from leadline.trial.outcome import Outcome
from leadline.wire.call import CallView
from leadline.wire.struct import dataclass, field


@dataclass(frozen=True, slots=True)
class CapturedCall:
    """One live call: what it was given, by value, and what it came to.

    `document` is that of `wire.kept`, and None where `obstacle` says why the call cannot be
    made again. `failed` is None where the predicate had no answer. `withheld` names arguments
    that redaction held back.
    """

    number: int
    document: dict[str, Any] | None
    live: Outcome
    failed: bool | None = False
    obstacle: str = ""
    kind: str = "function"
    withheld: list[str] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    size: int = 0
    hit: int = 0
    """Its number on the server, where it is still there."""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the calls were captured: what a fresh place needs to be like it."""

    path: list[str]
    cwd: str
    executable: str = ""
    python: str = ""
    file: str = ""
    digest: str = ""
    hash_seed: str = ""
    argv: list[str] = field(default_factory=list)


def of_view(number: int, view: CallView, asked: bool) -> CapturedCall:
    """Return a call as it came from an agent. `asked` says whether it was asked which fail."""
    return CapturedCall(
        number=number,
        document=view.kept,
        live=Outcome(view.returned, view.value, view.arguments, view.yields),
        failed=view.fails if asked else False,
        obstacle=view.obstacle or ("" if view.kept else "its arguments were not kept"),
        kind=view.kind,
        withheld=view.withheld,
        callers=view.callers,
        size=view.size,
    )


def chosen(calls: Sequence[CapturedCall], most: int) -> list[CapturedCall]:
    """Return at most so many calls, those that fail first, the rest in their order."""
    failing = [call for call in calls if call.failed]
    others = [call for call in calls if not call.failed]
    return (failing + others)[:most]
