"""How a captured value is written down, and how it reads as text.

A captured value is plain JSON data. Numbers, booleans, null and short text stand for
themselves; everything else is an object with these members, all but `type` optional:

    type      name of the value's class
    text      the value as text: part of a long str, digits of a large int, bytes as latin-1
    length    number of items, characters or bytes it really has
    items     list of captured values (list, tuple, set)
    entries   list of [key, value] pairs, both captured (dict)
    fields    object: attribute name -> captured value (instances)
    omitted   why it, or the rest of it, is not here: an `Omission`
    rule      with `redacted`: the rule that asked for it, e.g. `name:password`
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

type Value = Any
"""A captured value, see above."""


class Omission(StrEnum):
    """Why a value, or the rest of it, was not captured."""

    DEPTH = "depth"
    ITEMS = "items"
    TEXT = "text"
    CYCLE = "cycle"
    REDACTED = "redacted"
    CHANGED = "changed"
    OPAQUE = "opaque"
    UNBOUND = "unbound"
    UNKNOWN = "unknown"


MAX_RENDERED_CHARS = 10_000
"""A line of a log that is longer than this is read by nobody."""


def render(value: Value, *, quoted: bool = False) -> str:
    """Return `value` as one line of text, close to how Python would show it.

    A text at the top stands without quotes unless `quoted`. What was left out is said in
    angle brackets. The result is captured text: escape it for wherever it is shown.
    """
    if type(value) is str and not quoted:
        return value
    out: list[str] = []
    length = 0
    for piece in _pieces(value):
        out.append(piece)
        length += len(piece)
        if length > MAX_RENDERED_CHARS:
            out.append("…")
            break
    return "".join(out)


def _pieces(value: Value) -> Iterator[str]:
    if not isinstance(value, dict):
        yield repr(value) if not isinstance(value, list) else "<list>"
        return
    name = str(value.get("type", "?"))
    omitted = value.get("omitted")
    if omitted == Omission.REDACTED:
        yield f"<redacted {value.get('rule', '')}>"
    elif "items" in value:
        yield from _sequence(name, value)
    elif "entries" in value:
        if name != "dict":
            yield f"{name}("
        yield "{"
        for index, (key, item) in enumerate(value["entries"]):
            yield ", " if index else ""
            yield from _pieces(key)
            yield ": "
            yield from _pieces(item)
        yield from _rest(value, len(value["entries"]))
        yield "}" if name == "dict" else "})"
    elif "fields" in value:
        yield f"{name}("
        for index, (field, item) in enumerate(value["fields"].items()):
            yield f"{', ' if index else ''}{field}="
            yield from _pieces(item)
        if omitted:
            yield f"{', ' if value['fields'] else ''}… <{omitted}>"
        yield ")"
    elif "text" in value:
        yield from _text(name, value)
    elif omitted in (Omission.UNBOUND, Omission.UNKNOWN):
        yield f"<{omitted}: {value['rule']}>" if "rule" in value else f"<{omitted}>"
    else:
        size = f" of {value['length']}" if "length" in value else ""
        yield f"<{name}{size}: {omitted}>" if omitted else f"<{name}{size}>"


_BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "frozenset": ("frozenset({", "})"),
}


def _sequence(name: str, value: dict[str, Value]) -> Iterator[str]:
    before, after = _BRACKETS.get(name, (f"{name}([", "])"))
    yield before
    items = value["items"]
    for index, item in enumerate(items):
        yield ", " if index else ""
        yield from _pieces(item)
    yield from _rest(value, len(items))
    if name == "tuple" and len(items) == 1:
        yield ","
    yield after


def _rest(value: dict[str, Value], shown: int) -> Iterator[str]:
    omitted = value.get("omitted")
    if not omitted:
        return
    yield ", " if shown else ""
    missing = value.get("length", shown) - shown
    yield f"… {missing} more <{omitted}>" if missing > 0 else f"… <{omitted}>"


def _text(name: str, value: dict[str, Value]) -> Iterator[str]:
    text = str(value["text"])
    match name:
        case "str":
            yield repr(text)
        case "bytes" | "bytearray":
            body = repr(text.encode("latin-1", "replace"))
            yield body if name == "bytes" else f"bytearray({body})"
        case "int" | "float" | "complex":
            yield text
        case _:
            yield f"{name}({text!r})"
    if value.get("omitted"):
        yield f"… <{value.get('length', '?')} in all>"
