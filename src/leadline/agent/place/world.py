"""Another world, and what is drawn for it: by its number alone, the same in all places."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any
from zlib import crc32

from leadline.wire.struct import dataclass

_MOST_VALUES, _MOST_MEMBERS = 16, 32
"""Values of one column in one world, and members of a document that may be another: each world
draws others."""
_HELD, _NAMED, _OF_CALL = 0.45, 0.25, 0.15
"""How often a value is one that another row holds, that the code names, that the call is given;
else it is nothing, none, or a time long past."""
_LOST = 0.3
"""How often a member is gone."""
_LEAST_PART = 3
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EARLY, _LATE = "2001", "2999"
_NUMBERS = re.compile(r"int|real|floa|doub|num|dec|bool", re.IGNORECASE)
type Word = str | int | float


@dataclass(frozen=True, slots=True)
class World:
    """Which world it is; values that the code names, and that the call is given; rows that it
    has asked for (`asked`); and names of tables and columns, among others."""

    number: int = 0
    words: Sequence[Word] = ()
    given: Sequence[Word] = ()
    asked: Sequence[Mapping[str, Word]] = ()
    names: Collection[str] = ()

    def chance(self, name: str) -> Random:
        """Return what is drawn by for a table, or a column."""
        return Random(crc32(f"{self.number} {name}".encode("utf-8", "surrogatepass")))  # noqa: S311

    def of(self, names: Sequence[str]) -> list[str]:
        """Return those that the code names; all where it names none of them. `shop_orders` is
        named by `Order`, as applications call the class of its rows."""
        said = {form for name in self.names for form in _forms(name)}
        return [name for name in names if not said.isdisjoint(_parts(name))] or list(names)


def _parts(name: str) -> Iterator[str]:
    yield from _forms(name)
    for part in name.split("_"):
        yield from _forms(part) if len(part) >= _LEAST_PART else ()


def _forms(name: str) -> tuple[str, str]:
    """Return a name in small letters, as it is and without the `s` of many."""
    small = name.lower()
    return small, small.removesuffix("s")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name and declared type, values that rows hold in it (`held`), and what a
    new row has there, if that is known."""

    name: str
    declared: str
    held: Sequence[object]
    defaults: Sequence[object]

    def given(self, world: World, chance: Random) -> Word | None:
        """Return a value that the call is given, of the column's sort."""
        is_number = bool(_NUMBERS.search(self.declared))
        able = [one for one in world.given if isinstance(one, str) is not is_number]
        return chance.choice(able) if able else None

    def drawn(self, world: World, chance: Random) -> list[object]:
        """Return what is put into it."""
        held, name = self.held, self.name.lower()
        named, others = _other_cases(held, self.declared, world.words, chance)
        asked = [one[name] for one in world.asked if name in one]
        others += self.defaults
        found: list[object] = []
        for _ in range(_MOST_VALUES):
            how = chance.random()
            if held and how < _HELD:
                found.append(chance.choice(held))
            elif asked and how >= 1 - _OF_CALL / 2:
                found.append(chance.choice(asked))
            elif how >= 1 - _OF_CALL and (given := self.given(world, chance)):
                found.append(given)
            else:
                is_named = named and how < _HELD + _NAMED
                found.append(chance.choice(named if is_named else others))
        return found


def _other_cases(
    held: Sequence[object], declared: str, words: Sequence[Word], chance: Random
) -> tuple[list[object], list[object]]:
    """Return values of a column's sort that the code names, and such as are often another
    case."""
    if any(isinstance(one, bytes) for one in held):
        return [], [None]
    texts = [one for one in held if isinstance(one, str)]
    is_number = _NUMBERS.search(declared) if not held else not texts
    if is_number:
        numbers: list[object] = [one for one in words if not isinstance(one, str)]
        return numbers, [None, 0, 1, -1, *_neighbours(held)]
    if dated := next((one for one in texts if _DATE.match(one)), ""):
        return [], [None, _EARLY + dated[4:], _LATE + dated[4:]]
    if documents := [one for one in texts if one[:1] in ("{", "[")]:
        return [*_edited(documents, words, chance)], [None]
    return [one for one in words if isinstance(one, str)], [None]


def _edited(documents: Sequence[str], words: Sequence[Word], chance: Random) -> Iterator[str]:
    """Yield documents of JSON with one member that is another, or gone, each."""
    for _ in range(_MOST_VALUES):
        try:
            document = json.loads(chance.choice(documents))
        except (ValueError, RecursionError):
            continue
        if not (members := _members(document)):
            continue
        holder, key = chance.choice(members)
        others = [one for one in words if isinstance(one, str) is isinstance(holder[key], str)]
        if chance.random() < _LOST:
            del holder[key]
        else:
            holder[key] = chance.choice([None, *others])
        yield json.dumps(document)


def _members(document: Any) -> list[tuple[Any, Any]]:
    """Return where the members of a document stand, the first ones: what holds each, and its
    key."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting and len(found) < _MOST_MEMBERS:
        one = waiting.pop(0)
        keys = list(one) if isinstance(one, dict) else range(len(one))
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys if isinstance(one[key], dict | list)]
    return found[:_MOST_MEMBERS]


def _neighbours(held: Iterable[object]) -> Iterator[object]:
    for one in [one for one in held if isinstance(one, int | float)][:3]:
        yield from (one + 1, one * 2)
