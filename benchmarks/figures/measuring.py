"""All figures, or those that were asked for, in the order of the page."""

from collections.abc import Iterator
from typing import Any

from benchmarks import hot_path, serving
from benchmarks.figures import BESIDES, ROWS, Tell, budget, calls, pause, placing, start
from leadline import native

type Found = tuple[dict[str, Any], dict[str, str]]


def chosen(only: str) -> list[str]:
    """Return the rows that were asked for, by default all. Exits for one that is none."""
    every = [*(row.name for row in ROWS), *BESIDES]
    asked = [name.strip() for name in only.split(",") if name.strip()]
    for name in asked:
        if name not in every:
            raise SystemExit(f"there is no row {name!r}; there are {', '.join(every)}")
    return asked or every


def measure(rows: list[str], tell: Tell, *, quick: bool) -> Iterator[Found]:
    """Yield what was measured, and the subjects' versions, as soon as it is there."""
    if here := [row for row in calls.ROWS if row in rows]:
        yield calls.measure(here, tell, quick=quick)
    if "pause" in rows:
        worst, cases = pause.measure(tell, quick=quick)
        yield {"pause": worst, "pauses": cases}, {}
    if {"start", "memory"} & set(rows):
        cpu, memory = start.measure(tell, quick=quick)
        yield {"start": cpu, "memory": memory}, {}
    if {"placing", "command"} & set(rows):
        placed, command, told = placing.measure(tell, quick=quick)
        yield {"placing": placed, "command": command, "placed": told}, {}
    if "kinds" in rows:
        tell("all kinds of probes")
        yield {"kinds": _kinds(quick=quick)}, {}
    if "requests" in rows:
        tell("requests of a service")
        yield {"requests": _requests(quick=quick)}, {}
    if "budget" in rows:
        yield {"budget": budget.measure(tell, quick=quick)}, {}


def _kinds(*, quick: bool) -> dict[str, list[float]]:
    """Every kind of probe, on each core that is here."""
    return {
        f"{one.name}, {core} core" if number else one.name: [
            one.extra_ns / 1e3,
            one.low_ns / 1e3,
            one.high_ns / 1e3,
        ]
        for core in (("native", "pure") if native.core() is not None else ("pure",))
        for number, one in enumerate(hot_path.measure_core(core, 15 if quick else 100))
    }


def _requests(*, quick: bool) -> dict[str, Any]:
    seen = serving.measure(1, 10) if quick else serving.measure(3, 40)
    fates = ", ".join(f"{count} {fate}" for fate, count in seen.fates.items() if count)
    return {
        "loads": {
            load.name: {
                "per_s": load.per_s,
                "cpu_us": load.cpu_us,
                "speed": [load.speed.median, load.speed.low, load.speed.high],
                "cpu": [load.cpu.median, load.cpu.low, load.cpu.high],
                "beside": load.beside_us / 1e4,
            }
            for load in seen.loads
        },
        "told": f"{seen.requests:,} requests to the probed line, of their passages {fates}; a "
        f"hit's own receipt is {seen.receipt_us:.0f} µs of the application's thread.",
    }
