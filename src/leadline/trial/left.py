"""What functions of the old code may have left in a twin, for the calls to read.

A client that was connected, a setting that was looked up, a value that a thread keeps fresh
live on as the old code has made them. Where no call has come by what makes them otherwise with
the candidate, that all comes to the same says nothing of a service that was started with it.
"""

import ast
import copy
import os
from _sha2 import sha256  # type: ignore[import-not-found]
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from leadline.trial.bygone import Changed
from leadline.trial.holders import is_class, living_attributes
from leadline.trial.keeping import Kept, Owned, attributes_read, kept_of
from leadline.trial.plan import Work
from leadline.trial.program import Program, Source, Thing, mro
from leadline.trial.scopes import FUNCTIONS, Function, span
from leadline.trial.traces import is_another
from leadline.trial.uses import WHOLE, Following, Reading, Uses
from leadline.wire.struct import dataclass, replace

type Place = tuple[str, str]
"""A real file, and the qualified name of a function in it."""

MOST = 500
"""Of one candidate; one that has more is another program."""
MOST_TOLD = 20
"""Of one run: one is enough to say that nothing is known."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a function may have left, as is `said`, and who reads it. It would be otherwise by
    a `part` that is changed: a run has come by this where it has reached one of the lines of
    its side, or called one of `met`."""

    said: str
    part: str
    lines: tuple[frozenset[Place | tuple[str, int]], frozenset[Place | tuple[str, int]]]
    met: frozenset[Place]
    readers: frozenset[Place]


def told(
    lefts: Iterable[Left],
    called: frozenset[Place],
    touched: Mapping[str, Iterable[int]],
    *,
    is_new: bool,
) -> tuple[dict[str, str], list[str]]:
    """Return what of it a run has read, each with the part of the change that would leave it
    otherwise, and the parts that the run has come by."""
    lines = {(file, line) for file, found in touched.items() for line in found}
    met = {
        one.part
        for one in lefts
        if not lines.isdisjoint(one.lines[is_new]) or not called.isdisjoint(one.met)
    }
    read = [one for one in lefts if not called.isdisjoint(one.readers) and one.part not in met]
    return {one.said: one.part for one in read[:MOST_TOLD]}, sorted(met)


def left(
    works: list[Work],
    program: Program,
    changed: Changed,
    lines: tuple[Mapping[str, Iterable[int]], Mapping[str, Iterable[int]]],
    following: Following,
) -> list[Left]:
    """Return what may be left of all that a candidate changes. `lines` are those that count as
    changed, in the old text and in the new one, by file; `following` is of everything."""
    found: dict[str, Left] = {}
    looking = _Looking(program, following)
    for work in works:
        for swap in work.steps.swaps:
            thing = str(work.module.__dict__["__name__"]), swap.qualname
            if not is_another(changed, thing):
                continue
            file = os.path.realpath(work.change.file)
            sides = [
                {line for line in lines[side].get(work.change.file, ()) if line in span(one)}
                for side, one in enumerate((swap.old, swap.new))
            ]
            for side, one in enumerate((swap.old, swap.new)):
                for each in looking.itself(thing, one, sides[side], file, is_new=bool(side)):
                    found.setdefault(each.said, each)
            reached = tuple(frozenset((file, line) for line in side) for side in sides)
            met = frozenset() if any(sides) else frozenset([(file, swap.qualname)])
            for each in looking.others(thing, (reached[0], reached[1]), met):
                found.setdefault(each.said, each)
    for thing in sorted(changed.values):
        met = frozenset(looking.place(one) for one in looking.readers_of(thing))
        for each in looking.others(thing, (frozenset(), frozenset()), met):
            found.setdefault(each.said, each)
    return list(found.values())[:MOST]


