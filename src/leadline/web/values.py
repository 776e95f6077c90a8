"""Captured values as a tree: every name with its value, and why something is not here."""

from collections.abc import Iterator, Mapping

from leadline.wire.struct import dataclass, field
from leadline.wire.value import Omission, Value, render

MAX_CHARS = 300
"""Of a value on its one line; what it holds is below it."""
REASONS = {
    Omission.DEPTH: "deeper than the limit",
    Omission.ITEMS: "more items than the limit",
    Omission.TEXT: "longer than the limit",
    Omission.ROOM: "the values before took all the room of a hit",
    Omission.CYCLE: "it holds itself, and is shown further out",
    Omission.REDACTED: "held back by a redaction rule, before it left the process",
    Omission.CHANGED: "changed by another thread during the capture",
    Omission.DRAINED: "too large and nearly empty to be walked through",
    Omission.OPAQUE: "it cannot be read without running its code",
    Omission.UNEVALUATED: "it has no value yet, and asking would run something",
    Omission.UNBOUND: "never given a value",
    Omission.UNKNOWN: "the expression has no answer",
}
"""What docs/values.md says of each, in a few words."""


@dataclass(frozen=True, slots=True)
class Node:
    """One name and its value. `omitted` is an `Omission` or empty, `why` its sentence; `kind`
    is what colours it."""

    name: str
    text: str
    type: str
    kind: str
    omitted: str = ""
    why: str = ""
    parts: list["Node"] = field(default_factory=list)


def nodes(values: Mapping[str, Value]) -> list[Node]:
    """Return named values as trees."""
    return [node(name, value) for name, value in values.items()]


def node(name: str, value: Value) -> Node:
    """Return one value as a tree."""
    parts = [node(part, inner) for part, inner in _parts(value)]
    if not isinstance(value, dict):
        return Node(name, short(value), type(value).__name__, _kind(value))
    omitted = str(value.get("omitted", ""))
    return Node(
        name=name,
        text=_head(value) if parts else short(value),
        type=str(value.get("type", "?")),
        kind="redacted" if omitted == Omission.REDACTED else _kind(value),
        omitted=omitted,
        why=_why(value, omitted, len(parts)) if omitted else "",
        parts=parts,
    )


def short(value: Value, chars: int = MAX_CHARS) -> str:
    """Return a value on one line, cut where it is longer."""
    text = render(value, quoted=True)
    return text if len(text) <= chars else f"{text[: chars - 1]}…"


def _parts(value: Value) -> Iterator[tuple[str, Value]]:
    if not isinstance(value, dict):
        return
    if value.get("form") in ("member", "name"):
        return
    for number, item in enumerate(value.get("items", ())):
        yield f"[{number}]", item
    for key, item in value.get("entries", ()):
        yield f"[{short(key, 80)}]", item
    for held in ("fields", "about"):
        for name, item in value.get(held, {}).items():
            yield f".{name}" if held == "fields" else name, item


def _head(value: dict[str, Value]) -> str:
    """Return what stands beside the name where the rest is below: the value if it is short."""
    text = render(value, quoted=True)
    if len(text) <= 60:
        return text
    size = f" of {value['length']}" if "length" in value else ""
    return f"{value.get('type', '?')}{size}"


def _why(value: dict[str, Value], omitted: str, parts: int) -> str:
    rule = f" ({value['rule']})" if "rule" in value else ""
    length = value.get("length")
    size = ""
    if isinstance(length, int) and omitted == Omission.TEXT:
        size = f"{length:,} in all: "
    elif isinstance(length, int) and 0 < parts < length:
        size = f"{length - parts:,} more: "
    return f"{size}{REASONS.get(Omission(omitted), omitted)}{rule}"


def _kind(value: Value) -> str:
    if isinstance(value, dict):
        if value.get("omitted") and not ({"text", "items", "entries", "fields"} & value.keys()):
            return "missing"
        kind = value.get("type")
        if kind == "str":
            return "text"
        return "number" if kind in ("int", "float", "complex", "Decimal") else "object"
    if isinstance(value, str):
        return "text"
    return "word" if value is None or isinstance(value, bool) else "number"
