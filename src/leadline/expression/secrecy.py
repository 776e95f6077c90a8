"""Which expressions would tell a secret, and which would let one be guessed.

A condition over a password is an oracle: `password < "m"`, asked often enough, spells it out.
So a value under a secret name can be asked only whether it is there, how long it is and of
which class. A placeholder that shows it is placed, and shows the rule instead.
"""

from leadline.expression.pointing import Source
from leadline.expression.tree import (
    Attribute,
    Compare,
    Comparison,
    IsInstance,
    Item,
    Length,
    Literal,
    Name,
    Node,
    Slice,
    parts_of,
)
from leadline.wire.redaction import MAX_NAME_CHARS, secret_name

_PRESENCE = (Comparison.IS, Comparison.IS_NOT)


def forbid_secrets(node: Node, source: Source) -> None:
    """Raise `ExpressionError` where `node` would compare, compute or search a secret."""
    rule = _rule(node)
    if rule is not None:
        raise source.error(
            "expression-secret",
            f"this is a secret ({rule}) and a condition could spell it out; only is None, "
            "is not None, len() and isinstance() can ask about it",
            *node.span,
        )
    asked = _asked_about(node)
    for part in parts_of(node):
        if part is not asked:
            forbid_secrets(part, source)
            continue
        for inner in parts_of(part) if _rule(part) else (part,):
            forbid_secrets(inner, source)


def shown_secret(node: Node, source: Source) -> str | None:
    """Return the rule by which a placeholder shows nothing, or None for an ordinary one.

    What lies inside a secret is as secret; `ExpressionError` is raised where a placeholder
    would do anything else with one.
    """
    rule = None
    link = node
    while isinstance(link, Attribute | Item | Slice):
        if isinstance(link, Item):
            forbid_secrets(link.key, source)
        rule = rule or _rule(link)
        link = link.value
    rule = rule or _rule(link)
    if rule is None:
        forbid_secrets(node, source)
    elif not isinstance(link, Name):
        forbid_secrets(link, source)
    return rule


def key_rule(key: object) -> str | None:
    """Return the rule that makes what lies under a dictionary's exact plain key a secret."""
    if type(key) is str:
        return secret_name(key[:MAX_NAME_CHARS])
    if type(key) is bytes:
        return secret_name(key[:MAX_NAME_CHARS].decode("latin-1"))
    return None


def _rule(node: Node) -> str | None:
    match node:
        case Name(name=name) | Attribute(name=name):
            return secret_name(name)
        case Item(key=Literal(value=key)):
            return key_rule(key)
        case _:
            return None


def _asked_about(node: Node) -> Node | None:
    """Return the part of `node` of which nothing but presence, size or class is asked."""
    match node:
        case Length(value=value) | IsInstance(value=value):
            return value
        case Compare(first=first, rest=((op, Literal(value=None)),)) if op in _PRESENCE:
            return first
        case _:
            return None
