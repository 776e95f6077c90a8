"""What of a captured hit may leave the process: nothing that a pattern calls a secret, and in
a strict service no text at all.

All of it runs on the sender's thread, on bytes that the application's thread has left behind,
and before a message is made of them. Whether a service is strict is said by its own
environment: no probe and no server can ask for more.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from leadline.wire.scrubbing import scrub_text, scrub_values
from leadline.wire.strictness import strict_values
from leadline.wire.value import Value

WITHHELD = "withheld: this service lets no text out (strict)"
_REASONS = 256
"""Reasons that are kept as they may leave: the state of each probe is looked at again and
again, and its reason hardly ever changes."""


class _Policy:
    """One per process, set once when the agent starts."""

    strict = False


def be_strict(strict: bool) -> None:
    """Say whether texts may leave this process."""
    _Policy.strict = strict
    reason.cache_clear()


def is_strict() -> bool:
    """Tell whether no text may leave this process."""
    return _Policy.strict


def opened(payload: bytes) -> Any:
    """Return what a record holds, as it may leave: the list of values of a log, or the parts
    of a snapshot."""
    taken: Any = json.loads(payload)
    if type(taken) is list:
        return list(values({str(index): one for index, one in enumerate(taken)}).values())
    parts = {f"values {index}": one for index, one in enumerate(taken["values"])}
    parts |= {name: taken[name] for name in _SINGLE if name in taken}
    parts |= {f"context {name}": one for name, one in taken["context"].items()}
    for index, frame in enumerate(taken["frames"]):
        parts |= {f"{index} {name}": one for name, one in frame.get("locals", {}).items()}
    safe = values(parts)
    taken["values"] = [safe[f"values {index}"] for index in range(len(taken["values"]))]
    taken |= {name: safe[name] for name in _SINGLE if name in taken}
    taken["context"] = {name: safe[f"context {name}"] for name in taken["context"]}
    for index, frame in enumerate(taken["frames"]):
        if "locals" in frame:
            frame["locals"] = {name: safe[f"{index} {name}"] for name in frame["locals"]}
    for task in taken["tasks"]:
        task["name"] = label(task["name"])
    return taken


def values(captured: Mapping[str, Value]) -> dict[str, Value]:
    """Return captured values as they may leave."""
    safe = scrub_values(captured)
    return strict_values(safe) if _Policy.strict else safe


def message(text: str) -> str:
    """Return a message, which was made of values that may leave, as it may leave: a secret
    can have come together from two of them."""
    return scrub_text(text)


def told(text: str) -> str:
    """Return a text that a twin has made of the application's values."""
    return WITHHELD if text and _Policy.strict else scrub_text(text, named=True)


def label(text: str, otherwise: str = "") -> str:
    """Return a name that the application gave at run time (to a thread, to a task)."""
    return otherwise if _Policy.strict else scrub_text(text)


@lru_cache(maxsize=_REASONS)
def reason(text: str) -> str:
    """Return why an expression had no answer; a key or a class of the application's can be
    named in it."""
    if not text:
        return text
    return WITHHELD if _Policy.strict else scrub_text(text)


_SINGLE = ("exception", "result")
