"""Writing what goes out: JSON in ASCII, and every refusal in one form."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from leadline.server.bodies import ErrorAnswer, ErrorPart
from leadline.wire.errors import InternalError, LeadlineError, RefusedError, UnavailableError

_STATUS = {
    "no-key": 401,
    "bad-key": 401,
    "signed-out": 401,
    "no-such-probe": 404,
    "no-such-instance": 404,
    "no-such-set": 404,
    "no-such-key": 404,
    "no-such-hit": 404,
    "no-such-verdict": 404,
    "no-such-file": 404,
    "no-such-shell": 404,
    "no-such-approval": 404,
    "no-source": 404,
    "no-such-address": 404,
    "no-such-method": 405,
    "slow-body": 408,
    "too-many-probes": 409,
    "key-exists": 409,
    "shell-taken": 409,
    "already-decided": 409,
    "wrong-candidate": 409,
    "too-large": 413,
    "internal": 500,
}


def answer(content: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return any of `bodies` as a response; None is an empty one."""
    headers = {**_HEADERS, **(headers or {})}
    if content is None:
        return Response(status_code=status, headers=headers)
    return Response(_written(content), status, headers, "application/json")


def _written(content: Any) -> bytes:
    """msgspec's writer takes a tenth of the time of Python's, and writes no escapes: captured
    text may hold lone surrogates, which only those carry."""
    try:
        written = msgspec.json.encode(content)
    except (UnicodeEncodeError, OverflowError):
        written = b"\xff"
    if written.isascii():
        return written
    text = json.dumps(msgspec.to_builtins(content), separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def refusal(error: LeadlineError) -> Response:
    """Return an error as a response. Nothing of our insides is in it."""
    part = ErrorPart(error.slug, error.message, error.hint)
    response = answer(ErrorAnswer(error=part), status_of(error))
    if response.status_code == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def status_of(error: LeadlineError) -> int:
    """Return the HTTP status that a situation is answered with."""
    if error.slug in _STATUS:
        return _STATUS[error.slug]
    match error:
        case RefusedError():
            return 403
        case UnavailableError():
            return 503
        case InternalError():
            return 500
    return 400


_HEADERS = {
    "cache-control": "no-store",  # hits are production data: no proxy and no disk keeps them
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
