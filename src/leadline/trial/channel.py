"""The one socket of a twin that is stepped: a line in, a line out, and its end is the end."""

import os

from leadline.wire.errors import WireError
from leadline.wire.messages import encode
from leadline.wire.stepping import Reply, Request, read_request
from leadline.wire.struct import replace
from leadline.wire.twin import MAX_ANSWER_BYTES, MAX_LINE_CHARS

_MAX_LINE_BYTES = 12 * MAX_LINE_CHARS + 1_000
"""A character is twelve bytes at most where it is written as two escapes."""
_TOO_LARGE = "The answer is larger than {:,} bytes: ask for a part of it."


class Channel:
    """Reads requests from a descriptor and writes replies to it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""

    def request(self) -> Request | None:
        """Return the next request, or None where nobody is there any more.

        Raises `WireError` for a line that is none.
        """
        while b"\n" not in self._buffer:
            try:
                part = os.read(self._descriptor, 65_536)
            except OSError:
                return None
            if not part:
                return None
            self._buffer += part
            if len(self._buffer) > _MAX_LINE_BYTES and b"\n" not in self._buffer:
                return None  # nobody of ours writes that
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            return read_request(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise WireError("A line of the channel is no text.") from None

    def reply(self, reply: Reply) -> bool:
        """Write a reply; tell whether anybody is there to read it."""
        line = encode(reply)
        if len(line) > MAX_ANSWER_BYTES:
            text = _TOO_LARGE.format(MAX_ANSWER_BYTES)
            line = encode(
                replace(reply, text=text, value=None, has_value=False, variables={}, printed="")
            )
        rest = memoryview(line + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            return False
        return True
