"""Where each item of a comprehension begins, for a probe that asks for the item.

A comprehension on one line is one statement and hits once, when its variable has no value yet.
A probe that names that variable means the items: it goes behind the instruction that gives the
variable its value.
"""

from collections.abc import Iterator
from opcode import EXTENDED_ARG, opmap
from types import CodeType
from typing import NamedTuple

_CO_OPTIMIZED = 0x1
_FOR_ITER = opmap["FOR_ITER"]
_SET_ASIDE = opmap["LOAD_FAST_AND_CLEAR"]
"""Begins an inlined comprehension, once for each of its variables."""
_STORES = frozenset((opmap["STORE_FAST"], opmap["STORE_DEREF"]))
_TWO_STORES = opmap.get("STORE_FAST_STORE_FAST", -1)
_STORE_AND_LOAD = opmap.get("STORE_FAST_LOAD_FAST", -1)
_UNPACKING = frozenset(
    opmap[name] for name in ("UNPACK_SEQUENCE", "UNPACK_EX", "SWAP", "COPY", "EXTENDED_ARG")
)

type _Spot = tuple[int | None, int | None, int | None, int | None]


class _Instruction(NamedTuple):
    offset: int
    opcode: int
    argument: int
    spot: _Spot


def item_offsets(code: CodeType, line: int, names: frozenset[str]) -> tuple[int, ...]:
    """Return the byte offsets at which `line` of `code` has given comprehension variables
    among `names` a value; empty when `names` has none of this line."""
    wanted = names & _own_variables(code)
    instructions = list(_instructions(code)) if wanted else []
    found: list[int] = []
    for index, one in enumerate(instructions):
        if one.opcode == _FOR_ITER:
            bound, end, stored_on = _target(code, instructions, index + 1)
            if bound & wanted and stored_on == line and end < len(instructions):
                found = [instructions[end].offset]  # the innermost loop knows all of them
    return tuple(found)


def _own_variables(code: CodeType) -> frozenset[str]:
    """Return the variables that only comprehensions of `code` have."""
    if code.co_name == "<genexpr>":
        return frozenset(code.co_varnames + code.co_cellvars) - {".0"}
    if not code.co_flags & _CO_OPTIMIZED:
        return frozenset()
    instructions = list(_instructions(code))
    aside: dict[str, list[_Spot]] = {}
    for one in instructions:
        if one.opcode == _SET_ASIDE:
            aside.setdefault(_name(code, one.argument), []).append(one.spot)
    count = code.co_argcount + code.co_kwonlyargcount
    others = set(code.co_varnames[:count])
    for one in instructions:
        for name in _stored(code, one):
            if name in aside and not any(_within(one.spot, spot) for spot in aside[name]):
                others.add(name)
    return frozenset(aside) - others


def _target(
    code: CodeType, instructions: list[_Instruction], index: int
) -> tuple[frozenset[str], int, int | None]:
    """Return what a loop's target binds, the index behind it, and the line that it is on."""
    bound: set[str] = set()
    stored_on = None
    while index < len(instructions):
        one = instructions[index]
        names = _stored(code, one)
        if not names and one.opcode not in _UNPACKING:
            break
        bound.update(names)
        stored_on = one.spot[0] if names else stored_on
        index += 1
        if one.opcode == _STORE_AND_LOAD:
            break
    return frozenset(bound), index, stored_on


def _stored(code: CodeType, one: _Instruction) -> tuple[str, ...]:
    if one.opcode in _STORES:
        return (_name(code, one.argument),)
    if one.opcode == _STORE_AND_LOAD:
        return (_name(code, one.argument >> 4),)
    if one.opcode == _TWO_STORES:
        return (_name(code, one.argument >> 4), _name(code, one.argument & 15))
    return ()


def _name(code: CodeType, local: int) -> str:
    name: str = code._varname_from_oparg(local)  # type: ignore[attr-defined]  # noqa: SLF001
    return name


def _within(spot: _Spot, outer: _Spot) -> bool:
    first, last = outer[0], outer[1]
    return None not in (first, last, spot[0]) and first <= spot[0] <= last  # type: ignore[operator]


def _instructions(code: CodeType) -> Iterator[_Instruction]:
    octets, extended = code.co_code, 0
    for unit, spot in enumerate(code.co_positions()):
        opcode, argument = octets[2 * unit], octets[2 * unit + 1] | extended
        extended = argument << 8 if opcode == EXTENDED_ARG else 0
        if opcode:
            yield _Instruction(2 * unit, opcode, argument, spot)
