"""One request to a shell, as it comes down the agent's stream with the event `tell`."""

from typing import Any

from leadline.wire.errors import WireError
from leadline.wire.struct import dataclass
from leadline.wire.twin import MAX_LINE_CHARS

GONE = -1
"""The number of what says that the client has gone: the twin ends."""


@dataclass(frozen=True, slots=True)
class Request:
    """`text` is JSON of `wire.stepping.Request`, which only the twin reads."""

    probe: str
    number: int
    text: str
    signature: str = ""


def decode_request(value: dict[str, Any]) -> Request:
    """Raises `WireError`; nothing in it is taken on trust."""
    request = Request(
        value.get("probe", ""),
        value.get("number", 0),
        value.get("text", ""),
        value.get("signature", ""),
    )
    texts = (request.probe, request.text, request.signature)
    if type(request.number) is not int or any(type(one) is not str for one in texts):
        raise WireError("A request to a shell does not follow the contract.")
    if len(request.text) > MAX_LINE_CHARS or "\n" in request.text:
        raise WireError("A request to a shell is one line of at most 10,000 characters.")
    return request
