"""Texts without what a clock, or a source of random bytes, may have written into them."""

import re

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_HEX = r"[0-9a-f]{16,}"
_SIGN = r"[0-9A-Za-z_+/=-]"
PATTERN = (
    r"\b0x[0-9a-fA-F]{6,16}\b"
    rf"|{_UUID}"
    rf"|(?<![0-9A-Za-z+=]){_HEX}(?=[-_/])"
    rf"|(?!{_SIGN}{{0,200}}[-_/](?:{_UUID}|{_HEX})(?!{_SIGN})){_SIGN}{{16,}}"
    rf"|(?!-(?:{_UUID}|{_HEX}))-?\d+(?:(?![.:+-]*(?:{_UUID}|{_HEX}))[.:e+-]+\d+)*"
)
"""What a clock, or a source of random bytes, writes: numbers, times, UUIDs, long tokens;
and addresses, of which those that differ in digits alone would else be built alike. What is
joined to a token of hex digits, as in `order-12-0f3c…`, is no part of it."""
_CHANCE = re.compile(PATTERN)
_ZONE = re.compile(r"(?<=\d:\d\d)(:\d\d(?:[.,]\d+)?)?([+-]\d\d:?\d\d)(?!\d)")
_LETTERS = str.maketrans("0123456789+-:", "abcdefghijpmc")


def without_chance(text: str) -> str:
    """Return a text with a sign in the place of each such part."""
    return _CHANCE.sub("#", _with_zones(text))


def chances(text: str) -> list[str]:
    """Return those parts, in their order."""
    return _CHANCE.findall(_with_zones(text))


def _with_zones(text: str) -> str:
    """Return a text in which the zone of a time is no number: no clock makes another of it."""
    return _ZONE.sub(lambda zone: f"{zone[1] or ''}<{zone[2].translate(_LETTERS)}>", text)
