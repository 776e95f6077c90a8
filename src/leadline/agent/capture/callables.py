"""How functions, methods, modules, generators and partials read: by their names.

What a function would do is no value. Only names are read, from C fields; asking a builtin
method for its qualified name would ask the class that it belongs to, so it is not asked.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.reading import INSIDE, Read
from leadline.agent.capture.recognition import getter, names_of, slot
from leadline.expression.interruption import expected
from leadline.expression.layout import Getter, Layout, exact, layout_of
from leadline.wire.value import Form, Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

_function, _method, _builtin = map(
    vars, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)
)
_FUNCTION_NAME, _FUNCTION_MODULE = (
    _function["__qualname__"].__get__,
    _function["__module__"].__get__,
)
_METHOD_FUNCTION, _METHOD_SELF = _method["__func__"].__get__, _method["__self__"].__get__
_BUILTIN_NAME, _BUILTIN_SELF = _builtin["__name__"].__get__, _builtin["__self__"].__get__
_DESCRIBED_NAMES: dict[type, tuple[Getter, Getter]] = {
    kind: (vars(kind)["__name__"].__get__, vars(kind)["__objclass__"].__get__)
    for kind in (types.MethodDescriptorType, types.WrapperDescriptorType)
}
_UNNAMED = "?"
MAX_MODULE_NAMES = 1_000
"""Of a module's variables, among which its own name is looked for; an import puts it first."""


def function(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
    return _named(walk, layout.name, function_name(value))


def function_name(value: Any) -> str:
    """Return module and qualified name of an ordinary function."""
    module, name = slot(_FUNCTION_MODULE, value), exact(_FUNCTION_NAME(value))
    return f"{module}.{name}" if type(module) is str else name


def method(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
    """A bound method: what is called, and the class of what it is called on."""
    called = _METHOD_FUNCTION(value)
    if type(called) is types.FunctionType:
        name = function_name(called)
    else:
        name = layout_of(type(called)).name
    owner = _METHOD_SELF(value)
    kind = layout_of(owner if layout_of(type(owner)).base is type else type(owner)).name
    return _named(walk, layout.name, f"{name} of {kind}")


def builtin(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
    owner = _BUILTIN_SELF(value)
    name = exact(_BUILTIN_NAME(value))
    if owner is not None and type(owner) is not types.ModuleType:
        kind = owner if layout_of(type(owner)).base is type else type(owner)
        name = f"{layout_of(kind).name}.{name}"
    return _named(walk, layout.name, name)


def described(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
    """A method of a builtin class that is bound to nothing, such as `str.upper`."""
    name, owner = _DESCRIBED_NAMES[layout.cls]
    return _named(walk, layout.name, f"{layout_of(owner(value)).name}.{exact(name(value))}")  # type: ignore[arg-type]


def module(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
    names = names_of(value)
    name = _own_name(names) if names is not None else None
    return _named(walk, layout.name, name if type(name) is str else _UNNAMED)


def _own_name(names: dict[str, Any]) -> object:
    try:
        for key, value in islice(dict.items(names), MAX_MODULE_NAMES):
            if type(key) is str and key == "__name__":
                return value
    except RuntimeError as error:  # "dictionary changed size during iteration"
        if not expected(error, RuntimeError):
            raise
    return None


def _stateful(kind: type, prefix: str) -> Read:
    """Return what reads a generator or coroutine: its name, and whether it has begun."""
    members = vars(kind)
    name = members["__qualname__"].__get__
    running = members[f"{prefix}_running"].__get__
    suspended = members[f"{prefix}_suspended"].__get__

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        captured = _named(walk, layout.name, exact(name(value)))
        state = "running" if running(value) else "suspended" if suspended(value) else ""
        if state:
            walk.fact(captured, "state", state, level)
        return captured

    return read


generator = _stateful(types.GeneratorType, "gi")
coroutine = _stateful(types.CoroutineType, "cr")
async_generator = _stateful(types.AsyncGeneratorType, "ag")

_CODE_NAMES: dict[type, Callable[[Any], Any]] = {
    kind: vars(kind)["__qualname__"].__get__
    for kind in (types.GeneratorType, types.CoroutineType)
}


def coroutine_name(value: object) -> str:
    """Return the qualified name of what a task runs, or the name of its class."""
    read = next((read for kind, read in _CODE_NAMES.items() if kind is type(value)), None)
    return exact(read(value)) if read is not None else layout_of(type(value)).name


def partial(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    func, args, keywords = (getter(layout, cls, name) for name in ("func", "args", "keywords"))
    if func is None or args is None or keywords is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        items: list[Value] = []
        captured: dict[str, Value] = {"type": layout.name, "form": Form.CALL, "items": items}
        given = args(value)
        parts: tuple[object, ...] = (func(value), *(given if type(given) is tuple else ()))
        captured["length"] = len(parts)
        captured |= walk.each(parts, lambda item: items.append(walk.take(item, level + 1)))
        named = slot(keywords, value)
        if type(named) is dict and named and "omitted" not in captured:
            captured["fields"] = {}
            captured |= walk.each(dict.items(named), walk.field(captured, level))
        return captured

    return read, INSIDE


def _named(walk: Walk, kind: str, name: str) -> dict[str, Value]:
    return {**walk.words(name, kind), "form": Form.NAME}
