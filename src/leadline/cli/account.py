"""What one run without a server has seen: hits as they come, sums by the second, and why
nothing came."""

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

from leadline.cli.hit_view import hit_line, hit_text
from leadline.cli.points import Sum, said
from leadline.cli.show import clock, err, harmless
from leadline.wire.probe import AGGREGATED, Fate, Probe, Status

_WORTH_A_WORD = (Status.ERROR, Status.MISMATCH, Status.SUSPENDED, Status.EXPIRED)


class Account:
    """Takes reports from the listener's threads and prints what they bring."""

    def __init__(self, probes: Sequence[Probe], *, as_json: bool) -> None:
        self._probes = {probe.id: probe for probe in probes}
        self._as_json = as_json
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._states: dict[tuple[str, str], dict[str, Any]] = {}
        self._shown: dict[str, int] = {}
        self._dropped: dict[tuple[str, str], int] = {}
        self._sums = {probe.id: Sum() for probe in probes if probe.kind in AGGREGATED}
        self._changed: set[str] = set()
        self._reported = False

    @property
    def probes(self) -> list[Probe]:
        """The set that every agent gets."""
        return list(self._probes.values())

    def take(self, report: dict[str, Any]) -> None:
        """Print the hits of a report, add up its points, and say what a person should know."""
        instance = report["instance"]
        with self._lock:
            self._reported = True
            news = [*report["hits"], *report["points"]]
            for one in sorted(news, key=lambda one: int(one["seq"])):
                if one["seq"] > self._seen.get(one["instance"], 0):  # else posted twice
                    self._seen[one["instance"]] = one["seq"]
                    named = {"service": instance["service"], "pid": instance["pid"]}
                    if "count" in one:
                        self._add(one | named)
                    else:
                        self._show(one | named)
            for state in report["states"]:
                key = (state["probe"], instance["id"])
                before = self._states.get(key, {}).get("status")
                self._states[key] = state
                if state["status"] != before and state["status"] in _WORTH_A_WORD:
                    self._say(state["probe"], f"{state['status']}: {state['reason']}")
            for reason, count in report["dropped"].items():
                self._dropped[instance["id"], reason] = count

    def tell(self) -> None:
        """Print how far the sums are that have changed since the last time."""
        with self._lock:
            for probe in sorted(self._changed):
                if not self._as_json:
                    err(f"{clock(time.time())}  {self._sum(probe)}")
            self._changed.clear()

    def close(self) -> None:
        """Print the sums, and say for each silent probe why it is silent."""
        with self._lock:
            if not self._reported:
                self._note(
                    "no process with the agent in it reported: is Leadline installed in the "
                    "environment of the program? LEADLINE_VERBOSE=1 makes it say why not"
                )
                return
            for probe in self._probes:
                if self._as_json and probe in self._sums:
                    total = self._sums[probe].summary(self._probes[probe].kind)
                    err(json.dumps({"schema_version": 1, "sum": {"probe": probe} | total}))
                elif probe in self._sums and self._sums[probe].count:
                    self._note(self._sum(probe))
                self._explain(probe)
            for reason in sorted({reason for _, reason in self._dropped}):
                count = sum(n for (_, why), n in self._dropped.items() if why == reason)
                self._note(f"{count} hits were dropped: {reason}")

    def _show(self, hit: dict[str, Any]) -> None:
        probe = self._probes.get(hit["probe"])
        shown = self._shown.get(hit["probe"], 0)
        if probe is None or shown >= probe.limits.hits:
            return
        self._shown[hit["probe"]] = shown + 1
        if self._as_json:
            err(json.dumps({"schema_version": 1, "hit": hit}))
        else:
            err(hit_text(hit) if hit.get("detail") else hit_line(hit))

    def _add(self, point: dict[str, Any]) -> None:
        if point["probe"] not in self._sums:
            return
        self._sums[point["probe"]].add(point)
        self._changed.add(point["probe"])
        if self._as_json:
            err(json.dumps({"schema_version": 1, "point": point}))

    def _sum(self, probe: str) -> str:
        of = self._probes[probe]
        return (
            f"{harmless(str(of.target))}  {said(of.kind, self._sums[probe].summary(of.kind))}"
        )

    def _explain(self, probe: str) -> None:
        states = [state for (of, _), state in self._states.items() if of == probe]
        over = sum(state["fates"].get(Fate.RATE_LIMITED, 0) for state in states)
        if over:
            rate = self._probes[probe].limits.rate_per_s
            self._say(probe, f"switched off {over} times at its rate of {rate:g} a second; "
                      "passages meanwhile were not counted (--rate)")  # fmt: skip
        if self._shown.get(probe) or (probe in self._sums and self._sums[probe].count):
            return
        if any(state["status"] in _WORTH_A_WORD for state in states):
            return  # said when it happened
        reasons = {_why_silent(state) for state in states} or {"no process reported on it"}
        self._say(probe, f"no hit: {'; '.join(sorted(reasons))}")

    def _say(self, probe: str, text: str) -> None:
        target = self._probes[probe].target if probe in self._probes else probe
        self._note(f"{target}: {text}")

    def _note(self, text: str) -> None:
        err(f"leadline: {harmless(text)}")


def _why_silent(state: dict[str, Any]) -> str:
    if state["status"] != Status.ARMED:
        return str(state["reason"] or state["status"])
    fates = {name: count for name, count in state["fates"].items() if count}
    if fates:
        why = ", ".join(
            f"{name.replace('_', ' ')} {count} times" for name, count in fates.items()
        )
        return f"{why} ({state['unknown']})" if state["unknown"] else why
    entered = int(state.get("entered", 0))
    if entered:
        return f"armed; the function was entered {entered} times and the line not reached"
    return "armed, but the line was never reached"
