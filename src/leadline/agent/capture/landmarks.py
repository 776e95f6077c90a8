"""Objects that modules hold under a name: singletons, sentinels, functions made by functions.

A sentinel means nothing by its value, only by which object it is, and a connection that every
process makes when it starts cannot be written down at all: both are found again by their name.
The index holds addresses and names, no object, and an address counts only if the module still
holds that very object under that name. It is made on a thread of ours.
"""

import sys
import types
from collections.abc import Iterable
from typing import Any

from leadline.agent.capture.naming import Name, found
from leadline.agent.capture.recognition import names_of
from leadline.expression.layout import identity, layout_of

MAX_LANDMARKS = 50_000
MAX_MODULE_NAMES = 5_000
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
"""What modules hold of these is kept by value: it changes, and equal ones are as good."""


class Landmarks:
    """Addresses of what the loaded modules hold, and under which name."""

    __slots__ = ("_names",)

    def __init__(self, names: dict[int, Name]) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    @classmethod
    def of_process(cls) -> "Landmarks":
        """Look through the modules that are loaded: milliseconds, so on a thread of ours."""
        modules: Any = sys.modules
        return cls.of(list(modules) if type(modules) is dict else [])

    @classmethod
    def of(cls, modules: Iterable[str]) -> "Landmarks":
        names: dict[int, Name] = {}
        for module in modules:
            if type(module) is not str or _is_standard(module):
                continue
            held = names_of(sys.modules.get(module))
            if held is None or len(held) > MAX_MODULE_NAMES:
                continue
            for name, value in list(dict.items(held)):
                if type(name) is str and not (name.startswith("__") and name.endswith("__")):
                    _add(names, module, name, value)
            if len(names) >= MAX_LANDMARKS:
                break
        return cls(names)

    def name_of(self, value: object) -> Name | None:
        """Return the name under which a module holds `value` now."""
        name = self._names.get(identity(value))
        return name if name is not None and found(name) is value else None


def _add(names: dict[int, Name], module: str, name: str, value: object) -> None:
    cls = type(value)
    if cls is float and value != value:  # noqa: PLR0124 - none of the numbers
        names.setdefault(identity(value), (module, name))  # code asks for one by `is`
    if identity(cls) in _PLAIN or identity(cls) in _CONTAINERS:
        return
    layout = layout_of(cls)
    if layout.base is type:
        own = layout_of(value)  # type: ignore[arg-type]
        if own.module == module:
            for inner, held in list(own.members[0].items() if own.members else ()):
                kind = identity(type(held))
                if kind not in _PLAIN and kind not in _CONTAINERS and kind not in _CODE:
                    names.setdefault(identity(held), (module, f"{name}.{inner}"))
        return
    _add_object(names, module, name, value)


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
        _latest[:] = [(count, Landmarks.of_process())]
    return _latest[0][1]
