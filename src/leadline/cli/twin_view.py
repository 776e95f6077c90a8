"""What a twin answered, as text: values as trees; what was printed, raised, tried, refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.show import harmless
from leadline.cli.value_tree import tree
from leadline.wire.refusals import refusal_words, refused_beside
from leadline.wire.twin_words import (
    agreement_words,
    cost_words,
    end_words,
    outcome_words,
    tried_words,
)

_MAX_PRINTED = 200
"""Lines of what one expression printed; all of it is in the JSON."""


def twin_lines(twin: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield what a twin answered, each line harmless on a terminal."""
    for said in twin["said"]:
        yield from _said(said, width)
    agreement = twin.get("agreement")
    if agreement is not None:
        yield f"  {agreement_line(twin)}"
        yield from difference_lines(agreement)
    tried = tried_words(twin)
    for words in tried:
        yield f"  {harmless(words)}"
    if tried and twin["tried"]["candidate"]:
        yield from difference_lines(twin["tried"]["candidate"], "control", "candidate")
    for note in twin["notes"]:
        yield f"  {harmless(note)}"
    yield from refusal_lines(refused_beside(twin), 2)
    yield f"  {harmless(end_line(twin))}"


def _said(said: Mapping[str, Any], width: int) -> Iterator[str]:
    code = said["code"].strip()
    if said["returned"]:
        yield from tree(code, said["value"], 2, width)
    elif said["raised"]:
        yield f"  {harmless(code)}"
        yield from raised_lines(said["raised"], 4)
    else:
        yield f"  {harmless(code)}   (done)"
    yield from printed_lines(said["printed"], 4)
    yield from refusal_lines(said["refused"], 4)


def printed_lines(printed: str, indent: int) -> Iterator[str]:
    """Yield what code printed, marked so that nobody takes it for an answer."""
    lines = printed.splitlines()
    for line in lines[:_MAX_PRINTED]:
        yield f"{' ' * indent}| {harmless(line)}"
    if len(lines) > _MAX_PRINTED:
        yield f"{' ' * indent}… {len(lines) - _MAX_PRINTED} more lines (all of it: --json)"


def raised_lines(raised: str, indent: int) -> Iterator[str]:
    """Yield an exception with where it came from."""
    first, *rest = raised.splitlines() or [""]
    yield harmless(f"{' ' * indent}raised {first}")
    for line in rest:
        yield harmless(f"{' ' * indent}{line}")


def refusal_lines(refused: list[Mapping[str, Any]], indent: int) -> Iterator[str]:
    """Yield what was tried and refused."""
    for words in refusal_words(refused):
        yield f"{' ' * indent}{harmless(words)}"


def end_line(twin: Mapping[str, Any]) -> str:
    """Return what the twin cost, how long it lived, under which policy, how it ended."""
    ended = end_words(twin)
    return "   ".join([*cost_words(twin), *([f"{ended}, and proves nothing"] if ended else [])])


def agreement_line(twin: Mapping[str, Any]) -> str:
    """Return whether a rerun agrees, and to what both came if it does."""
    return harmless("   ".join(filter(None, [agreement_words(twin), outcome_words(twin)])))


def difference_lines(
    agreement: Mapping[str, Any], one_side: str = "live", other: str = "rerun"
) -> Iterator[str]:
    """Yield both sides of each difference."""
    width = max(len(one_side), len(other))
    for one in agreement["differences"]:
        yield f"    {harmless(one['where'])}"
        yield f"      {one_side:<{width}}  {harmless(one['live'])}"
        yield f"      {other:<{width}}  {harmless(one['rerun'])}"
