"""Classes whose objects a candidate makes otherwise.

The objects that a captured call is given were made before, by the old code. Where the new code
makes such objects otherwise, with one attribute more for example, a run with old ones shows
what will never be: every object is made by the new code once it is deployed.

What takes part in the making of an object is found in the texts, as to make one might do
anything: what runs then, what that mentions, and so on through the service's own modules.
"""

import ast
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from leadline.trial.lineage import Find, Key, Lineage, Versions
from leadline.trial.mentions import Mention, Mentioned, is_telling, mentioned, mentions
from leadline.trial.parts import (
    Names,
    decorators,
    imported,
    is_once,
    is_put_away,
    path_of,
    puts_into,
    said,
    sees_what_is_set,
)
from leadline.trial.scopes import FUNCTIONS, class_head

type _Step = tuple[str, Key, str, Key | None]
"""What kind of part is looked at, which one, the member, and whose object it is about."""

_MAKES = frozenset(
    """
    __init__ __new__ __post_init__ __setattr__ __slots__ __set__ __set_name__
    __init_subclass__ __attrs_pre_init__ __attrs_post_init__ __attrs_init__ __prepare__
    model_post_init model_config __pydantic_init_subclass__ __get_pydantic_core_schema__
    __get_validators__ _fields_ Config Meta
    """.split()
)
_BEGINS = ("__init__", "__new__", "__post_init__")
_AT_CALLS = frozenset(
    """
    property cached_property staticmethod classmethod abstractmethod override final overload
    setter getter deleter lru_cache cache singledispatchmethod contextmanager
    asynccontextmanager wraps computed_field field_serializer model_serializer
    validate_call deprecated no_type_check
    """.split()
)
"""Decorators of methods that run when these are called, and not when an object is made."""
_KEPT = "kept"
"""Says of a name that it is put away there: a function or class that it means does not run."""
_MOST = 20_000
"""Parts that are looked at, at most, for one class."""
_MOST_SAID = "more takes part in it than can be looked at"


def remade_in(
    old: Mapping[str, str | None], new: Mapping[str, str | None]
) -> dict[str, list[str]]:
    """Return those classes by the real path of their file, as far as the changed files tell,
    whose texts are given."""
    versions = Versions(old, new, _near({os.path.realpath(one) for one in (*old, *new)}))
    making = Making(versions)
    found: dict[str, list[str]] = {}
    for file in versions.changed:
        if names := [name for name in making.classes(file) if making.otherwise(file, name)]:
            found[file] = names
    return found


def remade(old: str, new: str) -> list[str]:
    """Return the qualified names of classes that are in both texts, and made otherwise."""
    return next(iter(remade_in({"a.py": old}, {"a.py": new}).values()), [])


def _near(files: set[str]) -> Find:
    """Return what finds modules among `files` alone."""

    def find(file: str, level: int, name: str) -> str:
        tail = name.replace(".", "/")
        above = Path(file).parents
        begins = f"{above[level - 1]}/" if 0 < level <= len(above) else "/"
        for ends in (f"{tail}.py", f"{tail}/__init__.py".lstrip("/")):
            for one in sorted(files):
                if one == begins + ends or (not level and one.endswith(begins + ends)):
                    return one
        return ""

    return find


