"""A hit: its stack, the code with the values in place, the values as trees, its neighbours."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from leadline.control.inventory import Asked
from leadline.control.views import HitView
from leadline.web import highlight
from leadline.web.captured import notes_of
from leadline.web.frame import Frame
from leadline.web.hits import short_path
from leadline.web.rendering import render
from leadline.web.twin import Answer, answer
from leadline.web.values import Node, node, nodes, short
from leadline.wire.inventory import SourceText
from leadline.wire.struct import dataclass
from leadline.wire.value import Value

AROUND = 30
"""Lines of code before and behind the one that was hit, where its function is longer."""
LEAST_LINES = 24
"""Of code, where its function is shorter: what stands around it says what it is for."""
IN_PLACE = 3
"""Values that stand behind one line of code, and how long each may be."""
IN_PLACE_CHARS = 32
COMPARED = 12
"""Names that differ between neighbours and are shown, and how long a value may be there."""
COMPARED_CHARS = 80
FLATTENED = 3
"""Levels of objects that are taken apart to be compared."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the stack: 0 is the innermost. `omitted` says why it has no variables; `read`
    is where its line is in Source, empty if it is of no file."""

    number: int
    file: str
    short: str
    line: int
    function: str
    place: str
    source: str
    values: list[Node]
    omitted: str
    address: str
    read: str


@dataclass(frozen=True, slots=True)
class Group:
    """Values that do not belong to one call: watches, result, exception, context."""

    name: str
    values: list[Node]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a neighbour, and whether it differs from that of the hit."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A hit of the same probe, beside the one that is looked at."""

    hit: HitView
    here: bool
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Beside:
    """The neighbours, oldest first, and what differs among them. `alike` counts the names that
    are the same in all, `more` those that differ and are not shown."""

    names: list[str]
    rows: list[Neighbour]
    alike: int
    more: int
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Hit:
    """What the view shows."""

    hit: HitView
    process: str
    kind: str
    calls: list[Call]
    chosen: int
    omitted_calls: int
    groups: list[Group]
    tasks: list[dict[str, Any]]
    took: str
    moment: str
    beside: Beside
    answer: Answer | None
    notes: list[str]
    """What there is to say of a captured call beside its values."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of code with the values of the names in it."""

    line: highlight.Line
    here: bool
    values: list[tuple[str, str]]
    more: int


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a call. `why` says why there is none; `doubts` what may be wrong with it."""

    call: Call
    lines: list[CodeLine]
    doubts: list[str]
    why: str = ""
    hint: str = ""


def view(
    hit: HitView,
    process: str,
    beside: tuple[list[HitView], list[HitView]],
    chosen: int = 0,
) -> Hit:
    """Make the view model of a hit; `chosen` is the call that is looked at."""
    detail: Any = hit.detail or hit.call or {}
    calls = _calls(hit)
    duration = detail.get("duration_s")
    return Hit(
        hit=hit,
        process=process,
        kind=_kind(hit),
        calls=calls,
        chosen=min(max(chosen, 0), len(calls) - 1),
        omitted_calls=detail.get("omitted", 0),
        groups=_groups(hit, detail),
        tasks=detail.get("tasks", []),
        took="" if duration is None else f"{duration * 1e3:.3g} ms",
        moment=detail.get("moment", ""),
        beside=_beside(hit, *beside),
        answer=answer(_twin(hit)) if hit.twin else None,
        notes=notes_of(hit.call) if hit.call else [],
    )


def page(frame: Frame, shown: Hit) -> str:
    """Return the whole page."""
    return render("hit.html", frame=frame, view=shown)


def call_of(hit: HitView, number: int) -> Call:
    """Return a call of a hit's stack; the nearest there is."""
    calls = _calls(hit)
    return calls[min(max(number, 0), len(calls) - 1)]


def code_part(hit: HitView, call: Call, asked: Asked[SourceText]) -> str:
    """Return the code of a call with the values in place."""
    source = asked.answer
    first, last = _range(source, call)
    seen = highlight.lines(source.lines[first - 1 : last], first)
    values = _locals(hit, call.number)
    begins = next((one.first for one in _around(source, call)), first)
    lines = [
        _line(one, call, values if begins <= one.number <= call.line else {}) for one in seen
    ]
    return render("hit_code.html", code=Code(call, lines, _doubts(hit, call, asked)))


def no_code(call: Call, why: str, hint: str) -> str:
    """Return what stands in place of code that cannot be had: the one line that is known."""
    lines = []
    if call.source:
        (only,) = highlight.lines([call.source.strip()], call.line)
        lines = [CodeLine(only, here=True, values=[], more=0)]
    return render("hit_code.html", code=Code(call, lines, [], why, hint))


def _calls(hit: HitView) -> list[Call]:
    detail: Any = hit.detail or {}
    frames = detail.get("frames") or [
        {"file": hit.file, "line": hit.line, "function": hit.function}
    ]
    return [
        Call(
            number=number,
            file=frame["file"],
            line=frame["line"],
            function=frame["function"],
            short=short_path(frame["file"]),
            place=f"{short_path(frame['file'])}:{frame['line']}",
            source=frame.get("source", ""),
            values=nodes(frame.get("locals", {})),
            omitted=frame.get("omitted", ""),
            address=f"/hits/{hit.id}" + (f"?call={number}" if number else ""),
            read=_read(hit.service, frame["file"], frame["line"]),
        )
        for number, frame in enumerate(frames)
    ]


def _read(service: str, file: str, line: int) -> str:
    if not file.endswith((".py", ".pyw")):
        return ""
    return f"/services/{quote(service, safe='')}/source/{quote(file.lstrip('/'))}#L{line}"


