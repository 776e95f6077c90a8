"""Python source in colours: one piece of HTML for each line, classes instead of colours."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from markupsafe import Markup
from pygments.lexers.python import PythonLexer
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    _TokenType,
)

from leadline.web.visible import marked
from leadline.wire.struct import dataclass

MAX_COLOURED_CHARS = 300_000
"""Longer files are shown in one colour: they are generated, and one waits for the page."""
_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (String.Doc, "c"),
    (String, "s"),
    (Number, "n"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Decorator, "d"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Builtin, "b"),
    (Name.Exception, "b"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of source as HTML, and the names of variables that stand in it."""

    number: int
    code: Markup
    names: tuple[str, ...]


def lines(source: Sequence[str], first: int = 1) -> list[Line]:
    """Return lines, of which the first has that number; what cannot be seen in them is marked.

    What is given is read as a whole, so that a text over many lines has one colour.
    """
    return [
        Line(first + number, code, names)
        for number, (code, names) in enumerate(_coloured(tuple(source)))
    ]


@lru_cache(maxsize=8)
def _coloured(source: tuple[str, ...]) -> tuple[tuple[Markup, tuple[str, ...]], ...]:
    # a text of a program that would end a line here must not put the numbers out of step
    text = "".join(f"{line.replace('\n', ' ').replace('\r', ' ')}\n" for line in source)
    if len(text) > MAX_COLOURED_CHARS:
        return tuple((marked(line), ()) for line in source)
    shown: list[list[Markup]] = [[] for _ in source]
    names: list[dict[str, None]] = [{} for _ in source]
    at = 0
    for kind, part in _pieces(text):
        for number, piece in enumerate(part.split("\n")):
            at += number > 0
            if piece:
                shown[at].append(_piece(_class_of(kind), piece))
                if kind is Name or kind in Name.Builtin.Pseudo:
                    names[at][piece] = None
    return tuple(
        (Markup("").join(pieces), tuple(found))
        for pieces, found in zip(shown, names, strict=True)
    )


def _pieces(text: str) -> Iterator[tuple[_TokenType, str]]:
    """Yield what belongs together, nothing left out. Not by the lexer's `get_tokens`, which
    takes other characters for ends of lines."""
    for _, kind, part in PythonLexer().get_tokens_unprocessed(text):
        yield kind, part


@lru_cache(maxsize=200)
def _class_of(kind: _TokenType) -> str:
    return next((name for of, name in _CLASSES if kind in of), "")


def _piece(name: str, text: str) -> Markup:
    shown = marked(text)
    return Markup('<span class="{}">{}</span>').format(name, shown) if name else shown
