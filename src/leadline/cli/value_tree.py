"""A captured value over several lines, where one would be too long to read."""

from collections.abc import Iterator

from leadline.cli.show import harmless
from leadline.wire.value import Value, render

MAX_LINES = 40
"""Of one value: a screen. Everything is in the JSON."""
_MAX_CHARS = 1_000
"""Of one line that cannot be taken apart."""


def tree(name: str, value: Value, indent: int, width: int) -> Iterator[str]:
    """Yield `name = value`, on as few lines as are needed to keep within `width`.

    The lines are harmless on a terminal.
    """
    lines = list(_lines(name, value, indent, width))
    yield from lines[:MAX_LINES]
    if len(lines) > MAX_LINES:
        yield f"{' ' * (indent + 2)}… {len(lines) - MAX_LINES} more lines (all of it: --json)"


def line(name: str, value: Value, indent: int, width: int) -> str:
    """Return `name = value` on one line, cut where it is longer than `width`."""
    text = " " * indent + harmless(f"{name} = {render(value, quoted=True)}")
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _lines(name: str, value: Value, indent: int, width: int) -> Iterator[str]:
    line = " " * indent + harmless(f"{name} = {render(value, quoted=True)}")
    parts = list(_parts(value)) if len(line) > width else []
    if not parts:
        yield line if len(line) <= _MAX_CHARS else f"{line[:_MAX_CHARS]}…"
        return
    yield " " * indent + harmless(f"{name} = {_head(value)}")
    for part, inner in parts:
        yield from _lines(part, inner, indent + 2, width)


def _parts(value: Value) -> Iterator[tuple[str, Value]]:
    """Yield the named parts of a value; none where it has none."""
    if not isinstance(value, dict):
        return
    for number, item in enumerate(value.get("items", ())):
        yield f"[{number}]", item
    for key, item in value.get("entries", ()):
        yield f"[{render(key, quoted=True)}]", item
    for name, item in value.get("fields", {}).items():
        yield f".{name}", item


def _head(value: dict[str, Value]) -> str:
    """Return what stands above the parts."""
    size = f" of {value['length']}" if "length" in value else ""
    omitted = f" <{value['omitted']}>" if value.get("omitted") else ""
    return f"{value.get('type', '?')}{size}{omitted}"
