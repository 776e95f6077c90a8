"""What an exported test asserts of a place in an outcome: something that holds for the old code
and not for the candidate.

A path of a difference is no Python: it leads into texts that are JSON, to parts of texts, to
members of sets. So it is read step by step, beside what the old code came to; where it leads
nowhere that can be written down, what is around it is compared as a whole.
"""

import ast
import datetime
import decimal
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from leadline.trial.accident import PATTERN
from leadline.trial.outcome import Outcome
from leadline.trial.place import Ran
from leadline.wire.gateway import ASKED, RESPONSE, RESPONSE_CLASS
from leadline.wire.struct import dataclass
from leadline.wire.value import Form, Value

_MAX_CHARS = 20_000
"""Of what is asserted to be equal: a line that is longer nobody reads."""
_ROOTS = re.compile(r"(result|exception|response|argument (\w+)|yield (\d+))(?=[.\[{~#)]|\Z)")
_ATTRIBUTE = re.compile(r"\.([A-Za-z_]\w*)")
_NUMBER = re.compile(r"([~#])(\d+)")
_AROUND = re.compile(r"(len|order)\((.*)\)\Z", re.DOTALL)
_CLOSING = {"[": "]", "{": "}", "(": ")"}
_CAUGHT = "caught.value"
GIVEN_OUT = "given_out"
"""What a test calls the list of what a generator has given out."""
_MODULES = re.compile(r"\b(datetime|decimal)\.")
_KNOWN = ("status", "reason", "headers", "body")
_MISSING: Any = object()
_READ: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "Decimal": decimal.Decimal,
}
"""What is made again of its text alone, by the name of its class."""


class _Unwritten(Exception):  # noqa: N818 - an answer, and no failure
    """A value cannot be written down as source."""


