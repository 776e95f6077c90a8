"""How functions that other functions have made are made again: of the code in the source
of their module, and of what they closed over. See `building`.
"""

import importlib.util
import pathlib
import sys
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from leadline.wire.errors import RefusedError
from leadline.wire.kept import fingerprint

if TYPE_CHECKING:
    from leadline.trial.building import Make, Node, Site

_codes: dict[str, list[types.CodeType]] = {}
"""All code in the modules that were asked for."""


def _function(site: "Site", node: "Node") -> Any:
    module = site.modules.get(node["m"], node["m"])
    name, qualname, *variables = node["q"]
    defaults, keywords, *held = site.items(node)
    code = _code(module, node["t"], node["n"], set(variables))
    cells = dict(zip(variables, map(_as_cell, held), strict=True))
    closure = tuple(cells[variable] for variable in code.co_freevars)
    names = vars(site.by_name(node["m"], ""))
    made = types.FunctionType(code, names, name, defaults, closure)
    made.__kwdefaults__ = keywords
    made.__qualname__ = qualname
    if "w" in node:
        made.__module__ = node["w"]
    return made


def _as_cell(held: object) -> types.CellType:
    """A variable that is held back has no cell of its own."""
    return held if type(held) is types.CellType else types.CellType(held)


def _code(module: str, name: str, place: list[int], variables: set[str]) -> types.CodeType:
    """Return the code of that name: the very same, or what has come into its place."""
    line, mark = place
    if module not in _codes:
        _codes[module] = list(_within(_of_module(module)))
    named = [code for code in _codes[module] if code.co_qualname == name]
    found = [code for code in named if set(code.co_freevars) == variables]
    if not named:
        raise _refused(f"{module} has no code named {name} here")
    if not found:
        raise _refused(f"{name} closes over other variables here")
    same = [code for code in found if fingerprint(code) == mark]
    if not same and len(found) > 1:
        raise _refused(f"{module} has several functions named {name}, and none is as it was")
    return min(same or found, key=lambda code: abs(code.co_firstlineno - line))


def _of_module(module: str) -> types.CodeType:
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:  # a script, which is `__main__`
        return _compiled(pathlib.Path(_file_of(module)).read_bytes(), module)
    loader: Any = spec.loader if spec is not None else None
    for name in ("get_code", "get_source"):
        read = getattr(loader, name, None)
        found = read(spec.name) if read is not None and spec is not None else None
        if found is not None:
            return _compiled(found, module)
    file = spec.origin if spec is not None else None
    if file is None or not file.endswith(".py"):
        raise _refused(f"there is no source of {module} here")
    return _compiled(pathlib.Path(file).read_bytes(), file)


def _file_of(module: str) -> str:
    file = getattr(sys.modules.get(module), "__file__", None)
    if type(file) is not str:
        raise _refused(f"there is no source of {module} here")
    return file


def _compiled(found: types.CodeType | str | bytes, file: str) -> types.CodeType:
    if isinstance(found, types.CodeType):
        return found
    return compile(found, file, "exec", dont_inherit=True)


def _within(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for const in code.co_consts:
        if type(const) is types.CodeType:
            yield from _within(const)


def _refused(sentence: str) -> RefusedError:
    return RefusedError("not-rebuildable", f"The arguments cannot be rebuilt: {sentence}.")


def _cell(_: "Site", __: "Node") -> types.CellType:
    return types.CellType()


FUNCTION_SHELLS: dict[str, "Make"] = {"cell": _cell}
FUNCTIONS: dict[str, "Make"] = {"function": _function}
