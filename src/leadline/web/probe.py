"""A probe: how it stands in each process and why, what it cost, what it saw, who touched it."""

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from leadline.control.audit import AuditPage
from leadline.control.hits import HitsPage
from leadline.control.views import ProbeView, SeriesStep, SeriesView, StateView, Summary
from leadline.web import figures
from leadline.web.audit import Entry, entries
from leadline.web.charts import Curve, columns_over_time, lines_over_time, scale
from leadline.web.frame import Frame
from leadline.web.hits import Row, rows, short_path
from leadline.web.rendering import render
from leadline.wire.limits import MAX_PASSAGES
from leadline.wire.probe import AGGREGATED, Fate, ProbeKind, Status
from leadline.wire.struct import dataclass

LAST = (("600", "10 minutes"), ("3600", "hour"), ("86400", "day"), ("", "all"))
"""How far back a picture goes, in seconds."""
OVER = (Status.EXPIRED, Status.REMOVED)
"""No instance carries a probe that is so any more."""
_FATES = {
    Fate.CAPTURED: "captured",
    Fate.CONDITION_FALSE: "condition was false",
    Fate.CONDITION_UNKNOWN: "condition had no answer",
    Fate.RATE_LIMITED: "over its rate",
    Fate.OVER_BUDGET: "over the budget",
    Fate.DROPPED: "dropped",
}
_OF_TWINS = {Fate.CAPTURED: "a twin was made", Fate.CONDITION_UNKNOWN: "no twin was made"}
_OF_KINDS = {ProbeKind.TWIN: _OF_TWINS, ProbeKind.CAPTURE: {Fate.RATE_LIMITED: "not chosen"}}
"""What a fate means of these kinds, where that is something else."""
_QUANTILES = (("p50", "half"), ("p90", "90 %"), ("p99", "99 %"))


@dataclass(frozen=True, slots=True)
class FateRow:
    """How many passages had one fate, and which share of all that is."""

    name: str
    words: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a probe, or one instance of it, cost: seconds of the application's threads, and
    seconds for one passage if there was one."""

    seconds: float
    each: float | None
    passages: int


@dataclass(frozen=True, slots=True)
class StateRow:
    """How the probe stands in one process, in its place there."""

    state: StateView
    process: str
    place: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture. `top` and `bottom` say what its height stands for; `legend` names its lines
    by their class."""

    name: str
    picture: Markup
    top: str
    bottom: str
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OverTime:
    """A probe that adds up, over time: pictures, and the same as rows, newest first."""

    plots: list[Plot]
    since: float
    until: float
    step: float
    columns: list[str]
    rows: list[tuple[float, list[str]]]


@dataclass(frozen=True, slots=True)
class ProbePage:
    """What the view shows. `share` is how much of one core the probe took while it lived;
    `last` how far back the pictures go."""

    probe: ProbeView
    asks: list[tuple[str, str]]
    over: bool
    states: list[StateRow]
    fates: list[FateRow]
    receipt: Receipt
    share: float
    sums: list[tuple[str, str]]
    over_time: OverTime | None
    last: str
    hits: list[Row]
    adds_up: bool
    history: list[Entry]
    history_more: bool

    @property
    def spans(self) -> tuple[tuple[str, str], ...]:
        """How far back one can look."""
        return LAST

    @property
    def unlimited(self) -> bool:
        """Whether it takes all that passes, as one that adds up does unless it was asked."""
        return self.probe.limits.hits >= MAX_PASSAGES

    @property
    def silent(self) -> bool:
        """Whether it has nothing to show, and somebody asks why."""
        return not self.probe.hits and not (self.probe.total and self.probe.total.count)


def probe_page(
    probe: ProbeView,
    series: SeriesView | None,
    hits: HitsPage,
    audit: AuditPage,
    *,
    now: float,
    last: str,
) -> ProbePage:
    """Make the view model; `series` is there for kinds that add up."""
    lived = max(1.0, min(probe.ended_at or now, now) - probe.placed_at)
    processes = {one.instance: _process(one) for one in probe.instances}
    states = sorted(probe.instances, key=lambda one: (not one.connected, one.reported_at))
    return ProbePage(
        probe=probe,
        asks=list(_asks(probe)),
        over=probe.status in OVER,
        states=[_state(one, processes) for one in states],
        fates=_fates(probe),
        receipt=_receipt(probe.cost_ns, probe.fates),
        share=probe.cost_ns / 1e9 / lived,
        sums=list(_sums(probe.kind, probe.total)) if probe.total else [],
        over_time=_over_time(series) if series else None,
        last=last,
        hits=rows(hits, processes),
        adds_up=probe.kind in AGGREGATED,
        history=entries(audit, {}),
        history_more=audit.more,
    )


def page(frame: Frame, view: ProbePage) -> str:
    """Return the whole page."""
    return render("probe.html", frame=frame, view=view)


def part(view: ProbePage) -> str:
    """Return what of it changes while one looks."""
    return render("probe_part.html", view=view)


