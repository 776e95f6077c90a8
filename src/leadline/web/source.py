"""Source: the code that a process runs, with the probes on its lines."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from leadline.control.distribution import Distribution, Spread
from leadline.control.inventory import Asked
from leadline.control.jump import Found
from leadline.control.on_lines import OnLine, states, values_of
from leadline.control.views import ProbeView, StateView, Summary
from leadline.web import highlight
from leadline.web.figures import exact, short
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.hit import InstanceInfo
from leadline.wire.inventory import FunctionEntry, SourceText
from leadline.wire.limits import MAX_ANCHOR_CHARS, Limits
from leadline.wire.probe import DEFAULTS, ProbeKind, Status
from leadline.wire.struct import dataclass
from leadline.wire.value import render as render_value

VALUES_CHARS = 200
"""Of what stands behind a line: more does not fit beside code."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Which file of which service is read. `instance` is empty if none was asked for."""

    service: str
    file: str
    instance: str
    instances: list[InstanceInfo]

    def address(self, file: str = "", instance: str | None = None) -> str:
        """Return the address of a file, of the view itself without one."""
        path = f"/services/{quote(self.service, safe='')}/source"
        return f"{path}/{quote(file)}{self._which(instance)}" if file else path

    def part(self, name: str) -> str:
        """Return the address of a part of the view of this file."""
        service, file = quote(self.service, safe="*"), quote(self.file)
        return f"/parts/source/{service}/{name}/{file}{self._which(None)}"

    def _which(self, instance: str | None) -> str:
        which = self.instance if instance is None else instance
        return f"?{urlencode({'instance': which})}" if which else ""

    @property
    def tags(self) -> list[str]:
        """What some of the service's processes are tagged with, as `name=value`."""
        found = {f"{k}={v}" for one in self.instances for k, v in one.tags.items()}
        return sorted(found)


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line. `anchor` is what ties a probe to it, empty where it may hold a secret, None
    where it is the text that is shown; `why` says why no probe can be on it, empty where it is
    blank.

    A file has thousands of them: what the page can tell by itself is not sent.
    """

    html: str
    anchor: str | None
    can: bool
    head: str
    why: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of probe, as the form offers it."""

    kind: ProbeKind
    limits: Limits
    told: str


KINDS = tuple(
    Kind(kind, DEFAULTS[kind], told)
    for kind, told in (
        (ProbeKind.LOG, "write a line of text with values in it"),
        (ProbeKind.SNAPSHOT, "keep the stack with all variables"),
        (ProbeKind.COUNTER, "count how often it is passed"),
        (ProbeKind.METRIC, "add up the values of an expression"),
        (ProbeKind.TIMER, "measure how long it takes"),
        (ProbeKind.EXCEPTION, "keep a snapshot when an exception leaves the function"),
    )
)


def choice(frame: Frame, services: list[str]) -> str:
    """Return the page on which a service is chosen."""
    return render("source_choice.html", frame=frame, services=services)


def home(frame: Frame, reading: Reading) -> str:
    """Return the page of a service's modules; they come once the process has answered."""
    return render("source.html", frame=frame, reading=reading)


def page(frame: Frame, reading: Reading) -> str:
    """Return the page around a file."""
    return render("source.html", frame=frame, reading=reading)


def found(service: str, instance: str, places: list[Found], typed: str) -> str:
    """Return what can be jumped to."""
    reading = Reading(service, "", instance, [])
    return render("source_found.html", reading=reading, places=places, typed=typed)


def code(
    reading: Reading, asked: Asked[SourceText], on: Sequence[OnLine], *, may_ask: bool = False
) -> str:
    """Return the lines of a file, what is in it, its probes, and the form for new ones;
    `may_ask` is whether whoever reads it may ask twins."""
    text = asked.answer
    return render(
        "source_code.html",
        reading=reading,
        text=text,
        asked=asked.instance,
        lines=_lines(text),
        anchor_chars=MAX_ANCHOR_CHARS,
        on=[_shown(one) for one in on],
        kinds=KINDS,
        may_ask=may_ask,
    )


