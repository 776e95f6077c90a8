"""A captured call as text: what went in, what came out, who called, what was held back."""

from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.show import harmless
from leadline.cli.value_tree import tree
from leadline.wire.call import size_words


def call_lines(call: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield a call, each line harmless on a terminal."""
    yield from tree("result" if call["returned"] else "exception", call["value"], 2, width)
    if call["arguments"]:
        yield "  arguments at its end"
    for name, value in call["arguments"].items():
        yield from tree(name, value, 4, width)
    if call["kept"] is not None:
        names = ", ".join(call["kept"].get("roots", ())) or "none"
        size = size_words(call["size"])
        yield f"  arguments at its beginning  {harmless(names)}  ({size}; all of it: --json)"
    for held in call["withheld"]:
        yield f"    held back: {harmless(held)}"
    if call["obstacle"]:
        yield f"  it cannot be made again: {harmless(call['obstacle'])}"
    if call["fails"] is not None:
        yield f"  {'it fails' if call['fails'] else 'it does not fail'}"
    if call["unknown"]:
        yield f"  whether it fails is unknown: {harmless(call['unknown'])}"
    if call["callers"]:
        yield f"  called by {harmless(', '.join(call['callers']))}"
