"""What lies under a secret name inside of a value, where no name in the expression tells.

A field of a named tuple has a name although it is read by index; so has an enum member; and in
`("authorization", "Bearer ...")` the first item is the name of the second.
"""

from collections.abc import Mapping
from typing import Any

from leadline.expression.layout import Layout, layout_of
from leadline.expression.unknown import Redacted, Unknown
from leadline.expression.walking import find
from leadline.wire.redaction import MAX_NAME_CHARS, secret_name

_NOTHING: Mapping[int, str] = {}
_MAX_MEMBER_NAMES = 1_000
"""Attributes of an enum member among which its name is looked for."""


def name_rule(key: Any) -> str | None:
    """Return the rule that makes what lies under `key` a secret.

    `key` is any object: a text or bytes, one of a subclass, an enum member.
    """
    if type(key) is str:
        return secret_name(key)
    if type(key) is bytes:
        return secret_name(key[:MAX_NAME_CHARS].decode("latin-1"))
    layout = layout_of(type(key))
    if (rule := member_rule(key, layout)) is not None:
        return rule
    if layout.base is str:
        return secret_name(str.__getitem__(key, slice(MAX_NAME_CHARS)))
    if layout.base is bytes:
        return secret_name(bytes.__getitem__(key, slice(MAX_NAME_CHARS)).decode("latin-1"))
    return None


def hidden_items(obj: Any, layout: Layout) -> Mapping[int, str]:
    """Return the indexes of the items of a list or tuple that are secrets, and their rules."""
    base: Any = layout.base
    if base is not tuple and base is not list:
        return _NOTHING
    beginning = base.__getitem__(obj, slice(3))
    if len(beginning) == 2 and (rule := name_rule(beginning[0])) is not None:
        return {**layout.hidden, 1: rule}
    return layout.hidden


def member_rule(obj: object, layout: Layout) -> str | None:
    """Return the rule that makes the value of an enum member a secret, by the member's name."""
    name = member_name(obj, layout)
    return secret_name(name) if name is not None else None


def member_name(obj: object, layout: Layout) -> str | None:
    """Return the name of an enum member; None for everything else."""
    if not layout.is_enum or layout.namespace is None:
        return None
    held = layout.namespace(obj)
    if type(held) is not dict or len(held) > _MAX_MEMBER_NAMES:
        return None
    try:
        name = find(held, "_name_")
    except Unknown:
        return None
    return name if type(name) is str else None


def bare(value: object) -> object:
    """Return `value`; raises `Redacted` where comparing or searching it would tell a secret."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value
    layout = layout_of(kind)
    for rule in hidden_items(value, layout).values():
        raise Redacted(rule)
    if (member := member_rule(value, layout)) is not None:
        raise Redacted(member)
    return value