def reading(kind: ProbeKind, value: float | None) -> str:
    """Return a value of a probe that adds up: a timer's as a time."""
    if value is None:
        return "–"
    if kind is ProbeKind.TIMER:
        return figures.seconds(value)
    return figures.short(value) if not value or abs(value) >= 0.01 else f"{value:.2g}"


def _process(state: StateView) -> str:
    return f"{state.program}/{state.pid}" if state.program else state.instance[:8]


def _asks(probe: ProbeView) -> Iterator[tuple[str, str]]:
    """Yield what the probe asks, by name; captured text may be in it."""
    tags = ", ".join(f"{name}={value}" for name, value in probe.where.tags.items())
    canary = f"{probe.canary.step} {probe.canary.instance}" if probe.canary else ""
    anchor = probe.anchor.text if probe.anchored and probe.anchor else ""
    for name, text in (
        ("template", probe.template),
        ("value", probe.expression),
        ("watches", ", ".join(probe.watches)),
        ("raises", ", ".join(probe.raises)),
        ("code", "\n".join(probe.code)),
        ("twin lives", f"{probe.life_s:g} s at most" if probe.use else ""),
        ("signed", "by the command line" if probe.signed else ""),
        ("until", probe.until),
        ("fails", probe.fails),
        ("if", probe.condition),
        ("only in", probe.where.instance),
        ("with", tags),
        ("canary", canary),
        ("set", f"{probe.set}/{probe.name}" if probe.set else ""),
        ("line reads", anchor),
        ("note", probe.note),
    ):
        if text:
            yield name, text


def _state(state: StateView, processes: Mapping[str, str]) -> StateRow:
    place = f"{short_path(state.file)}:{state.line}" if state.line else ""
    receipt = _receipt(state.cost_ns, state.fates)
    return StateRow(state, processes[state.instance], place, receipt)


def _fates(probe: ProbeView) -> list[FateRow]:
    fates, whole = probe.fates, sum(probe.fates.values()) or 1
    named = _FATES | _OF_KINDS.get(probe.kind, {})
    return [
        FateRow(fate, words, fates[fate], fates[fate] / whole)
        for fate, words in named.items()
        if fates.get(fate)
    ]


def _receipt(cost_ns: int, fates: Mapping[Fate, int]) -> Receipt:
    passages = sum(fates.values())
    return Receipt(cost_ns / 1e9, cost_ns / 1e9 / passages if passages else None, passages)


def _sums(kind: ProbeKind, total: Summary) -> Iterator[tuple[str, str]]:
    yield "count", figures.exact(total.count)
    if kind is not ProbeKind.COUNTER:
        for name in ("sum", "mean", "min", "p50", "p90", "p95", "p99", "max"):
            yield name, reading(kind, getattr(total, name))
    if total.lost:
        yield "not kept", figures.exact(total.lost)


def _over_time(series: SeriesView) -> OverTime | None:
    if series.since is None or series.until is None or series.step is None:
        return None
    kind, steps = series.kind, [step for line in series.lines for step in line.steps]
    at = {round((step.at - series.since) / series.step): step for step in steps}
    number = max(1, -int(-(series.until - series.since) // series.step))
    places = [at.get(place) for place in range(number)]
    window = figures.seconds(series.step)
    names = ["count", "rate/s"]
    if kind is not ProbeKind.COUNTER:
        names += ["sum", "mean", "p50", "p90", "p99", "max"]
    return OverTime(
        plots=list(_plots(kind, places, window)),
        since=series.since,
        until=series.until,
        step=series.step,
        columns=names,
        rows=[(step.at, _cells(kind, step, names)) for step in reversed(steps)],
    )


def _plots(kind: ProbeKind, places: list[SeriesStep | None], window: str) -> Iterator[Plot]:
    counts: list[float | None] = [step.count if step else None for step in places]
    yield _columns(f"count in {window}", counts, ProbeKind.COUNTER)
    if kind is ProbeKind.COUNTER:
        return
    sums = [step.sum if step else None for step in places]
    yield _columns(f"sum in {window}", sums, kind)
    curves = [
        Curve(words, name, [getattr(step, name) if step else None for step in places])
        for name, words in _QUANTILES
    ]
    name = "how long it took" if kind is ProbeKind.TIMER else "how large it was"
    whole = scale([value for curve in curves for value in curve.values])
    title = f"{name}: {', '.join(curve.style for curve in curves)}; {_range(kind, whole.high)}"
    yield Plot(
        name=name,
        picture=lines_over_time(curves, title),
        top=reading(kind, whole.high),
        bottom=reading(kind, whole.low),
        legend=tuple((curve.style, curve.name) for curve in curves),
    )


def _columns(name: str, values: list[float | None], kind: ProbeKind) -> Plot:
    whole = scale(values)
    picture = columns_over_time(values, f"{name}, {_range(kind, whole.high)}")
    return Plot(name, picture, reading(kind, whole.high), reading(kind, whole.low))


def _range(kind: ProbeKind, most: float) -> str:
    return f"at most {reading(kind, most)}"


def _cells(kind: ProbeKind, step: SeriesStep, names: list[str]) -> list[str]:
    cells = [figures.exact(step.count), figures.short(step.rate)]
    return cells + [reading(kind, getattr(step, name)) for name in names[2:]]
