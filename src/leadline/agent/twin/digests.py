"""Digests of what redaction takes out of a run's values: they tell two runs apart, and nothing
else, since their salt never leaves this process and its twins."""

import re
from collections.abc import Mapping
from typing import Any

from leadline.agent.place.digests import digest as salted
from leadline.wire.value import Value

MOST = 500
"""Of one run; beyond them one digest stands for the rest."""
BEHIND = "held back in "
"""How the path of what was taken out begins."""
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")


def digest(value: object) -> str:
    """Return the digest of a text or a tree; where objects lie is not in it."""
    return f"#{salted(_ADDRESS.sub('0x…', repr(value)))}"


def taken_out(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, str]:
    """Return, by the path of each, the digests of values that are not the same after redaction
    as before it."""
    found: dict[str, str] = {}
    rest: list[object] = []
    left: list[tuple[str, Any, Any]] = [
        (name, value, after.get(name)) for name, value in before.items()
    ]
    while left:
        path, one, other = left.pop()
        if one is other or one == other:
            continue
        inner = _inner(path, one, other)
        if inner is not None:
            left += inner
        elif len(found) < MOST:
            found[f"{BEHIND}{path}"] = digest(one)
        else:
            rest.append((path, one))
    if rest:
        found[f"{BEHIND}the rest"] = digest(sorted(map(repr, rest)))
    return found


def _inner(path: str, one: Any, other: Any) -> list[tuple[str, Any, Any]] | None:
    """Return what two values hold, pair by pair; None where they are not of one form."""
    if type(one) is list and type(other) is list and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        return [(f"{path}[{at}]", mine, its) for at, (mine, its) in enumerate(pairs)]
    if type(one) is not dict or type(other) is not dict:
        return None
    if one.keys() == other.keys():
        return [(f"{path}.{name}", mine, other[name]) for name, mine in one.items()]
    if len(one) == len(other):  # names of attributes were taken out, in their order
        pairs = zip(one.items(), other.items(), strict=True)
        named = ((f"{path}.{at}", mine, its) for at, (mine, its) in enumerate(pairs))
        return [(where, list(mine), list(its)) for where, mine, its in named]
    return None
