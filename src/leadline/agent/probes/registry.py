"""The set of probes that this process should carry, and how each one stands.

The set comes from the server and is applied on our own threads. Only an import under way calls
in from the application's thread; it never waits for the lock, it leaves its news instead.
"""

import sys
import time
from collections import deque
from collections.abc import Iterable
from types import CodeType, ModuleType

from leadline.agent.core import Core
from leadline.agent.core.monitor import Monitor
from leadline.agent.departure import Departure
from leadline.agent.guard import faults
from leadline.agent.link.native import new_lock
from leadline.agent.locate.home import file_for
from leadline.agent.locate.imports import ImportWatch
from leadline.agent.locate.modules import module_file
from leadline.agent.locate.text import forget_texts
from leadline.agent.probes.arming import WAITING, Arming, fail
from leadline.agent.probes.budget import Budget
from leadline.agent.probes.making import Making
from leadline.agent.probes.standing import Standing
from leadline.agent.probes.tally import Tally
from leadline.wire.errors import InternalError, LeadlineError, UnavailableError
from leadline.wire.hit import Point, ProbeState
from leadline.wire.probe import AGGREGATED, Probe, Status
from leadline.wire.redaction import forget_names
from leadline.wire.struct import replace

_FORK_WAIT_S = 0.05
"""The longest that a fork waits for an arming under way; one arming takes well under 5 ms."""
_MAIN_WAIT_S = 10.0
"""An interpreter that has not begun its main script by then runs none (an embedded one)."""
_OPEN = (Status.PENDING, Status.ARMED, Status.SUSPENDED, Status.MISMATCH)
_MAX_LAST = 1_000
"""Last states of probes that were taken out, kept until the server has them."""
_MAX_NEWS = 1_000
"""Imports remembered while the lock is held; more within one arming is not believable."""


