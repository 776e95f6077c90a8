"""The classes of a service as its texts have them, in two versions: which are their bases and
metaclasses, and who makes their objects."""

import ast
import os
import sys
from collections.abc import Callable, Mapping

from leadline.trial.bygone import does, makers
from leadline.trial.parts import Parts, decorators, imported, joined, parts_of, path_of
from leadline.trial.scopes import FUNCTIONS
from leadline.wire.struct import dataclass, field

type Key = tuple[str, str]
"""A file and a qualified name in it."""
type Find = Callable[[str, int, str], str]
"""Given a file, and the level and name of a module that it imports, return that module's file;
nothing where that is none of the service's."""

_PLAIN = frozenset(
    "dataclass total_ordering runtime_checkable final unique dataclass_transform".split()
)
"""Decorators of classes that read no more than the fields."""


@dataclass(slots=True)
class Lineage:
    """A class with its bases and metaclasses, as far as they are the service's own."""

    classes: list[Key] = field(default_factory=list)
    metaclasses: list[Key] = field(default_factory=list)
    foreign: bool = False
    """Whether its objects may be made from whatever stands in its body, as libraries do."""


class Versions:
    """The texts of `old` and `new` by file. `read` returns the text of a file that is the same
    in both, and None of one that is not the service's own."""

    def __init__(
        self,
        old: Mapping[str, str | None],
        new: Mapping[str, str | None],
        find: Find,
        read: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._old = {os.path.realpath(file): parts_of(text) for file, text in old.items()}
        self._new = {os.path.realpath(file): parts_of(text) for file, text in new.items()}
        self.changed = sorted({*self._old, *self._new})
        self.find, self._read = find, read
        self._lineages: dict[Key, Lineage] = {}
        self._named: dict[tuple[str, tuple[str, ...], str], list[Key]] = {}

    def before(self, file: str) -> Parts:
        """Return what a file had."""
        return self._old[file] if file in self._old else self.after(file)

    def after(self, file: str) -> Parts:
        """Return what a file has."""
        if file not in self._new:
            self._new[file] = parts_of(self._read(file))
        return self._new[file]

    def both(self, file: str) -> tuple[Parts, Parts]:
        return self.before(file), self.after(file)

    def makes(self, file: str, qualname: str) -> int:
        """Return the line of the function that makes functions of such a name, if that does
        something else than before, else 0."""
        for maker, depth in makers(qualname):
            owner, _, name = maker.rpartition(".")
            names = [
                (side.members.get(owner, {}) if owner else side.top).get(name, [])
                for side in self.both(os.path.realpath(file))
            ]
            before, after = (
                [one for one in side if isinstance(one, FUNCTIONS)] for side in names
            )
            if [does(one, depth) for one in before] != [does(one, depth) for one in after]:
                return min((one.lineno for one in after), default=1)
        return 0

    def members(self, key: Key, name: str) -> list[ast.stmt]:
        """Return what binds a member of a class, in either text."""
        return [
            one
            for side in self.both(key[0])
            for one in side.members.get(key[1], {}).get(name, ())
        ]

    def lineage(self, key: Key) -> Lineage:
        if key not in self._lineages:
            found = self._lineages[key] = Lineage()  # before its bases: a circle ends
            self._descend(key, found, meta=False)
        return self._lineages[key]

    def _descend(self, key: Key, found: Lineage, *, meta: bool) -> None:
        into = found.metaclasses if meta else found.classes
        if key in into:
            return
        into.append(key)
        file, qualname = key
        for side in (self.before(file), self.after(file)):
            head = side.classes.get(qualname)
            if head is None:
                continue
            metas = [one.value for one in head.keywords if one.arg == "metaclass"]
            for parts, is_meta in ((head.bases, meta), (metas, True)):
                for part in parts:
                    keys = self.named(file, path_of(part), qualname)
                    for one in keys:
                        self._descend(one, found, meta=is_meta)
                    found.foreign |= not keys and self._is_foreign(file, path_of(part))
            for part in decorators(head):
                path = path_of(part)
                found.foreign |= path[-1] not in _PLAIN or self._is_foreign(file, path)
        names = self.after(file).members.get(qualname, {})
        found.foreign |= "__init_subclass__" in names or meta

    def named(self, file: str, path: tuple[str, ...], within: str = "") -> list[Key]:
        """Return the service's own classes that a name means, through imports."""
        if (file, path, within) not in self._named:
            self._named[file, path, within] = self._look_for(file, path, within)
        return self._named[file, path, within]

    def _look_for(self, file: str, path: tuple[str, ...], within: str) -> list[Key]:
        found: list[Key] = []
        waiting = [(file, path, within)]
        seen: set[tuple[str, tuple[str, ...]]] = set()
        while waiting:
            here, words, scope = waiting.pop()
            if (here, words) in seen or not here or not words:
                continue
            seen.add((here, words))
            parts = self.after(here)
            qualname = ".".join(words)
            inside = f"{scope.rpartition('.')[0]}.{qualname}"
            if inside in parts.classes and inside != scope:
                found.append((here, inside))
            elif qualname in parts.classes:
                found.append((here, qualname))
            for statement in parts.top.get(words[0], []):
                for level, module, inner in imported(statement, words[0]):
                    rest = (inner, *words[1:]) if inner else words[1:]
                    waiting.append((*self.through(here, level, module, rest), ""))
            if words[0] not in parts.top:
                waiting += [
                    (self.find(here, one.level, one.module or ""), words, "")
                    for one in parts.stars
                ]
        return found

    def through(
        self, file: str, level: int, module: str, names: tuple[str, ...]
    ) -> tuple[str, tuple[str, ...]]:
        """Follow names through packages, as far as these are modules; return the file of the
        last one, and what is asked of it. One name at least is left."""
        while len(names) > 1 and self.find(file, level, joined(module, names[0])):
            module, names = joined(module, names[0]), names[1:]
        return self.find(file, level, module), names

    def _is_foreign(self, file: str, path: tuple[str, ...]) -> bool:
        """Whether a base is of a library that may read the body of a class, and is not built
        in or of the standard library, which reads no more than the fields."""
        for statement in self.after(file).top.get(path[0], []):
            for level, module, _ in imported(statement, path[0]):
                root = module.partition(".")[0]
                return bool(level) or root not in sys.stdlib_module_names
        return path[0] in self.after(file).top or bool(self.after(file).stars)
