"""Objects that modules hold under a name: singletons, sentinels, functions made by functions.

A sentinel means nothing by its value, only by which object it is, and a connection that every
process makes when it starts cannot be written down at all: both are found again by their name.
What an object of the program's own holds is written down beside its name: it has changed since
the start.
The index holds addresses and names, no object, and an address counts only if the module still
holds that very object under that name. It is made on a thread of ours.
"""

import sys
import types
from _thread import _local
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from leadline.agent.capture.environment import environment
from leadline.agent.capture.held import held as held_of
from leadline.agent.capture.naming import Name, found
from leadline.agent.capture.recognition import names_of, slot
from leadline.expression.layout import MISSING, exact, identity, layout_of
from leadline.expression.unknown import Unknown
from leadline.expression.walking import find
from leadline.wire.kept import TYPE_STEP

MAX_LANDMARKS = 50_000
MAX_MODULE_NAMES = 5_000
_MOST_LOCALS = 20
_PROGRAM = ("__main__", "__mp_main__")
"""What a program imports has the name of where it is from, which other processes have too."""
_OF_THE_START = frozenset(("click.globals",))
"""Modules whose thread locals tell with what command a process was started: 15 kB of each call
of a server that was, as uvicorn, flask, celery and datasette are, and of none of its calls."""
_OF_THE_LIBRARY = frozenset(
    ("sys", "dataclasses", "inspect", "os", "logging", "random", "decimal", "builtins")
)
"""Of the standard library only these hold objects that are passed around."""
_PLAIN = frozenset(
    map(
        identity,
        (str, bytes, bytearray, int, float, complex, bool, type(None), types.ModuleType),
    )
)
_CONTAINERS = frozenset(map(identity, (dict, list, tuple, set, frozenset)))
"""What modules hold of these is of use only with what is in it."""
_CONSTANT = frozenset(map(identity, (tuple, frozenset)))
"""Equal ones are as good."""
_FUNCTION_NAME: Any = vars(types.FunctionType)["__qualname__"].__get__
_qualname: Any = vars(type)["__qualname__"].__get__
_MAPPED = "sqlalchemy.orm.attributes.QueryableAttribute"
"""What a class has where its instances have a column or their relatives."""
_LIBRARIES = ("site-packages", "dist-packages")


class Landmarks:
    """Addresses of what the loaded modules hold, and under which name."""

    __slots__ = ("_own", "bare", "environment", "names", "thread_locals")

    def __init__(self, names: dict[int, Name], own: frozenset[str] = frozenset()) -> None:
        self.names = names
        self._own = own
        self.bare: set[Name] = set()
        self.environment: dict[bytes, bytes] = {}
        """As it was when these were found."""
        self.thread_locals: list[Name] = []
        """What a thread has for itself lies in these."""

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of_process(cls) -> "Landmarks":
        """Look through the modules that are loaded: milliseconds, so on a thread of ours."""
        modules: Any = sys.modules
        found = cls.of(list(modules) if type(modules) is dict else [])
        found.environment = environment()
        return found

    @classmethod
    def of(cls, modules: Iterable[str]) -> "Landmarks":
        names: dict[int, Name] = {}
        own: set[str] = set()
        thread_locals: list[Name] = []
        for module in sorted(modules, key=_is_program):
            if type(module) is not str or _is_standard(module):
                continue
            held = names_of(sys.modules.get(module))
            if held is None or len(held) > MAX_MODULE_NAMES:
                continue
            is_own = _is_own(held)
            if is_own:
                own.add(module)
            for name, value in list(dict.items(held)):
                if type(name) is str and not (name.startswith("__") and name.endswith("__")):
                    _add(names, module, name, value, is_own)
                    if type(value) is _local and module not in _OF_THE_START:
                        thread_locals.append((module, name))
            if len(names) >= MAX_LANDMARKS:
                break
        made = cls(names, frozenset(own))
        made.thread_locals = thread_locals[:_MOST_LOCALS]
        return made

    def name_of(self, value: object) -> Name | None:
        """Return the name under which a module holds `value` now."""
        name = self.names.get(identity(value))
        return name if name is not None and found(name) is value else None

    def has_state(self, name: Name) -> bool:
        """Tell whether what lies under `name` is written down with what it holds: objects of
        the program's own modules, as far as that was possible before."""
        return name[0] in self._own and name not in self.bare

    def leave_bare(self, names: Iterable[Name]) -> None:
        """From now on, write down no more than these names."""
        self.bare.update(names)


