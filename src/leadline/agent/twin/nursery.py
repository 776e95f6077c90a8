"""Makes twins on the application's thread, and looks after them on one of ours.

At the hit there is nothing but the clone itself: whether one may be made was found out before,
and what it says is read, compared and told later. The live process never waits for a twin.
"""

import os
import time
from _thread import get_ident
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

from leadline import native
from leadline.agent.capture.task import task_name
from leadline.agent.capture.trace import trace_of
from leadline.agent.core.passage import Passage, Visit
from leadline.agent.guard import faults
from leadline.agent.link.native import Bell, new_lock, start_thread
from leadline.agent.probes.making import Home
from leadline.agent.twin import database_file, inside, telling
from leadline.agent.twin.child import Birth, Child
from leadline.agent.twin.gauge import Gauge
from leadline.agent.twin.hushing import safe_reply
from leadline.agent.twin.order import Orders
from leadline.agent.twin.readable import readable
from leadline.agent.twin.sampling import Sampling
from leadline.agent.twin.shells import LEFT, Shells, obey, refused
from leadline.agent.twin.terms import Terms
from leadline.expression import Unknown
from leadline.trial import chance
from leadline.wire.errors import InternalError
from leadline.wire.probe import TwinProbe
from leadline.wire.shell import decode_tell
from leadline.wire.twin import REPEATS, TRIES, TwinPolicy, TwinUse

TICK_S = 0.01
"""How often living twins are heard: one answer costs a few looks."""
IDLE_S = 0.5
"""How often the process and its host are looked at while twins are wanted."""
MEMORY_BYTES = 512_000_000
"""What a twin may take beyond what the process has."""


