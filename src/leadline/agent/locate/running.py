"""Whether a source text is that of code which is running, or a file changed since.

A code object knows, for each instruction, from which characters of the text it was made. So
the names, plain constants and operators are looked for exactly there: a line more or less
above, or a character more within, and they are not. Nothing is compiled for it: the compiler
would stop the application meanwhile, and could say warnings in its name.
"""

import re
from collections.abc import Iterator
from itertools import islice
from opcode import (  # type: ignore[attr-defined]
    EXTENDED_ARG,
    _nb_ops,
    cmp_op,
    hascompare,
    hasconst,
    hasfree,
    haslocal,
    hasname,
    opmap,
    opname,
)
from types import CodeType

from leadline.agent.locate.lines import nested
from leadline.agent.locate.outline import logical_lines
from leadline.agent.locate.text import Text

MAX_CHECKED = 20_000
"""Instructions compared, at about a microsecond each on our own thread; the beginning of a
longer function tells whether its text has moved."""

MAX_DECORATORS = 100
"""Logical lines above a `def` that belong to it."""

_BINARY_OP = opmap["BINARY_OP"]
_SHIFTS = {opmap[name]: shift for name, shift in (
    ("LOAD_GLOBAL", 1), ("LOAD_ATTR", 1), ("LOAD_SUPER_ATTR", 2),
)}  # fmt: skip
_LOCALS = frozenset(
    code for code in (*haslocal, *hasfree) if opname[code].count("FAST") < 2
) - {opmap["LOAD_FAST_AND_CLEAR"], opmap["MAKE_CELL"]}
_TWO_LOCALS = opmap.get("LOAD_FAST_LOAD_FAST", -1)
"""From 3.13 on; it stands where the first of the two does."""
_COMPARE_SHIFT = 5 if "TO_BOOL" in opmap else 4
"""3.13 has one bit more in front of the operator."""
_WORDS = {"True": True, "False": False, "None": None}
_HEAD = re.compile(r"(?:async\s+def|def|class)\s+(\w+)")
_NAMES, _CONSTS, _COMPARES = frozenset(hasname), frozenset(hasconst), frozenset(hascompare)

_RETURN_CONST = opmap.get("RETURN_CONST", -1)
_BORROWING = frozenset(
    code
    for code in (*_CONSTS, *_NAMES, *_LOCALS)
    if opname[code].startswith(("LOAD_CONST", "STORE_", "DELETE_"))
)
"""At the place of the instruction before it, one of these is the compiler's own: a part of a
text with "%s", or the end of an `except`, which unbinds its name wherever it is left."""

_PLAIN_TEXT = re.compile(r"[uU]?(?:\"([^\"\\\n]*)\"|'([^'\\\n]*)')")
_COMPARISON = re.compile(r"[<>]|[!=]=")
_PLAIN_NUMBER = re.compile(r"\d{1,15}")

type _Spot = tuple[int, int, int, int]


def is_source_of(code: CodeType, text: Text) -> bool:
    """Whether `code` was compiled from what stands in `text` now."""
    checked = 0
    for one in nested(code):
        if not _head_fits(one, text):
            return False
        for fits in _checks(one, text):
            if not fits:
                return False
            checked += 1
            if checked > MAX_CHECKED:
                return True
    return True


def _checks(code: CodeType, text: Text) -> Iterator[bool]:
    octets, extended, before = code.co_code, 0, None
    for unit, spot in enumerate(code.co_positions()):
        opcode, argument = octets[2 * unit], octets[2 * unit + 1] | extended
        extended = argument << 8 if opcode == EXTENDED_ARG else 0
        line, end_line, column, end_column = spot
        borrowed, before = spot == before and opcode in _BORROWING, spot
        if line is None or end_line is None or borrowed:  # see _BORROWING
            continue
        if line > len(text.lines) or end_line > len(text.lines):
            yield False
        elif column is None or end_column is None:  # python -X no_debug_ranges
            yield _fits(code, opcode, argument, "\n".join(text.lines[line - 1 : end_line]))
        elif end_column or end_line > line:
            yield _fits(
                code, opcode, argument, text.segment(line, column, end_line, end_column)
            )


def _fits(code: CodeType, opcode: int, argument: int, segment: str) -> bool:
    if opcode in _NAMES:
        return _has(segment, code.co_names[argument >> _SHIFTS.get(opcode, 0)])
    if opcode in _LOCALS:
        return _has(segment, code._varname_from_oparg(argument))  # type: ignore[attr-defined]  # noqa: SLF001
    if opcode == _TWO_LOCALS:
        return _has(segment, code.co_varnames[argument >> 4])
    if opcode in _CONSTS:
        words = segment.removeprefix("return").strip() if opcode == _RETURN_CONST else segment
        return _constant(words, code.co_consts[argument])
    if opcode == _BINARY_OP:
        sign = _nb_ops[argument][1]
        return sign in segment or (sign == "-" and "*" in segment)  # [first, *_, last]
    if opcode in _COMPARES and _COMPARISON.search(segment):  # not those of a `case`
        return cmp_op[argument >> _COMPARE_SHIFT] in segment
    return True


def _has(segment: str, name: str) -> bool:
    """Whether a name stands there; one that the compiler has made itself need not."""
    if name.startswith(("__", ".")) or not name.isascii():
        return True
    if name.startswith("_") and "__" in name:  # a private name, with its class before it
        name = name.partition("__")[2]
    return name in segment or segment == "super()"  # which loads the first argument


def _constant(segment: str, value: object) -> bool:
    """Whether a plain constant stands there; what was computed or joined is not looked at."""
    if type(value) is str and (found := _PLAIN_TEXT.fullmatch(segment)):
        body = found[1] if found[1] is not None else found[2]
        # longer: neighbours are joined; with quotes: a postponed annotation
        return value.startswith(body) or value[1:-1] == body
    if type(value) is int and _PLAIN_NUMBER.fullmatch(segment):
        return value == int(segment)
    if type(value) is bool and segment in _WORDS:
        return value is _WORDS[segment]
    return True


def _head_fits(code: CodeType, text: Text) -> bool:
    """Whether the function or class begins at its line: a body of `pass` tells nothing."""
    if not code.co_name.isidentifier() or not code.co_name.isascii():
        return True
    first = code.co_firstlineno
    for one in islice(logical_lines(text.lines, first), MAX_DECORATORS):
        if one.first > first and not text.at(first).strip().startswith("@"):
            return False
        if not one.text.startswith("@"):
            found = _HEAD.match(one.text)
            if found is not None and code.co_name.endswith(found[1]):
                return True
            return code.co_name in one.text  # a type parameter, or its alias
    return False
