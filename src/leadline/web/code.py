"""Source as it is shown: coloured by classes of a style sheet, line by line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pygments.lexers.python import PythonLexer
from pygments.token import STANDARD_TYPES, Comment, Keyword, Name, Number, Operator, String

from leadline.web.visible import plain

_COLOURED = (Comment, Keyword, Name.Builtin, Name.Decorator, Name.Function, Name.Class, Number,
             Operator.Word, String)  # fmt: skip
_LEXER = PythonLexer(stripnl=False, ensurenl=False, stripall=False)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of source, and the names that stand in it."""

    number: int
    code: Markup
    names: tuple[str, ...]


def lines(source: Sequence[str], first: int = 1) -> list[Line]:
    """Return lines, of which the first has that number, with their colours.

    What is given is read as a whole, so that a text over many lines has one colour.
    """
    # a text of a program that would end a line here must not put the numbers out of step
    text = "\n".join(re.sub(r"[\n\r]", " ", line) for line in source)
    parts: list[list[Markup]] = [[]]
    names: list[dict[str, None]] = [{}]
    for kind, value in _LEXER.get_tokens(text):
        for number, piece in enumerate(value.split("\n")):
            if number:
                parts.append([])
                names.append({})
            if piece:
                parts[-1].append(_part(kind, piece))
                if kind is Name or kind in Name.Builtin.Pseudo:
                    names[-1][piece] = None
    return [
        Line(first + number, Markup("").join(part), tuple(found))
        for number, (part, found) in enumerate(zip(parts, names, strict=True))
    ][: len(source)]


def _part(kind: Any, text: str) -> Markup:
    shown = Markup.escape(plain(text.expandtabs(4)))
    for coloured in _COLOURED:
        if kind in coloured:
            return Markup('<span class="code-{}">{}</span>').format(
                STANDARD_TYPES[coloured], shown
            )
    return shown
