"""Whether a twin may be made now: what it would cost, and what this host has left.

Looked at on a thread of ours while there is something to make twins for; the application's
thread reads the answer only. The pause is foretold from one that was measured: a first twin of
a process is made for that alone, and every later one makes the figure better.
"""

import os
import time
from collections import deque
from types import ModuleType

from leadline.agent.link.native import Bell
from leadline.agent.twin.terms import DEFAULT_RATE, Terms

PAUSE_S_AN_HOUR = 2.0
"""All pauses of an hour together, in seconds; with a raised rate as much more."""
MOST_BYTES = 1_000_000_000
"""Of a process that twins are made of: a pause of 20 ms for each GB was measured on a quiet
host, and 70 to 200 on a loaded one."""
MOST_SHARED = 64_000_000
"""Of writable memory shared with others, which a twin has to copy."""
LEAST_PIDS = 50
FRESH_S = 5.0
"""An answer older than this is none: our thread does not come to run."""
AGAIN_S = 60.0
"""After a pause that was too long, the next is measured so much later, then after twice as
long: the host may have been busy, or the process may really be too large."""
_REMEMBERED = 7
"""Pauses of which the one in the middle foretells the next."""
_TRIES = 3
_HOUR_S = 3_600.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CGROUP = "/sys/fs/cgroup/"


class Gauge:
    """One per process. `refresh` runs on a thread of ours, `why_not` anywhere."""

    def __init__(self, terms: Terms, twin: ModuleType) -> None:
        self._terms = terms
        self._twin = twin
        self.obstacle = "nothing was measured yet"
        """Why no twin was to be made when this was looked at last; it may stay so for long."""
        self._looked_at = 0.0
        self._paid: deque[tuple[float, float]] = deque(maxlen=20_000)
        self._last = 0.0
        self._ms_per_byte = 0.0
        self._measured: deque[float] = deque(maxlen=_REMEMBERED)
        self._measured_at = 0.0
        self._again_s = AGAIN_S
        self.rss = 0

    def why_not(self, now: float) -> str:
        """Return why no twin is made at `now` (`time.monotonic()`), or nothing."""
        if now - self._last < 1 / self._terms.rate:
            return f"twins are made {self._terms.rate:g} a second at most"
        if now - self._looked_at > FRESH_S:
            return "the agent's own thread does not come to run"
        return self.obstacle

    def foretold_ms(self) -> float:
        """Return the pause that the next twin is expected to cost."""
        return self._ms_per_byte * self.rss

    def paid(self, now: float, pause_ms: float) -> None:
        """Take down what a twin has cost."""
        self._last = now
        self.charge(now, pause_ms)
        self._learn(pause_ms)

    def charge(self, now: float, pause_ms: float) -> None:
        """Take down what the process has paid beside."""
        self._paid.append((now, pause_ms / 1e3))

    def refresh(self, now: float) -> None:
        """Look at the process and its host."""
        self.rss = _resident()
        if (
            self.foretold_ms() > self._terms.pause_ms
            and now - self._measured_at > self._again_s
        ):
            self._measure_again(now)
        self.obstacle = self._found(now)
        self._looked_at = now

    def calibrate(self) -> None:
        """Make one twin that ends at once, and measure it; where one could be made at all."""
        if self._ms_per_byte or self._limits():
            return
        for _ in range(_TRIES):  # one slow moment of the host says nothing of the process
            self._measure()
            if self.foretold_ms() <= self._terms.pause_ms:
                return

    def _measure_again(self, now: float) -> None:
        """A pause that was too long must not be the last word on this process: forget it."""
        known, self._ms_per_byte = self._ms_per_byte, 0.0
        self._measured.clear()
        if not self._found(now):
            self._again_s = min(2 * self._again_s, _HOUR_S)
            self._measure()
            self.charge(now, self.foretold_ms())
        self._ms_per_byte = self._ms_per_byte or known

    def _measure(self) -> None:
        began = time.perf_counter()
        pid = self._twin.clone(self._twin.STRICT, 1.0, 1, MOST_SHARED, (), ())
        if pid == 0:
            os._exit(0)
        self._learn((time.perf_counter() - began) * 1e3)
        until, pause = time.monotonic() + 2.0, Bell()
        while self._twin.reap(pid) is None and time.monotonic() < until:
            pause.wait(0.001)

    def _learn(self, pause_ms: float) -> None:
        self._measured_at = time.monotonic()
        if pause_ms <= self._terms.pause_ms:
            self._again_s = AGAIN_S
        self._measured.append(pause_ms / max(1, self.rss))
        self._ms_per_byte = sorted(self._measured)[len(self._measured) // 2]

    def _found(self, now: float) -> str:
        if limit := self._limits():
            return limit
        foretold = self.foretold_ms()
        if foretold > self._terms.pause_ms:
            allowed_ms = self._terms.pause_ms
            return f"its pause would be {foretold:.0f} ms, and {allowed_ms:g} are allowed"
        while self._paid and now - self._paid[0][0] > _HOUR_S:
            self._paid.popleft()
        allowed = PAUSE_S_AN_HOUR * max(1.0, self._terms.rate / DEFAULT_RATE)
        if sum(pause for _, pause in self._paid) + foretold / 1e3 > allowed:
            return f"pauses of {allowed:g} s were paid within the hour, which is all there is"
        return ""

    def _limits(self) -> str:
        """Return what of the process or the host forbids a twin, whatever it costs."""
        if self.rss > MOST_BYTES:
            return f"this process has {self.rss / 1e6:.0f} MB, and 1,000 are the most"
        free = _free_bytes()
        if free is not None and free < self.rss / 2:
            return f"{free / 1e6:.0f} MB of memory are free, and half of its size is needed"
        load, cores = _load(), os.cpu_count() or 1
        if load > self._terms.load * cores:
            return (
                f"the host is busy: load {load:.1f} on {cores} cores "
                f"(LEADLINE_TWIN_LOAD is {self._terms.load:g} a core)"
            )
        shared = self._twin.shared_writable(MOST_SHARED)
        if shared > MOST_SHARED:
            return "more than 64 MB of its memory are shared with other processes"
        left = _pids_left()
        if left is not None and left < LEAST_PIDS:
            return f"only {left} more processes may be started here"
        return ""


def _resident() -> int:
    words = _read("/proc/self/statm").split()
    return int(words[1]) * _PAGE if len(words) > 1 else 0


def _free_bytes() -> int | None:
    """Return the memory that is left to this process: the host's, or its own group's."""
    found = [
        int(line.split()[1]) * 1024
        for line in _read("/proc/meminfo").splitlines()
        if line.startswith("MemAvailable:")
    ]
    most, used = (
        _read(_CGROUP + "memory.max").strip(),
        _read(_CGROUP + "memory.current").strip(),
    )
    if most.isdigit() and used.isdigit():
        found.append(int(most) - int(used))
    return min(found, default=None)


def _pids_left() -> int | None:
    most, used = _read(_CGROUP + "pids.max").strip(), _read(_CGROUP + "pids.current").strip()
    return int(most) - int(used) if most.isdigit() and used.isdigit() else None


def _load() -> float:
    words = _read("/proc/loadavg").split()
    try:
        return float(words[0]) if words else 0.0
    except ValueError:
        return 0.0


def _read(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 65_536).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
