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


def coloured(lines: Sequence[str]) -> list[Markup]:
    """Return each line as HTML; what cannot be seen in it is marked."""
    return list(_coloured(tuple(lines)))


@lru_cache(maxsize=8)
def _coloured(lines: tuple[str, ...]) -> tuple[Markup, ...]:
    text = "".join(f"{line}\n" for line in lines)
    if len(text) > MAX_COLOURED_CHARS:
        return tuple(marked(line) for line in lines)
    shown: list[list[Markup]] = [[] for _ in lines]
    at = 0
    for name, part in _pieces(text):
        for number, piece in enumerate(part.split("\n")):
            at += number > 0
            if piece:
                shown[at].append(_piece(name, piece))
    return tuple(Markup("").join(pieces) for pieces in shown)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield the class and the text of what belongs together, nothing left out. Not by the
    lexer's `get_tokens`, which takes other characters for ends of lines."""
    known: dict[_TokenType, str] = {}
    for _, kind, part in PythonLexer().get_tokens_unprocessed(text):
        if kind not in known:
            known[kind] = next((name for of, name in _CLASSES if kind in of), "")
        yield known[kind], part


def _piece(name: str, text: str) -> Markup:
    shown = marked(text)
    return Markup('<span class="{}">{}</span>').format(name, shown) if name else shown