def _is_program(module: object) -> bool:
    return type(module) is str and module in _PROGRAM


def _is_own(names: dict[str, Any]) -> bool:
    """Tell whether a module is no library's, by the file that it says it is of."""
    try:
        file = find(names, "__file__")
    except Unknown:
        return False
    if type(file) is not str:
        return file is MISSING or file is None
    return not any(part in file for part in _LIBRARIES)


def _add(names: dict[int, Name], module: str, name: str, value: object, is_own: bool) -> None:
    cls = type(value)
    kind = identity(cls)
    if cls is float and value != value:  # noqa: PLR0124 - none of the numbers
        names.setdefault(identity(value), (module, name))  # code asks for one by `is`
    elif kind in _PLAIN or kind in _CONSTANT or (kind in _CONTAINERS and not is_own):
        return
    elif layout_of(cls).base is type:
        if exact(_qualname(value)) != name:  # another name for it than its own
            names.setdefault(identity(value), (module, name))
        own = layout_of(value)  # type: ignore[arg-type]
        if own.module == module and own.members:
            for inner, held in list(own.members[0].items()):
                _add_of_class(names, module, f"{name}.{inner}", held)
    else:
        _add_object(names, module, name, value)
        if "<" in exact(_qualname(cls)):  # a class that a function has made
            names.setdefault(identity(cls), (module, f"{name}.{TYPE_STEP}"))


def _add_of_class(names: dict[int, Name], module: str, path: str, value: object) -> None:
    kind = identity(type(value))
    if type(value) is types.FunctionType:
        if exact(_FUNCTION_NAME(value)) != path:  # one that a decorator has made
            names.setdefault(identity(value), (module, path))
    elif kind not in _PLAIN and kind not in _CONTAINERS and kind not in _CODE:
        names.setdefault(identity(value), (module, path))
        if _MAPPED in layout_of(type(value)).names:
            names.setdefault(identity(held_of(value, "impl")), (module, f"{path}.impl"))


def _add_object(names: dict[int, Name], module: str, name: str, value: object) -> None:
    """Add an object, and the tokens that a token holds: those of a tree of them."""
    left = [(name, value)]
    while left and len(names) < MAX_LANDMARKS:
        name, value = left.pop()
        key = identity(value)
        if key in names:
            continue
        names[key] = module, name
        cls = type(value)
        layout = layout_of(cls)
        for inner, read in layout.slots if len(layout.slots) <= _FEW_SLOTS else ():
            one = slot(read, value)
            if type(one) is ContextVar:
                names.setdefault(identity(one), (module, f"{name}.{inner}"))
        if layout.base not in _TOKENS or layout.namespace is None or name.count(".") > _NESTED:
            continue
        held = layout.namespace(value)
        if type(held) is dict:
            left += [
                (f"{name}.{inner}", one)
                for inner, one in list(dict.items(held))
                if type(one) is cls and type(inner) is str
            ]


_TOKENS = (tuple, str, int, frozenset, bytes)
_NESTED = 5
_FEW_SLOTS = 4
"""Of objects that hold context variables, as the locals of werkzeug do."""


_CODE = frozenset(
    map(
        identity,
        (
            types.FunctionType,
            types.BuiltinFunctionType,
            classmethod,
            staticmethod,
            property,
            types.MemberDescriptorType,
            types.GetSetDescriptorType,
            types.MethodDescriptorType,
            types.WrapperDescriptorType,
            type,
        ),
    )
)


def _is_standard(module: str) -> bool:
    top = module.partition(".")[0]
    if top == "leadline":
        return True
    return top in sys.stdlib_module_names and module not in _OF_THE_LIBRARY


NO_LANDMARKS = Landmarks({})
_latest: list[tuple[int, Landmarks]] = []


def latest() -> Landmarks:
    """Return those of the process, found anew if modules have come since: on a thread of ours.
    All captures share them."""
    count = len(sys.modules)
    if not _latest or _latest[0][0] != count:
        found = Landmarks.of_process()
        for _, before in _latest:
            found.leave_bare(before.bare)
            found.environment = before.environment
        _latest[:] = [(count, found)]
    return _latest[0][1]
