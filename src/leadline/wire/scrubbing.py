"""Takes secrets out of captured values and of texts, before they leave the process.

Pure functions over what was captured, for a thread that is not the application's. What they
put in the place of a secret names the rule (`patterns`). Values without a secret come back as
the same objects.
"""

from collections.abc import Mapping

from leadline.wire.patterns import (
    CARD,
    MIN_SECRET_CHARS,
    cloud_secrets,
    find_and_replace,
    has_cloud_key,
    is_card,
    whole_rule,
)
from leadline.wire.value import Omission, Value

_CUT = (Omission.TEXT, Omission.ROOM)
_EXACT = 2.0**53
"""Below this a float is every whole number: a column of a table in which one is missing has
the others as floats."""


def scrub_text(text: str, *, named: bool = False) -> str:
    """Return a line of a log, of source or of a reason without the secrets in it; with `named`
    also without what stands behind `password=`: in a text that the application has made."""
    scrubbed = find_and_replace(text, named=named)
    return cloud_secrets(scrubbed) if has_cloud_key(scrubbed) else scrubbed


def scrub_values(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return captured values without the secrets in them; what one value tells of another
    (half of a key beside its other half) counts over all of them."""
    scrubber = _Scrubber()
    scrubbed = {name: scrubber.value(value) for name, value in values.items()}
    if scrubber.cloud:
        again = _Cloud()
        scrubbed = {name: again.value(value) for name, value in scrubbed.items()}
    return scrubbed


def scrub_value(value: Value) -> Value:
    """Return one captured value without the secrets in it."""
    return scrub_values({"": value})[""]


class _Scrubber:
    """One pass; `cloud` tells that the public half of a cloud key was seen."""

    def __init__(self) -> None:
        self.cloud = False

    def value(self, value: Value) -> Value:
        if type(value) is str:
            return self._whole(value, self.text(value, cut=False), "str")
        if type(value) is int and is_card(value):
            return _withheld("int", CARD)
        if type(value) is float and abs(value) < _EXACT and is_card(int(value)):
            return _withheld("float", CARD)
        return self._object(value) if type(value) is dict else value

    def text(self, text: str, *, cut: bool) -> str:
        """Return the text as it may leave."""
        if len(text) < MIN_SECRET_CHARS:
            return text
        scrubbed = find_and_replace(text, cut=cut)
        self.cloud = self.cloud or (scrubbed is not text and has_cloud_key(scrubbed))
        return scrubbed

    def _whole(self, before: str, after: str, kind: str) -> Value:
        if after == before:
            return before
        rule = whole_rule(after)
        return _withheld(kind, rule) if rule else after

    def _object(self, value: dict[str, Value]) -> Value:
        out = dict(value)
        text = value.get("text")
        if type(text) is str:
            after = self.text(text, cut=value.get("omitted") in _CUT)
            if after != text and (rule := whole_rule(after)):
                return _withheld(str(value.get("type", "?")), rule)
            out["text"] = after
        if type(value.get("rule")) is str and value.get("omitted") == Omission.UNKNOWN:
            out["rule"] = self.text(value["rule"], cut=True)
        if type(value.get("items")) is list:
            out["items"] = [self.value(item) for item in value["items"]]
        if type(value.get("entries")) is list:
            out["entries"] = [[self.value(part) for part in pair] for pair in value["entries"]]
        for name in ("fields", "about"):
            if type(value.get(name)) is dict:
                out[name] = {
                    self.text(key, cut=False): self.value(item)
                    for key, item in value[name].items()
                }
        return out if out != value else value


class _Cloud(_Scrubber):
    """A second pass over values among which a cloud key's public half was."""

    def text(self, text: str, *, cut: bool) -> str:  # noqa: ARG002 - as of the first pass
        return cloud_secrets(text)


def _withheld(kind: str, rule: str) -> Value:
    return {"type": kind, "omitted": Omission.REDACTED, "rule": rule}