class Registry:
    """Applies the desired set: compiles, finds, arms, expires, suspends, reports."""

    def __init__(self, core: Core, monitor: Monitor, making: Making | None = None) -> None:
        self._core = core
        self._making = making or Making()
        self._imports = ImportWatch(monitor, self._imported)
        self.departure = Departure(monitor)
        self.budget = Budget(core)
        self._arming = Arming(core)
        self._lock = new_lock()
        self._standing: dict[str, Standing] = {}
        self._news: deque[CodeType | ModuleType] = deque(maxlen=_MAX_NEWS)
        self._last: deque[ProbeState] = deque(maxlen=_MAX_LAST)
        self._ended: deque[tuple[str, Tally]] = deque(maxlen=_MAX_LAST)
        self._off: str | None = None
        self._main_until = 0.0
        self._spawned_main: ModuleType | None = None

    def apply(self, probes: Iterable[Probe]) -> None:
        """Make the set exactly `probes`; those that are here already go on as they are.

        Another server, or one that has lost its database, gives known ids to other probes.
        """
        wanted = {probe.id: probe for probe in probes}
        with self._lock:
            for standing in list(self._standing.values()):
                same = wanted.get(standing.probe.id)
                if same is None or not _same(standing.probe, same):
                    self._remove(standing.probe.id, quietly=same is not None)
            for probe in wanted.values():
                known = self._standing.get(probe.id)
                if known is None:
                    self._add(probe)
                else:
                    known.deadline = time.monotonic() + probe.limits.ttl_s
            self._watch()
        self._study(time.monotonic())

    def add(self, probes: Iterable[Probe]) -> None:
        """Add probes to the set."""
        with self._lock:
            for probe in probes:
                known = self._standing.get(probe.id)
                if known is None:
                    self._add(probe)
                elif known.state.anchor is not None and known.state.anchor == probe.anchor:
                    known.probe = probe  # it comes from here
                elif known.probe.anchor != probe.anchor:
                    self._remove(probe.id, quietly=True)
                    self._add(probe)
            self._watch()
        self._study(time.monotonic())

    def remove(self, ids: Iterable[str]) -> None:
        """Take probes out of the set and out of the code."""
        with self._lock:
            for probe in ids:
                self._remove(probe)
            self._watch()

    def await_main(self) -> None:
        """Arm probes on the main script before its first line, which has not run yet."""
        if any(one.state.status is Status.PENDING for one in self._standing.values()):
            self._imports.await_main()
            self._main_until = time.monotonic() + _MAIN_WAIT_S

    def tick(self, now: float) -> None:
        """Let time pass: limits refill, probes expire, imports that were left are looked at.

        `now` is `time.monotonic()`. Called about ten times a second while there are probes.
        """
        with self._lock:
            self._meet_spawned_main()
            while self._news:
                self._take_news(self._news.popleft())
            armed = [
                one
                for one in self._standing.values()
                if one.state.status in (Status.ARMED, Status.SUSPENDED)
            ]
            for one in self._standing.values():
                self._expire(one, now)
                if self._off is None:
                    self._arming.tend(one, awaited=self._making.awaits())
                self._arming.count_entries(one)
                if one.tally is not None:
                    one.tally.fold()
            if self._main_until and now > self._main_until:
                self._main_until = 0.0
                self._imports.give_up_main()
            self._watch()
            if self._off is None:
                self.budget.tick(now, [one for one in armed if one.compiled is not None])
        self._search(now)
        self._study(now)

    def points(self, instance: str, seq: int, *, last: bool) -> list[Point]:
        """Return what probes that add up have seen, numbered from `seq` on; `last` also what
        is not a whole window yet."""
        found: list[Point] = []
        with self._lock:
            while self._ended:
                probe, tally = self._ended.popleft()
                if point := tally.point(probe, instance, seq + len(found), last=True):
                    found.append(point)
            for one in self._standing.values():
                if one.tally is None:
                    continue
                now = last or one.state.status not in (Status.ARMED, Status.SUSPENDED)
                number = seq + len(found)
                if point := one.tally.point(one.probe.id, instance, number, last=now):
                    found.append(point)
        return found

    def switch_off(self, reason: str) -> None:
        """Take every event out of the process and give the tool id back; the probes stay
        known and go on when `switch_on` is called."""
        self._making.dismiss()
        with self._lock:
            self._off = reason
            for one in self._standing.values():
                self._arming.disarm(one)
                one.counting = False
                if one.state.status in _OPEN:
                    self._suspend(one)
            self._imports.switch(on=False)
            self._imports.give_up_main()
            self.departure.watch(on=False)
            self._core.close()

    def switch_on(self) -> None:
        """Arm again what was there when it was switched off, and what came since; where
        another tool has taken the tool id meanwhile, say so and stay off."""
        with self._lock:
            if self._off is None:
                return
            try:
                self._core.open()
            except UnavailableError as error:
                self._off = f"{error.message} [{error.slug}]"
                for one in self._standing.values():
                    if one.state.status is Status.SUSPENDED:
                        self._suspend(one)
                return
            self._off = None
            for one in self._standing.values():
                if one.state.status is Status.SUSPENDED:
                    one.state = replace(one.state, status=Status.PENDING, reason="")
                    for passage in one.compiled.passages if one.compiled is not None else ():
                        passage.off = False
                    self._place(one)
            self._watch()

    def __bool__(self) -> bool:
        """Whether there is anything to look after or to report."""
        return bool(self._standing or self._last or self._ended)

    def state(self, probe: str) -> ProbeState:
        """Return how a probe stands now. Raises `KeyError` for one that is not here."""
        return self._standing[probe].now()

    def standing(self, probe: str) -> Standing:
        """Return all that is known of a probe here. Raises `KeyError`."""
        return self._standing[probe]

    def changes(self) -> list[ProbeState]:
        """Return the states that nobody has acknowledged yet."""
        states = ((one, one.now()) for one in list(self._standing.values()))
        return [*self._last, *(state for one, state in states if state != one.acknowledged)]

    def moved(self, state: ProbeState) -> bool:
        """Whether more than the counters of `state` is news."""
        one = self._standing.get(state.probe)
        known = one.acknowledged if one is not None else None
        return known is None or (known.status, known.reason, known.line) != (
            state.status,
            state.reason,
            state.line,
        )

    def acknowledge(self, states: Iterable[ProbeState]) -> None:
        """Remember what the server knows."""
        with self._lock:
            for state in states:
                if state.status is Status.REMOVED and state in self._last:
                    self._last.remove(state)
                elif one := self._standing.get(state.probe):
                    one.acknowledged = state

    def forget_acknowledged(self) -> None:
        """Report everything again: the server that knew it may be another one now."""
        for one in list(self._standing.values()):
            one.acknowledged = None

    def before_fork(self) -> bool:
        """Wait for an arming under way, but not long; returns whether the set is in order."""
        return bool(self._lock.acquire(timeout=_FORK_WAIT_S))

    def after_fork_in_parent(self, held: bool) -> None:
        """Go on after `before_fork` answered `held`."""
        if held:
            self._lock.release()

    def after_fork_in_child(self, held: bool) -> None:
        """Begin anew in a forked child, which carries the same probes with counters at zero.

        Code and monitoring were copied by the fork, so the probes stay armed without a gap;
        unless an arming was cut in two, then all is done again.
        """
        self._lock = new_lock()
        self._news.clear()
        self._last.clear()
        self._ended.clear()
        probes = [one.probe for one in self._standing.values()]
        if not held:
            for known in list(self._standing):
                self._remove(known)
            self.add(probes)
        for one in self._standing.values():
            one.acknowledged = None
            if one.compiled is not None:
                for passage in one.compiled.passages:
                    passage.forget()
                if one.compiled.following is not None:
                    one.compiled.following.renew()
            if one.tally is not None:
                one.tally.begin()

    def _add(self, probe: Probe) -> None:
        deadline = time.monotonic() + probe.limits.ttl_s
        one = Standing(probe, deadline, file_for(probe.target))
        one.state = ProbeState(probe.id, Status.PENDING)
        self._standing[probe.id] = one
        try:
            one.compiled = self._making.compiled(probe)
        except LeadlineError as error:
            fail(one, error)
            return
        if probe.kind in AGGREGATED:
            one.tally = Tally(one.compiled.passage)
        if self._off is not None:
            self._suspend(one)
        else:
            self._place(one)

    def _place(self, one: Standing) -> None:
        """Arm a probe if its code is there; one probe must not keep the others out."""
        try:
            self._arming.look(one)
        except LeadlineError as error:
            fail(one, error)
        except Exception as error:  # noqa: BLE001 - see above
            faults.count("placing", error)
            fail(one, InternalError("The agent has failed to place this probe."))

    def _suspend(self, one: Standing) -> None:
        reason = f"switched off: {self._off}" if self._off else "switched off"
        one.state = replace(one.state, status=Status.SUSPENDED, reason=reason)

    def _remove(self, probe: str, *, quietly: bool = False) -> None:
        one = self._standing.pop(probe, None)
        if one is None:
            return
        self._arming.disarm(one)
        self._making.gone(one.probe)
        if one.tally is not None:
            self._ended.append((one.probe.id, one.tally))
        if one.acknowledged is not None and not quietly:
            self._last.append(replace(one.now(), status=Status.REMOVED, reason="taken out"))

    def _study(self, now: float) -> None:
        """Find out, without the lock, what the states do not say yet, and take it over."""
        if self._off is not None:
            return
        every = list(self._standing.values())
        for one in every:
            try:
                studied = self._arming.study(one, now)
                if studied is not None:
                    with self._lock:
                        if self._here(one):
                            self._arming.adopt(one, studied)
            except LeadlineError as error:
                fail(one, error)
            except Exception as error:  # noqa: BLE001 - one probe must not keep the others back
                faults.count("studying", error)
                one.unconfirmed = one.unexplained = False

    def _here(self, one: Standing) -> bool:
        """Whether a probe is still wanted, and may be armed."""
        return self._off is None and self._standing.get(one.probe.id) is one

    def _search(self, now: float) -> None:
        """Look for code that no import tells of, for one of those that wait at a time."""
        every = list(self._standing.values())  # in one step: the other thread adds and removes
        waiting = [one for one in every if one.state.status in WAITING]
        try:
            if self._off is None and (found := self._arming.search(waiting, now)):
                with self._lock:
                    if self._here(found[0]):
                        self._arming.arm(*found)
        except Exception as error:  # noqa: BLE001 - limits and expiry must go on
            faults.count("searching", error)

    def _expire(self, one: Standing, now: float) -> None:
        if one.state.status in (Status.EXPIRED, Status.ERROR):
            return
        following = one.compiled.following if one.compiled is not None else None
        if one.compiled is not None and one.compiled.passage.spent:
            reason = f"all {one.probe.limits.hits} hits were captured"
        elif following is not None and following.over:
            reason = following.over
        elif now >= one.deadline:
            reason = "its time to live is over"
        else:
            return
        if one.compiled is not None:
            self._core.disarm(one.compiled.passage)
        one.state = replace(one.state, status=Status.EXPIRED, reason=reason)

    def _watch(self) -> None:
        """Watch imports while there are probes: a module may come, or be loaded once more."""
        states = [one.state.status for one in self._standing.values()]
        on = self._off is None and any(status in _OPEN for status in states)
        self._imports.switch(on)
        self.departure.watch(on)
        if Status.PENDING not in states:
            self._imports.give_up_main()
        if not states:
            forget_texts()
            self._core.forget()
            forget_names()

    def _imported(self, news: CodeType | ModuleType) -> None:
        """On the importing thread: arm at once if nobody holds the lock, else leave word."""
        if not self._lock.acquire(blocking=False):
            self._news.append(news)
            return
        try:
            self._take_news(news, quick=True)
        finally:
            self._lock.release()

    def _meet_spawned_main(self) -> None:
        """Arm in the script of a child that `multiprocessing` has spawned: it is not imported,
        but run, and then put among the modules."""
        main = sys.modules.get("__mp_main__")
        if main is not None and main is not self._spawned_main:
            self._spawned_main = main
            self._take_news(main)

    def _take_news(self, news: CodeType | ModuleType, *, quick: bool = False) -> None:
        """Arm the probes on this file; code that is loaded once more is armed as well."""
        is_code = isinstance(news, CodeType)
        filename = news.co_filename if isinstance(news, CodeType) else module_file(news)
        left = False
        for one in self._standing.values():
            wanted = one.state.status in (_OPEN if is_code else (Status.PENDING,))
            if not wanted or not one.file.matches(filename):
                continue
            try:
                left = left or not self._arming.news(news, one, quick=quick)
            except Exception as error:  # noqa: BLE001 - one probe must not hide the module from the rest
                faults.count("import", error)
        if left:
            self._news.append(news)


def _same(one: Probe, other: Probe) -> bool:
    """Whether two probes of one id are one, whose time shrinks and whose anchor comes later."""
    limits = replace(one.limits, ttl_s=other.limits.ttl_s)
    return replace(one, limits=limits, anchor=other.anchor) == other
