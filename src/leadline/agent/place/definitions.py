"""What a call has made of the definitions of the service: another code of a function, other
methods or bases of a class, a class that is registered as another's."""

import abc
import types
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 100_000
"""Functions and classes of all modules together."""
_NAMESPACE: Any = vars(type)["__dict__"].__get__
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
            for name in {**before, **now} if now != before else ():
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
            one = getattr(value, "__func__", value)
            known = type(one) is types.FunctionType or isinstance(one, type)
            if not known or id(one) in met or getattr(one, "__module__", "") != module:
                continue
            met.add(id(one))
            yield f"{path}{name}", one
            if isinstance(one, type):
                waiting.append((f"{path}{name}.", _NAMESPACE(one), module))


def _inside(one: object) -> dict[str, object]:
    """Return what a definition is made of, by name; each is the same object for the same."""
    if type(one) is types.FunctionType:
        return {"__code__": one.__code__, "__name__": one.__name__}
    names: Mapping[str, object] = _NAMESPACE(one)
    found = {name: value for name, value in list(names.items()) if _is_defined(value)}
    if isinstance(one, type):
        found |= {f"__bases__[{at}]": base for at, base in enumerate(one.__bases__)}
    if isinstance(one, abc.ABCMeta):
        for reference in abc._get_dump(one)[_REGISTRY]:  # type: ignore[attr-defined] # noqa: SLF001
            found[f"register({_told(reference())})"] = reference()
    return found


def _is_defined(value: object) -> bool:
    return isinstance(value, types.FunctionType | staticmethod | classmethod | property | type)


def _told(value: object) -> str:
    """Return what tells a part of a definition, wherever it lies."""
    if value is None:
        return "<not there>"
    if isinstance(value, str):
        return value
    value = getattr(value, "fget", None) or getattr(value, "__func__", value)
    if isinstance(value, types.CodeType):
        return f"the code of {value.co_qualname}"
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '?')}"
