"""A probe: where it stands, what it saw, what it cost, and what was done to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from leadline.control.views import (
    AuditView,
    HitView,
    ProbeView,
    SeriesStep,
    SeriesView,
    StateView,
)
from leadline.web.audit import details
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.web.series_plot import series_plot
from leadline.wire.probe import Fate, ProbeKind

MAX_STATES = 50
"""Processes that are shown, connected ones first; the others are counted."""
MAX_STEPS = 60
"""Steps in the table under the plot, the newest."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture of a series and what it is of."""

    title: str
    picture: Markup


@dataclass(frozen=True, slots=True)
class Probe:
    """What the view shows. `hits` and `history` are newest first."""

    probe: ProbeView
    states: Sequence[StateView]
    states_more: int
    fates: Sequence[tuple[Fate, int]]
    passed: int
    plots: Sequence[Plot]
    steps: Sequence[SeriesStep]
    hits: Sequence[HitView]
    history: Sequence[tuple[AuditView, str]]

    @property
    def cost_s(self) -> float:
        """Seconds that it took, over all processes."""
        return self.probe.cost_ns / 1e9

    @property
    def each_s(self) -> float:
        """Seconds that it took for each passage, over all processes."""
        return self.cost_s / self.passed if self.passed else 0.0


def probe(
    shown: ProbeView,
    series: SeriesView | None,
    hits: Sequence[HitView],
    history: Sequence[AuditView],
) -> Probe:
    """Make the view model; `hits` and `history` are oldest first, as the use cases answer."""
    states = sorted(shown.instances, key=lambda one: (not one.connected, -one.reported_at))
    steps = series.lines[0].steps if series and series.lines else []
    return Probe(
        probe=shown,
        states=states[:MAX_STATES],
        states_more=len(states[MAX_STATES:]),
        fates=[(fate, shown.fates[fate]) for fate in Fate if shown.fates.get(fate)],
        passed=sum(shown.fates.values()),
        plots=_plots(shown.kind, series) if series and steps else [],
        steps=steps[: -MAX_STEPS - 1 : -1],
        hits=hits[::-1],
        history=[(entry, details(entry.detail)) for entry in reversed(history)],
    )


def page(frame: Frame, view: Probe) -> str:
    """Return the whole page."""
    return render("probe.html", frame=frame, view=view)


def part(view: Probe) -> str:
    """Return what of it changes while one looks."""
    return render("probe_part.html", view=view)


def _plots(kind: ProbeKind, series: SeriesView) -> list[Plot]:
    since, until = series.since or 0.0, series.until or 0.0
    steps = series.lines[0].steps

    def plot(title: str, *names: str) -> Plot:
        lines = {
            name: [
                (one.at, getattr(one, name)) for one in steps if getattr(one, name) is not None
            ]
            for name in names
        }
        timed = kind is ProbeKind.TIMER and names[0] != "rate"
        return Plot(title, series_plot(title, lines, since, until, timed=timed))

    made = [plot("passages a second", "rate")]
    if kind is not ProbeKind.COUNTER:
        made.append(
            plot("time of a pass" if kind is ProbeKind.TIMER else "value", "p50", "p90", "p99")
        )
    return made