@dataclass(frozen=True, slots=True)
class Asserted:
    """`line` is the assertion, `imports` are the modules that it needs."""

    line: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a path: `kind` is `.`, `[`, `{`, `~` or `#`, and `end` is where it ends."""

    kind: str
    value: Any
    end: int


@dataclass(frozen=True, slots=True)
class _At:
    """A place: the expression, and what control and candidate have there; as plain data where
    it lies within a text that is JSON."""

    source: str
    one: Any
    other: Any
    is_json: bool = False


def assertion(
    where: str, control: Ran, candidate: Ran, noise: Sequence[str]
) -> Asserted | None:
    """Return what tells the two apart at the path of a difference; None where that cannot be
    written down. `noise` are the paths that differ between two runs of the old code."""
    if where == "yields" and control.rerun.outcome is not None:
        outcome = control.rerun.outcome
        return Asserted(f"assert len({GIVEN_OUT}) == {len(outcome.yields) + outcome.more}")
    around = _AROUND.match(where)
    path = around[2] if around else where
    root = _ROOTS.match(path)
    if root is None:
        return None
    places = [_root(root, control, candidate)]
    ends = [root.end()]
    steps = list(_steps(path, root.end()))
    for step in steps:
        try:
            place = _next(places[-1], step)
        except _Unwritten:
            break
        if place is None:
            break
        places.append(place)
        ends.append(step.end)
    whole = len(places) == len(steps) + 1 and ends[-1] == len(path)
    if whole and around:
        found = _length(places[-1]) if around[1] == "len" else _order(places[-1])
        if found is not None and not _has_noise(path, noise):
            return found
    next_step = steps[len(places) - 1] if len(steps) >= len(places) else None
    for place, end in zip(reversed(places), reversed(ends), strict=True):
        found = _at(place, next_step, noise, path[:end])
        if found is not None:
            return found
        next_step = None
    return None


def _root(root: re.Match[str], control: Ran, candidate: Ran) -> _At:
    sides = []
    for ran in (control, candidate):
        outcome = ran.rerun.outcome
        if outcome is None:
            sides.append(_MISSING)
        elif root[1] == ASKED:
            sides.append(_response(outcome))
        elif root[3]:
            at = int(root[3]) - 1
            sides.append(outcome.yields[at] if at < len(outcome.yields) else _MISSING)
        elif root[2]:
            given = outcome.arguments if ran.given is None else ran.given
            sides.append(given.get(root[2], _MISSING))
        else:
            is_there = outcome.returned == (root[1] == "result")
            sides.append(outcome.value if is_there else _MISSING)
    names = {"result": "result", "exception": _CAUGHT, ASKED: ASKED}
    source = f"given[{root[2]!r}]" if root[2] else names.get(root[1], "")
    if root[3]:
        source = f"{GIVEN_OUT}[{int(root[3]) - 1}]"
    return _At(source, *sides)


def _response(outcome: Outcome) -> Value:
    """Return what a test knows of the response of a web application."""
    response = outcome.arguments.get(RESPONSE)
    fields = response.get("fields") if isinstance(response, dict) else None
    if not isinstance(fields, dict):
        return _MISSING
    known = {name: one for name, one in fields.items() if name in _KNOWN}
    return {"type": RESPONSE_CLASS, "fields": known}


def _steps(path: str, at: int) -> Iterator[_Step]:
    """Read a path; what is no step ends it."""
    while at < len(path):
        if found := _ATTRIBUTE.match(path, at):
            yield _Step(".", found[1], found.end())
            at = found.end()
        elif found := _NUMBER.match(path, at):
            yield _Step(found[1], int(found[2]), found.end())
            at = found.end()
        elif path[at] in "[{":
            end = _closed(path, at)
            try:
                value = ast.literal_eval(path[at + 1 : end - 1].strip())
            except (SyntaxError, ValueError, MemoryError, RecursionError):
                return
            yield _Step(path[at], value, end)
            at = end
        else:
            return


def _closed(path: str, at: int) -> int:
    """Return where a bracket is closed again; brackets within texts are none."""
    waiting: list[str] = []
    quote = ""
    while at < len(path):
        sign = path[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in _CLOSING:
            waiting.append(_CLOSING[sign])
        elif waiting and sign == waiting[-1]:
            waiting.pop()
            if not waiting:
                return at + 1
        at += 1
    return len(path) + 1


def _next(place: _At, step: _Step) -> _At | None:
    """Go on by one step; None where it leads out of what can be asserted."""
    if step.kind in "{~#":
        return None
    if not place.is_json and _text(place.one) is not None:
        if step.kind != "[":
            return None
        try:
            one = json.loads(_text(place.one) or "")
        except ValueError:
            return None
        other = _as_json(place.other)
        place = _At(f"json.loads({place.source})", one, other, True)
    source = f"{place.source}{'.' if step.kind == '.' else '['}"
    source += f"{step.value}" if step.kind == "." else f"{step.value!r}]"
    if place.is_json:
        one, other = _into_json(place.one, step), _into_json(place.other, step)
    else:
        is_error = place.source == _CAUGHT
        one, other = (_into(side, step, is_error) for side in (place.one, place.other))
    if one is _MISSING:
        return None
    return _At(source, one, other, place.is_json)


def _as_json(value: Value) -> Any:
    try:
        return json.loads(_text(value) or "")
    except ValueError:
        return _MISSING


def _into_json(value: Any, step: _Step) -> Any:
    try:
        return value[step.value]
    except (KeyError, IndexError, TypeError):
        return _MISSING


def _into(value: Value, step: _Step, is_error: bool) -> Any:
    if type(value) is not dict:
        return _MISSING
    if step.kind == ".":
        if step.value == "args" and value.get("form") == Form.CALL and is_error:
            return {"type": "tuple", "items": value.get("items", [])}
        return (value.get("fields") or {}).get(step.value, _MISSING)
    if "items" in value:
        items = value["items"]
        is_index = type(step.value) is int and 0 <= step.value < len(items)
        return items[step.value] if is_index else _MISSING
    for key, one in value.get("entries", ()):
        try:
            if _exactly(plain(key)) == _exactly(step.value):
                return one
        except _Unwritten:
            continue
    return _MISSING


def _text(value: Value) -> str | None:
    """Return a text that is there in full."""
    if type(value) is str:
        return value
    if type(value) is dict and value.get("type") == "str" and not value.get("omitted"):
        return str(value.get("text", ""))
    return None


def _at(place: _At, step: _Step | None, noise: Sequence[str], path: str) -> Asserted | None:
    """Return what tells two sides apart at one place, by the next step of the path perhaps."""
    imports = ("json",) if place.is_json else ()
    if step is not None and step.kind == "~" and (part := _part(place, step.value)):
        return part
    if step is not None and step.kind in "[{" and not place.is_json:
        found = _absent(place, step)
        if found is not None:
            return found
    if place.one is _MISSING or _has_noise(path, noise):
        return None
    try:
        one = place.one if place.is_json else plain(place.one)
    except _Unwritten:
        return None
    try:
        other = place.other if place.is_json else plain(place.other)
    except _Unwritten:
        other = _MISSING
    if len(repr(one)) > _MAX_CHARS or _exactly(one) == _exactly(other):
        return None
    if one == other:  # such as 1 and True, or another order
        if _has_set(one) or "datetime." in repr(one):  # a zone is written in two ways
            return None
        return Asserted(f"assert repr({place.source}) == {repr(one)!r}", imports)
    line = f"assert {place.source} == {_source(one)}"
    return Asserted(line, (*imports, *sorted(set(_MODULES.findall(line)))))


def _has_set(value: Any) -> bool:
    """Tell whether the same value can be written in two ways."""
    if isinstance(value, set | frozenset):
        return True
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return isinstance(inside, list | tuple) and any(map(_has_set, inside))


def _has_noise(path: str, noise: Sequence[str]) -> bool:
    return any(one.startswith(path) or one.endswith(f"({path})") for one in noise)


def _part(place: _At, number: int) -> Asserted | None:
    """The part of a text that a number or token is; beside it there may be a time."""
    one, other = _text(place.one), _text(place.other)
    if one is None:
        return None
    found = re.findall(PATTERN, one)
    its = re.findall(PATTERN, other) if other is not None else []
    if not 0 < number <= len(found) or found[number - 1 : number] == its[number - 1 : number]:
        return None
    if found == [one]:
        return Asserted(f"assert {place.source} == {one!r}")
    line = f"assert re.findall({PATTERN!r}, {place.source})[{number - 1}] == "
    return Asserted(line + repr(found[number - 1]), ("re",))


def _absent(place: _At, step: _Step) -> Asserted | None:
    """A key, or a member, that one side has and the other has not."""
    if type(place.one) is not dict or (step.kind == "[" and "entries" not in place.one):
        return None
    try:
        wanted = _exactly(step.value)
        ours, theirs = (
            wanted in [_exactly(plain(one)) for one in _keys(side, step.kind)]
            for side in (place.one, place.other)
        )
    except _Unwritten:
        return None
    if ours == theirs:
        return None
    return Asserted(f"assert {_source(step.value)} {'in' if ours else 'not in'} {place.source}")


def _keys(value: Value, kind: str) -> list[Value]:
    if type(value) is not dict:
        return []
    if kind == "{":
        return list(value.get("items", ()))
    return [key for key, _ in value.get("entries", ())]


def _length(place: _At) -> Asserted | None:
    sides = [
        one.get("length") if type(one) is dict else None for one in (place.one, place.other)
    ]
    if type(sides[0]) is not int or sides[0] == sides[1]:
        return None
    return Asserted(f"assert len({place.source}) == {sides[0]}")


def _order(place: _At) -> Asserted | None:
    try:
        sides = [[plain(key) for key in _keys(one, "[")] for one in (place.one, place.other)]
    except _Unwritten:
        return None
    if not sides[0] or _exactly(sides[0]) == _exactly(sides[1]):
        return None
    return Asserted(f"assert list({place.source}) == {_source(sides[0])}")


def plain(value: Value) -> Any:
    """Return a captured value as the Python object that it was. Raises `_Unwritten`."""
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is not dict or value.get("omitted") or value.get("form"):
        raise _Unwritten
    kind = value.get("type")
    if "fields" in value or "about" in value or not isinstance(kind, str):
        raise _Unwritten
    if "items" in value:
        makes: Any = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
        if kind not in makes:
            raise _Unwritten
        return makes[kind]([plain(one) for one in value["items"]])
    if "entries" in value and kind == "dict":
        return {plain(key): plain(one) for key, one in value["entries"]}
    return _scalar(kind, value.get("text"))


def _scalar(kind: str, text: object) -> Any:
    if type(text) is not str:
        raise _Unwritten
    if kind == "str":
        return text
    if kind == "int" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "bytes":
        return text.encode("latin-1")
    if kind in _READ:
        try:
            made = _READ[kind](text)
        except (ValueError, ArithmeticError):
            raise _Unwritten from None
        if made == made:  # noqa: PLR0124 - a Decimal that is not a number equals nothing
            return made
    raise _Unwritten


def _exactly(value: Any) -> Any:
    """Return what is the same for the same value only: True is no 1, and order counts."""
    if isinstance(value, set | frozenset):
        return type(value).__name__, sorted(map(repr, map(_exactly, value)))
    if isinstance(value, list | tuple):
        return type(value).__name__, [_exactly(one) for one in value]
    if isinstance(value, dict):
        return "dict", [(_exactly(key), _exactly(one)) for key, one in value.items()]
    return type(value).__name__, repr(value)


def _source(value: Any) -> str:
    """Return a value as source that is the same each time."""
    if isinstance(value, set | frozenset):
        inner = ", ".join(sorted(map(_source, value)))
        return f"{type(value).__name__}([{inner}])"
    if type(value) is list:
        return f"[{', '.join(map(_source, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(_source, value))}{',' * (len(value) == 1)})"
    if type(value) is dict:
        pairs = (f"{_source(key)}: {_source(one)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    return f"decimal.{value!r}" if type(value) is decimal.Decimal else repr(value)