class Nursery:
    """One per process, made with the first probe that wants a twin."""

    def __init__(self, terms: Terms, home: Home) -> None:
        """`terms` were checked (`check_terms`)."""
        twin = native.twin()
        if twin is None:
            raise InternalError("Nobody has asked whether there can be twins.")
        self.terms = terms
        self._twin: ModuleType = twin
        self._home = home
        self._shells: Shells | None = None
        self.gauge = Gauge(terms, twin)
        self._orders = Orders()
        self._bell = Bell()
        self._lock, self._birth, self._ending = new_lock(), new_lock(), new_lock()
        self._children: deque[Child] = deque()
        self._open: dict[int, Child] = {}
        self._unserved: deque[Child] = deque()
        """Twins of samples that nobody of ours listens to yet."""
        self._hopeless: dict[str, str] = {}
        self._wanted = 0
        self._running = False
        self._readable: tuple[bytes, ...] = ()
        self._now = time.time  # kept here: tests of applications replace time.time itself

    def move(self, home: Home) -> None:
        """Report as another instance from now on."""
        self._home = home
        self._shells = None

    def want(self) -> None:
        """Begin to look after a probe that makes twins."""
        with self._lock:
            self._wanted += 1
            idle, self._running = not self._running, True
        self._look_around()
        self.gauge.calibrate()
        self._look_around()
        if idle:
            start_thread("nursery", self._run)

    def unwant(self, probe: str) -> None:
        """Such a probe has gone, and its twin with it; once all have, the thread goes too."""
        with self._lock:
            self._wanted -= 1
        self._hopeless.pop(probe, None)
        self.dismiss(probe)
        self._bell.ring()

    def dismiss(self, probe: str | None = None) -> None:
        """End the twins of a probe, or all, that nobody waits for any more."""
        for child in list(self._children):
            if probe in (None, child.probe.id):
                child.dismissed = True
                self._end(child)

    def desert(self) -> None:
        """End the twins of shells: the way to whoever sat at them is lost."""
        for child in list(self._children):
            if child.probe.use is TwinUse.SHELL:
                self._leave(child)

    def forked(self) -> None:
        """In a forked child: the twins are the parent's, and so is who looked after them."""
        for child in self._children:
            child.close()
        self._children.clear()
        self._open.clear()
        self._unserved.clear()
        self._lock, self._birth, self._ending = new_lock(), new_lock(), new_lock()
        self._bell = Bell()
        self._running = self._wanted > 0
        if self._running:
            start_thread("nursery", self._run)

    def make(self, probe: TwinProbe, passage: Passage, visit: Visit) -> None:
        """Make a twin at a hit, on the application's thread. Raises `Unknown` with the reason
        where none is made. Returns in the live process, and in the twin of a shell."""
        lasting = self._hopeless.get(probe.id) or self.gauge.obstacle
        if lasting:
            passage.unknown = f"no twin: {lasting}"  # and no reason of a moment before it
        if obstacle := lasting or self._obstacle(time.monotonic()):
            raise Unknown(f"no twin: {obstacle}")
        birth = Birth(self._now(), get_ident(), task_name(), *trace_of())
        luck, policy = chance.remember(), self.policy
        if not self._birth.acquire(blocking=False):
            raise Unknown("no twin: another thread makes one at this moment")
        try:
            if self.terms.key and not self._orders.allow(probe, birth.time):
                raise Unknown("no twin: this order has made all that it was signed for")
            self._bear(probe, passage, visit, birth, luck, policy)
        finally:
            self._birth.release()

    def _bear(
        self,
        probe: TwinProbe,
        passage: Passage,
        visit: Visit,
        birth: Birth,
        luck: chance.State,
        policy: TwinPolicy,
    ) -> None:
        ours, theirs = self._twin.channel()
        began = time.perf_counter_ns()
        if probe.use in TRIES:
            database_file.remember(forget=probe.use is not TwinUse.VERIFY)
        try:
            pid = self._twin.clone(
                self._policy(probe),
                probe.life_s,
                int(probe.life_s) + 1,
                MEMORY_BYTES,
                (theirs,),
                self._readable,
            )
        except BaseException as error:
            os.close(ours)
            os.close(theirs)
            if not isinstance(error, OSError):
                raise  # a signal handler of the application's
            raise Unknown(f"no twin: {error.strerror or error}") from None
        if pid == 0:
            inside.live(probe, visit, theirs, luck, policy)
            return  # a shell's frame goes on, step by step
        ended = time.perf_counter_ns()
        os.close(theirs)
        pause_ms = (ended - began) / 1e6
        child = Child(pid, probe, passage, visit.site, birth, ours, pause_ms, time.monotonic())
        self._children.append(child)
        if self.terms.key:
            self._orders.use(probe)
        if probe.use in REPEATS:
            self._open[object.__hash__(visit.frame)] = child
        if probe.use is TwinUse.SAMPLE:
            self._unserved.append(child)
        self.gauge.paid(child.born, pause_ms)
        self._bell.ring()

    def tell(self, message: dict[str, Any]) -> None:
        """Take a request to a shell, on the receiver's thread. Raises `WireError`."""
        request = decode_tell(message)
        for child in list(self._children):
            if child.probe.id == request.probe and child.probe.use is TwinUse.SHELL:
                child.requests.append(request)
        self._bell.ring()

    def outcome(self, frame: int, take: Callable[[], bytes]) -> None:
        """At the end of a live call of which a rerun was made: keep what it came to."""
        child = self._open.pop(frame, None)
        if child is None:
            return
        began = time.perf_counter_ns()
        child.live = take()
        more_ms = (time.perf_counter_ns() - began) / 1e6
        child.pause_ms += more_ms
        self.gauge.charge(time.monotonic(), more_ms)

    @property
    def awaits_outcomes(self) -> bool:
        """Whether a live call is under way that is run again in a twin."""
        return bool(self._open)

    def _obstacle(self, now: float) -> str:
        if self._children and any(child.status is None for child in list(self._children)):
            return "one lives already"
        return self.gauge.why_not(now)

    def _policy(self, probe: TwinProbe) -> int:
        twin = self._twin
        more = int(twin.GRANDCHILDREN) if probe.use in TRIES else 0
        match self.terms.policy:
            case TwinPolicy.THREADS if twin.landlock():
                return int(twin.READONLY | twin.THREADS) | more
            case TwinPolicy.READONLY if twin.landlock():
                return int(twin.READONLY) | more
            case _:
                return int(twin.STRICT) | more

    @property
    def policy(self) -> TwinPolicy:
        """Return the policy that twins here really have: without Landlock no file is read."""
        return self.terms.policy if self._twin.landlock() else TwinPolicy.STRICT

    def _look_around(self) -> None:
        self._readable = readable(self.terms.readable)
        self.gauge.refresh(time.monotonic())

    def _run(self) -> None:
        looked = 0.0
        while True:
            self._bell.wait(TICK_S if self._children else IDLE_S)
            now = time.monotonic()
            if now - looked > IDLE_S:
                looked = now
                try:
                    self._look_around()
                except Exception as error:  # noqa: BLE001 - those that live are still looked after
                    faults.count("twin", error)
            while self._unserved:
                self._serve(self._unserved.popleft())
            for child in list(self._children):
                try:
                    self._look_after(child, now)
                except Exception as error:  # noqa: BLE001 - one twin must not hide the others
                    faults.count("twin", error)
                    self._give_up(child)
            with self._lock:
                if not self._wanted and not self._children:
                    self._running = False
                    return

    def _look_after(self, child: Child, now: float) -> None:
        if child.dismissed:
            if self._has_ended(child):
                self._bury(child)
            return
        if child.probe.use is not TwinUse.SAMPLE:
            replies = child.hear()
            if child.probe.use is TwinUse.SHELL:
                self._converse(child, replies)
        if child.status is None:
            if self._has_ended(child):
                child.ended = now
            elif now > child.deadline and not child.killed:
                child.killed = True
                self._end(child)
        if child.status is not None and not child.closed and now - child.ended > 1.0:
            self._let_go(child)  # somebody else holds the other end: nothing more comes of it
        if child.finished(now):
            self._bury(child)
            if hopeless := child.obstacle():
                self._hopeless[child.probe.id] = hopeless
                child.passage.unknown = f"no twin: {hopeless}"  # and no other reason before it
            if child.probe.use is TwinUse.SHELL and not child.left:
                self._shell().post(child.probe.id, [], ended=telling.farewell(child))
            self._home.deliver(telling.record(child, self.policy))

    def _serve(self, child: Child) -> None:
        """Have somebody listen to a sample's twin."""
        home = self._home
        serving = Sampling(child, home.instance, self.policy, home.calls, home.deliver)
        child.served = True
        try:
            serving.start()
        except RuntimeError as error:  # no thread is to be had
            child.served = False
            faults.count("twin", error)
            self._give_up(child)

    def _let_go(self, child: Child) -> None:
        """Close the channel of a twin, unless that is for another thread to do."""
        if not child.served:
            child.close()

    def _has_ended(self, child: Child) -> bool:
        """Reap a twin, if it has ended; from then on its number may be somebody else's."""
        with self._ending:
            if child.status is None:
                child.status = self._twin.reap(child.pid)
            return child.status is not None

    def _end(self, child: Child) -> None:
        """End a twin that was not reaped yet; from any thread of ours."""
        with self._ending:
            if child.status is None:
                self._twin.end(child.pid)

    def _converse(self, child: Child, replies: list[dict[str, Any]]) -> None:
        """Pass on what a shell was asked and what it answered."""
        said = [
            safe_reply(reply, child.asked.pop(reply.get("number"), "")) for reply in replies
        ]
        while child.requests:
            request = child.requests.popleft()
            why = obey(child, request, self.terms.key)
            if why is LEFT:
                self._leave(child)
            elif why:
                said.append(refused(request, why))
        if said and not child.left:
            self._shell().post(child.probe.id, said)
        if not child.left and child.probe.id in self._shell().deserted:
            self._leave(child)

    def _leave(self, child: Child) -> None:
        """End a shell that nobody sits at any more."""
        child.left = True
        self._end(child)

    def _shell(self) -> Shells:
        if self._shells is None:
            self._shells = self._home.shells()
        return self._shells

    def _give_up(self, child: Child) -> None:
        """End a twin that cannot be looked after: nothing more is told of it, and it is no
        more than reaped."""
        child.dismissed = True
        self._end(child)

    def _bury(self, child: Child) -> None:
        for said in child.said("databases"):
            database_file.note(said)
        self._let_go(child)
        if child in self._children:
            self._children.remove(child)
        for frame, one in list(self._open.items()):
            if one is child:
                self._open.pop(frame, None)
