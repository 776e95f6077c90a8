"""How an exception reads: what it was raised with, its notes, and the errors behind it.

A chain is followed through as many errors as the depth allows. The traceback is not touched:
reading its frames tells the audit hooks, which are code of the application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline.agent.capture.recognition import held
from leadline.expression.hiding import hidden_items
from leadline.expression.layout import Layout, layout_of
from leadline.wire.value import Form, Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

_members = vars(BaseException)
_ARGS = _members["args"].__get__
_CAUSE, _CONTEXT = _members["__cause__"].__get__, _members["__context__"].__get__
_SUPPRESSED = _members["__suppress_context__"].__get__
_NOTES = frozenset(("__notes__",))


def error(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    given = _ARGS(value)
    args: tuple[object, ...] = given if type(given) is tuple else ()
    items: list[Value] = []
    captured: dict[str, Value] = {
        "type": layout.name,
        "form": Form.CALL,
        "length": len(args),
        "items": items,
    }
    hidden = hidden_items(args, layout_of(tuple))

    def take(item: object) -> None:
        rule = hidden.get(len(items))
        items.append(walk.redacted(rule, item) if rule else walk.take(item, level + 1))

    captured |= walk.each(args, take)
    _attributes(walk, value, layout, level, captured, args)
    notes = held(value, layout, "__notes__")
    if type(notes) is list and notes:
        walk.fact(captured, "notes", notes, level)
    cause, context = _CAUSE(value), _CONTEXT(value)
    if cause is not None:
        walk.fact(captured, "cause", cause, level)
    elif context is not None:
        name = "suppressed" if _SUPPRESSED(value) else "context"
        walk.fact(captured, name, context, level)
    return captured


def _attributes(
    walk: Walk,
    value: object,
    layout: Layout,
    level: int,
    captured: dict[str, Value],
    args: tuple[object, ...],
) -> None:
    """Take what it holds beside its arguments, and not those once more under other names."""
    taken = captured | {"fields": {}}
    take = walk.field(taken, level, _NOTES)
    filled = [
        pair
        for pair in walk.slots(value, layout)
        if pair[1] is not None and not any(pair[1] is arg for arg in args)
    ]
    walk.each(filled, take)
    names: Any = layout.namespace(value) if layout.namespace is not None else None
    if type(names) is dict:
        taken |= walk.each(dict.items(names), take)
    if taken["fields"]:
        captured |= {key: taken[key] for key in taken if key in ("fields", "omitted", "rule")}
