"""Hits out: empties the ring, makes texts of it, and posts batches until they are taken.

A batch that the server did not answer is posted again as it is; hits carry a number, so one
that did arrive is counted once. While the server is away the ring fills up and then drops.
"""

import sys
import time
import zlib
from collections import deque
from collections.abc import Callable

from leadline.agent.capture import outlet
from leadline.agent.core import Core, Record
from leadline.agent.core.passage import Reading, Site
from leadline.agent.guard import faults
from leadline.agent.link.http import Address, Connection, HttpError
from leadline.agent.link.native import Bell
from leadline.agent.probes.registry import Registry
from leadline.expression.reading import Unknown, attribute
from leadline.wire.hit import Detail, FrameView, Hit, InstanceInfo, Point, Report
from leadline.wire.messages import MAX_REPORT_BYTES, REPORT_PATH, encode

TICK_S = 0.1
"""How often the ring is looked at while there are probes: a hit is shown within 0.5 s."""
SLOW_TICK_S = 0.4
REST = 4
"""After a report the sender rests for so many times as long as that took, within these two: a
server with a large fleet settles by itself at fewer and larger reports, which cost it less."""
IDLE_S = 5.0
"""How often it is looked at without probes; the bell ends this wait."""
COUNTS_S = 1.0
"""How often counters alone are worth a report."""
BATCH_HITS = 200
MAX_BATCH_CHARS = MAX_REPORT_BYTES // 4
DEFLATE_BYTES = 1_000
"""Below this, compressing costs more than sending."""
DEFLATE_LEVEL = 1
CALLS_LEVEL = 6
"""Of a report with captured calls, which are few and long."""
LONGEST_PAUSE_S = 2.0
_MAX_TOLD = 1_000
"""Answers of twins that wait for the server; there are a few an hour."""


