"""Which instructions of a code object begin a source line.

A line's *runs* are the stretches of consecutive instructions that belong to it; one also ends
where the execution never falls through, at a return, a raise or a jump. The first run is where
the line begins. A later run is a copy of it, and begins the line too, only if its first telling
instruction is the same and has the same exact positions: that is how the compiler duplicates
`finally` bodies and the test of a `while`. A `for` line begins once for each loop, not once for
each round, because stepping to the next item is a different instruction.
"""

from collections.abc import Iterator
from opcode import opmap
from types import CodeType
from typing import NamedTuple

MAX_UNITS = 10_000
"""Two-byte units of a code object that may be armed. The first pass after arming asks us once
for each instruction; 11,491 units (3,000 assignments) took 1.0 to 1.1 ms on CPython 3.12.1 and
3.13.0, which is all the pause that a probe may cause."""

_CACHE = 0
"""Opcode 0 is the inline cache that follows an instruction, on 3.12 and 3.13 alike."""
_RESUME = opmap["RESUME"]


_ENDS = frozenset(
    opmap[name]
    for name in (
        "RETURN_VALUE",
        "RETURN_CONST",
        "RAISE_VARARGS",
        "RERAISE",
        "JUMP_FORWARD",
        "JUMP_BACKWARD",
        "JUMP_BACKWARD_NO_INTERRUPT",
    )
    if name in opmap
)
"""The execution never goes on behind these."""
_SILENT = frozenset(
    opmap[name]
    for name in (
        "NOP",
        "POP_TOP",
        "POP_EXCEPT",
        "PUSH_EXC_INFO",
        "COPY",
        "SWAP",
        "EXTENDED_ARG",
    )
)
"""Copies on the way of an exception begin with some of these, others do not."""
_LOADS = frozenset(code for name, code in opmap.items() if name.startswith("LOAD_FAST"))
"""The same variable, whether or not the compiler knows that it has a value there."""

type _Position = tuple[int | None, int | None, int | None, int | None]


class _Run(NamedTuple):
    line: int
    offset: int
    begins: tuple[int, _Position]


def first_offsets(code: CodeType, line: int) -> tuple[int, ...]:
    """Return the byte offsets at which `line` begins in `code`; empty if it never does."""
    if all(own != line for _, _, own in code.co_lines()):
        return ()  # the usual answer, ten times faster: a module has many functions
    runs = [run for run in _runs(code) if run.line == line]
    return tuple(run.offset for run in runs if run.begins == runs[0].begins)


def executable_lines(code: CodeType) -> frozenset[int]:
    """Return every line that has an instruction of its own in `code`, prologue excluded."""
    return frozenset(run.line for run in _runs(code))


def body_line(code: CodeType) -> int | None:
    """Return the line of the first statement in `code`, docstrings and prologue excluded."""
    return next((run.line for run in _runs(code)), None)


def too_large(code: CodeType) -> bool:
    """Whether the first pass through `code` after arming would cost too much."""
    return len(code.co_code) // 2 > MAX_UNITS


def nested(code: CodeType) -> Iterator[CodeType]:
    """Yield `code` and every code object inside it, outermost first."""
    waiting = [code]
    while waiting:
        one = waiting.pop(0)
        yield one
        waiting.extend(const for const in one.co_consts if type(const) is CodeType)


def _runs(code: CodeType) -> Iterator[_Run]:
    """Yield the runs in the order of the bytecode, from the first traceable instruction on."""
    octets = code.co_code
    start = _prologue_end(octets)
    open_run: _Run | None = None
    for unit, position in enumerate(code.co_positions()):
        offset, opcode, line = 2 * unit, octets[2 * unit], position[0]
        if offset < start or opcode == _CACHE:
            continue
        if open_run is not None and line != open_run.line:
            yield open_run
            open_run = None
        if line is not None:
            open_run = _grown(open_run, line, offset, opcode, position)
        if open_run is not None and opcode in _ENDS:
            yield open_run
            open_run = None
    if open_run is not None:
        yield open_run


def _grown(run: _Run | None, line: int, offset: int, opcode: int, position: _Position) -> _Run:
    """Return `run`, begun or told apart by its first telling instruction."""
    if opcode in _LOADS:
        opcode = min(_LOADS)
    if run is None:
        return _Run(line, offset, (opcode, position))
    if run.begins[0] in _SILENT:
        return run._replace(begins=(opcode, position))
    return run


def _prologue_end(octets: bytes) -> int:
    """Return the offset behind the first RESUME: nothing before it is ever monitored."""
    for offset in range(0, len(octets), 2):
        if octets[offset] == _RESUME:
            return offset + 2
    return 0
