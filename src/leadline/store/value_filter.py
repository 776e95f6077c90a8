"""Choosing hits by a captured value: `user.id = 42`.

A hit is chosen when any value of that name holds: of its template or watches, of the variables
of any call of its stack, the arguments of a captured call, its result or exception, or a
context variable.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import msgspec

from leadline.wire.errors import WireError
from leadline.wire.value import Value, render

MAX_CHARS = 500
"""Of a filter: what a person types."""
_PARTS = re.compile(r"^\s*(.+?)\s*(==|!=|<=|>=|=|<|>|~)\s*(.*?)\s*$", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[('[^']*'|\"[^\"]*\")\]")
_WORDS: dict[str, object] = {
    "None": None, "null": None, "True": True, "true": True, "False": False, "false": False,
}  # fmt: skip
_ENDS = ("result", "exception")
"""What a call came to stands under another name in the body of a captured one."""
_NOTHING = object()


@dataclass(frozen=True)
class ValueFilter:
    """`name` is an expression as a hit names it, or a variable with `.attribute`, `[0]` or
    `['key']` behind it; `sign` compares it with `wanted`, and `~` looks for a part of it.

    `loose` is a literal without quotes: the number 42 is the text "42" too.
    """

    asked: str
    name: str
    sign: str
    text: str
    wanted: object
    loose: bool

    def matches(self, body: str) -> bool:
        """Return whether a hit, as the ASCII JSON that is stored, holds such a value."""
        if not all(needle in body for needle in self._needles):  # nothing is read for most
            return False
        return any(self._holds(value) for value in self._found(_read(body)))

    @cached_property
    def _needles(self) -> list[str]:
        """What has to stand in a body that holds such a value."""
        first = re.split(r"[.\[]", self.name)[0].strip()
        needles = [first] if first not in _ENDS else []
        if self.sign == "=" and type(self.wanted) in (int, str) and self.text.isalnum():
            needles.append(str(self.wanted))
        return [json.dumps(needle)[1:-1] for needle in needles]

    @cached_property
    def _ways(self) -> list[tuple[str, list[str | int]]]:
        """The name whole, and every way to cut it into a name and steps into its value."""
        ways: list[tuple[str, list[str | int]]] = [(self.name, [])]
        for at, char in enumerate(self.name):
            if at and char in ".[" and (steps := _steps(self.name[at:])):
                ways.append((self.name[:at], steps))
        return ways

    def _found(self, hit: dict[str, Any]) -> Iterator[Value]:
        for names in _scopes(hit):
            for name, steps in self._ways:
                if name in names:
                    value = names[name]
                    for step in steps:
                        value = _inside(value, step)
                    if value is not _NOTHING:
                        yield value

    def _holds(self, value: Value) -> bool:
        if self.sign == "~":
            return str(self.wanted).casefold() in render(value).casefold()
        plain = _plain(value)
        if plain is _NOTHING:
            return False
        same = _same(plain, self.wanted) or (self.loose and _written(plain) == self.text)
        if self.sign in ("=", "!="):
            return same is (self.sign == "=")
        left, right = _comparable(plain, self.wanted)
        with suppress(TypeError):
            match self.sign:
                case "<":
                    return bool(left < right)
                case "<=":
                    return bool(left <= right)
                case ">":
                    return bool(left > right)
                case ">=":
                    return bool(left >= right)
        return False


@lru_cache(maxsize=256)
def value_filter(text: str) -> ValueFilter:
    """Read a filter. Raises slug `bad-message` where it is none."""
    parts = _PARTS.match(text)
    if parts is None or len(text) > MAX_CHARS:
        raise WireError(
            f"{text[:100]!a} chooses no value: write a name, one of = != < <= > >= ~ (has in "
            "it), and a number or a text, as in user.id = 42."
        )
    name, sign, wanted = parts.groups()
    sign = "=" if sign == "==" else sign
    quoted = len(wanted) > 1 and wanted[0] == wanted[-1] and wanted[0] in "'\""
    literal: object = wanted[1:-1] if quoted else _literal(wanted)
    return ValueFilter(text, name, sign, wanted, literal, not quoted)


def _read(body: str) -> dict[str, Any]:
    try:
        hit: dict[str, Any] = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeEncodeError):  # a lone surrogate
        hit = json.loads(body)
    return hit


def _literal(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _scopes(hit: dict[str, Any]) -> Iterator[dict[str, Value]]:
    yield hit["values"]
    if call := hit.get("call"):
        yield call["arguments"]
        yield {"result" if call["returned"] else "exception": call["value"]}
    detail = hit.get("detail")
    if not detail:
        return
    for frame in detail["frames"]:
        yield frame.get("locals", {})
    if detail.get("returned"):
        yield {"result": detail.get("result")}
    if detail.get("exception") is not None:
        yield {"exception": detail["exception"]}
    yield detail.get("context", {})


def _steps(text: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            return []
        name, index, key = step.groups()
        steps.append(name or (int(index) if index else key[1:-1]))
        at = step.end()
    return steps


def _inside(value: Value, step: str | int) -> Value:
    """Return what a captured value holds under a name, a key or a number."""
    if not isinstance(value, dict):
        return _NOTHING
    for held in ("fields", "about"):
        if isinstance(step, str) and step in value.get(held, {}):
            return value[held][step]
    for key, item in value.get("entries", ()):
        if _plain(key) == step and type(_plain(key)) is not bool:
            return item
    items = value.get("items", ())
    if isinstance(step, int) and step < len(items):
        return items[step]
    return _NOTHING


def _plain(value: Value) -> object:
    """Return what a captured value is compared as; a text that was cut is no answer."""
    if not isinstance(value, dict):
        return value
    if value.get("form") == "member":
        return value.get("text", _NOTHING)
    if "text" not in value or value.get("omitted"):
        return _NOTHING
    text = str(value["text"])
    if value.get("type") in ("int", "float", "Decimal"):
        with suppress(ValueError):
            return int(text) if value["type"] == "int" else float(text)
    return text


def _same(plain: object, wanted: object) -> bool:
    if isinstance(plain, bool) or isinstance(wanted, bool):
        return plain is wanted
    return plain == wanted


def _written(plain: object) -> str:
    return plain if isinstance(plain, str) else repr(plain)


def _comparable(plain: object, wanted: object) -> tuple[Any, Any]:
    if isinstance(plain, str) and not isinstance(wanted, str):
        return plain, repr(wanted)  # dates begin with a number
    return plain, wanted