def _kind(hit: HitView) -> str:
    detail: Any = hit.detail
    if hit.twin:
        return str(_twin(hit)["use"])
    if hit.call:
        return "capture"
    if not detail:
        return "log"
    return "exception" if detail.get("exception") is not None else "snapshot"


def _twin(hit: HitView) -> dict[str, Any]:
    twin: Any = hit.twin
    return dict(twin)


def _groups(hit: HitView, detail: Mapping[str, Any]) -> list[Group]:
    if hit.call:
        return _call_groups(hit.call)
    groups = []
    if hit.values and not hit.twin:  # those of its expressions are in its answer
        groups.append(Group("watches" if detail else "values", nodes(hit.values)))
    if detail.get("returned"):
        groups.append(Group("result", [node("result", detail.get("result"))]))
    if detail.get("exception") is not None:
        groups.append(Group("exception", [node("exception", detail["exception"])]))
    if detail.get("context"):
        groups.append(Group("context variables", nodes(detail["context"])))
    return groups


def _call_groups(call: Any) -> list[Group]:
    """Return the values of a captured call: what it came to, and its arguments then."""
    ended = "result" if call["returned"] else "exception"
    groups = [Group(ended, [node(ended, call["value"])])]
    if call["arguments"]:
        groups.append(Group("arguments at its end", nodes(call["arguments"])))
    return groups


def _locals(hit: HitView, number: int) -> Mapping[str, Value]:
    detail: Any = hit.detail
    if not detail or not detail["frames"]:
        return hit.values
    found: Mapping[str, Value] = detail["frames"][number].get("locals", {})
    return found


def _named(hit: HitView) -> dict[str, Value]:
    """Return what neighbours are compared by: watches, the innermost call, how it ended."""
    detail: Any = hit.detail or {}
    call: Any = hit.call
    if call:
        ended = "result" if call["returned"] else "exception"
        return {ended: call["value"]} | _flat(call["arguments"])
    named = {**_flat(hit.values), **_flat(_locals(hit, 0))}
    if detail.get("returned"):
        named["result"] = detail.get("result")
    if detail.get("exception") is not None:
        named["exception"] = detail["exception"]
    if not named:
        named["message"] = hit.message
    return named


def _flat(values: Mapping[str, Value], depth: int = FLATTENED) -> dict[str, Value]:
    """Return attributes and entries beside each other by their whole names: what differs in an
    object is one of them. Lists stay whole."""
    flat: dict[str, Value] = {}
    for name, value in values.items():
        inner: dict[str, Value] = {}
        if depth and isinstance(value, dict) and not value.get("form"):
            inner = {f"{name}.{part}": one for part, one in value.get("fields", {}).items()}
            inner |= {
                f"{name}[{short(key, IN_PLACE_CHARS)}]": one
                for key, one in value.get("entries", ())
            }
        flat |= _flat(inner, depth - 1) if inner else {name: value}
    return flat


def _beside(hit: HitView, before: Sequence[HitView], after: Sequence[HitView]) -> Beside:
    near = [*before, hit, *after]
    seen = [_named(one) for one in near]
    mine = seen[len(before)]
    texts = [
        {name: short(value, COMPARED_CHARS) for name, value in values.items()}
        for values in seen
    ]
    every = dict.fromkeys(name for values in seen for name in values)
    differ = [
        name
        for name in every
        if any(values.get(name, _ABSENT) != mine.get(name, _ABSENT) for values in seen)
    ]
    shown = differ[:COMPARED]
    rows = [
        Neighbour(
            hit=one,
            here=one is hit,
            cells=[
                Cell(
                    text.get(name, "not there"),
                    values.get(name, _ABSENT) != mine.get(name, _ABSENT),
                )
                for name in shown
            ],
        )
        for one, values, text in zip(near, seen, texts, strict=True)
    ]
    return Beside(
        names=shown,
        rows=rows,
        alike=len(every) - len(differ),
        more=len(differ) - len(shown),
        before=before[-1].id if before else None,
        after=after[0].id if after else None,
    )


_ABSENT = object()


def _around(source: SourceText, call: Call) -> list[Any]:
    """Return the functions that hold the line, the innermost first."""
    found = [one for one in source.functions if one.first <= call.line <= one.last]
    return sorted(found, key=lambda one: one.last - one.first)


def _range(source: SourceText, call: Call) -> tuple[int, int]:
    first, last = call.line - AROUND, call.line + AROUND
    if around := _around(source, call):
        first, last = max(first, around[0].first), min(last, around[0].last)
    more = max(0, LEAST_LINES - (last - first + 1))
    return max(1, first - more // 2), min(len(source.lines), last + more - more // 2)


def _line(line: highlight.Line, call: Call, values: Mapping[str, Value]) -> CodeLine:
    names = [name for name in line.names if name in values]
    return CodeLine(
        line=line,
        here=line.number == call.line,
        values=[(name, short(values[name], IN_PLACE_CHARS)) for name in names[:IN_PLACE]],
        more=len(names[IN_PLACE:]),
    )


def _doubts(hit: HitView, call: Call, asked: Asked[SourceText]) -> list[str]:
    doubts = []
    if asked.answer.changed:
        doubts.append(f"This may not be what ran: {asked.answer.changed}")
    if asked.instance.id != hit.instance:
        doubts.append(
            "The process of this hit is gone. This is the source of "
            f"{asked.instance.program}/{asked.instance.pid}, which runs the same version "
            f"({asked.instance.version})."
        )
    there = asked.answer.lines[call.line - 1 : call.line]
    masked = call.line in asked.answer.masked
    if call.source and not masked and [call.source.strip()] != [one.strip() for one in there]:
        doubts.append(f"Line {call.line} read {call.source.strip()!r} when it was hit.")
    if not there:
        doubts.append(f"The file has no line {call.line}.")
    return doubts
