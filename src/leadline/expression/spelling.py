"""A look at an expression's characters before Python's own parser sees them.

That parser *warns* about doubtful spelling, and a warning inside somebody's process prints a
line or runs a hook of the application; switching warnings off is process-wide. So what it
would warn about is refused first, and so is nesting that would cost it its stack.
"""

import _ast as ast
from collections.abc import Iterator

from leadline.expression import refusals
from leadline.expression.pointing import Source

MAX_BRACKETS = 30
"""Open brackets at once; a person loses count long before, the parser's stack does not."""

_ESCAPES = "\\'\"abfnrtvxNuU"
_STRAY = {
    "#": "leave out the comment; a probe has a note",
    "\\": "a backslash stands only inside of quotes",
}
_OPEN, _CLOSE = "([{", ")]}"


def check_spelling(source: Source) -> None:
    """Raise `ExpressionError` for what Python's parser must not see."""
    text = source.text
    if not text.strip():
        raise source.error("expression-syntax", "write an expression, such as x == 1")
    for index, character in enumerate(text):
        if character in "\n\r\f\0" or "\ud800" <= character <= "\udfff":
            raise source.error(
                "expression-syntax", "write the expression on one line", index, index + 1
            )
    _check_tokens(source, text)


def _check_tokens(source: Source, text: str) -> None:
    opened: list[int] = []
    for start, end in tokens(text):
        first = text[start]
        if first in "'\"":
            _check_prefix(source, text, start, end)
            _check_escapes(source, text, start, end)
        elif first.isdigit():
            _check_number(source, text[start:end], start)
        elif first in _OPEN:
            opened.append(start)
            if len(opened) > MAX_BRACKETS:
                raise source.error(
                    "expression-too-big",
                    f"at most {MAX_BRACKETS} brackets can be open at once",
                    start,
                    end,
                )
        elif first in _CLOSE and opened:
            opened.pop()
        elif first in _STRAY:
            raise source.error("expression-syntax", _STRAY[first], start, end)


def tokens(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of texts in quotes, words, numbers and single characters.

    An unfinished text in quotes runs to the end.
    """
    index = 0
    while index < len(text):
        start = index
        first = text[index]
        if first in "'\"":
            index = _end_of_quotes(text, index)
        elif first.isdigit():
            index = _end_of_number(text, index)
        elif first.isidentifier():
            while index < len(text) and (text[index].isalnum() or text[index] == "_"):
                index += 1
        index = max(index, start + 1)
        yield start, index


def _end_of_quotes(text: str, start: int) -> int:
    index = start + 1
    while index < len(text) and text[index] != text[start]:
        index += 2 if text[index] == "\\" else 1
    return min(index + 1, len(text))


def _end_of_number(text: str, start: int) -> int:
    signed = text[start : start + 2].lower() != "0x"  # 1e-5 has a sign inside, 0xe-5 has not
    index = start
    while index < len(text):
        character = text[index]
        sign = signed and character in "+-" and text[index - 1] in "eE"
        if not (character.isalnum() or character in "._" or sign):
            break
        index += 1
    return index


def _check_number(source: Source, number: str, start: int) -> None:
    for read in (lambda: int(number, 0), lambda: float(number), lambda: complex(number)):
        try:
            read()
        except ValueError:
            continue
        return
    raise source.error(
        "expression-syntax",
        "this is not a number; is a space missing after it?",
        start,
        start + len(number),
    )


def _check_prefix(source: Source, text: str, start: int, end: int) -> None:
    """Refuse f-strings: what stands in their braces is out of sight here."""
    word = start
    while word and text[word - 1].isalpha():
        word -= 1
    if text[word:start].lower() in ("f", "rf", "fr"):
        sentence = refusals.CONSTRUCTS[ast.JoinedStr]
        raise source.error("expression-forbidden", sentence, word, end)


def _check_escapes(source: Source, text: str, start: int, end: int) -> None:
    index = text.find("\\", start, end)
    while 0 <= index < end - 1:
        if text[index + 1] not in _ESCAPES:
            raise source.error(
                "expression-syntax", "write \\\\ for a backslash", index, index + 2
            )
        index = text.find("\\", index + 2, end)
