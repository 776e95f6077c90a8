"""The calls that a candidate is run on: captured ones, as far as they can be made again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leadline.trial.outcome import Outcome
from leadline.wire.call import CallView, TurnKind
from leadline.wire.kept import CONTEXT
from leadline.wire.struct import asdict, dataclass, field

MAX_ASKED = 10_000
"""Values that a generator is asked for again: what is beyond is a stream."""


@dataclass(frozen=True, slots=True)
class CapturedCall:
    """One live call: what it was given, by value, and what it came to.

    `document` is that of `wire.kept`, and None where `obstacle` says why the call cannot be
    made again. `failed` is None where the predicate had no answer. `withheld` names arguments
    that redaction held back. `turns` are what a generator's caller did to it, as `wire.call`
    has them, and `closed` says whether it was closed before its end. `depth` is how deep on
    the stack it began, 0 where that is not known.
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
    turns: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False
    depth: int = 0
    hit: int = 0
    """Its number on the server, where it is still there."""
    is_asked_late: bool = False
    """Whether it was captured before anybody said which calls fail: the control tells then."""
    instance: str = ""
    reduced: list[str] = field(default_factory=list)
    """Arguments that are here with less than the live call was given: what became of them is
    not compared with it."""

    @property
    def is_surrounded(self) -> bool:
        """Whether what it was made in is kept with it: context variables, an environment."""
        return self.document is not None and CONTEXT in self.document["roots"]


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
    main: str = ""
    argv: list[str] = field(default_factory=list)
    state: dict[str, dict[str, str]] = field(default_factory=dict)
    code: dict[str, list[str]] = field(default_factory=dict)
    recursion_limit: int | None = None
    max_str_digits: int | None = None
    flags: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def joined_code(codes: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Return what any of several processes has loaded (`Home.code`): where they run different
    versions of a file, its functions are of no one text."""
    found: dict[str, list[str]] = {}
    for code in codes:
        for file, digests in code.items():
            found[file] = sorted({*found.get(file, ()), *digests})
    return found


def of_view(
    number: int, view: CallView, asked: bool, *, is_asked_late: bool = False
) -> CapturedCall:
    """Return a call as it came from an agent. `asked` says whether it was asked which fail."""
    return CapturedCall(
        number=number,
        document=view.kept,
        live=Outcome(view.returned, view.value, view.arguments, view.yields, view.more_yields),
        failed=view.fails if asked else False,
        obstacle=view.obstacle or _obstacle(view),
        kind=view.kind,
        withheld=view.withheld,
        callers=view.callers,
        size=view.size,
        turns=[asdict(turn) for turn in view.turns],
        closed=view.closed,
        depth=view.depth,
        is_asked_late=is_asked_late,
    )


def _obstacle(view: CallView) -> str:
    if view.kept is None:
        return "its arguments were not kept"
    if len(view.yields) + view.more_yields > MAX_ASKED:
        return f"it gave out more than {MAX_ASKED:,} values"
    for turn in view.turns:
        if turn.kind is not TurnKind.CLOSE and turn.kept is None:
            return "what was sent into it was not kept"
    return ""


def chosen(calls: Sequence[CapturedCall], most: int) -> list[CapturedCall]:
    """Return at most so many calls, those that fail first, the rest in their order; half of
    them are left to those that do not fail, as far as there are so many."""
    failing = [call for call in calls if call.failed]
    others = [call for call in calls if not call.failed]
    room = max(most - len(others), most - most // 2)
    return (failing[:room] + others)[:most]
