"""Keeps arguments by value (stand-in: plain data only)."""

import json
from collections.abc import Iterable
from typing import Any

from leadline.wire.kept import MAX_CALL_BYTES, Kept


def keep(named: Iterable[tuple[str, object]], most_bytes: int = MAX_CALL_BYTES) -> Kept:
    """Return the arguments as plain data."""
    nodes: list[Any] = []
    roots: dict[str, int] = {}
    for name, value in named:
        if not _is_plain(value):
            return Kept(obstacle=f"{name}: only plain data is kept")
        roots[name] = len(nodes)
        nodes.append(value)
    document = json.loads(json.dumps({"v": 1, "roots": roots, "nodes": nodes}))
    size = len(json.dumps(document))
    return Kept(document, size) if size <= most_bytes else Kept(obstacle="it is too large")


def withhold(kept: Kept) -> Kept:
    """Return it as it may leave."""
    return kept


def _is_plain(value: object) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))  # type: ignore[call-overload]
    if type(value) is dict:
        return all(map(_is_plain, value.values()))
    return type(value) in (int, float, str, bool, type(None))