class _Looking:
    """Looks for who leaves what, and who reads it."""

    def __init__(self, program: Program, following: Following) -> None:
        self._program, self._following = program, following
        self._functions: dict[Thing, list[Function]] = {}
        self._uses: dict[Thing, Uses] = {}
        self._users: dict[Thing, set[Thing]] = defaultdict(set)
        self._attributes: dict[Thing, set[Owned]] = {}
        self._living: dict[str, dict[int, type]] | None = None
        for name, source in program.sources.items():
            for qualname in [*source.definitions, *source.assigned]:
                self._add((name, qualname), source)

    def _add(self, thing: Thing, source: Source) -> None:
        uses = self._uses[thing] = self._following.direct(thing)
        for one in uses.reads | {one for one, _ in uses.calls}:
            self._users[one].add(thing)
        for name in uses.asked | uses.called:
            for one in self._program.members.get(name, ()):
                if not name.startswith("__") or self._is_around(uses, thing, one):
                    self._users[one].add(thing)
        found = [
            one for one in source.definitions.get(thing[1], ()) if isinstance(one, FUNCTIONS)
        ]
        if found:
            self._functions[thing] = found

    def _is_around(self, uses: Uses, thing: Thing, member: Thing) -> bool:
        """Tell whether code has to do with the class of a member that syntax calls unsaid."""
        owner = member[0], member[1].rpartition(".")[0]
        kinds = {one for kind in uses.kinds for one in mro(kind)}
        return (
            owner in uses.reads
            or (thing[0], thing[1].rpartition(".")[0]) == owner
            or self._program.live(owner) in kinds
        )

    def place(self, thing: Thing) -> Place:
        source = self._program.sources.get(thing[0])
        return (os.path.realpath(source.file) if source is not None else thing[0]), thing[1]

    def readers_of(self, thing: Thing) -> list[Thing]:
        return [one for one in self._users[thing] if one in self._functions]

    def others(
        self,
        changed: Thing,
        lines: tuple[frozenset[Any], frozenset[Any]],
        met: frozenset[Place],
    ) -> Iterator[Left]:
        """Yield what functions leave that come to something changed."""
        leading = self._leading(changed)
        part = _part(*changed)
        for thing in sorted((leading - {changed}) & self._functions.keys()):
            source = self._program.sources[thing[0]]
            for function in self._functions[thing]:
                kept = kept_of(self._program, thing, function, leading=leading)
                yield from self._left(
                    thing,
                    function,
                    kept,
                    f"{source.file}:{function.lineno}: {thing[1]} may have left {{}} before, "
                    f"by what {_said(changed, source)} came to then",
                    part,
                    (lines, met),
                )

    def itself(
        self, thing: Thing, function: Function, lines: set[int], file: str, *, is_new: bool
    ) -> Iterator[Left]:
        """Yield what the changed lines of a function leave, each by itself."""
        for line in sorted(lines):
            kept = kept_of(self._program, thing, function, line=line)
            said = f"{file}:{line}: {thing[1]} may have left {{}} before, as the old code does"
            only: frozenset[Any] = frozenset([(file, line)])
            sides = (frozenset(), only) if is_new else (only, frozenset())
            part = _part(str(is_new), file, str(line))
            yield from self._left(thing, function, kept, said, part, (sides, frozenset()))

    def _left(
        self,
        thing: Thing,
        function: Function,
        kept: Kept,
        said: str,
        part: str,
        reached: tuple[tuple[frozenset[Any], frozenset[Any]], frozenset[Place]],
    ) -> Iterator[Left]:
        kept = replace(
            kept, attributes=frozenset(one for one in kept.attributes if self._lives(one))
        )
        if not kept.things and not kept.attributes:
            return
        what = min([one[1] for one in kept.things] + [f".{one}" for _, one in kept.attributes])
        readers = {one for one in self._functions if one != thing and self._reads(one, kept)}
        if self._reads_itself(thing, function, kept):
            readers.add(thing)
        if readers:
            lines, met = reached
            yield Left(
                said.format(what),
                part,
                lines,
                met,
                frozenset(map(self.place, readers)),
            )

    def _lives(self, attribute: Owned) -> bool:
        """Tell whether an object that lives has an attribute: what is made by each call anew
        was not left by another one."""
        if self._living is None:
            self._living = living_attributes()
        owner, name = attribute
        of: Any = self._program.live(owner) if owner is not None else None
        living = self._living.get(name, {}).values()
        return any(not is_class(of) or any(of is base for base in mro(one)) for one in living)

    def _leading(self, changed: Thing) -> set[Thing]:
        found, waiting = {changed}, [changed]
        while waiting:
            for one in self._users[waiting.pop()] - found:
                found.add(one)
                waiting.append(one)
        return found

    def _reads(self, thing: Thing, kept: Kept) -> bool:
        if kept.things & self._uses[thing].reads:
            return True
        if thing not in self._attributes:
            self._attributes[thing] = {
                each for one in self._functions[thing] for each in attributes_read(thing, one)
            }
        return self._asks(self._attributes[thing], kept)

    def _reads_itself(self, thing: Thing, function: Function, kept: Kept) -> bool:
        """Tell whether a function reads what it leaves, elsewhere than where it leaves it."""
        rest = copy.deepcopy(function)
        rest.body = [_Without(kept.statements).visit(one) for one in rest.body]
        reading = Reading(self._program, self._program.sources[thing[0]])
        if kept.things & reading.function(rest, WHOLE).reads:
            return True
        return self._asks(set(attributes_read(thing, rest)), kept)

    def _asks(self, read: set[Owned], kept: Kept) -> bool:
        names = {name for _, name in kept.attributes}
        return any(
            name == other and self._may_be_one(owner, of)
            for owner, name in read
            if name in names
            for of, other in kept.attributes
        )

    def _may_be_one(self, one: Thing | None, other: Thing | None) -> bool:
        """Tell whether an object may be of both classes; None is of any."""
        if one is None or other is None or one == other:
            return True
        classes = self._program.live(one), self._program.live(other)
        if not all(map(is_class, classes)):
            return True
        return bool(_descendants(classes[0]).keys() & _descendants(classes[1]).keys())


class _Without(ast.NodeTransformer):
    """Takes statements out, by where they stand."""

    def __init__(self, statements: frozenset[tuple[int, int]]) -> None:
        self._statements = statements

    def visit(self, node: ast.AST) -> Any:
        where = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        if isinstance(node, ast.stmt) and where in self._statements:
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)


def _part(*words: str) -> str:
    """Return a short name for a part of a change: each run tells those that it has met."""
    return str(sha256(repr(words).encode("utf-8", "surrogatepass")).hexdigest())[:12]


def _descendants(cls: type) -> dict[int, type]:
    found: dict[int, type] = {id(cls): cls}
    waiting: list[type] = [cls]
    while waiting:
        below: list[type] = type.__subclasses__(waiting.pop())
        for one in below:
            if id(one) not in found:
                found[id(one)] = one
                waiting.append(one)
    return found


def _said(thing: Thing, source: Source) -> str:
    return thing[1] if thing[0] == source.name else ".".join(thing)
