"""A hit as text: one line of it, or the whole stack with its values."""

import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.call_view import call_lines
from leadline.cli.show import clock, harmless, short_path
from leadline.cli.twin_view import twin_lines
from leadline.cli.value_tree import line, tree
from leadline.wire.value import render

_WIDTH = 100
"""Of lines where the terminal does not say how wide it is."""
_LINE_CHARS = 160
"""Of the variables that stand behind a snapshot's one line."""


def hit_line(hit: Mapping[str, Any]) -> str:
    """Return a hit as one line: when, in which process, where, what; and what to type to see
    the rest where there is more."""
    place = f"{short_path(str(hit['file']))}:{_line_of(hit)}"
    text = f"{clock(float(hit['time']))}  {harmless(who(hit))}  {harmless(place)}  "
    text += harmless(str(hit["message"]))
    if not hit.get("detail"):
        more = hit.get("twin") or hit.get("call")
        return f"{text}  [hit {hit['id']}]" if more and "id" in hit else text
    variables = harmless(_variables(hit["detail"]))
    if variables and not hit["values"]:
        text += f"  {variables}"
    return f"{text}  [hit {hit['id']}]" if "id" in hit else text


def _line_of(hit: Mapping[str, Any]) -> int:
    """Return the line that an exception came through, else the one that was probed."""
    detail = hit.get("detail") or {}
    if detail.get("exception") is not None:
        for frame in detail["frames"]:
            if (frame["file"], frame["function"]) == (hit["file"], hit["function"]):
                return int(frame["line"])
    return int(hit["line"])


def answer_text(hit: Mapping[str, Any]) -> str:
    """Return all that a twin answered, over as many lines as it takes."""
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    return "\n".join([place_line(hit), *twin_lines(hit["twin"], width)])


def place_line(hit: Mapping[str, Any]) -> str:
    """Return where a hit was: when, in which process, at which line."""
    place = f"{short_path(str(hit['file']))}:{hit['line']} in {hit['function']}"
    return f"{clock(float(hit['time']))}  {harmless(who(hit))}  {harmless(place)}"


def who(hit: Mapping[str, Any]) -> str:
    """Return which process a hit is from, as people name it."""
    return f"{hit.get('service', '')}/{hit['pid']}" if "pid" in hit else str(hit["instance"])


def hit_text(hit: Mapping[str, Any]) -> str:
    """Return all of a hit, over as many lines as it takes."""
    return "\n".join(_lines(hit, shutil.get_terminal_size((_WIDTH, 0)).columns))


def _lines(hit: Mapping[str, Any], width: int) -> Iterator[str]:
    name = f"hit {hit['id']}  " if "id" in hit else ""
    yield f"{name}{hit['probe']}  {clock(float(hit['time']))}  {harmless(who(hit))}  " + (
        harmless(f"{hit['file']}:{_line_of(hit)} in {hit['function']}")
    )
    yield f"  {harmless(str(hit['message']))}"
    threads = {"thread": hit["thread"], "task": hit.get("task"), "trace": hit.get("trace")}
    threads["span"] = hit.get("span")
    yield "  " + "   ".join(
        f"{name} {harmless(str(text))}" for name, text in threads.items() if text
    )
    if hit.get("twin"):  # the values of its expressions are in its answer
        yield from twin_lines(hit["twin"], width)
        return
    if hit.get("call"):
        yield from call_lines(hit["call"], width)
        return
    yield from _values("watches" if hit.get("detail") else "values", hit["values"], width)
    if detail := hit.get("detail"):
        yield from _detail(detail, width)


def _detail(detail: Mapping[str, Any], width: int) -> Iterator[str]:
    if detail.get("returned"):
        yield from tree("result", detail["result"], 2, width)
    if detail.get("exception") is not None:
        yield from tree("exception", detail["exception"], 2, width)
    if detail["frames"]:
        yield "  stack, the innermost call first"
    for number, frame in enumerate(detail["frames"]):
        yield from _frame(frame, width, innermost=not number)
    if detail.get("omitted"):
        yield f"    … {detail['omitted']} calls further out"
    if detail.get("tasks"):
        yield "  asyncio tasks, the one that runs first"
    for task in detail.get("tasks", ()):
        where = f"  {_at(task)}" if task.get("function") else ""
        yield f"    {harmless(task['name'])}{where}"
    yield from _values("context variables", detail.get("context", {}), width)


def _frame(frame: Mapping[str, Any], width: int, *, innermost: bool) -> Iterator[str]:
    """Yield a call with its variables; those of the calls further out are a line each."""
    source = f"   {frame['source'].strip()}" if frame.get("source") else ""
    yield f"    {_at(frame)}{harmless(source)}"
    for name, value in frame.get("locals", {}).items():
        if innermost:
            yield from tree(name, value, 6, width)
        else:
            yield line(name, value, 6, width)
    if frame.get("omitted"):
        yield f"      ({harmless(frame['omitted'])})"


def _at(call: Mapping[str, Any]) -> str:
    line = f":{call['line']}" if call.get("line") else ""
    return harmless(f"{short_path(call.get('file', ''))}{line} in {call['function']}")


def _values(title: str, values: Mapping[str, Any], width: int) -> Iterator[str]:
    if values:
        yield f"  {title}"
    for name, value in values.items():
        yield from tree(name, value, 4, width)


def _variables(detail: Mapping[str, Any]) -> str:
    """Return the first variables of the innermost call, as many as a line holds."""
    frames = detail.get("frames") or [{}]
    shown = ""
    for name, value in frames[0].get("locals", {}).items():
        more = f"{name}={render(value, quoted=True)}"
        if len(shown) + len(more) > _LINE_CHARS:
            return f"{shown} …".strip()
        shown = f"{shown} {more}".strip()
    return shown