class Sender:
    """Lives on a thread of its own; `flush` is what the end of the process calls."""

    def __init__(
        self,
        address: Address,
        key: str,
        who: InstanceInfo,
        core: Core,
        registry: Registry,
        after_wait: Callable[[], None],
        bell: Bell,
        done: Bell,
    ) -> None:
        """`bell` wakes it early; it rings `done` when it has sent what `flush` asked for."""
        self._connection = Connection(address, key)
        self._who = who
        self._core = core
        self._registry = registry
        self.after_wait = after_wait
        self._batch: list[Hit] = []
        self._told_by_twins: deque[Record] = deque(maxlen=_MAX_TOLD)
        self._points: list[Point] = []
        self._seq = 0
        self._counts_at = 0.0
        self._lost: dict[str, int] = {}
        self._told: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self._stopping = False
        self._asked = False
        self._done = done
        self.bell = bell
        self._reached = False
        self._away = False
        self._rushed = False

    def run(self) -> None:
        """Send until told to stop, and once more then."""
        pause = TICK_S
        while not self._stopping:
            self.bell.wait(pause if self._registry or self._batch else IDLE_S)
            asked, self._asked = self._asked, False
            try:
                self.after_wait()
                begun = time.monotonic()
                self._registry.tick(begun)
                reached = self._send(leaving=False, last=asked)
                if reached:
                    pause = self._rest(time.monotonic() - begun)
                else:
                    pause = min(2 * pause, LONGEST_PAUSE_S)
            except Exception as error:  # noqa: BLE001 - a failed round must not be the last one
                faults.count("sender", error)
                pause = LONGEST_PAUSE_S
            if asked and not self._stopping:
                self._done.ring()
        try:
            self._registry.tick(time.monotonic())
            self._send(leaving=True, last=True)
        finally:
            self._done.ring()

    def flush(self, seconds: float, *, stop: bool) -> None:
        """Send what is there, and with `stop` end the thread; returns after `seconds` at the
        latest, and at once when the server was not there the last time."""
        self._stopping, self._asked = stop, True
        self.bell.ring()
        if not self._away:
            self._done.wait(seconds)

    def stop(self) -> None:
        """Let `run` send once and end; who waits for that has the bell."""
        self._stopping = True

    def deliver(self, record: Record) -> None:
        """Send what did not come through the ring; from any thread of ours."""
        if len(self._told_by_twins) == _MAX_TOLD:
            self._lose("buffer full", 1)
        self._told_by_twins.append(record)
        self.bell.ring()

    def abandon(self) -> None:
        """In a forked child: let go of the parent's connection without a word to the server."""
        self._connection.close()

    def _send(self, *, leaving: bool, last: bool) -> bool:
        """Post everything there is, batch by batch; returns False when the server is away.

        With `last` nothing waits for its second to be over: there may be no later.
        """
        self._rushed = False
        while True:
            self._fill(last=last)
            report = self._report(leaving=leaving and len(self._batch) < BATCH_HITS, last=last)
            if report is None:
                return True
            try:
                calls = any(hit.call is not None for hit in report.hits)
                self._post(encode(report), CALLS_LEVEL if calls else DEFLATE_LEVEL)
            except OSError as error:
                self._connection.close()
                refused = isinstance(error, HttpError) and error.status in (400, 413, 422)
                if not refused:
                    self._reached, self._away = False, True
                    return False
                self._lose("refused by the server", len(self._batch) + len(self._points))
                faults.count("report", error)
            self._reached, self._away = True, False
            self._batch, self._points = [], []
            self._registry.acknowledge(report.states)
            self._told = (report.dropped, report.faults)
            if len(report.hits) < BATCH_HITS:
                return True
            self._rushed = True
            self._registry.tick(time.monotonic())  # this may go on for long

    def _rest(self, took: float) -> float:
        """Return the pause after a round that took so many seconds. With more than one report
        in it the ring fills quickly, and is emptied as often as can be."""
        return TICK_S if self._rushed else min(max(TICK_S, REST * took), SLOW_TICK_S)

    def _fill(self, *, last: bool) -> None:
        if not self._points:
            self._points = self._registry.points(self._who.id, self._seq + 1, last=last)
            self._seq += len(self._points)
        room = MAX_BATCH_CHARS
        while len(self._batch) < BATCH_HITS and room > 0:
            record = self._next()
            if record is None:
                return
            room -= len(record.payload)
            try:
                hit, weight = self._hit(record)
                self._batch.append(hit)
                room -= weight
            except Exception as error:  # noqa: BLE001 - one hit must not hold up the others
                self._lose("unreadable", 1)
                faults.count("hit text", error)

    def _next(self) -> Record | None:
        if self._told_by_twins:
            return self._told_by_twins.popleft()
        records = self._core.drain(1)
        return records[0] if records else None

    def _hit(self, record: Record) -> tuple[Hit, int]:
        """Return the hit, and what it takes beyond its record, in bytes."""
        read = record.passage.read
        reading = read(record.payload) if read is not None else Reading("", {})
        at = _place(record.site, reading.detail)
        self._seq += 1
        hit = Hit(
            probe=record.passage.probe,
            instance=self._who.id,
            seq=self._seq,
            time=record.time,
            thread=outlet.label(_thread_name(record.thread), f"thread {record.thread}"),
            file=at.file,
            line=at.line,
            function=at.function,
            message=outlet.message(reading.message),
            values=reading.values,
            task=outlet.label(record.task),
            trace=record.trace,
            span=record.span,
            detail=reading.detail,
            twin=reading.twin,
            call=reading.carried,
        )
        return hit, reading.weight

    def _report(self, *, leaving: bool, last: bool) -> Report | None:
        """Return the next report, or None when there is nothing worth one."""
        dropped = {**self._core.dropped(), **self._lost}
        failures = faults.told()
        states = self._registry.changes()
        news = self._batch or self._points or leaving or (dropped, failures) != self._told
        if not news and not any(map(self._registry.moved, states)):
            recent = time.monotonic() - self._counts_at < COUNTS_S and not last
            if recent or not states:
                return None
        self._counts_at = time.monotonic()
        return Report(
            instance=self._who,
            hits=list(self._batch),
            points=list(self._points),
            states=states,
            dropped=dropped,
            faults=failures,
            leaving=leaving,
        )

    def _post(self, body: bytes, level: int) -> None:
        deflated = len(body) > DEFLATE_BYTES
        sent = zlib.compress(body, level) if deflated else body
        try:
            self._connection.post(REPORT_PATH, sent, deflated=deflated)
        except HttpError as error:
            if error.status or not self._reached:
                raise
            self._connection.close()  # a kept-open connection that the server has closed
            self._connection.post(REPORT_PATH, sent, deflated=deflated)

    def _lose(self, reason: str, count: int) -> None:
        self._lost[reason] = self._lost.get(reason, 0) + count


def _place(site: Site, detail: Detail | None) -> Site | FrameView:
    """Return where a hit is shown: of an exception, the line that it came through, in the
    probe's function or wherever it began."""
    if detail is None or detail.exception is None or not detail.frames:
        return site
    if site.code is None:
        return detail.frames[0]
    name = (site.file, site.function)
    return next((one for one in detail.frames if (one.file, one.function) == name), site)


def _thread_name(ident: int) -> str:
    """Return the name of a thread that may be gone, without asking `threading` for it: that
    would make an entry for a thread that it does not know."""
    threading = sys.modules.get("threading")
    thread = threading._active.get(ident) if threading is not None else None  # noqa: SLF001
    if thread is not None:
        try:
            name = attribute(thread, "_name")
            if type(name) is str:
                return name[:100]
        except Unknown:
            pass
    return f"thread {ident}"
