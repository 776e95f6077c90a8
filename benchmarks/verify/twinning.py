"""Calls of every function of a package, kept while it works as by `recording`, and each run
again at once: in a twin at its very entry, and, once the work at hand is done, with others in
copies of one twin, as `leadline verify` has captured calls run.

    pytest -p benchmarks.verify.twinning --twin PACKAGE --twin-into FILE [--twin-calls N]
    python -m benchmarks.verify.twinning SERVICE --into FILE [--calls N]
"""

import argparse
import json
import os
import select
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from benchmarks.verify import traffic
from benchmarks.verify.recording import CALLS, Recorder
from leadline import native
from leadline.agent.place import databases
from leadline.agent.place.entry import Entry, find_entry
from leadline.agent.place.globals import Globals
from leadline.agent.twin.apart import apart
from leadline.agent.twin.bench import Bench, entry_of
from leadline.agent.twin.readable import readable
from leadline.agent.twin.zygote import made
from leadline.trial import calls as the_calls
from leadline.trial import candidate, chance, revival
from leadline.trial.calls import Call
from leadline.trial.outcome import read_outcome
from leadline.trial.place import Order
from leadline.verify.calls import CapturedCall
from leadline.verify.places import most_yields
from leadline.wire.errors import LeadlineError
from leadline.wire.twin import CONTROLS, TwinPolicy

WITHIN_S = 3.0
LIFE_S = 170.0
MEMORY_BYTES = 1_000_000_000
_TOOL = 3
"""Below that of the recorder, which hears of each event first: the highest does."""
_events = sys.monitoring.events
_PIECE = 1 << 20
_NOTHING = candidate.make("nothing", [])
twin: Any = native.twin()


