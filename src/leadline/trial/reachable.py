"""Which lines of a module a run can stop at, and which functions read a name there."""

import dis
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from types import CodeType

from leadline.wire.struct import dataclass

_OPTIMIZED = 0x1
"""`CO_OPTIMIZED`: set for functions alone, never for the body of a class or a module."""
_GENERIC = "<generic parameters"
"""How the scope of type parameters around a function is called."""
_BY_NAME = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_BY_ATTRIBUTE = frozenset({"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"})


@dataclass(frozen=True, slots=True)
class Reader:
    """A function that reads one of several names, and on which lines."""

    function: str
    name: str
    lines: frozenset[int]


def readers(text: str, names: Iterable[str]) -> list[Reader]:
    """Return which functions of a module read which of `names`, and where.

    A name with a dot before it is an attribute's, of whatever object: that cannot be told.
    """
    wanted = frozenset(names)
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for code, function in function_codes(compiled(text)):
        for instruction in dis.get_instructions(code):
            if instruction.opname in _BY_NAME:
                name = str(instruction.argval)
            elif instruction.opname in _BY_ATTRIBUTE:
                name = f".{instruction.argval}"
            else:
                continue
            line = instruction.positions and instruction.positions.lineno
            if name in wanted and line:
                found[function, name].add(line)
    return [Reader(*key, frozenset(lines)) for key, lines in found.items()]


def executable(text: str) -> frozenset[int]:
    """Return the lines of a module that a run of one of its functions can stop at."""
    codes = function_codes(compiled(text))
    return frozenset(line for code, _ in codes for line in lines_of_code(code))


def function_codes(module: CodeType) -> Iterator[tuple[CodeType, str]]:
    """Yield the code of all functions, each with the qualified name of the outermost."""
    waiting = [(module, "")]
    while waiting:
        code, function = waiting.pop()
        if code.co_flags & _OPTIMIZED and not code.co_name.startswith(_GENERIC):
            function = function or code.co_qualname
            yield code, function
        waiting += ((one, function) for one in code.co_consts if isinstance(one, CodeType))


def lines_of_code(code: CodeType) -> set[int]:
    """Return the lines that the interpreter can stop at: what stands before RESUME is on the
    line of the `def`, and nothing stops there."""
    resumed = next(
        (one.offset for one in dis.get_instructions(code) if one.opname == "RESUME"), -1
    )
    return {line for start, end, line in code.co_lines() if line and end > resumed + 2}


def compiled(text: str) -> CodeType:
    with warnings.catch_warnings():  # of the candidate's literals; they may be made errors
        warnings.simplefilter("ignore")
        code: CodeType = compile(text, "<candidate>", "exec", dont_inherit=True)
        return code


def rescoped(old: str, new: str) -> tuple[set[int], set[int]]:
    """Return the lines on either side that use a name which is another variable there: what
    `nonlocal` makes of it, or an assignment elsewhere in the function."""
    sides: list[dict[str, list[CodeType]]] = []
    for text in (old, new):
        found: dict[str, list[CodeType]] = defaultdict(list)
        for code, _ in function_codes(compiled(text)):
            found[code.co_qualname].append(code)
        sides.append(found)
    lines: tuple[set[int], set[int]] = set(), set()
    for qualname, before in sides[0].items():
        after = sides[1].get(qualname, [])
        if len(before) != len(after):
            continue
        for one, other in zip(before, after, strict=True):
            kinds = _kinds(one), _kinds(other)
            names = {
                name
                for name in kinds[0].keys() & kinds[1].keys()
                if kinds[0][name] != kinds[1][name]
            }
            for code, marked in zip((one, other), lines, strict=True):
                marked.update(_using(code, names))
    return lines


def _kinds(code: CodeType) -> dict[str, str]:
    """Return what each name of a code is: its own, of a function around it, or global."""
    found = {
        str(one.argval): "global"
        for one in dis.get_instructions(code)
        if one.opname.endswith(("_GLOBAL", "_NAME"))
    }
    found |= dict.fromkeys(code.co_freevars, "free")
    return found | dict.fromkeys((*code.co_varnames, *code.co_cellvars), "own")


def _using(code: CodeType, names: set[str]) -> set[int]:
    lines = set()
    for one in dis.get_instructions(code) if names else ():
        said = one.argval if isinstance(one.argval, tuple) else (one.argval,)
        line = one.positions and one.positions.lineno
        if line and any(isinstance(name, str) and name in names for name in said):
            lines.add(line)
    return lines & lines_of_code(code)