class Making:
    """What takes part in making objects, in two versions of the service."""

    def __init__(self, versions: Versions, entry: Key = ("", "")) -> None:
        """The calls are those of `entry`. A decorator of its own is no sign that something
        else calls it as well, and what it makes itself it is given empty."""
        self._versions, self._entry = versions, entry
        self._said: dict[Key, str] = {}
        self._found = ""
        self._made: dict[Key, None] = {}
        self._words: set[str] = set()
        self._waiting: list[_Step] = []
        self._seen: set[_Step] = set()
        self._mentions: dict[tuple[int, bool], Mentioned] = {}
        self._differing: dict[tuple[str, str], str] = {}

    def classes(self, file: str) -> list[str]:
        """Return those that are in both texts of a changed file."""
        return [
            name
            for name in self._versions.before(file).classes
            if name in self._versions.after(file).classes
        ]

    def otherwise(self, file: str, qualname: str) -> str:
        """Return the first part that differs of what makes objects of a class, with its place;
        nothing where none does."""
        key = os.path.realpath(file), qualname
        if key not in self._said:
            try:
                self._said[key] = self._look(key)
            except RecursionError:
                self._said[key] = _MOST_SAID
        return self._said[key]

    def reckons(self, file: str, qualname: str, name: str) -> str:
        """Return the first part that differs of what a property comes to which is reckoned once
        for each object of a class, with its place; nothing where none does, or where what is
        under that name in an object is no such property."""
        key = os.path.realpath(file), qualname
        for owner in self._versions.lineage(key).classes:
            members = self._versions.members(owner, name)
            if members:
                break
        else:
            return ""
        said = owner[0], f"{qualname}.{name} once"
        if said not in self._said:
            self._said[said] = ""
            if any(map(is_once, members)):
                try:
                    self._begin()
                    self._go("member", owner, name, key)
                    self._said[said] = self._follow_all(key)
                except RecursionError:
                    self._said[said] = _MOST_SAID
        return self._said[said]

    def _begin(self) -> None:
        self._found, self._waiting, self._seen = "", [], set()
        self._made, self._words = {}, set()

    def _look(self, key: Key) -> str:
        self._begin()
        file, (within, _, name) = self._entry[0], self._entry[1].rpartition(".")
        if name in _BEGINS and (file, within) in self._versions.lineage(key).classes:
            return ""
        if any(key[1] in side.classes for side in self._versions.both(key[0])):
            self._go("class", key)
        else:  # made by a function: a named tuple, for example
            self._go("name", (key[0], key[1].partition(".")[0]))
        return self._follow_all(key)

    def _follow_all(self, key: Key) -> str:
        while not self._found and (self._waiting or self._ask_what_is_made()):
            if len(self._seen) > _MOST:
                return _MOST_SAID
            kind, one, name, about = self._waiting.pop()
            if kind == "class":
                if one != key:
                    self._made[one] = None
                self._class(one)
            elif kind == "name":
                self._name(one, runs=name != _KEPT)
            else:
                self._member(one, name, about)
        return self._found

    def _ask_what_is_made(self) -> bool:
        """Ask objects that are made meanwhile for all that is asked of any object, and for what
        operators and built-in functions ask; whether there is anything new to look at."""
        for key in self._made:
            for one in self._versions.lineage(key).classes:
                for side in self._versions.both(one[0]):
                    for name in side.members.get(one[1], ()):
                        if name in self._words or (name[:2] == "__" == name[-2:]):
                            self._go("member", one, name, key)
        return bool(self._waiting)

    def _go(self, kind: str, key: Key, name: str = "", about: Key | None = None) -> None:
        one = kind, key, name, about
        if one not in self._seen:
            self._seen.add(one)
            self._waiting.append(one)

    def _differs(self, file: str, name: str, sides: Sequence[Names], within: str = "") -> bool:
        """Whether two bodies say something else of a name; where they do, it is found."""
        before, after = (side.get(name, []) for side in sides)
        if before is after:
            return False
        key = file, f"{within}{name}"
        if key not in self._differing:
            self._differing[key] = self._apart(key, before, after, name)
        self._found = self._differing[key]
        return bool(self._found)

    def _apart(self, key: Key, before: list[ast.stmt], after: list[ast.stmt], name: str) -> str:
        """Return where it is that two bodies say something else of a name."""
        is_member = key[1] != name
        texts = [[said(name, one, typed=is_member) for one in side] for side in (before, after)]
        if texts[0] == texts[1]:
            return ""
        pairs = zip(after, texts[1], strict=True)
        others = [one for one, text in pairs if text not in texts[0]] or after or before
        return _placed(key[0], key[1], others[0])

    # what is looked at

    def _class(self, key: Key) -> None:
        """Look at all that makes objects of a class."""
        lineage = self._versions.lineage(key)
        for one in (*lineage.classes, *lineage.metaclasses):
            file, qualname = one
            before, after = (side.classes.get(qualname) for side in self._versions.both(file))
            if before is not after and (
                before is None or after is None or class_head(before) != class_head(after)
            ):
                self._found = _placed(file, qualname, after or before)
                return
            if after is None:
                continue
            self._mention(file, after.decorator_list, None, None)
            if self._is_patched(one):
                return
            meta = one in lineage.metaclasses
            for name in self._making(one, lineage, meta=meta):
                self._go("member", one, name, key)

    def _is_patched(self, key: Key) -> bool:
        """Look at what a module puts into a class beneath its body; whether that differs."""
        file, name = key[0], key[1].partition(".")[0]
        before, after = (
            [one for one in side.top.get(name, []) if puts_into(one)]
            for side in self._versions.both(file)
        )
        if before or after:
            self._found = self._apart((file, name), before, after, name)
            self._mention(file, after, None, None)
        return bool(self._found)

    def _making(self, key: Key, lineage: Lineage, *, meta: bool) -> list[str]:
        """Return the members of a class that take part."""
        file, qualname = key
        found: dict[str, None] = {}
        for side in self._versions.both(file):
            head = side.classes.get(qualname)
            if head is None:
                continue
            is_read = bool(head.bases or head.keywords or head.decorator_list)
            for name, statements in side.members[qualname].items():
                if (
                    name in _MAKES
                    or (meta and name == "__call__")
                    or any(
                        self._takes_part(one, key, lineage, is_read=is_read)
                        for one in statements
                    )
                ):
                    found[name] = None
        return [*found]

    def _takes_part(self, one: ast.stmt, key: Key, lineage: Lineage, *, is_read: bool) -> bool:
        file, qualname = key
        match one:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                is_entry = (file, f"{qualname}.{one.name}") == self._entry
                may = any(map(_may_make, decorators(one)))
                return lineage.foreign and may and not is_entry
            case ast.AnnAssign(value=value, annotation=annotation):
                words = ast.unparse(annotation)
                return "ClassVar" not in words and (is_read or value is None)
            case ast.Assign(value=value):
                return lineage.foreign or self._is_set(file, value)
        return False

    def _is_set(self, file: str, value: ast.expr) -> bool:
        """Whether an attribute of a class is made from a class that sees what is put there."""
        for one in mentions([value]):
            for key in self._versions.named(file, one.path):
                for owner, qualname in self._versions.lineage(key).classes:
                    if self._versions.members((owner, qualname), "__set__"):
                        return True
        return False

    def _name(self, key: Key, *, runs: bool) -> None:
        """Look at what a module binds a name to, and at what that mentions."""
        file, name = key
        before, after = self._versions.both(file)
        if name not in before.top and name not in after.top:
            for star in after.stars:
                if target := self._versions.find(file, star.level, star.module or ""):
                    self._go("name", (target, name), "" if runs else _KEPT)
            return
        statements = after.top.get(name, [])
        defined = [*statements, *before.top.get(name, [])]
        if not runs and any(isinstance(one, (*FUNCTIONS, ast.ClassDef)) for one in defined):
            return
        if self._differs(file, name, (before.top, after.top)):
            return
        for one in statements:
            if isinstance(one, ast.ClassDef):
                self._go("class", (file, name))
            elif isinstance(one, ast.Import | ast.ImportFrom):
                for level, module, inner in imported(one, name):
                    if inner and (target := self._versions.find(file, level, module)):
                        self._go("name", (target, inner), "" if runs else _KEPT)
            else:
                self._mention(file, [one], None, None)

    def _member(self, owner: Key, name: str, about: Key | None) -> None:
        """Look at a member of a class, as one of objects of the class `about`."""
        file, qualname = owner
        sides = self._versions.both(file)
        names = [side.members.get(qualname, {}) for side in sides]
        if self._differs(file, name, names, f"{qualname}."):
            return
        for one in names[1].get(name, []):
            if isinstance(one, ast.ClassDef):
                self._body(file, f"{qualname}.{name}")
            else:
                self._mention(file, [one], owner, about)

    def _body(self, file: str, qualname: str) -> None:
        """Look at all of the body of a class that only says how another one is made."""
        sides = self._versions.both(file)
        for name in {name for side in sides for name in side.members.get(qualname, ())}:
            self._go("member", (file, qualname), name)
        self._go("class", (file, qualname))

    # what it mentions

    def _mention(
        self,
        file: str,
        nodes: Sequence[ast.AST],
        owner: Key | None,
        about: Key | None,
    ) -> None:
        for node in nodes:
            function = isinstance(node, FUNCTIONS)
            is_read = owner is not None and (function or self._versions.lineage(owner).foreign)
            said = self._mentioned(node, inside=is_read)
            for one in said.mentions:
                if owner and not function and self._is_member(owner, one.path):
                    self._go("member", owner, one.path[0], about)
                else:
                    self._follow(file, one, said.first, about, said.imports)

    def _is_member(self, owner: Key, path: tuple[str, ...]) -> bool:
        return len(path) == 1 and bool(self._versions.members(owner, path[0]))

    def _mentioned(self, node: ast.AST, *, inside: bool) -> Mentioned:
        """Return what a statement mentions; of each it is found out once."""
        key = id(node), inside
        if key not in self._mentions:
            self._mentions[key] = mentioned(node, inside=inside)
        return self._mentions[key]

    def _follow(
        self, file: str, one: Mention, first: str, about: Key | None, local: Sequence[ast.stmt]
    ) -> None:
        root, *rest = one.path
        kept = "" if one.runs else _KEPT
        if about is not None and root and root in (first, "super()"):
            if rest:
                self._of_object(about, rest[0], one)
            for word in rest[1:]:
                self._of_any(word)
        elif not root:
            self._of_any(rest[-1])
        else:
            for statement in local:
                for level, module, inner in imported(statement, root):
                    names = (inner, *rest) if inner else tuple(rest)
                    self._through(file, level, module, names, kept)
            self._go("name", (file, root), _KEPT if rest else kept)
            if rest:
                self._attribute(file, root, rest, kept)

    def _attribute(self, file: str, root: str, rest: list[str], kept: str) -> None:
        """Follow what is asked of a name: of a module, a class, or of some object."""
        for statement in self._versions.after(file).top.get(root, []):
            for level, module, inner in imported(statement, root):
                names = (inner, *rest) if inner else tuple(rest)
                self._through(file, level, module, names, kept)
        keys = self._versions.named(file, (root,))
        for key in keys:
            self._of_object(key, rest[0], Mention((root, *rest), not kept))
        if not keys:
            self._of_any(rest[-1])

    def _through(
        self, file: str, level: int, module: str, names: tuple[str, ...], kept: str
    ) -> None:
        """Follow names through modules and packages, as far as these are files."""
        target, rest = self._versions.through(file, level, module, names)
        if target and rest:
            self._go("name", (target, rest[0]), kept)
            if len(rest) > 1:
                self._attribute(target, rest[0], list(rest[1:]), kept)

    def _of_object(self, about: Key, name: str, one: Mention) -> None:
        lineage = self._versions.lineage(about)
        for key in (*lineage.classes, *lineage.metaclasses):
            if not self._versions.members(key, name):
                continue
            statements = self._versions.members(key, name)
            if one.stored and not any(map(sees_what_is_set, statements)):
                continue
            if not one.runs and len(one.path) == 2 and all(map(is_put_away, statements)):
                continue
            self._go("member", key, name, about)

    def _of_any(self, name: str) -> None:
        """Follow the method of an object that is not known: of any class that is changed."""
        self._words.add(name)
        if not is_telling(name):
            return
        for file in self._versions.changed:
            for qualname in self._versions.after(file).classes:
                if self._versions.members((file, qualname), name):
                    self._go("member", (file, qualname), name, (file, qualname))


def _placed(file: str, what: str, at: ast.stmt | None) -> str:
    return f"{what} ({Path(file).name}:{getattr(at, 'lineno', 0)})"


def _may_make(decorator: ast.expr) -> bool:
    path = path_of(decorator)
    return path[-1] not in _AT_CALLS and path[0] not in ("functools", "contextlib", "abc")
