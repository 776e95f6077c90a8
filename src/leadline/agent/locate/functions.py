"""Which code a function's name means: `quote`, `Basket.total`, `outer.inner`, `<lambda>`.

First the code that was compiled under this qualified name, wherever decorators have put it;
then what the module's names lead to, which finds methods that were generated (a dataclass'
`__init__`), inherited, or given another name.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial, partialmethod
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from leadline.agent.core.passage import Site
from leadline.agent.locate.files import nearest_names
from leadline.agent.locate.lines import body_line, nested
from leadline.agent.locate.modules import class_namespace, module_namespace, wrapped_in_cache
from leadline.agent.locate.place import Placement
from leadline.expression.layout import identity
from leadline.expression.reading import layout_of
from leadline.wire.errors import UsageError

MAX_FUNCTIONS = 50
"""Code objects that one name may mean: definitions under conditions, overloads, copies of a
module. More is a program that makes code."""
_WRAPPERS = 20
"""How many decorators, one around the other, are looked through."""
_ANONYMOUS = ("<lambda>", "<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")

_HOLDERS: dict[int, tuple[str, ...]] = {
    identity(cls): names
    for cls, names in (
        (classmethod, ("__func__",)),
        (staticmethod, ("__func__",)),
        (property, ("fget", "fset", "fdel")),
        (MethodType, ("__func__",)),
        (partial, ("func",)),
        (partialmethod, ("func",)),
        (cached_property, ("func",)),
    )
}
"""What holds a function, and where: read by C, or from the object's dictionary. The classes by
identity, because a class may have a hash of its own."""


def place_function(
    codes: Iterable[CodeType], function: str, modules: Sequence[ModuleType] = ()
) -> Placement:
    """Return a site for every code object that `function` means, at its first statement.

    `codes` is what is known of the module's file, `modules` the loaded modules themselves.
    Raises `UsageError`: `no-such-function` with the nearest names, `ambiguous-function` for
    a nameless one of which there are several.
    """
    every = list({id(one): one for code in codes for one in nested(code)}.values())
    wanted = plain_name(function)
    found = [
        (code, code.co_qualname) for code in every if plain_name(code.co_qualname) == wanted
    ]
    if not found:
        found = [
            (one.__code__, function)
            for module in modules
            for one in _led_to(module, wanted.split("."))
        ]
    if not found:
        raise _no_such_function(every, function, modules)
    sites = tuple(
        Site(code, (), code.co_filename, body_line(code) or code.co_firstlineno, name)
        for code, name in {id(one[0]): one for one in found[:MAX_FUNCTIONS]}.values()
    )
    return Placement(sites, _note(sites, wanted))


def plain_name(qualname: str) -> str:
    """Return a qualified name without the `<locals>` that say where functions are inner."""
    return qualname.replace(".<locals>", "")


def _note(sites: Sequence[Site], wanted: str) -> str:
    codes = [site.code for site in sites if site.code is not None]
    places = {(code.co_filename, code.co_firstlineno, _column(code)): code for code in codes}
    lines = ", ".join(str(code.co_firstlineno) for code in places.values())
    if len(places) > 1 and wanted.rpartition(".")[2] in _ANONYMOUS:
        raise UsageError(
            "ambiguous-function",
            f"{len(places)} functions are called {wanted}, at lines {lines}.",
            "Name the line of the one that is meant: FILE:LINE.",
        )
    if len(places) > 1:
        return f"{len(places)} functions are called {wanted}, at lines {lines}; all are armed"
    (code,) = places.values()
    if plain_name(code.co_qualname) == wanted:
        return ""
    if code.co_filename.startswith("<"):
        return f"{wanted} is generated code, which has no file"
    return f"{wanted} is {code.co_qualname} at {code.co_filename}:{code.co_firstlineno}"


def _column(code: CodeType) -> int:
    """Tell functions apart that begin on the same line."""
    return next((spot[2] for spot in code.co_positions() if spot[2]), 0)


def _led_to(module: ModuleType, words: list[str]) -> list[FunctionType]:
    """Return the functions that the dotted name leads to, through classes and decorators."""
    value: Any = (module_namespace(module) or {}).get(words[0])
    for word in words[1:]:
        if layout_of(type(value)).base is not type:
            return []
        value = next((found[word] for found in class_namespace(value) if word in found), None)
    return [_innermost(one) for one in _functions_in(value, _WRAPPERS)]


def _functions_in(value: Any, depth: int) -> Iterator[FunctionType]:
    cls = type(value)
    if cls is FunctionType:
        yield value
    elif depth and (inner := wrapped_in_cache(value)) is not None:
        yield from _functions_in(inner, depth - 1)
    elif depth and (names := _HOLDERS.get(identity(cls))):
        for name in names:
            yield from _functions_in(getattr(value, name, None), depth - 1)
    elif depth and (namespace := layout_of(cls).namespace) is not None:
        held = namespace(value)  # a wrapper of some library, as `functools.wraps` marks it
        if type(held) is dict and "__wrapped__" in held:
            yield from _functions_in(held["__wrapped__"], depth - 1)


def _innermost(function: FunctionType) -> FunctionType:
    """Return what `functools.wraps` says is inside, as far as it are functions."""
    for _ in range(_WRAPPERS):
        inner = function.__dict__.get("__wrapped__")
        if type(inner) is not FunctionType:
            break
        function = inner
    return function


def _no_such_function(
    codes: Sequence[CodeType], function: str, modules: Sequence[ModuleType]
) -> UsageError:
    wanted = plain_name(function)
    names = {plain_name(code.co_qualname) for code in codes if code.co_name.isidentifier()}
    for module in modules:
        value = (module_namespace(module) or {}).get(wanted)
        if value is not None and layout_of(type(value)).base is type:
            methods = sorted(name for name in names if name.startswith(f"{wanted}."))
            return UsageError(
                "no-such-function",
                f"{function} is a class.",
                f"Name one of its functions: {', '.join(methods[:5]) or f'{wanted}.__init__'}.",
            )
    close = nearest_names(wanted, sorted(names))
    return UsageError(
        "no-such-function",
        f"There is no function {function} in the module.",
        f"Nearest: {', '.join(close)}." if close else "",
    )
