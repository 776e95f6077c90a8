"""What a captured value is, for a comparison: a text, an address, nothing that can be seen.

Values are trees of plain data (`wire.value`) that came from another process.
"""

import json
import re
from _sha2 import sha256  # type: ignore[import-not-found]
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeGuard

from leadline.trial.accident import without_chance
from leadline.trial.outcome import ABSENT, BESIDE, CACHED, CLASS, NAMES, WHOLE
from leadline.trial.printed import STANDARD
from leadline.wire.value import RESOURCE, Form, Omission, Value, render

MAX_SHOWN_CHARS = 200
"""Of one value."""
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")
_HASH = re.compile(r'"__?(?:cached_)?hash(?:_value|_cache)?": -?\d+')
"""What a value that is a key remembers of itself."""
_LOWEST, _HIGHEST = 0x5500_0000_0000, 0x7FFF_FFFF_FFFF
"""Where Linux puts heaps and maps: whole numbers in there are where an object lies."""
UNORDERED = frozenset(("set", "frozenset", "dict_keys", "dict_items"))
MISSING: Any = object()
"""Stands on the side that has nothing there."""


def can_be_chance(live: Value, rerun: Value) -> bool:
    """Tell whether a clock or random bytes can have made a difference: between numbers, between
    texts that are alike but for what those write, or between packed bytes of one length."""
    if MISSING in (live, rerun):
        return False
    one, other = (without_chance(render(side, quoted=True)) for side in (live, rerun))
    if one == other:
        return True
    if not all(type(side) is dict and side.get("type") == "bytes" for side in (live, rerun)):
        return False
    texts = [str(side.get("text", "")) for side in (live, rerun) if type(side) is dict]
    return len(texts[0]) == len(texts[1]) and not all(text.isprintable() for text in texts)


_CONTENTS = ("text", "items", "entries", "fields", "about")


def held_back(value: dict[str, Any]) -> bool:
    """Tell whether an object shows nothing of what it holds."""
    return not any(member in value for member in _CONTENTS)


def has_inside(value: dict[str, Any]) -> bool:
    """Tell whether an object holds anything that is counted by itself."""
    return any(value.get(member) for member in _CONTENTS)


def only_resources(live: dict[str, Any], rerun: dict[str, Any]) -> bool:
    """Tell whether two containers hold nothing but what belongs to its process: some of it may
    be absent, as in a pool of connections to which a rerun has added one of its own."""
    if "fields" in live or "fields" in rerun:
        return False
    rules: list[set[Any]] = []
    for side in (live, rerun):
        inside = [*side.get("items", ()), *(value for _, value in side.get("entries", ()))]
        rules.append({one.get("rule") if type(one) is dict else None for one in inside})
    if not any(rules) or not rules[0] | rules[1] <= {RESOURCE, ABSENT}:
        return False
    return all(not rule or RESOURCE in rule for rule in rules)


def no_room(value: Value) -> bool:
    """Tell whether there was no room for any of a value."""
    return type(value) is dict and no_class(value) and held_back(value)


def no_class(value: dict[str, Any]) -> bool:
    """Tell whether the class of a value may be any other: it found no room, or was not there
    any more when it was to be looked at."""
    omitted = value.get("omitted")
    return omitted == Omission.ROOM or (omitted == Omission.UNKNOWN and value["type"] == "?")


def is_absent(value: Value) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value was not there, and something stood in for it."""
    return type(value) is dict and value.get("rule") == ABSENT


def is_cut_off(key: Value) -> bool:
    """Tell whether not all of a key is known: it may be any other one then."""
    left = [key]
    while left:
        value = left.pop()
        if type(value) is dict:
            if value.get("omitted") in (Omission.ROOM, Omission.TEXT):
                return True
            left += value.get("items", ())
            left += (value.get("fields") or {}).values()
    return False


def is_text(value: Value) -> bool:
    """Tell whether a value is a text, whole or in part."""
    return type(value) is str or (type(value) is dict and value.get("type") == "str")


def length_of(side: dict[str, Any]) -> int:
    """Return how long a text is, of which a part may have been left out."""
    length = side.get("length")
    return length if type(length) is int else len(str(side.get("text", "")))


def as_text(value: Value) -> dict[str, Any]:
    """Return a text as a node."""
    return value if type(value) is dict else {"text": value, "length": len(value)}


def is_error(value: dict[str, Any]) -> bool:
    """Tell whether it is an exception."""
    return value.get("form") == Form.CALL


def is_redacted(value: dict[str, Any]) -> bool:
    """Tell whether nothing is there of a value that was withheld, not even a digest."""
    return value.get("omitted") == Omission.REDACTED and held_back(value)


def is_standard(value: dict[str, Any]) -> bool:
    """Tell whether it is a standard stream of the process."""
    return value.get("rule") == RESOURCE and value.get("type") in STANDARD


def is_address(number: int) -> bool:
    """Tell whether a number can be where an object lies."""
    return _LOWEST <= number <= _HIGHEST


def keys_of(
    values: Sequence[Value], exactly: bool, each: bool = False, *, elsewhere: bool = False
) -> list[str]:
    """Return what tells each value from others, wherever it lies; with `exactly`, nothing is
    taken for an address. With `elsewhere` they are told without the hash that they remember.
    Where two values would be told by the same, nothing is either. Those
    that are written alike have one key, or, `each`, one after the other: two functions that
    one factory has made, two objects that show nothing."""
    keys = [json.dumps(_ordered(one, exactly), sort_keys=True, default=str) for one in values]
    if not exactly:
        alike = [ADDRESS.sub("0x…", key) for key in keys]
        if elsewhere:
            alike = [_HASH.sub("", key) for key in alike]
        keys = alike if len(set(alike)) == len(set(keys)) else keys
    return _numbered(keys) if each else keys


def _numbered(keys: Sequence[str]) -> list[str]:
    met: Counter[str] = Counter()
    found = []
    for key in keys:
        met[key] += 1
        found.append(f"{key}#{met[key]}")
    return found


def _ordered(value: Value, exactly: bool) -> Value:
    """Return a value in which the members of sets have an order; what a resource of its
    process was at is told by runs alone, and counts between two of them."""
    if type(value) is list:
        return [_ordered(one, exactly) for one in value]
    if type(value) is not dict:
        return value
    found: dict[str, Any]
    found = {name: _ordered(one, exactly) for name, one in value.items() if name != "fields"}
    if type(fields := value.get("fields")) is dict:  # its members may be called as ours are
        found["fields"] = {name: _ordered(one, exactly) for name, one in fields.items()}
    if not exactly:
        for member in (CLASS, WHOLE, NAMES, BESIDE, CACHED):
            found.pop(member, None)  # of a live call they are not told
    if not exactly and found.get("rule") == RESOURCE:
        found.pop("text", None)
        found.pop("fields", None)
    if found.get("type") in UNORDERED and type(found.get("items")) is list:
        found["items"].sort(key=lambda one: json.dumps(one, sort_keys=True, default=str))
    return found


def step_of(key: Value) -> str:
    """Return a key as a step of a path; no two keys that differ have the same one."""
    text = render(key, quoted=True)
    if len(text) <= MAX_SHOWN_CHARS:
        return text
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{text[: MAX_SHOWN_CHARS - 20]}… #{digest}"


def spelled(value: Value) -> str:
    """Return a value for a person."""
    if value is MISSING:
        return "<not there>"
    return cut_to(render(value, quoted=True), MAX_SHOWN_CHARS)


def cut_to(text: str, most: int) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
