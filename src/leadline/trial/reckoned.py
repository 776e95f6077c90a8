"""What objects keep of a `cached_property` that a candidate would reckon otherwise.

Such an object gives out what the old code came to for as long as it lives. With the value
taken out, old code and new reckon anew, as they would after a start.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any

from leadline.trial.holders import behind, codes_in, is_class, namespace_of
from leadline.trial.program import Program, Thing, mro, thing_of
from leadline.trial.warm import Leading, everything
from leadline.wire.struct import dataclass, field

_NAMED = ("attrname", "name", "__name__")
"""Where descriptors keep the name under which they put a value."""
_PLAIN = (FunctionType, staticmethod, classmethod, property)


@dataclass(frozen=True, slots=True)
class Once:
    """A descriptor that keeps in the dictionary of an object, under `key`, what its function
    came to. `name` is its own, with class and module, `place` where it is defined."""

    name: str
    place: str
    key: str


@dataclass(slots=True)
class Reckoned:
    """Finds such values, and takes out those that may come of something changed."""

    program: Program
    leading: Leading
    found: dict[Once, list[Mapping[str, Any]]] = field(default_factory=dict)
    """What live objects have in their dictionaries."""
    _kinds: dict[int, tuple[type, list[Once]]] = field(default_factory=dict)
    _known: dict[tuple[int, type | None], Once | None] = field(default_factory=dict)
    _taken: list[Any] = field(default_factory=list)
    """Kept, or it would come to its end here."""

    @property
    def notes(self) -> list[str]:
        said = []
        for once, within in self.found.items():
            many = f"{len(within)} objects" if len(within) > 1 else "one object"
            said.append(
                f"the value of {once.name} was taken out of {many} before all runs: it leads "
                f"to what the candidate changes"
            )
        return said

    def look(self) -> None:
        """Look at every object of the process: only in a copy of it, where nobody waits."""
        for one in everything():
            for once, names in self._in(one):
                self.found.setdefault(once, []).append(names)

    def obstacles(self) -> Iterator[str]:
        """Yield why a value cannot be taken out, as `file:line: why`."""
        for once, within in self.found.items():
            if any(type(names) is not dict for names in within):
                yield f"{once.place}: an object keeps its value where it cannot be taken out"

    def take_out(self) -> None:
        """Have the values of live objects reckoned anew, by whichever code runs next."""
        for once, within in self.found.items():
            for names in within:
                self._take(once, names)

    def take_out_of(self, objects: Iterable[object]) -> None:
        """As `take_out`, of objects that were made since."""
        for one in objects:
            for once, names in self._in(one):
                self._take(once, names)

    def _take(self, once: Once, names: Mapping[str, Any]) -> None:
        assert type(names) is dict  # noqa: S101 - else it was an obstacle
        self._taken.append(names.pop(once.key, None))

    def _in(self, one: object) -> Iterator[tuple[Once, Mapping[str, Any]]]:
        """Yield the values that an object has, with its dictionary."""
        kind = type(one)
        if id(kind) not in self._kinds:  # a metaclass may have a hash of its own
            self._kinds[id(kind)] = kind, [] if is_class(one) else self._of(kind)
        _, known = self._kinds[id(kind)]
        if not known:
            return
        names = namespace_of(one)
        for once in known:
            # a method that is bound once for each object is no value
            if once.key in names and "__wrapped__" not in namespace_of(names[once.key]):
                yield once, names

    def _of(self, kind: type) -> list[Once]:
        """Return the properties of the objects of a class that may come to something changed;
        none where it has nothing to do with the program."""
        classes, seen = mro(kind), set[str]()
        found: list[Once] = []
        if not any(map(self.program.is_own, classes)):
            return found
        for owner in classes:
            for name, one in list(namespace_of(owner).items()):
                if name not in seen and is_once(one):
                    # what a library's calls is another for each class that is derived
                    key = id(one), None if self.program.is_own(owner) else kind
                    if key not in self._known:
                        self._known[key] = self._once(owner, name, one, kind)
                    found += filter(None, [self._known[key]])
                seen.add(name)
        return found

    def _once(self, owner: type, name: str, one: object, kind: type) -> Once | None:
        things = self._called(owner, one, kind)
        if not things or not self.leading.leads(things):
            return None
        ways = [namespace_of(one).get(way) for way in _NAMED]
        key = next((key for key in ways if type(key) is str), name)
        source = self.program.sources[things[0][0]]
        lines = [each.lineno for each in source.definitions.get(things[0][1], ())]
        place = f"{source.file}:{min(lines, default=1)}"
        return Once(".".join((*thing_of(owner), name)), place, key)

    def _called(self, owner: type, one: object, kind: type) -> list[Thing]:
        """Return the functions of the program that a property calls; of one of a library, what
        a class has under any name that the library's code says."""
        things = self.leading.of(one)
        if things or self.program.is_own(owner):
            return things
        words: set[str] = set()
        waiting = list(behind(one))
        while waiting:
            function = waiting.pop()
            for code in (function.__code__, *codes_in(function.__code__)):
                for word in set(code.co_names) - words:
                    words.add(word)
                    members = self.program.all_members(kind, word)
                    own = [each for each in members if each[0] in self.program.sources]
                    things += own
                    waiting += () if own else _functions(kind, word)
        return things


def is_once(one: object) -> bool:
    """Whether a member of a class keeps what its function came to in the object: it gives way
    to what is there, or is called so, and has a function of its own."""
    cls = type(one)
    if cls in _PLAIN or is_class(one):
        return False
    members = {name for base in mro(cls)[:-1] for name in namespace_of(base)}
    if "__get__" not in members:
        return False
    called = any(base.__name__ == "cached_property" for base in mro(cls))
    return called or (
        "__set__" not in members
        and "__delete__" not in members
        and any(type(held) is FunctionType for held in namespace_of(one).values())
    )


def _functions(kind: type, word: str) -> Iterator[FunctionType]:
    """Yield the functions that a class has under a name."""
    for cls in mro(kind):
        held = namespace_of(cls).get(word)
        if held is not None and not is_class(held):
            yield from behind(held)
            return