class Twins:
    """One per process: has a recorder at work, and makes twins beside it."""

    def __init__(self, packages: list[str], most: int, *, at_hits: bool = True) -> None:
        self.recorder = Recorder(packages, most)
        self._at_hits = at_hits
        self._busy = False
        self._done: dict[int, tuple[object, int]] = {}
        self._at_hit: list[dict[str, Any]] = []
        self._in_zygote: dict[int, dict[str, Any]] = {}
        self._seen = 0
        self.pauses: dict[str, list[float]] = {"hit": [], "zygote": []}
        self.runs, self.ran_s = 0, 0.0
        self.ends: Counter[str] = Counter()
        """How twins ended that did not end by themselves."""

    def begin(self) -> None:
        """Hear of every function from now on."""
        self.recorder.look_around()
        self.recorder.begin()
        sys.monitoring.use_tool_id(_TOOL, "twinning")
        sys.monitoring.register_callback(_TOOL, _events.PY_START, self._start)
        sys.monitoring.set_events(_TOOL, _events.PY_START if self._at_hits else 0)

    def end(self, into: Path) -> None:
        """Write what was kept and what it came to in each place."""
        self.sample()
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)
        self.recorder.end(into)
        lines = into.read_text("utf-8").splitlines()
        head = json.loads(lines[0]) | {
            "pauses": self.pauses, "runs": self.runs, "ran_s": self.ran_s,
            "ends": self.ends,
        }  # fmt: skip
        with into.open("w", encoding="utf-8") as out:
            out.write(json.dumps(head) + "\n")
            for index, line in enumerate(lines[1:]):
                call = json.loads(line)
                call["entry"], _, number = call["entry"].partition("#")
                call["hit"] = self._at_hit[int(number)] if number else {"why": "not forked"}
                call["zygote"] = self._in_zygote.get(index, {"why": "not forked"})
                out.write(json.dumps(call) + "\n")

    def sample(self) -> None:
        """Run what was kept since the last time in copies of one twin."""
        calls = self.recorder.calls
        new = [(at, one) for at, one in enumerate(calls) if at >= self._seen]
        self._seen = len(calls)
        able = [(at, one) for at, one in new if one["document"] is not None]
        if not able:
            return
        self._busy = self.recorder._busy = True  # noqa: SLF001 - what follows is ours
        try:
            for line in self._twin("zygote", LIFE_S, partial(_serve, able)):
                at, said = line
                assert at >= 0, said
                self._in_zygote[at] = said
                self.ran_s += said.get("took_s", 0.0)
                self.runs += len(said.get("runs", ()))
        finally:
            self._busy = self.recorder._busy = False  # noqa: SLF001

    def _start(self, code: Any, _: int) -> object:
        if code.co_filename not in self.recorder._files:  # noqa: SLF001
            return sys.monitoring.DISABLE
        if self._busy:
            return None
        frame = sys._getframe(1)  # noqa: SLF001 - as everybody does
        found = self.recorder._open.get(id(frame))  # noqa: SLF001
        if found is None or id(found) in self._done:
            return None
        self._busy = self.recorder._busy = True  # noqa: SLF001
        try:
            number = len(self._at_hit)
            self._done[id(found)] = found, number  # kept, or another may have its id
            found.entry += f"#{number}"
            said = list(self._twin("hit", 2 * WITHIN_S + 1, partial(_again, frame)))
            self._at_hit.append(said[0][1] if said else {"why": "the twin has said nothing"})
        finally:
            self._busy = self.recorder._busy = False  # noqa: SLF001
        return None

    def _twin(
        self, name: str, life_s: float, does: Callable[[int, Callable[..., None]], None]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Have something done in a twin, and yield what it says until it ends."""
        policy = int(twin.READONLY | twin.THREADS | twin.GRANDCHILDREN)
        # as LEADLINE_TWIN_READ would name where a service has its data
        folders = readable((str(Path.cwd()), tempfile.gettempdir(), *sys.path))
        ours, theirs = twin.channel()
        luck = chance.remember()
        began = time.perf_counter()
        pid = twin.clone(policy, life_s, int(life_s) + 1, MEMORY_BYTES, (theirs,), folders)
        if pid == 0:
            _live(theirs, luck, does)
        self.pauses[name].append((time.perf_counter() - began) * 1e3)
        os.close(theirs)
        rest = b""
        poll = select.poll()
        poll.register(ours, select.POLLIN)
        until = time.monotonic() + life_s + 2
        while time.monotonic() < until:
            if not poll.poll(1_000):
                continue
            piece = os.read(ours, _PIECE)
            if not piece:
                break
            *lines, rest = (rest + piece).split(b"\n")
            yield from map(json.loads, lines)
        os.close(ours)
        while (status := twin.reap(pid)) is None:
            time.sleep(0.0005)
        if status:
            self.ends[twin.why(status)] += 1


def _live(channel: int, luck: Any, does: Callable[[int, Callable[..., None]], None]) -> None:
    """In a twin: do it, and end."""

    def say(number: int, said: dict[str, Any]) -> None:
        left = memoryview(json.dumps([number, said]).encode("ascii") + b"\n")
        while left:
            left = left[os.write(channel, left) :]

    try:
        for tool in (4, _TOOL):
            sys.monitoring.set_events(tool, 0)
            for event in (_events.PY_START, _events.PY_RETURN, _events.PY_UNWIND,
                          _events.PY_YIELD):  # fmt: skip
                sys.monitoring.register_callback(tool, event, None)
        chance.restore(luck)
        revival.revive()
        does(channel, say)
    except BaseException as error:  # noqa: BLE001 - the last frame of this process
        say(-1, {"why": f"the twin failed: {type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _bench(entry: Entry) -> Bench:
    def own(_: str) -> bool:
        return False

    none: dict[str, list[int]] = {}
    policy = TwinPolicy.THREADS
    databases.install()
    return Bench(_NOTHING, entry, ("", ""), policy, own, Globals(own), [], (none, none))


def _again(frame: FrameType, channel: int, say: Callable[..., None]) -> None:
    """In a twin at the entry: the live call, twice."""
    try:
        call = the_calls.call_of(frame, twin.function_of)
        bench = _bench(entry_of(frame, twin.function_of))
    except LeadlineError as error:
        say(0, {"why": error.message.rstrip(".")})
        return

    def live(_: Entry) -> tuple[Call, dict[str, Any], dict[str, object]]:
        return call, the_calls.given_to(call), {}

    say(0, _both(bench, Order(1, {}, within_s=WITHIN_S), live, channel))


def _serve(calls: list[tuple[int, Any]], channel: int, say: Callable[..., None]) -> None:
    """In a twin that stays: captured calls, each twice."""
    over = time.monotonic() + LIFE_S - 2 * WITHIN_S
    for at, call in calls:
        if time.monotonic() > over:
            return
        module, _, qualname = call["entry"].partition("#")[0].partition(":")
        try:
            entry = find_entry(sys.modules[module], module, qualname)
        except (KeyError, LeadlineError) as error:
            say(at, {"why": getattr(error, "message", f"there is no {module}").rstrip(".")})
            continue
        captured = CapturedCall(at, None, read_outcome(call["live"]))
        order = Order(at, call["document"], most_yields(captured), WITHIN_S)
        say(at, _both(_bench(entry), order, partial(made, order, 0), channel))


def _both(bench: Bench, order: Order, make: Any, channel: int) -> dict[str, Any]:
    began = time.perf_counter()
    runs = [
        apart(partial(bench.run, what, order, make), order.within_s, channel)
        for what in CONTROLS
    ]
    took = time.perf_counter() - began
    whys = [one.why or one.said.get("obstacle", "") for one in runs]
    return {"runs": [one.said.get("run") for one in runs], "whys": whys, "took_s": took}


_twins: list[Twins] = []


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--twin", action="append", default=[], metavar="PACKAGE")
    parser.addoption("--twin-into", default="calls.jsonl", metavar="FILE")
    parser.addoption("--twin-calls", type=int, default=CALLS, metavar="N")
    parser.addoption("--twin-no-hits", action="store_true")


def pytest_collection_finish(session: Any) -> None:
    options = session.config.option
    if options.twin:
        twins = Twins(options.twin, options.twin_calls, at_hits=not options.twin_no_hits)
        twins.begin()
        _twins.append(twins)


def pytest_runtest_setup() -> None:
    for twins in _twins:
        twins.recorder.look_around()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    try:
        return (yield)
    finally:
        for twins in _twins:
            twins.sample()


def pytest_unconfigure(config: Any) -> None:
    if _twins:
        _twins.pop().end(Path(config.option.twin_into))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(traffic.SERVICES))
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--no-hits", action="store_true")
    options = parser.parse_args()
    twins = Twins([options.name], options.calls, at_hits=not options.no_hits)
    traffic.SERVICES[options.name](twins.begin)
    twins.end(options.into)
    os._exit(0)  # whatever threads are left


if __name__ == "__main__":
    main()
