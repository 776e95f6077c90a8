"""What a probe that adds up saw over time, in steps, merged over its instances or by each."""

import math
from dataclasses import asdict, dataclass, field

from leadline.control.context import Context
from leadline.control.probes import NoSuchProbeError
from leadline.control.summary import summarise
from leadline.control.views import SeriesLine, SeriesStep, SeriesView
from leadline.store.records import PointFilter, Total
from leadline.wire.errors import UsageError, WireError
from leadline.wire.hit import Point
from leadline.wire.probe import AGGREGATED, ProbeKind

STEPS = 120
"""About how many there are when nobody says how long one is: what a plot shows well."""
MAX_STEPS = 1_000
MAX_LINES = 50
"""Instances of which a series by instance shows lines; the others are counted."""
MAX_POINTS_READ = 100_000
"""Points that one answer is made of: a few seconds of work."""
_NICE_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400)


@dataclass(slots=True)
class _Span:
    """A range of time in equal steps."""

    since: float
    until: float
    step: float

    def place(self, point: Point) -> int:
        """Return the number of the step that the middle of a point's second lies in."""
        middle = point.time - point.seconds / 2
        return min(max(int((middle - self.since) // self.step), 0), self.steps - 1)

    @property
    def steps(self) -> int:
        return max(1, math.ceil((self.until - self.since) / self.step))


@dataclass(slots=True)
class _Line:
    """The points of one instance, by step."""

    points: dict[int, list[Point]] = field(default_factory=dict)


def series(
    context: Context,
    probe: str,
    *,
    since: float | None = None,
    until: float | None = None,
    step: float | None = None,
    by: str = "",
) -> SeriesView:
    """Return counts, rates and quantiles of a probe over time.

    `since` and `until` are seconds since 1970, by default all that is stored; `step` is in
    seconds, by default such that there are about `STEPS`. With `by` as `instance` there is a
    line for each, else one over all. Raises `NoSuchProbeError`, slugs `bad-limit`,
    `bad-message`.
    """
    if by not in ("", "instance"):
        raise WireError(f"A series is by `instance` or whole, not by {by[:100]!a}.")
    placed = context.store.probe(probe)
    if placed is None:
        raise NoSuchProbeError(probe)
    kind = placed.probe.kind
    if kind not in AGGREGATED:
        raise WireError(
            f"A {kind} probe has hits, not a series; counters, metrics and timers have one."
        )
    span = _span(context.store.span(probe), since, until, step)
    if span is None:
        return SeriesView(probe, kind, None, None, None, [], 0)
    matching = PointFilter(probe, span.since, span.until, MAX_POINTS_READ + 1)
    points = context.store.points(matching)
    if len(points) > MAX_POINTS_READ:
        raise UsageError(
            "bad-limit",
            f"There are more than {MAX_POINTS_READ:,} points in that time.",
            "Ask for a shorter time with since and until.",
        )
    lines: dict[str, _Line] = {}
    for point in points:
        line = lines.setdefault(point.instance, _Line())
        line.points.setdefault(span.place(point), []).append(point)
    shown = {name: [line] for name, line in sorted(lines.items())[:MAX_LINES]}
    if not by:
        shown = {"": list(lines.values())}
    return SeriesView(
        probe=probe,
        kind=kind,
        since=span.since,
        until=span.until,
        step=span.step,
        lines=[
            SeriesLine(name, _steps(kind, span, together)) for name, together in shown.items()
        ],
        left_out=len(lines) - len(shown) if by else 0,
    )


def _steps(kind: ProbeKind, span: _Span, lines: list[_Line]) -> list[SeriesStep]:
    """Return the steps in which there was anything, oldest first."""
    found = []
    for number in sorted({number for line in lines for number in line.points}):
        began = span.since + number * span.step
        totals = [Total().plus(*line.points.get(number, ())) for line in lines]
        seconds = min(began + span.step, span.until) - began
        found.append(SeriesStep(at=began, **asdict(summarise(kind, totals, seconds))))
    return found


def _span(
    stored: tuple[float, float] | None,
    since: float | None,
    until: float | None,
    step: float | None,
) -> _Span | None:
    """Return the range that is asked for, or None if nothing is stored and nothing was said."""
    for said in (since, until, step):
        if said is not None and not abs(said) < 1e12:  # also refuses nan
            raise UsageError("bad-limit", "since, until and step are numbers of seconds.")
    if step is not None and not step >= 1:
        raise UsageError("bad-limit", "step must be at least 1 second.")
    if stored is None and (since is None or until is None):
        return None
    first, last = stored or (0.0, 0.0)
    # a point is of the second before its time
    since = float(math.floor(first - 1.0)) if since is None else since
    until = float(math.ceil(last)) if until is None else until
    if not until > since:
        until = since + 1.0
    if step is None:
        wanted = (until - since) / STEPS
        step = next((float(nice) for nice in _NICE_S if nice >= wanted), wanted)
        since = since // step * step
    if (until - since) / step > MAX_STEPS:
        raise UsageError(
            "bad-limit", f"step must be such that there are at most {MAX_STEPS:,}."
        )
    return _Span(since, until, step)
