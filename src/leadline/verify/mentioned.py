"""Values that calls and code mention: what databases may hold in another world."""

import ast
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence

from leadline.trial.candidate import Change
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared
from leadline.verify.deeds import Text
from leadline.verify.functions import functions_of, other_texts
from leadline.wire.kept import CONTEXT

_MOST_WORDS, _MOST_CHARS = 12, 40
_MOST_NAMES = 1_000
_MOST_NODES, _MOST_BODY, _MOST_GIVEN, _LONG = 500, 4_000, 60, 18
"""What goes with each order is 15 kB at most; whole numbers have as many digits as SQLite's."""
_WORD = re.compile(r"\w+")
_TEXT = re.compile(r"'([^']*)'")
_NUMBER = re.compile(r"(?<![\w.?:])\d+(?:\.\d+)?(?![\w.])")


def mentioned(
    found: Sequence[Compared], changes: Sequence[Change]
) -> tuple[list[str | int | float], list[str]]:
    """Return the values that the functions which have run name, what they compare and what
    their statements have first; and all words of theirs and of their files."""
    runs = [run for one in found for run in (one.control, one.candidate) if run is not None]
    ran = functions_of(runs, changes)
    texts = [(one.file, text) for one in changes for text in (one.old, one.new) if text]
    texts += other_texts(ran, changes).items()
    parsed = [(file, Text(text)) for file, text in texts]
    nodes = [
        node
        for file, text in parsed
        for qualname, function in text.functions
        if (file, qualname) in ran
        for node in ast.walk(function)
    ]
    beside = [node for _, text in parsed for node in ast.walk(text.tree)]
    values = dict.fromkeys(
        one for some in (_compared(nodes), _named(nodes), _compared(beside)) for one in some
    )
    words = [one for one in values if isinstance(one, str)][:_MOST_WORDS]
    numbers = [one for one in values if not isinstance(one, str)][:_MOST_WORDS]
    names = dict.fromkeys(name for some in (nodes, beside) for name in _names(some))
    return [*words, *numbers], list(names)[:_MOST_NAMES]


def given_to(call: CapturedCall) -> list[str | int | float]:
    """Return texts and numbers that a call is given, and those in a path or a body; the first
    ones."""
    document = call.document or {}
    roots = {name: one for name, one in document.get("roots", {}).items() if name != CONTEXT}
    refs: list[object] = list(roots.values())
    for node in document.get("nodes", ())[:_MOST_NODES]:
        refs += node.get("i", ())
        refs += [one for pair in node.get("p", ()) for one in pair]
        for member in ("a", "s"):
            refs += (node.get(member) or {}).values()
        refs.append(_text_of(node.get("b")))
    found: dict[str | int | float, None] = {}
    for one in refs:
        if type(one) in (int, float):
            found[one] = None  # type: ignore[index]
        elif type(one) is str and len(one) <= _MOST_CHARS:
            found[one] = None
        if type(one) is str and not one.isidentifier():
            for word in _WORD.findall(one[:_MOST_BODY]):
                found[int(word) if word.isdecimal() and len(word) < _LONG else word] = None
    return list(found)[:_MOST_GIVEN]


def _text_of(packed: object) -> str:
    """Return what stands in bytes, if it is a text, and not too long to be looked at."""
    if type(packed) is not str or len(packed) > _MOST_BODY:
        return ""
    try:
        return b64decode(packed).decode()
    except ValueError:
        return ""


def _compared(nodes: Sequence[ast.AST]) -> Iterator[str | int | float]:
    for node in nodes:
        if isinstance(node, ast.Compare | ast.match_case):
            yield from _named(list(ast.walk(node)))
        elif isinstance(node, ast.Constant) and type(node.value) is str and " " in node.value:
            yield from (one for one in _TEXT.findall(node.value) if len(one) <= _MOST_CHARS)
            for one in _NUMBER.findall(node.value):
                if len(one) < _LONG:
                    yield float(one) if "." in one else int(one)


def _named(nodes: Sequence[ast.AST]) -> Iterator[str | int | float]:
    for node in nodes:
        value = node.value if isinstance(node, ast.Constant) else None
        if type(value) is str and len(value) <= _MOST_CHARS and " " not in value:
            yield value
        elif type(value) in (int, float) and abs(value) < 10**_LONG:  # type: ignore[arg-type]
            yield value  # type: ignore[misc]


def _names(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case ast.Constant(value=str(text)):
                yield from _WORD.findall(text)
