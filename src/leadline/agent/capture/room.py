"""How much one hit may still take: bytes of JSON over all of its values."""

from json.encoder import encode_basestring_ascii

MAX_VALUE_BYTES = 56_000
"""Of a hit's record, all of its values together: less than a record may have
(`core.ring.MAX_RECORD_BYTES`), so that the last item, which is begun while there is room,
still fits, and a reason for each other placeholder."""
LITERAL_BYTES = 40
"""A number, boolean or null, and its comma, at most: {"type":"float","text":"-inf"},"""
NODE_BYTES = 40
"""What an object takes beyond that, beside its name, its texts and what is inside, at most:
{"type":,"length":<19 digits>,"entries":[],"omitted":"changed"},"""
FORM_BYTES = 40
"""What a readable form takes beyond that, at most: "form":"member","about":{},"fields":{},"""
PAIR_BYTES = 4
"""The brackets of an entry and their comma."""
_CHARACTER_BYTES = 12
"""A character in ASCII JSON, at most: an emoji is two escapes."""


class Room:
    """How many bytes of JSON one hit may still take, over all of its values.

    What does not fit is left out while it is captured, so a hit is cut instead of dropped, and
    never larger in memory than in the end.
    """

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def node(self, name: str) -> None:
        """Count an object of a class of that name."""
        self.left -= NODE_BYTES + len(encode_basestring_ascii(name))

    def text(self, text: str) -> str:
        """Return the beginning of `text` that there is room for, and count it."""
        size = len(encode_basestring_ascii(text))
        if size > self.left:
            text = text[: max(0, self.left) // _CHARACTER_BYTES]
            size = len(encode_basestring_ascii(text))
        self.left -= size + 1
        return text
