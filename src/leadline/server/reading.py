"""Reading what comes in: bounded in bytes, depth and time, before anything looks inside.

JSON is read by the standard library, because captured text may hold lone surrogates and
msgspec's reader refuses those; msgspec then checks it against the types of the wire.
"""

import asyncio
import json
import math
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from leadline.wire.errors import LeadlineError, UsageError, WireError

BODY_S = 30.0
"""A body that has not arrived after so long is not waited for."""
DRAIN_BYTES = 64_000_000
"""A body that is too long is still read up to here, so that its sender gets to the answer."""
MAX_JSON_DEPTH = 100
"""A captured value of the deepest kind allowed takes about 40."""


class TooLargeError(LeadlineError):
    """More than a route takes."""

    def __init__(self, limit: int) -> None:
        super().__init__("too-large", f"The body is longer than {limit:,} bytes.")


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body as it came. Raises `TooLargeError`, or slug `slow-body`."""
    try:
        async with asyncio.timeout(BODY_S):
            parts: list[bytes] = []
            length = 0
            async for part in request.stream():
                length += len(part)
                if length > DRAIN_BYTES:
                    break
                if length <= limit:
                    parts.append(part)
                else:
                    parts.clear()
    except TimeoutError:
        raise UsageError("slow-body", f"The body did not arrive in {BODY_S:g} s.") from None
    if length > limit:
        raise TooLargeError(limit)
    return b"".join(parts)


def unpack(content: bytes, encoding: str, limit: int) -> bytes:
    """Return a body plain. `encoding` is the header `Content-Encoding`."""
    match encoding.strip().lower():
        case "" | "identity":
            return content
        case "deflate":
            return _inflate(content, limit)
    raise WireError("A body is sent plain or deflated.")


def read(content: bytes, kind: type) -> Any:
    """Return a plain body as a `kind`."""
    return convert(parse(content), kind)


def convert(value: object, kind: type, *, strict: bool = True) -> Any:
    """Return plain data as a `kind`. Raises slug `bad-message` with the member's name."""
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise WireError(f"{error}.") from error
    except UnicodeEncodeError:  # msgspec cannot even compare such a name with the known ones
        raise WireError("A member's name holds a lone surrogate.") from None


def query(values: Mapping[str, str], kind: type) -> Any:
    """Return an address's query as a `kind`."""
    return convert(dict(values), kind, strict=False)


def _inflate(content: bytes, limit: int) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(content, limit + 1)
    except zlib.error:
        raise WireError("The body is not deflated as its header says.") from None
    if len(plain) > limit:
        raise TooLargeError(limit)
    if not unpacking.eof or unpacking.unused_data:
        raise WireError("The deflated body is cut off or goes on after its end.")
    return plain


def parse(content: bytes, depth: int = MAX_JSON_DEPTH) -> object:
    """Return JSON as plain data. Raises slug `bad-message`."""
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):  # invalid UTF-8 and JSON are both a ValueError
        raise WireError("The body is not JSON.") from None
    if _too_deep(value, depth):
        raise WireError(f"The body is nested more than {MAX_JSON_DEPTH} deep.")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        _refuse(text)
    return value


def _refuse(text: str) -> None:
    raise ValueError(text)


def _too_deep(value: object, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        deeper: list[object] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        if not deeper:
            return False
        level = deeper
    return True
