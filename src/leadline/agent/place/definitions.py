"""What a call has made of the definitions of the service: another code of a function, other
methods or bases of a class, a class that is registered as another's."""

import abc
import types
from collections.abc import Iterator, Mapping
from operator import is_
from typing import Any

MOST = 100_000
"""Functions and classes of all modules together."""
_NAMESPACE: Any = vars(type)["__dict__"].__get__
_QUALNAME: Any = vars(type)["__qualname__"].__get__
_BASES: Any = vars(type)["__bases__"].__get__
_WRAPPERS = (staticmethod, classmethod)
_DEFINED = (types.FunctionType, *_WRAPPERS, property)
_REGISTRY = 0
"""Of what `_abc` tells of a class, where those are that were registered with it."""


class Definitions:
    """Functions and classes of the modules, and what each of them was."""

    def __init__(self, modules: Mapping[str, types.ModuleType]) -> None:
        self._before = {path: (one, _inside(one)) for path, one in _found(modules)}

    def changed(self) -> dict[str, str]:
        """Return what is another now, by path."""
        found: dict[str, str] = {}
        for path, (one, before) in self._before.items():
            now = _inside(one)
            if len(now) == len(before) and all(map(is_, now.values(), before.values())):
                continue
            for name in {**before, **now}:
                if now.get(name) is not before.get(name):
                    # what has a name of its own may be the candidate's own, as other state
                    own = not name.startswith("__") and name.isidentifier()
                    where = f"{path}.{name}" if own else f"the definition of {path} ({name})"
                    found[where] = _told(now.get(name))
        return found


def _found(modules: Mapping[str, types.ModuleType]) -> Iterator[tuple[str, object]]:
    met: set[int] = set()
    waiting = [(f"{name}:", vars(module), name) for name, module in modules.items()]
    while waiting and len(met) < MOST:
        path, names, module = waiting.pop()
        for name, value in list(names.items()):
            one = value.__func__ if type(value) in _WRAPPERS else value
            is_class = issubclass(type(one), type)  # asks no proxy what it stands for
            if not is_class and type(one) is not types.FunctionType:
                continue
            if id(one) in met or _home(one) != module:
                continue
            met.add(id(one))
            yield f"{path}{name}", one
            if is_class:
                waiting.append((f"{path}{name}.", _NAMESPACE(one), module))


def _home(one: Any) -> object:
    """Return of which module a definition says that it is."""
    if type(one) is types.FunctionType:
        return one.__module__
    return _NAMESPACE(one).get("__module__", "")


def _inside(one: object) -> dict[str, object]:
    """Return what a definition is made of, by name; each is the same object for the same."""
    if type(one) is types.FunctionType:
        return {"__code__": one.__code__, "__name__": one.__name__}
    names: Mapping[str, object] = _NAMESPACE(one)
    found = {name: value for name, value in list(names.items()) if _is_defined(value)}
    bases: tuple[type, ...] = _BASES(one)
    found |= {f"__bases__[{at}]": base for at, base in enumerate(bases)}
    if issubclass(type(one), abc.ABCMeta):
        for reference in abc._get_dump(one)[_REGISTRY]:  # type: ignore[attr-defined] # noqa: SLF001
            found[f"register({_told(reference())})"] = reference()
    return found


def _is_defined(value: object) -> bool:
    return type(value) in _DEFINED or issubclass(type(value), type)


def _told(value: Any) -> str:
    """Return what tells a part of a definition, wherever it lies."""
    if value is None or type(value) is str:
        return value or "<not there>"
    value = value.fget if type(value) is property else value
    value = value.__func__ if type(value) in _WRAPPERS else value
    if type(value) is types.CodeType:
        return f"the code of {value.co_qualname}"
    if type(value) is types.FunctionType:
        return f"{value.__module__}.{value.__qualname__}"
    if issubclass(type(value), type):
        return f"{_home(value)}.{_QUALNAME(value)}"
    return f"a {type(value).__qualname__}"
