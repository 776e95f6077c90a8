"""The modules of a service as they are written: what they define, what a name in them means.

Names are followed through imports of every form to where they are bound, and dotted ones
through what lives: classes, and objects that modules hold, by their dictionaries alone.
"""

import ast
import builtins
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from leadline.trial.holders import is_class, namespace_of
from leadline.trial.scopes import Definition, blocks_of, bound_by, definitions, mangled, parsed
from leadline.trial.sources import text_on_disk
from leadline.wire.struct import dataclass, field

type Thing = tuple[str, str]
"""A module, and a qualified name in it; the name is empty for the module itself."""

UNKNOWN = object()
MAX_CHARS = 20_000_000
"""Of all sources together: half a million lines, which take ten seconds to read."""


@dataclass(slots=True)
class Source:
    """One module: `assigned` are the values that a name is given at its top."""

    module: ModuleType
    tree: ast.Module
    imports: dict[str, list[Thing]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    definitions: dict[str, list[Definition]] = field(default_factory=dict)
    assigned: dict[str, list[ast.expr]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.module.__dict__["__name__"])

    @property
    def file(self) -> str:
        return str(self.module.__dict__["__file__"])


@dataclass(frozen=True, slots=True)
class Found:
    """What an expression means: where that is bound, and what it is by now. `itself` says that
    it is an object of the class `live`, not that class."""

    things: frozenset[Thing] = frozenset()
    live: Any = UNKNOWN
    itself: bool = False


class Program:
    """All modules of a service by their names; `unread` are those whose text is not here."""

    def __init__(self, modules: Iterable[ModuleType], texts: Mapping[str, str]) -> None:
        """`texts` are what certain files are to say, by the file that a module names."""
        self.sources: dict[str, Source] = {}
        self.unread: list[ModuleType] = []
        left = MAX_CHARS
        for module in modules:
            file = module.__dict__["__file__"]
            text = texts.get(file) or text_on_disk(file)
            left -= len(text or "")
            try:
                tree = parsed(text) if text is not None and left > 0 else None
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                tree = None
            if tree is None:
                self.unread.append(module)
            else:
                self.sources[module.__dict__["__name__"]] = read(module, tree)
        self.members: dict[str, set[Thing]] = defaultdict(set)
        """All members of classes by their last name."""
        self.changed: frozenset[Thing] = frozenset()
        """What a candidate binds or takes away: a class may not have it yet, a text no more."""
        for name, source in self.sources.items():
            for qualname in source.definitions:
                if "." in qualname:
                    self.members[qualname.rpartition(".")[2]].add((name, qualname))

    def is_own(self, cls: type) -> bool:
        return thing_of(cls)[0] in self.sources

    def live(self, thing: Thing) -> Any:
        """Return what a qualified name leads to now, as it lies there."""
        source = self.sources.get(thing[0])
        found: Any = source.module if source is not None else sys.modules.get(thing[0])
        within = ""
        for word in thing[1].split(".") if thing[1] else ():
            found = namespace_of(found).get(mangled(word, within), UNKNOWN)
            within = word
            wrapped = namespace_of(found).get("__wrapped__")
            if is_class(wrapped) and not is_class(found):
                found = wrapped
        return _bare(found)

    def named(self, source: Source, name: str) -> Found:
        """Return what a name of a module means."""
        things: set[Thing] = set()
        waiting: list[Thing] = [(source.name, name)]
        seen: set[Thing] = set()
        while waiting:
            thing = waiting.pop()
            other = self.sources.get(thing[0])
            if thing in seen:
                continue
            seen.add(thing)
            if (
                other is None
                or not thing[1]
                or thing[1] in other.bound
                or thing in self.changed
            ):
                things.add(thing)
            if other is None:
                continue
            for where, said in other.imports.get(thing[1], ()):
                inner = f"{where}.{said}" if said else where
                is_module = type(sys.modules.get(inner)) is ModuleType
                known = self.sources.get(where)
                names = known is not None and (said in known.bound or said in known.imports)
                waiting.append((inner, "") if is_module and not names else (where, said))
            if thing[1] and thing[1] not in other.bound | other.imports.keys():
                waiting += [(star, thing[1]) for star in other.stars if star in self.sources]
        live = source.module.__dict__.get(name, getattr(builtins, name, UNKNOWN))
        return Found(frozenset(things), _bare(live))

    def member(self, found: Found, name: str) -> Found | None:
        """Return what an attribute of something means; None where that cannot be told."""
        live = found.live
        if issubclass(type(live), ModuleType):
            source = self.sources.get(str(live.__dict__.get("__name__")))
            if source is not None:
                return self.named(source, name)
            return Found(live=_bare(namespace_of(live).get(name, UNKNOWN)))
        if live is UNKNOWN:
            return None
        if not is_class(live) and name in namespace_of(live):
            return Found(live=_bare(namespace_of(live)[name]))
        things = self.all_members(live if is_class(live) else type(live), name)
        for cls in mro(live if is_class(live) else type(live)):
            held = namespace_of(cls).get(mangled(name, cls.__name__), UNKNOWN)
            if held is not UNKNOWN:
                plain = type(_bare(held)) is FunctionType or is_class(held)
                data = is_class(live) and not hasattr(type(held), "__get__")
                return Found(things, _bare(held) if plain or data else UNKNOWN)
        return Found(things) if things else None

    def all_members(self, cls: type, name: str) -> frozenset[Thing]:
        """Return what a class and those above it have, or are to have, under a name: `super`
        leads to any of them."""
        found = set()
        for one in mro(cls):
            module, qualname = thing_of(one)
            thing = module, f"{qualname}.{name}"
            if mangled(name, one.__name__) in namespace_of(one) or thing in self.changed:
                found.add(thing)
        return frozenset(found)


def read(module: ModuleType, tree: ast.Module) -> Source:
    """Return what a module defines, binds and imports."""
    source = Source(module, tree)
    _imported(source)
    for statement in _own(tree.body):
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            source.bound |= bound_by(statement)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for name in bound_by(statement):
                source.assigned.setdefault(name, []).append(statement.value)
    for definition, qualname in definitions(tree):
        source.definitions.setdefault(qualname, []).append(definition)
    return source


def _imported(source: Source) -> None:
    """Note what a module imports, and what is global, in functions too."""
    package = _package(source.module)
    for one in ast.walk(source.tree):
        if isinstance(one, ast.Import):
            for alias in one.names:
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                source.imports.setdefault(alias.asname or top, []).append((top, ""))
        elif isinstance(one, ast.ImportFrom):
            parts = package.split(".")[: 1 - one.level or None] if one.level else []
            where = ".".join([*parts, *filter(None, [one.module])])
            for alias in one.names:
                if alias.name == "*":
                    source.stars.append(where)
                else:
                    name = alias.asname or alias.name
                    source.imports.setdefault(name, []).append((where, alias.name))
        elif isinstance(one, ast.Global):
            source.bound |= set(one.names)


def _own(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that bind names of the module, without those of classes."""
    for one in body:
        blocks = [] if hasattr(one, "decorator_list") else [*blocks_of(one)]
        for block in blocks:
            yield from _own(block)
        if isinstance(one, ast.For | ast.AsyncFor | ast.With | ast.AsyncWith) or not blocks:
            yield one


def _package(module: ModuleType) -> str:
    package = module.__dict__.get("__package__")
    if type(package) is str:
        return package
    name = str(module.__dict__.get("__name__"))
    return name if "__path__" in module.__dict__ else name.rpartition(".")[0]


def mro(cls: type) -> tuple[type, ...]:
    found: tuple[type, ...] = type.__dict__["__mro__"].__get__(cls)
    return found


def thing_of(cls: type) -> Thing:
    """Return where a class was defined."""
    module = namespace_of(cls).get("__module__")
    qualname = type.__dict__["__qualname__"].__get__(cls)
    return (module if type(module) is str else "", str(qualname))


def _bare(found: Any) -> Any:
    return found.__func__ if type(found) in (staticmethod, classmethod) else found
