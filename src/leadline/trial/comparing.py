"""Two captured outcomes, walked side by side.

Only what both sides hold is compared; what a limit, a rule or a class held back is counted as
unseen, never as equal. Where objects lie in memory is not compared, since no rerun repeats it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from leadline.trial.accident import chances, without_chance
from leadline.trial.documents import spots
from leadline.trial.outcome import BESIDE, CACHED, CLASS, NAMES, UNSHOWN, WHOLE, Outcome
from leadline.trial.sides import (
    ADDRESS,
    MAX_SHOWN_CHARS,
    MISSING,
    UNORDERED,
    as_text,
    can_be_chance,
    cut_to,
    has_inside,
    held_back,
    is_absent,
    is_address,
    is_cut_off,
    is_error,
    is_redacted,
    is_standard,
    is_text,
    keys_of,
    length_of,
    no_class,
    no_room,
    only_resources,
    spelled,
    step_of,
)
from leadline.wire.errors import WireError
from leadline.wire.gateway import RESPONSE
from leadline.wire.struct import dataclass
from leadline.wire.twin import Difference
from leadline.wire.value import Value

_MAX_FOUND = 2_000
"""Kept while walking: of more nobody knows which are the shortest."""
_WHOLE = ("result", "exception")
_MAX_DEPTH = 100
"""Captured values are a few levels deep; what is deeper comes from no capture."""
type Moved = Callable[[str], str]
_HIDDEN = {CLASS: f"{UNSHOWN}class of ", WHOLE: f"{UNSHOWN}rest of "}


@dataclass(frozen=True, slots=True)
class Apart:
    """All that differs between two outcomes, the shortest paths first, and how many values
    were compared, and not seen. `certain` are the paths of those differences that no clock and
    no random bytes can have made."""

    differences: list[Difference]
    compared: int
    unseen: int
    certain: frozenset[str]


def apart(
    one: Outcome,
    other: Outcome,
    exactly: bool = False,
    moved: Moved | None = None,
    *,
    elsewhere: bool = False,
) -> Apart:
    """Walk two outcomes side by side. Raises `WireError` for what no capture has made.
    `exactly` takes nothing for an address, and looks at the order of mappings and at the
    modules of classes. `moved` takes the numbers of lines that have moved out of a text. With
    `elsewhere`, one is of another process, in which the same text has another hash."""
    walk = Walk(exactly, moved, elsewhere)
    try:
        walk.outcomes(one, other)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        raise WireError("An outcome cannot be read.") from None
    found = sorted(walk.found, key=depth)
    return Apart(found, walk.compared, walk.unseen, frozenset(walk.surely))


def depth(one: Difference) -> tuple[int, int]:
    """Return what orders differences: those that hold others come first."""
    return one.where.count("[") + one.where.count("."), len(one.where)


@dataclass(frozen=True, slots=True)
class _Pair:
    where: str
    live: Value
    rerun: Value


class Walk:
    """One comparison: what differs, and how many values were compared and not seen."""

    def __init__(
        self, exactly: bool = False, moved: Moved | None = None, elsewhere: bool = False
    ) -> None:
        self.exactly = exactly
        self.moved = moved
        self.elsewhere = elsewhere
        self.found: list[Difference] = []
        self.compared = 0
        self.unseen = 0
        self.certain = 0
        """Differences that no clock and no random bytes can have made."""
        self.surely: set[str] = set()
        """Their paths."""

    def outcomes(self, live: Outcome, rerun: Outcome) -> None:
        if live.returned != rerun.returned:
            self.compared += 1
            self.certain += 1
            self.surely.add("outcome")
            self.found.append(
                Difference(
                    "outcome",
                    f"{'returned' if live.returned else 'raised'} {spelled(live.value)}",
                    f"{'returned' if rerun.returned else 'raised'} {spelled(rerun.value)}",
                )
            )
        else:
            where = "result" if live.returned else "exception"
            self.values(_Pair(where, live.value, rerun.value), 0)
        self.yields(live, rerun)
        for name in {**live.arguments, **rerun.arguments}:
            pair = _Pair(
                f"argument {name}" if name != RESPONSE else "response",
                live.arguments.get(name, MISSING),
                rerun.arguments.get(name, MISSING),
            )
            if MISSING not in (pair.live, pair.rerun):
                self.values(pair, 0)
            elif name == RESPONSE:
                self.unseen += 1
            else:
                self.differ(pair)

    def yields(self, live: Outcome, rerun: Outcome) -> None:
        """What a generator gave out; of what was only counted, how much."""
        counts = [len(side.yields) + side.more for side in (live, rerun)]
        taken = max(len(live.yields), len(rerun.yields))
        for index in range(taken):
            sides = [
                side.yields[index] if index < len(side.yields) else MISSING
                for side in (live, rerun)
            ]
            pair = _Pair(f"yield {index + 1}", *sides)
            if MISSING not in sides:
                self.values(pair, 0)
            elif index < min(counts):
                self.unseen += 1
            else:
                self.differ(pair)
        if min(counts) > taken:
            self.unseen += min(counts) - taken
        if counts[0] != counts[1] and min(counts) >= taken:
            self.differ(_Pair("yields", *(f"{count} values" for count in counts)))

    def differ(self, pair: _Pair) -> None:
        self.compared += 1
        if not can_be_chance(pair.live, pair.rerun):
            self.certain += 1
            self.surely.add(pair.where)
        if len(self.found) < _MAX_FOUND:
            self.found.append(Difference(pair.where, spelled(pair.live), spelled(pair.rerun)))

    def values(self, pair: _Pair, level: int) -> None:
        live, rerun = pair.live, pair.rerun
        if self.exactly:
            self.hidden(pair)
        if is_absent(live) or is_absent(rerun):
            self.absent(pair)
        elif type(live) is not dict or type(rerun) is not dict:
            self.plain(pair)
        elif live.get("type") != rerun.get("type") or live.get("form") != rerun.get("form"):
            if no_class(live) or no_class(rerun):
                self.unseen += 1  # it was not even looked of what class it is
            else:
                self.differ(pair)
        elif is_standard(live) and is_standard(rerun):
            self.compared += 1  # by its name it is known which one it is
        elif self.exactly and is_redacted(live) != is_redacted(rerun):
            self.differ(pair)  # the one has been passed on as it was held back, and not read
        elif held_back(live) or held_back(rerun) or level > _MAX_DEPTH:
            self.unseen += 1
        else:
            self.nodes(pair, live, rerun, level)

    def hidden(self, pair: _Pair) -> None:
        """What is not shown of two objects that are shown alike: two classes may have one name,
        and a table is more than its rows."""
        sides = [one for one in (pair.live, pair.rerun) if type(one) is dict and CLASS in one]
        if len({one["type"] for one in sides}) != 1 or len(sides) != 2:
            return
        for member, path in _HIDDEN.items():
            one, other = (str(side.get(member, "")) for side in sides)
            if one != other:
                self.unlike(f"{path}{pair.where}", one, other)
        names = [side.get(NAMES, ()) for side in sides]
        if any(names) and not set(names[0]) & set(names[1]):
            said = (", ".join(map(str, each)) or "of no name" for each in names)
            self.unlike(f"{UNSHOWN}name of {pair.where}", *said)

    def unlike(self, where: str, one: str, other: str) -> None:
        self.surely.add(where)
        self.found.append(Difference(where, one, other))

    def absent(self, pair: _Pair) -> None:
        """What was not there has only been passed on: from where, two runs can tell. What was
        there when it happened is there on one side only; of two runs that is a difference."""
        live, rerun = pair.live, pair.rerun
        if is_absent(live) and is_absent(rerun):
            if live["text"] != rerun["text"]:
                self.differ(pair)
            else:
                self.unseen += 1
        elif self.exactly and not (no_room(live) or no_room(rerun)):
            self.differ(pair)
        else:
            self.unseen += 1

    def plain(self, pair: _Pair) -> None:
        live, rerun = pair.live, pair.rerun
        if no_room(live) or no_room(rerun):
            self.unseen += 1
        elif type(live) is dict or type(rerun) is dict:
            # a short text is plain, and a part of a long one is not
            if is_text(live) and is_text(rerun):
                self.texts(pair, as_text(live), as_text(rerun))
            else:
                self.differ(pair)
        elif type(live) is not type(rerun):
            self.differ(pair)
        elif type(live) is str:
            self.texts(pair, {"text": live}, {"text": rerun})
        elif live == rerun and (live != 0 or str(live) == str(rerun)):  # there is a -0.0
            self.compared += 1
        elif self.exactly:
            self.differ(pair)
        elif type(live) is int and is_address(live) and is_address(rerun):
            self.unseen += 1
        else:
            self.differ(pair)

    def nodes(
        self, pair: _Pair, live: dict[str, Any], rerun: dict[str, Any], level: int
    ) -> None:
        """Two objects of the same class that both have something inside."""
        before = len(self.found)
        if not self.exactly and only_resources(live, rerun):
            self.unseen += 1
            return
        if "text" in live or "text" in rerun:
            self.texts(pair, live, rerun)
        elif live.get("length") != rerun.get("length"):
            sizes = (f"length {one.get('length', '?')}" for one in (live, rerun))
            self.compared += 1
            self.certain += 1
            self.surely.add(f"len({pair.where})")
            self.found.append(Difference(f"len({pair.where})", *sizes))
        if "items" in live and "items" in rerun:
            if live["type"] in UNORDERED:
                self.sets(pair, live, rerun)
            else:
                self.rows(pair, live, rerun, level)
        elif "entries" in live and "entries" in rerun:
            self.mappings(pair, live, rerun, level)
        if "fields" in live or "fields" in rerun:
            self.fields(pair, live, rerun, "fields", level)
        if BESIDE in live and BESIDE in rerun:
            self.fields(pair, live, rerun, BESIDE, level)
        if ("about" in live or "about" in rerun) and not is_error(live):
            self.fields(pair, live, rerun, "about", level)
        if live.get("omitted") or rerun.get("omitted"):
            self.unseen += 1
        elif len(self.found) == before and not (has_inside(live) or has_inside(rerun)):
            self.compared += 1  # of one that is not empty, what is inside counts

    def texts(self, pair: _Pair, live: dict[str, Any], rerun: dict[str, Any]) -> None:
        one, other = (str(side.get("text", "")) for side in (live, rerun))
        if self.moved is not None and one != other:
            one, other = self.moved(one), self.moved(other)
        if not self.exactly:
            one, other = (ADDRESS.sub("0x…", text) for text in (one, other))
        if live.get("omitted") or rerun.get("omitted"):
            shared = min(len(one), len(other))
            if one[:shared] != other[:shared] or length_of(live) != length_of(rerun):
                self.differ(pair)
            else:
                self.unseen += 1
        elif one == other:
            self.compared += 1
        elif found := spots(one, other):
            for spot in found:
                self.differ(_Pair(f"{pair.where}{spot.path}", spot.one, spot.other))
        elif parts := self.parts(pair.where, one, other):
            for number, (mine, its) in parts.items():
                self.differ(_Pair(f"{pair.where}~{number}", mine, its))
        else:
            self.differ(pair)

    def parts(self, where: str, one: str, other: str) -> dict[int, tuple[str, str]]:
        """Return the numbers and tokens in which two texts differ that are alike but for them:
        of a text with a time in it, only that is noise. What is a whole result stays one."""
        if where in _WHOLE or without_chance(one) != without_chance(other):
            return {}
        pairs = enumerate(zip(chances(one), chances(other), strict=True), 1)
        return {number: pair for number, pair in pairs if pair[0] != pair[1]}

    def rows(
        self, pair: _Pair, live: dict[str, Any], rerun: dict[str, Any], level: int
    ) -> None:
        ours, theirs = live["items"], rerun["items"]
        dot = "" if live["type"] in ("list", "tuple") else ".args" if is_error(live) else ""
        for index in range(max(len(ours), len(theirs))):
            where = f"{pair.where}{dot}[{index}]"
            if index < len(ours) and index < len(theirs):
                self.values(_Pair(where, ours[index], theirs[index]), level + 1)
            elif live.get("omitted") or rerun.get("omitted"):
                self.unseen += 1
            else:
                one = ours[index] if index < len(ours) else MISSING
                other = theirs[index] if index < len(theirs) else MISSING
                self.differ(_Pair(where, one, other))

    def keys(self, values: Sequence[Value], each: bool = False) -> list[str]:
        """Return what tells values apart, with `each` also those that are written alike."""
        return keys_of(values, self.exactly, each, elsewhere=self.elsewhere)

    def sets(self, pair: _Pair, live: dict[str, Any], rerun: dict[str, Any]) -> None:
        """By what is in the one and not in the other, whatever the order."""
        keys = self.keys(rerun["items"])
        rest = list(zip(keys, rerun["items"], strict=True))
        only: list[Value] = []
        for key, one in zip(self.keys(live["items"]), live["items"], strict=True):
            if key in keys:
                at = keys.index(key)
                del keys[at], rest[at]
                self.compared += 1
            else:
                only.append(one)
        if live.get("omitted") or rerun.get("omitted"):
            self.unseen += len(only) + len(rest)  # it may be among those that were left out
            return
        for one in only:
            self.differ(_Pair(f"{pair.where}{{{step_of(one)}}}", one, MISSING))
        for _, one in rest:
            self.differ(_Pair(f"{pair.where}{{{step_of(one)}}}", MISSING, one))

    def mappings(
        self, pair: _Pair, live: dict[str, Any], rerun: dict[str, Any], level: int
    ) -> None:
        ours, theirs = (
            dict(zip(self.keys([key for key, _ in side], each=True), side, strict=True))
            for side in (live["entries"], rerun["entries"])
        )
        if self.exactly and ours.keys() == theirs.keys() and list(ours) != list(theirs):
            orders = (
                ", ".join(spelled(key) for key, _ in side.values()) for side in (ours, theirs)
            )
            self.surely.add(f"order({pair.where})")
            self.found.append(
                Difference(
                    f"order({pair.where})", *(cut_to(one, MAX_SHOWN_CHARS) for one in orders)
                )
            )
        steps: dict[str, int] = {}
        cut = any(is_cut_off(key) for key, _ in (*live["entries"], *rerun["entries"]))
        for key in {**ours, **theirs}:
            one, other = ours.get(key), theirs.get(key)
            name = (one or other or (None, None))[0]
            where = f"{pair.where}[{step_of(name)}]"
            steps[where] = times = steps.get(where, 0) + 1
            where += f"#{times}" * (times > 1)  # of keys that are written alike
            if one is not None and other is not None:
                self.values(_Pair(where, one[1], other[1]), level + 1)
            elif cut or live.get("omitted") or rerun.get("omitted"):
                self.unseen += 1
            else:
                self.differ(
                    _Pair(
                        where,
                        one[1] if one is not None else MISSING,
                        other[1] if other is not None else MISSING,
                    )
                )

    def fields(
        self,
        pair: _Pair,
        live: dict[str, Any],
        rerun: dict[str, Any],
        member: str,
        level: int,
    ) -> None:
        ours, theirs = live.get(member) or {}, rerun.get(member) or {}
        cached = {*live.get(CACHED, ()), *rerun.get(CACHED, ())}
        for name in {**ours, **theirs}:
            one, other = ours.get(name, MISSING), theirs.get(name, MISSING)
            inner = _Pair(f"{pair.where}.{name}", one, other)
            if one is not MISSING and other is not MISSING:
                self.values(inner, level + 1)
            elif live.get("omitted") or rerun.get("omitted") or name in cached:
                self.unseen += 1
            else:
                self.differ(inner)
