"""What passes between somebody at a shell and the twin that the shell is in.

What is asked and answered is text, which only the two ends read (`wire.stepping`); the server
passes it on. Requests count from 1, and each has one reply, of its number. An agent's first
word, with or without replies, says that the twin is there: before that nothing can be asked.
It says `ended` with its last replies, before the hit. A refusal of what it says,
`no-such-shell`, means that nobody is there: the twin is to end.
"""

from leadline.wire.errors import WireError
from leadline.wire.struct import dataclass, field
from leadline.wire.twin import MAX_LINE_CHARS

GONE = -1
"""The number of what is told when nobody is at the shell any more: the twin is to end."""
MAX_REQUEST_CHARS = MAX_LINE_CHARS
"""Of one request, with what is written around the code."""
MAX_REPLY_CHARS = 256_000
"""Of one reply; a longer one is cut where it is made."""


@dataclass(frozen=True, slots=True)
class Tell:
    """One request for the twin of `probe`; comes down the stream as the event `tell`."""

    probe: str
    number: int
    text: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the request of that number."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Replies:
    """What a twin says, in order; `ended` is why there is no more to come, or empty."""

    instance: str
    probe: str
    replies: list[Reply] = field(default_factory=list)
    ended: str = ""


def decode_tell(value: object) -> Tell:
    """Read what came with the event `tell`. Raises `WireError`."""
    if not isinstance(value, dict):
        raise WireError("What is told is not an object.")
    probe, number, text = value.get("probe"), value.get("number"), value.get("text", "")
    signature = value.get("signature", "")
    if type(probe) is not str or type(text) is not str or type(signature) is not str:
        raise WireError("What is told is not said in texts.")
    if type(number) is not int or number < GONE:
        raise WireError("What is told has no number.")
    if len(text) > MAX_REQUEST_CHARS or len(signature) > 100 or "\n" in text:
        raise WireError("What is told is one line, and not too long.")
    return Tell(probe, number, text, signature)
