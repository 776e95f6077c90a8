"""What a twin answers to a line at its prompt, as lines that are harmless on a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.show import harmless, short_path
from leadline.cli.twin_view import printed_lines, refusal_lines
from leadline.cli.value_tree import tree
from leadline.wire.stepping import MOVES, Do, Reason

_MAX_LINES = 200
"""Of a text that the twin writes for a person."""


def reply_lines(
    reply: Mapping[str, Any], do: Do | None, text: str, width: int
) -> Iterator[str]:
    """Yield what a reply says to a request. A reply may lack members: then they are empty."""
    yield from printed_lines(str(reply.get("printed") or ""), 2)
    yield from refusal_lines(reply.get("refused") or [], 2)
    reason = reply.get("reason")
    if reason == Reason.ERROR:
        yield from _text(reply, "it says nothing of why")
    elif do is None or do in MOVES:
        yield from _arrived(reply, reason, width)
    elif do is Do.WHERE:
        yield from stack_lines(reply)
    elif do in (Do.UP, Do.DOWN) and reply.get("stop"):
        yield stand_line(reply["stop"])
    elif do is Do.LIST:
        yield from _listing(reply)
    elif do in (Do.ARGS, Do.LOCALS):
        yield from _variables(reply, width)
    elif do is Do.PP and reply.get("text"):
        yield from _text(reply, "")
    elif reply.get("has_value") and (reply.get("value") is not None or do is not Do.RUN):
        yield from tree(text, reply.get("value"), 2, width)


def stand_line(stand: Mapping[str, Any]) -> str:
    """Return where a frame stands, with its line."""
    place = f"{short_path(str(stand['file']))}:{stand['line']} in {stand['function']}"
    source = str(stand.get("source") or "").strip()
    return harmless(f"> {place}" + (f"   {source}" if source else ""))


def stack_lines(reply: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stack, the innermost call first; `>` is the one that is looked at."""
    callers = False
    for one in reply.get("frames") or [reply.get("stop") or {}]:
        if not one:
            continue
        if one.get("is_above") and not callers:
            callers = True
            yield "  callers, which can be looked at and do not go on"
        line = stand_line(one)
        yield f"{'>' if one.get('is_selected') else ' '}{line[1:]}"


def place_of(reply: Mapping[str, Any]) -> str:
    """Return what the prompt says of where the twin stands: `quote:88`."""
    stand = reply.get("stop") or {}
    function = str(stand.get("function") or "?").rpartition(".")[2]
    return harmless(f"{function}:{stand.get('line', '?')}")


def _arrived(reply: Mapping[str, Any], reason: object, width: int) -> Iterator[str]:
    """Yield where the frame came to, and what brought it there."""
    if reason == Reason.EXCEPTION:
        yield from _text(reply, "an exception")
    elif reason in (Reason.RETURN, Reason.FINISHED):
        yield from _text(reply, "")
        if reply.get("has_value") and not reply.get("text"):
            yield from tree("returns", reply.get("value"), 2, width)
    if reason == Reason.FINISHED:
        yield "  the call that was hit has come to its end: it can still be looked at"
    if reply.get("stop"):
        yield stand_line(reply["stop"])


def _text(reply: Mapping[str, Any], otherwise: str) -> Iterator[str]:
    lines = str(reply.get("text") or otherwise).splitlines()
    for line in lines[:_MAX_LINES]:
        yield f"  {harmless(line)}"
    if len(lines) > _MAX_LINES:
        yield f"  … {len(lines) - _MAX_LINES} more lines"


def _listing(reply: Mapping[str, Any]) -> Iterator[str]:
    at = (reply.get("stop") or {}).get("line")
    for one in reply.get("lines") or []:
        mark = "->" if one["number"] == at else "  "
        yield f"{one['number']:>6} {mark} {harmless_source(str(one['text']))}".rstrip()


def harmless_source(text: str) -> str:
    """Return a line of source with its tabs as spaces, the rest as other captured text."""
    return harmless(text.expandtabs(4))


def _variables(reply: Mapping[str, Any], width: int) -> Iterator[str]:
    variables = reply.get("variables") or {}
    for name, value in variables.items():
        yield from tree(str(name), value, 2, width)
    if not variables:
        yield "  none"
