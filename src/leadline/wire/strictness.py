"""Leaves of a captured value what no text can hide in: numbers, booleans, none, lengths.

For services whose texts may never leave the process. Names of classes and attributes are
code and stay; a key of a dictionary is not. What is left is worth a probe still: which
branch, how many, how long, is it none.
"""

import re
from collections.abc import Mapping

from leadline.wire.value import Omission, Value

RULE = "strict"
_NUMBER = re.compile(r"[-+(]?[0-9][0-9.,eE+j)/-]{0,9999}|[-+]?(?:nan|inf|NaN|Infinity)")
_NUMBERS = ("int", "float", "complex", "Decimal", "Fraction")


def strict_values(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return captured values with every text and key in them left out."""
    return {name: strict_value(value) for name, value in values.items()}


def strict_value(value: Value) -> Value:
    """Return one captured value with every text and key in it left out."""
    if value is None or type(value) in (bool, int, float):
        return value
    if type(value) is str:
        return _withheld({"type": "str", "length": len(value)})
    if type(value) is not dict:
        return {"type": "?", "omitted": Omission.REDACTED, "rule": RULE}
    if "text" in value and not _is_number(value):
        return _withheld(value)
    out = {name: value[name] for name in ("type", "length", "form", "omitted") if name in value}
    if value.get("omitted") == Omission.REDACTED and "rule" in value:
        out["rule"] = value["rule"]
    if "text" in value:
        out["text"] = value["text"]
    if type(value.get("items")) is list:
        out["items"] = [strict_value(item) for item in value["items"]]
    if type(value.get("entries")) is list:
        out["entries"] = [
            [_withheld(_described(key)), strict_value(item)] for key, item in value["entries"]
        ]
    for name in ("fields", "about"):
        if type(value.get(name)) is dict:
            out[name] = {key: strict_value(item) for key, item in value[name].items()}
    return out


def _is_number(value: dict[str, Value]) -> bool:
    """Tell whether the text is that of a number which JSON has no room for."""
    named = value.get("type") in _NUMBERS
    return named and _NUMBER.fullmatch(str(value["text"])) is not None


def _described(key: Value) -> dict[str, Value]:
    if type(key) is str:
        return {"type": "str", "length": len(key)}
    return key if type(key) is dict else {"type": type(key).__name__}


def _withheld(value: dict[str, Value]) -> Value:
    """Return what is left of a text: its class and how long it is."""
    kind = value.get("type", "?")
    out: dict[str, Value] = {"type": kind, "omitted": Omission.REDACTED, "rule": RULE}
    if "length" in value:
        out["length"] = value["length"]
    elif type(value.get("text")) is str and kind in ("str", "bytes", "bytearray"):
        out["length"] = len(value["text"])
    return out
