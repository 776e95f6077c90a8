"""How a captured value is written down, and how it reads as text.

A captured value is plain JSON data. Numbers, booleans, null and short text stand for
themselves; everything else is an object with these members, all but `type` optional:

    type      name of the value's class
    text      the value as text: part of a long str, digits of a large int, bytes as latin-1,
              a date, a path, the name of an enum member or of a function
    length    number of items, characters or bytes it really has
    items     list of captured values (list, tuple, set, array; the arguments of an exception)
    entries   list of [key, value] pairs, both captured (dict; columns of a table)
    fields    object: attribute name -> captured value (instances)
    about     object: what is known of it beside what it holds, such as the shape of an array,
              the state of a task, the cause of an exception -> captured value
    form      a `Form`, where the other members do not tell how it is shown
    omitted   why it, or the rest of it, is not here: an `Omission`
    rule      with `redacted` the rule that asked for it, e.g. `name:password`; with `unknown`
              and `opaque` the reason
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

type Value = Any
"""A captured value, see above."""


class Omission(StrEnum):
    """Why a value, or the rest of it, was not captured."""

    DEPTH = "depth"
    ITEMS = "items"
    TEXT = "text"
    ROOM = "room"
    CYCLE = "cycle"
    REDACTED = "redacted"
    CHANGED = "changed"
    DRAINED = "drained"
    OPAQUE = "opaque"
    UNEVALUATED = "unevaluated"
    UNBOUND = "unbound"
    UNKNOWN = "unknown"


LIMITS = (Omission.ROOM, Omission.ITEMS, Omission.DEPTH, Omission.TEXT)
"""Why a part of a value is not there although it could have been captured."""
SESSION_ELSEWHERE = 0
"""The number of the session of an object of SQLAlchemy that had one, where it is made again:
there is none of this number, and code that asks whether there is any takes it for none."""
RESOURCE = "resource"
"""The rule by which a value is held back that belongs to its process: a thread, a lock, a
connection."""


class Form(StrEnum):
    """How a value is shown, beyond what its members tell."""

    CALL = "call"
    MEMBER = "member"
    NAME = "name"


MAX_RENDERED_CHARS = 10_000
"""A line of a log that is longer than this is read by nobody."""

_BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "frozenset": ("frozenset({", "})"),
}
_UNQUOTED = ("int", "float", "complex")
_REASONED = (Omission.UNBOUND, Omission.UNKNOWN)


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
    form = value.get("form")
    if value.get("omitted") == Omission.REDACTED:
        size = f": {name} of {value['length']}" if "length" in value else ""
        yield f"<redacted {value.get('rule', '')}{size}>"
    elif form == Form.MEMBER:
        yield f"<{name}.{value.get('text', '?')}: "
        yield from _pieces(value.get("about", {}).get("value"))
        yield ">"
    elif form == Form.NAME:
        yield f"<{name} {value.get('text', '?')}"
        yield from _facts(value, "; ")
        yield ">"
    elif "items" in value and form == Form.CALL:
        yield from _call(name, value)
    elif "items" in value:
        yield from _sequence(name, value)
    elif "entries" in value:
        yield from _mapping(name, value)
    elif "fields" in value:
        yield from _object(name, value)
    elif "text" in value:
        yield from _text(name, value)
    else:
        yield from _bare(name, value)


def _bare(name: str, value: dict[str, Value]) -> Iterator[str]:
    """What has no inside here: a reason, or facts alone."""
    omitted = value.get("omitted")
    if omitted in _REASONED:
        yield f"<{omitted}: {value['rule']}>" if "rule" in value else f"<{omitted}>"
    elif value.get("about"):
        yield f"{name}("
        yield from _facts(value, "")
        yield f", … <{omitted}>)" if omitted else ")"
    else:
        size = f" of {value['length']}" if "length" in value else ""
        yield f"<{name}{size}: {omitted}>" if omitted else f"<{name}{size}>"


def _sequence(name: str, value: dict[str, Value]) -> Iterator[str]:
    before, after = _BRACKETS.get(name, (f"{name}([", "]"))
    yield before
    yield from _listed(value["items"])
    yield from _rest(value, len(value["items"]))
    if name == "tuple" and len(value["items"]) == 1:
        yield ","
    yield after
    yield from _facts(value, ", ")
    if name not in _BRACKETS:
        yield ")"


def _mapping(name: str, value: dict[str, Value]) -> Iterator[str]:
    if name != "dict":
        yield f"{name}("
    yield "{"
    for index, (key, item) in enumerate(value["entries"]):
        yield ", " if index else ""
        yield from _pieces(key)
        yield ": "
        yield from _pieces(item)
    yield from _rest(value, len(value["entries"]))
    yield "}"
    yield from _facts(value, ", ")
    if name != "dict":
        yield ")"


def _object(name: str, value: dict[str, Value]) -> Iterator[str]:
    fields, omitted = value["fields"], value.get("omitted")
    yield f"{name}("
    yield from _named(fields)
    if omitted:
        yield f"{', ' if fields else ''}… <{omitted}>"
    yield from _facts(value, "; " if fields or omitted else "")
    yield ")"


def _call(name: str, value: dict[str, Value]) -> Iterator[str]:
    """The arguments that it was made of, then its attributes."""
    yield f"{name}("
    yield from _listed(value["items"])
    yield from _rest(value, len(value["items"]))
    if fields := value.get("fields"):
        yield ", " if value["items"] else ""
        yield from _named(fields)
    yield from _facts(value, "; " if value["items"] or fields else "")
    yield ")"


def _listed(items: list[Value]) -> Iterator[str]:
    for index, item in enumerate(items):
        yield ", " if index else ""
        yield from _pieces(item)


def _named(fields: Mapping[str, Value]) -> Iterator[str]:
    for index, (field, item) in enumerate(fields.items()):
        yield f"{', ' if index else ''}{field}="
        yield from _pieces(item)


def _facts(value: dict[str, Value], before: str) -> Iterator[str]:
    if about := value.get("about"):
        yield before
        yield from _named(about)


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
        case "bytes" | "bytearray" | "memoryview":
            body = repr(text.encode("latin-1", "replace"))
            yield body if name == "bytes" else f"{name}({body})"
        case _ if name in _UNQUOTED:
            yield text
        case _:
            yield f"{name}({text!r}"
            yield from _facts(value, ", ")
            yield ")"
    if omitted := value.get("omitted"):
        size = f"{value['length']} in all" if "length" in value else omitted
        yield f"… <{size}>"
