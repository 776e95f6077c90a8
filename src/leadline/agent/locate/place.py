"""Choose, among all code of a file, where exactly a probe on a line is armed.

One line can be part of several code objects: a statement, a lambda in it, a generator
expression in that. The statement of the outermost function is meant, unless the probe's
expressions name variables that only an inner one has.
"""

from collections.abc import Iterable, Sequence
from types import CodeType

from leadline.agent.capture.frame import local_names
from leadline.agent.core.passage import Site
from leadline.agent.locate.items import item_offsets
from leadline.agent.locate.lines import body_line, executable_lines, first_offsets, too_large
from leadline.wire.errors import LeadlineError, UsageError
from leadline.wire.struct import dataclass

_CO_OPTIMIZED = 0x1
_COMPREHENSIONS = frozenset(("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a probe goes; `note` says so when it is not exactly what was asked for."""

    sites: tuple[Site, ...]
    note: str = ""


def place(codes: Sequence[CodeType], line: int, names: frozenset[str]) -> Placement:
    """Return the sites for `line` among `codes`, all of one file.

    Every copy of the chosen function is armed: a module may be loaded twice. Raises
    `UsageError`: `line-not-executable` with the nearest lines that are, `function-too-large`.
    """
    at = [code for code in codes if first_offsets(code, line)]
    note = ""
    if all(_rank(code) == 1 for code in at) and (heads := _header(codes, line)):
        asked, at, line = line, heads, body_line(heads[0]) or line
        note = f"line {asked} is the head of {at[0].co_qualname}; armed where its body begins"
    if not at:
        raise _not_executable(codes, line)
    chosen = _preferred(at, names)
    sites = []
    for code in at:
        if _key(code) == _key(chosen):
            if too_large(code):
                raise LeadlineError(
                    "function-too-large",
                    f"{code.co_qualname} has {len(code.co_code) // 2:,} units of bytecode; "
                    "its first pass after arming would pause the caller too long.",
                    "Place the probe in a function that it calls.",
                )
            items = item_offsets(code, line, names)
            if items:
                note = note or f"for each item of the comprehension on line {line}"
            offsets = items or first_offsets(code, line)
            sites.append(Site(code, offsets, code.co_filename, line, code.co_qualname))
    return Placement(tuple(sites), note)


def covers(code: CodeType, line: int) -> bool:
    """Whether `line` lies within `code`, its head included."""
    first = code.co_firstlineno
    return first <= line <= max((own or first for _, _, own in code.co_lines()), default=0)


def _preferred(codes: Iterable[CodeType], names: frozenset[str]) -> CodeType:
    def order(code: CodeType) -> tuple[int, int, int]:
        absent = len(names - _variables(code))
        return absent, _rank(code), code.co_qualname.count(".")

    return min(codes, key=order)


def _variables(code: CodeType) -> frozenset[str]:
    """The names that `code` can have values for; a module's or class's body has no locals."""
    return local_names(code) if code.co_flags & _CO_OPTIMIZED else frozenset(code.co_names)


def _rank(code: CodeType) -> int:
    """Functions and lambdas, then the bodies of modules and classes, then comprehensions."""
    if code.co_name in _COMPREHENSIONS:
        return 2
    return 0 if code.co_flags & _CO_OPTIMIZED else 1


def _key(code: CodeType) -> tuple[str, int, int]:
    """Two code objects with this key are copies of one function, not neighbours on a line."""
    column = next((p[2] or 0 for p in code.co_positions() if p[2]), 0)
    return code.co_qualname, code.co_firstlineno, column


def _header(codes: Iterable[CodeType], line: int) -> list[CodeType]:
    """The innermost functions whose decorators or signature the line belongs to."""
    heads = [
        code
        for code in codes
        if _rank(code) == 0 and code.co_firstlineno <= line < (body_line(code) or 0)
    ]
    heads.sort(key=lambda code: code.co_firstlineno)
    return [code for code in heads if _key(code) == _key(heads[-1])]


def _not_executable(codes: Sequence[CodeType], line: int) -> UsageError:
    lines = sorted(set().union(*(executable_lines(code) for code in codes)))
    inside = any(
        min(own) <= line <= max(own) for code in codes if (own := executable_lines(code))
    )
    close = [other for other in lines if other < line][-1:]
    close += [other for other in lines if other > line][:1]
    hint = f"The nearest lines that can be probed: {', '.join(map(str, close))}."
    if not inside:
        return UsageError(
            "line-not-executable",
            f"Line {line} is in no function that is loaded; code at a module's own level "
            "runs once, when it is imported.",
            hint if close else "",
        )
    return UsageError(
        "line-not-executable",
        f"Line {line} has no code of its own: it is blank, a comment, or the rest of another "
        "statement.",
        hint,
    )
