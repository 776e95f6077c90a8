"""Under which name a class, function, module or singleton is found again in another process.

A name counts only if it leads to the very same object here: module, then step by step by what
modules and classes hold. Dictionaries are walked, never asked by hash (`expression.walking`),
and nothing is imported.
"""

import sys
import types
from typing import Any

from leadline import native
from leadline.agent.capture.held import held
from leadline.agent.capture.recognition import names_of, slot
from leadline.expression.layout import MISSING, Layout, exact, identity, layout_of
from leadline.expression.unknown import Unknown
from leadline.expression.walking import find
from leadline.wire.kept import TYPE_STEP

MAX_STEPS = 8
"""Classes within classes; nobody nests them deeper."""

_function, _builtin = map(vars, (types.FunctionType, types.BuiltinFunctionType))
_qualname: Any = vars(type)["__qualname__"].__get__
_FUNCTION_NAME: Any = _function["__qualname__"].__get__
_FUNCTION_MODULE: Any = _function["__module__"].__get__
_BUILTIN_NAME: Any = _builtin["__name__"].__get__
_BUILTIN_MODULE: Any = _builtin["__module__"].__get__
_WRAPPED: dict[int, Any] = {
    identity(kind): vars(kind)["__func__"].__get__ for kind in (classmethod, staticmethod)
}
_DESCRIBED: dict[int, tuple[Any, Any]] = {
    identity(kind): (vars(kind)["__name__"].__get__, vars(kind)["__objclass__"].__get__)
    for kind in (
        types.MethodDescriptorType,
        types.WrapperDescriptorType,
        types.GetSetDescriptorType,
        types.MemberDescriptorType,
        types.ClassMethodDescriptorType,
    )
}

_ELSEWHERE = {
    identity(getattr(types, name)): ("types", name)
    for name in types.__all__
    if type(getattr(types, name)) is type
}
"""Classes of the interpreter that claim to be builtins, and that only `types` holds."""

type Name = tuple[str, str]
"""Module, and dotted name in it; empty for the module itself."""


def loaded(module: str) -> object:
    """Return a module that has been imported, or `MISSING`."""
    modules: Any = sys.modules
    return modules.get(module, MISSING) if type(modules) is dict else MISSING


def found(name: Name) -> object:
    """Return what is there under a name, or `MISSING`: step by step what modules, classes and
    objects hold."""
    module, dotted = name
    here = loaded(module)
    if not dotted or here is MISSING:
        return here
    first, *rest = dotted.split(".")
    names = names_of(here)
    here = among(names, first) if names is not None else MISSING
    for step in rest[:MAX_STEPS]:
        if step == TYPE_STEP:
            here = type(here)
            continue
        if layout_of(type(here)).base is not type:
            here = _of_object(here, step)
            continue
        members = layout_of(here).members  # type: ignore[arg-type]
        here = members[0].get(step, MISSING) if members else MISSING
        read = _WRAPPED.get(identity(type(here)))
        if read is not None:
            here = read(here)
    return here if len(rest) <= MAX_STEPS else MISSING


def _of_object(value: object, name: str) -> object:
    layout = layout_of(type(value))
    for slot_name, read in layout.slots:
        if slot_name == name:
            return slot(read, value)
    return held(value, name)


def of_class(cls: type, layout: Layout) -> Name | None:
    """Return under which name the process has a class."""
    known = _ELSEWHERE.get(identity(cls))
    return known or _checked((layout.module, exact(_qualname(cls))), cls)


def of_function(value: object) -> Name | None:
    module, name = _FUNCTION_MODULE(value), exact(_FUNCTION_NAME(value))
    return _checked((module, name), value) if type(module) is str else None


def of_builtin(value: object) -> Name | None:
    """Return the name of a builtin function of a module."""
    module = _BUILTIN_MODULE(value)
    if type(module) is not str:
        return None
    return _checked((module, exact(_BUILTIN_NAME(value))), value)


def of_described(value: object) -> Name | None:
    """Return the name of a method of a builtin class that is bound to nothing."""
    name, owner = _DESCRIBED[identity(type(value))]
    cls = owner(value)
    inside = of_class(cls, layout_of(cls))
    if inside is None:
        return None
    return _checked((inside[0], f"{inside[1]}.{exact(name(value))}"), value)


def of_module(value: object) -> Name | None:
    names = names_of(value)
    name = among(names, "__name__") if names is not None else MISSING
    return _checked((name, ""), value) if type(name) is str else None


def _checked(name: Name, value: object) -> Name | None:
    return name if "<" not in name[1] and found(name) is value else None


def among(names: dict[str, object], name: str) -> object:
    """Return what lies under a name in a dictionary of such, or `MISSING`."""
    core = native.core()
    if core is not None and type(names) is dict:
        return core.kept_among(names, name, MISSING)
    try:
        return find(names, name)
    except Unknown:
        return MISSING
