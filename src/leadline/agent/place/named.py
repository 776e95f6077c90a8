"""Objects that have nothing inside, and are told apart by who they are alone: `MISSING =
object()`. What such a one is called by the modules says which one it is.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from leadline.expression.layout import layout_of

_members: Callable[[type], Mapping[Any, Any]] = type.__dict__["__dict__"].__get__
_name: Callable[[type], str] = type.__dict__["__qualname__"].__get__
_size: Callable[[type], int] = type.__dict__["__basicsize__"].__get__
_item_size: Callable[[type], int] = type.__dict__["__itemsize__"].__get__
_BARE = _size(object)
_known: dict[int, tuple[object, list[str]]] = {}


def learn(own: Mapping[str, ModuleType]) -> None:
    """Learn what modules, and classes of the service's own, call such objects now."""
    _known.clear()
    for name, module in list(sys.modules.items()):
        held = getattr(module, "__dict__", None)
        if type(held) is not dict:
            continue
        _take(name, held.items(), bare=own.get(name) is module)
        if own.get(name) is not module:
            continue
        for one in list(held.values()):
            if issubclass(type(one), type) and layout_of(one).module == name:
                _take(f"{name}:{_name(one)}", _members(one).items(), bare=True, step=".")


def names_of(value: object) -> list[str]:
    """Return what an object is called, if it is told apart by that alone."""
    found = _known.get(id(value))
    return found[1] if found is not None and found[0] is value else []


def _take(owner: str, held: Iterable[tuple[str, Any]], *, bare: bool, step: str = ":") -> None:
    for name, one in list(held):
        kind = type(one)
        if kind is object or (bare and _is_bare(one, kind)):
            _known.setdefault(id(one), (one, []))[1].append(f"{owner}{step}{name}")


def _is_bare(value: object, kind: type) -> bool:
    """Tell whether there is nothing that an object holds: no field, no slot, nothing of C."""
    if _size(kind) != _BARE or _item_size(kind):
        return False
    layout = layout_of(kind)
    return layout.module != "builtins" and not (layout.namespace and layout.namespace(value))
