"""The probes of a file on their lines: how each does, and what it saw last."""

from collections.abc import Iterator

from leadline.control.context import Context
from leadline.control.hits import hit_filter, list_hits
from leadline.control.probes import list_probes
from leadline.control.views import HitView, ProbeView, StateView
from leadline.store.records import EVERY_SERVICE
from leadline.wire.probe import AGGREGATED, ProbeKind
from leadline.wire.struct import dataclass
from leadline.wire.target import Target, parse_place
from leadline.wire.value import Value


@dataclass(frozen=True, slots=True)
class OnLine:
    """A probe of a file. `line` is where it is, or was asked for; 0 for one on a `function`
    that no process has found yet. `last` is its newest hit, if it has hits."""

    probe: ProbeView
    line: int
    function: str
    last: HitView | None


def on_lines(context: Context, service: str, file: str, instance: str = "") -> list[OnLine]:
    """Return the active and expired probes on lines of `file`, the end of a path.

    Where instances have the probe on different lines, `instance` is the one that is shown.
    """
    found = []
    for name in (service, EVERY_SERVICE):
        for probe in list_probes(context, name):
            if probe.kind is ProbeKind.TWIN and probe.ended_at is not None:
                continue  # it was answered, and is no probe that anybody places again
            placed = _place(probe, file, instance)
            if placed is not None:
                found.append(OnLine(probe, *placed, _last(context, probe)))
    return found


def values_of(hit: HitView) -> dict[str, Value]:
    """Return what a hit has to show: the values of its expressions, else the variables of the
    innermost call, what was returned and what was raised before them."""
    if hit.values or hit.detail is None:
        return hit.values
    detail = _plain(hit.detail)
    values: dict[str, Value] = {}
    if detail.get("exception") is not None:
        values["exception"] = detail["exception"]
    if detail.get("returned"):
        values["result"] = detail.get("result")
    frames = detail.get("frames") or [{}]
    inner: dict[str, Value] = frames[0].get("locals", {})
    return values | inner


def _plain(detail: object) -> dict[str, Value]:
    return detail if isinstance(detail, dict) else {}


def _place(probe: ProbeView, file: str, instance: str) -> tuple[int, str] | None:
    """Return the line and the function of a probe in `file`, or None if it is not there."""
    for state in sorted(probe.instances, key=lambda one: one.instance != instance):
        if state.line and state.file:
            return (state.line, state.function) if _same(state.file, file) else None
    target = parse_place(probe.target)
    if isinstance(target, Target):
        return (target.line, "") if _same(target.file, file) else None
    if target.everywhere:
        return None
    ends = [target.module]
    if "/" not in target.module and not target.module.endswith(".py"):
        path = target.module.replace(".", "/")
        ends = [f"{path}.py", f"{path}/__init__.py"]
    return (0, target.function) if any(_same(end, file) for end in ends) else None


def _same(one: str, other: str) -> bool:
    """Whether one path is the other, or the end of it."""
    long, short = (one, other) if len(one) > len(other) else (other, one)
    return long == short or long.endswith(f"/{short.lstrip('/')}")


def _last(context: Context, probe: ProbeView) -> HitView | None:
    if probe.kind in AGGREGATED or not probe.hits:
        return None
    return next(iter(list_hits(context, hit_filter(probe=probe.id), 1).hits), None)


def states(probe: ProbeView) -> Iterator[StateView]:
    """Yield where a probe stands in the connected instances, those in trouble first."""
    yield from sorted(
        (one for one in probe.instances if one.connected), key=lambda one: one.status == "armed"
    )
