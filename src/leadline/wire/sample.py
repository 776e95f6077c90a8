"""Captured calls on their way to the twin that is to try a candidate on them.

An order of the use `sample` names its calls: the number of each hit, the digest of its
arguments, and how much a generator is asked for. So what is signed, approved and in the audit
log says on what the candidate is run. The calls themselves stay with the server until the twin
is there; then its agent fetches them, piece by piece, and passes on those of that digest alone.
"""

import json
from _sha2 import sha256  # type: ignore[import-not-found]
from collections.abc import Sequence
from typing import Any

from leadline.wire.errors import UsageError, WireError
from leadline.wire.struct import dataclass, field

MAX_CALLS = 1_000
"""Captured calls of one order."""
MAX_BYTES = 8_000_000
"""Of the arguments of all of them together: that much goes through the live process."""
PIECE_BYTES = 1_000_000
"""Of the arguments that are fetched at once."""
RUN_S = 5.0
"""How long one run may take, in seconds, if nothing is said."""
MAX_RUN_S = 60.0
_MAX_YIELDS = 10_000
_MAX_DEPTH = 2**31 - 1
_DIGEST_CHARS = 64


@dataclass(frozen=True, slots=True)
class Named:
    """One call as an order names it: the number of its hit, the digest of its arguments, how
    much it is asked for, if it is of a generator, and how deep on the stack it was made."""

    hit: int
    digest: str
    most_yields: int = 0
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an agent asks for: calls of the order `probe`, from the one of that number on."""

    instance: str
    probe: str
    number: int


@dataclass(frozen=True, slots=True)
class SampledCall:
    """A call by its number, from 1. Without a document it is not there any more. `turns` are
    those of a generator, as `wire.call.Turn` says."""

    number: int
    document: dict[str, Any] | None = None
    turns: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sampled:
    """Some of the calls, in their order."""

    calls: list[SampledCall] = field(default_factory=list)


def names(code: tuple[str, ...]) -> tuple[list[Named], float]:
    """Return the calls that an order names, and how long each run may take, in seconds.
    Raises `UsageError` (`bad-twin`)."""
    try:
        said = json.loads(code[0])
        calls = [Named(*one) for one in said["calls"]]
        within_s = said.get("within_s", RUN_S)
    except (ValueError, KeyError, AttributeError, TypeError, IndexError, RecursionError):
        calls, within_s = [], RUN_S
    if not 1 <= len(calls) <= MAX_CALLS or not all(map(_is_named, calls)):
        raise UsageError(
            "bad-twin",
            f"A sample is of 1 to {MAX_CALLS:,} captured calls, each by the number of its hit "
            "and the digest of its arguments.",
        )
    if type(within_s) not in (int, float) or not 0 < within_s <= MAX_RUN_S:
        raise UsageError("bad-twin", f"A run takes at most {MAX_RUN_S:g} seconds.")
    return calls, float(within_s)


def call_digest(document: object, turns: Sequence[object] = ()) -> str:
    """Return the SHA-256, in hexadecimal, of what a captured call was given: its arguments,
    and what a generator was given between."""
    text = json.dumps([document, list(turns)], sort_keys=True, separators=(",", ":"))
    return str(sha256(text.encode("ascii")).hexdigest())


def read_sampled(body: bytes) -> list[SampledCall]:
    """Read what a server has answered. Raises `WireError`."""
    try:
        calls = [SampledCall(**one) for one in json.loads(body)["calls"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WireError("What came is no calls.") from None
    if not all(type(one.number) is int and type(one.turns) is list for one in calls):
        raise WireError("A call has no number.")
    return calls


def _is_named(one: Named) -> bool:
    return (
        type(one.hit) is int
        and one.hit > 0
        and type(one.digest) is str
        and len(one.digest) == _DIGEST_CHARS
        and type(one.most_yields) is int
        and 0 <= one.most_yields <= _MAX_YIELDS
        and type(one.depth) is int
        and 0 <= one.depth <= _MAX_DEPTH
    )
