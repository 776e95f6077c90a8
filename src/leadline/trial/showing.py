"""How what was tried goes out: objects as trees of plain data, by a function that is given."""

from collections.abc import Callable

from leadline.expression.layout import layout_of
from leadline.wire.messages import encode
from leadline.wire.redaction import secret_name
from leadline.wire.twin import Refusal
from leadline.wire.value import Omission, Value

type Shown = Callable[[object], Value]
"""Makes of an object what goes out: a tree of plain data."""
type Refusals = Callable[[], list[Refusal]]
"""Returns all that this twin was refused so far."""

MAX_REFUSALS = 20
"""Of one expression or statement."""


def seen(shown: Shown, value: object) -> Value:
    """Return a value as it goes out; what cannot be shown says why."""
    try:
        return shown(value)
    except BaseException as error:  # noqa: BLE001 - the answer must go out
        name = layout_of(type(value)).name
        reason = f"it cannot be shown: {layout_of(type(error)).name}"
        return {"type": name, "omitted": Omission.UNKNOWN, "rule": reason}


def seen_under(shown: Shown, name: str, value: object) -> Value:
    """Return the value of a variable as it goes out: nothing of one with a secret's name."""
    rule = secret_name(name)
    if rule is not None:
        return {"type": "?", "omitted": Omission.REDACTED, "rule": rule}
    return seen(shown, value)


def within(value: Value, left: int) -> tuple[Value, int]:
    """Return a value if it is within what is `left`, in bytes of JSON, or why it is not here;
    and what is left then."""
    size = len(encode(value))
    if size <= left:
        return value, left - size
    name = value.get("type", "?") if type(value) is dict else type(value).__name__
    return {"type": name, "omitted": Omission.ROOM}, left


def since(before: list[Refusal], now: list[Refusal]) -> list[Refusal]:
    """Return what was refused between two looks."""
    known: dict[tuple[str, str], int] = {}
    for one in before:
        known[one.what, one.detail] = known.get((one.what, one.detail), 0) + one.count
    added: list[Refusal] = []
    for one in now:
        old = known.get((one.what, one.detail), 0)
        known[one.what, one.detail] = max(0, old - one.count)
        if one.count > old:
            added.append(Refusal(one.what, one.detail, one.count - old))
    return added[:MAX_REFUSALS]
