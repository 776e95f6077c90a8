"""The kinds of probes as one table: how each is placed at a spot, and what it has to bring."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waiting import wait_for
from watched import ARRIVES_S, Spot, Watched

MANY = {"hits": 100_000, "rate_per_s": 1_000.0}
"""Limits that no test reaches: what comes by is captured, so that it can be counted."""
SMALL: dict[str, Any] = {
    "limits": {"hits": 1}, "frames": 3, "capture": {"depth": 1, "items": 10, "text": 60}
}  # fmt: skip
"""For what takes the whole stack: with all kinds armed at once, in a process that is not warm,
snapshots of the usual size would use up the budget of 1 % of a core for seconds."""


@dataclass(frozen=True)
class Kind:
    """One row: the body of the request that places it, and the check of what arrived.

    `heavy` ones capture the stack.
    """

    name: str
    body: Callable[[Spot], dict[str, Any]]
    check: Callable[["Lowered"], None]
    heavy: bool = False
    fits: Callable[[Spot], bool] = lambda _: True

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Lowered:
    """One probe at one spot, and how many rounds of requests have passed it."""

    watched: Watched
    kind: Kind
    spot: Spot
    probe: str
    rounds: int = 1


def _log(spot: Spot) -> dict[str, Any]:
    return {"kind": "log", "target": spot.target, "template": spot.template, "limits": MANY}


def _check_log(one: Lowered) -> None:
    _seen(one, one.spot.passes)
    for hit in one.watched.wait_hits(one.probe):
        assert re.search(one.spot.message, hit["message"]), hit
        assert hit["file"].endswith(one.spot.target.rpartition(":")[0])
        assert hit["line"] == one.spot.line
        assert _same_function(hit["function"], one.spot.function)


def _log_exit(spot: Spot) -> dict[str, Any]:
    template = "{duration}"
    return {"kind": "log", "target": spot.callee, "template": template, "limits": MANY}


def _check_log_exit(one: Lowered) -> None:
    _seen(one, one.spot.called)
    for hit in one.watched.wait_hits(one.probe):
        duration = hit["values"]["duration"]
        if type(duration) is dict:  # the call began while the probe was off for its budget
            assert "began before" in str(duration), duration
            continue
        assert 0 <= duration < ARRIVES_S
        assert _same_function(hit["function"], one.spot.function)


def _snapshot(spot: Spot) -> dict[str, Any]:
    watches = [spot.value]
    return {"kind": "snapshot", "target": spot.target, "watches": watches, **SMALL}


def _check_snapshot(one: Lowered) -> None:
    hit = one.watched.wait_hits(one.probe)[0]
    inner, *_ = hit["detail"]["frames"]
    assert _same_function(inner["function"], one.spot.function)
    assert (inner["line"], inner["locals"] != {}) == (one.spot.line, True)
    assert type(hit["values"][one.spot.value]) in (int, float), hit["values"]


def _snapshot_exit(spot: Spot) -> dict[str, Any]:
    return {"kind": "snapshot", "target": spot.callee, **SMALL}


def _check_snapshot_exit(one: Lowered) -> None:
    hit = one.watched.wait_hits(one.probe)[0]
    assert _same_function(hit["function"], one.spot.function)
    detail = hit["detail"]
    assert detail["frames"]
    assert detail["returned"] or detail["exception"] is not None
    assert 0 <= detail["duration_s"] < ARRIVES_S


def _counter(spot: Spot) -> dict[str, Any]:
    return {"kind": "counter", "target": spot.target}


def _check_counter(one: Lowered) -> None:
    _seen(one, one.spot.passes)
    _summed(one)


def _metric(spot: Spot) -> dict[str, Any]:
    return {"kind": "metric", "target": spot.target, "expression": spot.value}


def _check_metric(one: Lowered) -> None:
    _seen(one, one.spot.passes)
    total, known = _summed(one), one.spot.values
    assert total["min"] <= total["p50"] <= total["max"]
    if not known:
        return
    assert total["min"] >= min(known)
    assert total["max"] <= max(known)
    if total["count"] == len(known) * one.rounds:
        exact = (sum(known) * one.rounds, min(known), max(known))
        assert (total["sum"], total["min"], total["max"]) == exact


def _timer(spot: Spot) -> dict[str, Any]:
    return {"kind": "timer", "target": spot.callee}


def _check_timer(one: Lowered) -> None:
    _seen(one, one.spot.called)
    total = _summed(one)
    assert 0 <= total["min"] <= total["max"] <= total["sum"] < ARRIVES_S * total["count"]


def _timer_between(spot: Spot) -> dict[str, Any]:
    until = f"{spot.target.rpartition(':')[0]}:{spot.until}"
    return {"kind": "timer", "target": spot.target, "until": until}


def _exception(spot: Spot) -> dict[str, Any]:
    moment = "raised" if spot.loops else "leaving"
    body = {"kind": "exception", "target": spot.raiser, "moment": moment}
    return {**body, "raises": [spot.raises], **SMALL}


def _check_exception(one: Lowered) -> None:
    hit = one.watched.wait_hits(one.probe)[0]
    assert hit["detail"]["exception"]["type"] == one.spot.raises
    assert hit["detail"]["frames"]
    assert _same_function(hit["function"], one.spot.raiser.rpartition(":")[2])


def _seen(one: Lowered, passes: int) -> None:
    """Every passage was captured and told; or the budget did not allow it, and says so."""

    found = one.watched.wait_captured(one.probe, max(1, passes * one.rounds))
    assert set(found["fates"]) <= {"captured", "over_budget"}, found
    if passes:
        assert found["fates"].get("captured", 0) <= passes * one.rounds, found


def _summed(one: Lowered) -> dict[str, Any]:
    """What arrived adds up to what was counted; returns the sums."""

    def arrived() -> dict[str, Any]:
        found = one.watched.api.probe(one.probe)
        return found["total"] if found["total"]["count"] == found["fates"]["captured"] else {}

    return wait_for(arrived, ARRIVES_S, f"the sums: {one.watched.api.probe(one.probe)}")


def _same_function(found: str, expected: str) -> bool:
    return found.rpartition(".")[2] == expected.rpartition(".")[2]


def _ends(spot: Spot) -> bool:
    return not spot.loops


KINDS = (
    Kind("log", _log, _check_log),
    Kind("log at exit", _log_exit, _check_log_exit, fits=_ends),
    Kind("snapshot", _snapshot, _check_snapshot, heavy=True),
    Kind("snapshot at exit", _snapshot_exit, _check_snapshot_exit, heavy=True, fits=_ends),
    Kind("counter", _counter, _check_counter),
    Kind("metric", _metric, _check_metric),
    Kind("timer", _timer, _check_timer, fits=_ends),
    Kind("timer between", _timer_between, _check_timer, fits=lambda spot: bool(spot.until)),
    Kind("exception", _exception, _check_exception, True, lambda spot: bool(spot.raises)),
)


def rows(spots: tuple[Spot, ...]) -> list[tuple[Kind, Spot]]:
    """Return every kind at every spot where it makes sense."""
    return [(kind, spot) for spot in spots for kind in KINDS if kind.fits(spot)]