def line_probes(on: Sequence[OnLine]) -> str:
    """Return the probes on the lines of a file."""
    return render("source_probes.html", on=[_shown(one) for one in on])


def distribution(seen: Distribution) -> str:
    """Return what the values of a probe look like."""
    timer = seen.probe.kind is ProbeKind.TIMER
    return render(
        "source_distribution.html",
        seen=seen,
        spreads=[_spread(one, timer=timer) for one in seen.spreads],
        states=list(states(seen.probe)),
    )


@dataclass(frozen=True, slots=True)
class ShownSpread:
    """A spread with its numbers as text."""

    spread: Spread
    low: str
    high: str
    middle: str


@dataclass(frozen=True, slots=True)
class ShownProbe:
    """A probe at the end of its line. `problems` are the instances in which it is neither armed
    nor over; `armed` counts those in which it is armed, of `all`."""

    on: OnLine
    count: str
    counted: str
    values: str
    armed: int
    all: int
    problems: list[StateView]


def _lines(text: SourceText) -> list[CodeLine]:
    executable, masked = frozenset(text.executable), frozenset(text.masked)
    why = {at: told for told, lines in text.silent.items() for at in lines}
    heads = _heads(text.functions)
    return [
        CodeLine(
            html=one.code,
            anchor="" if one.number in masked else _anchor(line),
            can=one.number in executable,
            head=heads.get(one.number, ""),
            why=why.get(one.number, ""),
        )
        for line, one in zip(text.lines, highlight.lines(text.lines), strict=True)
    ]


def _anchor(line: str) -> str | None:
    """Return the anchor of a line where the text on the page says something else than it."""
    if line.isascii() and line.replace("\t", " ").isprintable():
        return None
    return " ".join(line.split())[:MAX_ANCHOR_CHARS]


def _heads(functions: Sequence[FunctionEntry]) -> dict[int, str]:
    return {
        line: one.name for one in functions for line in range(one.first, one.head + 1)
    }  # fmt: skip


def _shown(on: OnLine) -> ShownProbe:
    view = on.probe
    here = list(states(view))
    total = view.total
    number = total.count if total is not None else view.hits
    return ShownProbe(
        on=on,
        count=short(number),
        counted=f"{exact(number)} {'passages' if total is not None else 'hits'}",
        values=_values(on),
        armed=sum(one.status is Status.ARMED for one in here),
        all=len(here),
        problems=[one for one in here if one.status not in (Status.ARMED, Status.EXPIRED)],
    )


def _values(on: OnLine) -> str:
    """Return what a probe saw last, or all in all, as one line."""
    if on.probe.total is not None:
        return _total(on.probe, on.probe.total)
    if on.last is None:
        return ""
    if on.probe.kind is ProbeKind.LOG:
        return on.last.message[:VALUES_CHARS]
    told = ""
    for name, value in values_of(on.last).items():
        told += f"{'  ' if told else ''}{name}={render_value(value, quoted=True)}"
        if len(told) > VALUES_CHARS:
            return f"{told[:VALUES_CHARS]}…"
    return told


def _total(view: ProbeView, total: Summary) -> str:
    rate = f"{short(total.rate)}/s"
    if total.mean is None or total.p50 is None or total.p99 is None or total.max is None:
        return rate if total.count else ""
    timer = view.kind is ProbeKind.TIMER
    shown = {"median": total.p50, "p99": total.p99, "most": total.max}
    told = "  ".join(f"{name} {quantity(one, timer=timer)}" for name, one in shown.items())
    return f"{told}  {rate}"


def quantity(number: float, *, timer: bool = False) -> str:
    """Return a number in few digits; with a unit if it is a time in seconds."""
    if not timer:
        whole = 1_000 <= abs(number) < 1e9
        return f"{number:,.0f}" if whole else f"{number:.4g}"
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(number) >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number * 1e9:.3g} ns"


def _spread(one: Spread, *, timer: bool) -> ShownSpread:
    low, high, middle = (
        quantity(number, timer=timer) for number in (one.low, one.high, one.middle)
    )
    return ShownSpread(one, low, high, middle)
