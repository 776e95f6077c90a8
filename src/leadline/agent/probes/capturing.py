"""The capture probe: whole calls, their arguments by value, and what they came to.

The arguments are kept where a call begins, before the function changes them, and the outcome
is taken where it ends. Both are the probe's own cost: what one call has taken is taken off the
rate at which more are looked at, so that a hot function is sampled before the budget ends it.
"""

import time
from collections import deque
from types import FrameType

from leadline.agent.capture import keeping
from leadline.agent.capture.callers import callers_of, module_name
from leadline.agent.capture.gateway import NO_PIECES, gateway_of, request_first
from leadline.agent.capture.landmarks import latest
from leadline.agent.capture.outcomes import Written, writer
from leadline.agent.capture.room import Room
from leadline.agent.core.passage import (
    BUDGET_NS,
    NOTHING,
    Passage,
    Reading,
    Record,
    Site,
    Visit,
)
from leadline.agent.origin import origin_of
from leadline.agent.probes.captured import CALL_OUTCOME_BYTES, Begun, Ended, call_words, view_of
from leadline.agent.probes.choosing import chooser, shape_of_call
from leadline.agent.probes.compiled import Compiled, ready
from leadline.agent.probes.ending import Question, arguments_of, at_end
from leadline.agent.probes.listening import Listening
from leadline.agent.probes.turns import Turns
from leadline.expression import Unknown, compile_predicate
from leadline.expression.fuel import refuel
from leadline.expression.layout import layout_of
from leadline.trial.calls import is_generator, parameters
from leadline.trial.depth import depth_of
from leadline.wire.call import MAX_CAPTURED_BYTES
from leadline.wire.carriage import carried
from leadline.wire.kept import MAX_CALL_BYTES, Kept
from leadline.wire.probe import CaptureProbe, Fate, Moment
from leadline.wire.struct import replace
from leadline.wire.target import FunctionTarget
from leadline.wire.value import Omission, Value

MAX_OPEN = 1_000
MAX_OPEN_BYTES = 2_000_000
"""Calls under way whose arguments are held, and the JSON of those: coroutines can be many."""
LONGEST_S = 300.0
"""A call that has not ended by then is given up: a worker's loop never ends."""
MAX_WAITING_BYTES = 4_000_000
"""Of calls that wait for the server, as much as the ring holds of others."""
LOOKING_SHARE = 0.4
"""Of each second's budget, or of a smaller limit of its own, what a capture means to use: the
rest is for other probes."""
_FADES = 0.9
"""Of what was measured before, what counts at the next look: a second is a third of it."""
MOST_BESIDE = 4.0
"""How many times as much as is timed here a call may be reckoned to cost."""
_SOME_NS = 1_000_000.0
"""Of each, so that the first call, with all that there is to learn, says little."""

KEEPING_NS = 3_000_000
"""Of this thread's time for the arguments of one call: what lies further away is left out."""

_ALWAYS = 2**62
"""Of a limit that does not apply."""
_LET_GO = ""
"""No reason: the call was seen to its end, and not chosen."""
_GONE = "it was left, and nobody saw its end"


def compile_capture(probe: CaptureProbe) -> Compiled:
    """Raises `ExpressionError` when the condition or the predicate is not allowed."""
    recorder = Recorder(probe)
    compiled = ready(probe, recorder.names, recorder.begin)
    witness = Passage(
        probe=probe.id,
        holds=None,
        take=recorder.end,
        read=recorder.read,
        hear=recorder.hear,
        hits_left=_ALWAYS,
        tokens=float(_ALWAYS),
        burst=float(_ALWAYS),
        began={},
        timed=True,
        apart=True,
    )
    compiled.passage.opens, witness.follows = witness.began, compiled.passage
    ear = Passage(
        probe=probe.id,
        holds=None,
        take=recorder.listen,
        hits_left=_ALWAYS,
        tokens=float(_ALWAYS),
        burst=float(_ALWAYS),
        apart=True,
    )
    recorder.meet(compiled.passage, witness, ear)
    return replace(compiled, witness=witness, ear=ear, following=recorder)


class Recorder:
    """Keeps the calls of one probe: `begin` and `end` run on the application's threads, the
    rest on ours. Its dictionaries are changed by single steps, so nothing here takes a lock."""

    def __init__(self, probe: CaptureProbe) -> None:
        """Raises `ExpressionError` when the predicate is not allowed."""
        self._probe = probe
        self._fails = compile_predicate(probe.fails) if probe.fails is not None else None
        self._question = Question(self._fails)
        self.names = self._fails.names if self._fails is not None else frozenset[str]()
        self._chooser = chooser(probe.limits.hits, reserves=self._fails is not None)
        self._landmarks = latest()
        self._open: dict[int, Begun] = {}
        self._open_bytes = 0
        self._waiting: dict[int, Ended] = {}
        self._waiting_bytes = 0
        self._bytes = 0
        self._number = 0
        self._lost = 0
        self._strays = 0
        self._over: deque[Begun] = deque(maxlen=MAX_OPEN)
        """Generators in whose place lies another call, and of whose end nobody has told."""
        self._left = 0
        self._paid_ns = 0
        self._timed_ns = self._cost_ns = self._known_cost_ns = 0.0
        self._told_home: set[bool] = set()
        """With a call that fails, and with one that does not: the server may have no room for
        the one sort."""
        self._listening = Listening()
        module = probe.target.module if isinstance(probe.target, FunctionTarget) else ""
        self._module = "" if "/" in module or module.endswith(".py") else module
        """As it was asked for: what is run as a script has another name for itself."""
        self.allow(BUDGET_NS)

    def meet(self, passage: Passage, witness: Passage, ear: Passage) -> None:
        """Take the passages of the beginnings and of the ends, and of what a server is told."""
        self._passage, self._witness, self._ear = passage, witness, ear
        self._listening.meet(ear)

    def allow(self, ns: int) -> None:
        """See `Following`. What is timed here is not all: there are the callbacks around it,
        and in a process that does little they find all caches cold."""
        beside = (self._cost_ns + _SOME_NS) / (self._timed_ns + _SOME_NS)
        beside = min(MOST_BESIDE, max(1.0, beside))
        self._token_ns = max(1.0, LOOKING_SHARE * ns / beside / self._probe.limits.rate_per_s)

    def begin(self, visit: Visit) -> None:
        """Keep what a call is given. Raises `Unknown` where there is no room for it."""
        clock = time.thread_time_ns
        started = clock()
        if len(self._open) >= MAX_OPEN or self._open_bytes >= MAX_OPEN_BYTES:
            raise Unknown("as many calls are under way as are held at once")
        refuel()  # whatever hits before have looked at
        named = arguments_of(visit)
        gateway = gateway_of(named)
        if gateway is not None and not self._listening.hears(gateway):
            self._charge(-1.0)  # it takes nothing
            self._timed_ns += clock() - started
            raise Unknown("what its server is told is listened to from now on")
        if gateway is not None and gateway.obstacle:
            kept = Kept(None, obstacle=gateway.obstacle)
        else:
            kept = keeping.keep(
                request_first(named, gateway),
                MAX_CALL_BYTES,
                self._landmarks,
                leaves_out=True,
                within_ns=KEEPING_NS,
                began_ns=started,
                as_json=True,
                pieces=gateway.pieces if gateway is not None else NO_PIECES,
            )
        shape, callers = shape_of_call(named), callers_of(visit.frame)
        del named
        took = clock() - started
        self._timed_ns += took
        share = took / self._token_ns
        frame, code = visit.frame, visit.site.code
        turns = None
        if code is not None and is_generator(code):
            turns = Turns(frame, code, CALL_OUTCOME_BYTES)
        key = object.__hash__(frame)
        listened = self._listening.begin(key, gateway)
        begun = Begun(
            kept,
            shape,
            callers,
            self._module or module_name(frame.f_globals),
            time.monotonic(),
            share,
            visit.site,
            turns,
            listened,
            depth_of(frame),
        )
        before = self._open.pop(key, None)
        if before is not None and before.turns is not None:
            self._open_bytes -= before.held
            self._over.append(before)
        else:
            self._drop(before)
        self._open[key] = begun
        self._open_bytes += begun.held
        # what is looked at costs its time; a whole hit of the rate is taken off if it is sent
        self._charge(share - 1.0)
        self._passage.hits_left += 1

    def hear(self, frame: FrameType, heard: int, value: object, counted: int | None) -> bool:
        """Take what a generator gives out, is sent or has thrown into it; returns whether more
        of what it gives out is wanted."""
        begun = self._open.get(object.__hash__(frame))
        if begun is None or (turns := begun.turns) is None:
            return False
        clock = time.thread_time_ns
        started, room = clock(), turns.room.left - turns.bytes
        goes_on = turns.hear(heard, value, counted or 0, self._landmarks)
        self._open_bytes += room - turns.room.left + turns.bytes
        took = clock() - started
        self._timed_ns += took
        turns.left_ns -= took
        self._charge(took / self._token_ns)
        return goes_on

    def listen(self, visit: Visit) -> bytes:
        """Take what a web server is told. Raises `Unknown`: it is no hit."""
        code = visit.site.code if self._listening.listens else None
        if code is not None and visit.site.moment is not Moment.EXIT:
            self._listening.hear(visit.frame, code, arguments_of(visit))
        elif code is not None and visit.exception is None:
            self._listening.overhear(code, arguments_of(visit), visit.result)
        raise Unknown(_LET_GO)

    def end(self, visit: Visit) -> bytes:
        """Take what a call came to, if it is worth a hit. Raises `Unknown` if it is not."""
        key = object.__hash__(visit.frame)
        begun = self._open.pop(key, None)
        self._listening.end(key)
        if begun is None:  # there was no room for it
            self._strays += 1
            raise Unknown(_LET_GO)
        self._open_bytes -= begun.held
        if self._passage.hits_left <= 0 or self.over:
            raise Unknown(_LET_GO)
        refuel()
        clock = time.thread_time_ns
        started = clock()
        returned = visit.exception is None
        value = visit.exception if not returned else visit.result
        if begun.listened is not None:
            begun.listened.over(returned, value)
        fails, unknown = self._question.answer(visit, begun.listened, returned, value)
        failed = fails if self._fails is not None else False
        ended = (begun.shape, returned, layout_of(type(value)).name)
        if not self._chooser.takes(ended, None if unknown else failed):
            raise Unknown(_LET_GO)
        room = begun.turns.room if begun.turns is not None else Room(CALL_OUTCOME_BYTES)
        written = writer(room)
        came = None if value is NOTHING else written(value)
        arguments = at_end(visit, room, begun.listened)
        more = begun.turns.more(visit.unheard) if begun.turns is not None else 0
        weight = begun.kept.size + CALL_OUTCOME_BYTES - room.left
        number = self._put_by(
            Ended(
                begun,
                returned,
                came,
                arguments,
                fails,
                unknown,
                visit.duration_s,
                weight,
                more,
            )
        )
        took = clock() - started
        self._timed_ns += took
        self._charge(max(took / self._token_ns, 1.0 - begun.share))
        return number

    def _charge(self, tokens: float) -> None:
        """Take something off the rate; a first call, with all that there is to learn, is paid
        for within a second."""
        passage = self._passage
        passage.tokens = max(-passage.burst, passage.tokens - tokens)

    def _put_by(self, ended: Ended) -> bytes:
        """Have a call wait for our thread; raises `Unknown` where there is no room for it."""
        if self._waiting_bytes + ended.weight > MAX_WAITING_BYTES:
            self._lost += 1
            raise Unknown("calls come faster than they are sent")
        self._number += 1
        number = self._number
        self._waiting[number] = ended
        self._waiting_bytes += ended.weight
        self._bytes += ended.weight
        self._passage.hits_left -= 1
        return b"%d" % number

    def left(self) -> list[Record]:
        """See `Following`: generators that their callers have left."""
        now = time.monotonic()
        for key, begun in list(self._open.items()):
            if begun.turns is None or not begun.turns.is_gone(now):
                continue
            if (found := self._open.pop(key, None)) is begun:
                self._listening.end(key)
                self._open_bytes -= begun.held
                self._over.append(begun)
            elif found is not None:  # another call has begun there, just now
                self._open[key] = found
        records = []
        while self._over:
            begun = self._over.popleft()
            try:
                number = self._close(begun)
            except Unknown:
                continue
            self._left += 1
            records.append(Record(self._witness, begun.site, time.time(), 0, number))
        return records

    def _close(self, begun: Begun) -> bytes:
        """Make of a generator that was left what the interpreter makes of it: it is closed.
        Raises `Unknown` where it is not worth a hit."""
        turns, code = begun.turns, begun.site.code
        if turns is None or code is None or self._passage.hits_left <= 0 or self.over:
            raise Unknown(_LET_GO)
        turns.close()
        error = GeneratorExit()
        fails, unknown = self._question.answer_without(error)
        failed = fails if self._fails is not None else False
        ended = (begun.shape, False, layout_of(GeneratorExit).name)
        if not self._chooser.takes(ended, None if unknown else failed):
            raise Unknown(_LET_GO)
        gone: Value = {"type": "?", "omitted": Omission.UNKNOWN, "rule": _GONE}
        value = turns.written(error)
        arguments: dict[str, Written] = dict.fromkeys(parameters(code), gone)
        weight, more = begun.held, turns.more(0)
        return self._put_by(
            Ended(begun, False, value, arguments, fails, unknown, None, weight, more)
        )

    def read(self, payload: bytes) -> Reading:
        """Make a hit of a call, as it may leave the process."""
        ended = self._waiting.pop(int(payload))
        self._waiting_bytes -= ended.weight
        code = ended.begun.site.code
        is_good = ended.fails is False
        is_told = is_good in self._told_home or code is None
        home = None if is_told or code is None else origin_of(code.co_filename)
        self._told_home.add(is_good)
        call = view_of(ended, home)
        return Reading(
            call_words(call), {}, call=call, carried=carried(call), weight=ended.weight
        )

    @property
    def awaits(self) -> bool:
        """See `Following`. What has not ended in `LONGEST_S` is given up."""
        if self._passage.hits_left <= 0:
            return False
        late = time.monotonic() - LONGEST_S
        for key, begun in list(self._open.items()):
            if begun.at < late:
                self._listening.end(key)
                self._drop(self._open.pop(key, None))
        return bool(self._open)

    @property
    def over(self) -> str:
        """See `Following`."""
        if self._bytes < MAX_CAPTURED_BYTES:
            return ""
        return f"its calls have filled {MAX_CAPTURED_BYTES / 1e6:g} MB"

    def fates(self, fates: dict[Fate, int]) -> dict[Fate, int]:
        """See `Following`: those that were seen to their end and not chosen count as over the
        rate, as those do that were not looked at."""
        ends = self._witness.fates
        let_go = ends[Fate.CONDITION_UNKNOWN] - self._strays
        return fates | {
            Fate.CAPTURED: ends[Fate.CAPTURED] + self._left,
            Fate.RATE_LIMITED: fates[Fate.RATE_LIMITED] + let_go,
            Fate.DROPPED: fates[Fate.DROPPED] + ends[Fate.DROPPED] + self._lost,
        }

    def owed_ns(self) -> int:
        """See `Following`. It is asked now and then: also whether modules have come."""
        self._landmarks = latest()
        cost = self._witness.cost_ns + self._ear.cost_ns
        owed, self._paid_ns = cost - self._paid_ns, cost
        self._passage.cost_ns += owed
        whole = self._passage.cost_ns
        self._cost_ns = _FADES * (self._cost_ns + whole - self._known_cost_ns)
        self._timed_ns *= _FADES
        self._known_cost_ns = whole
        return owed

    def forget(self) -> None:
        """See `Following`."""
        self._listening.clear()
        for key in list(self._open):
            self._drop(self._open.pop(key, None))

    def renew(self) -> None:
        """See `Following`."""
        self._open.clear()
        self._listening.clear()
        self._over.clear()
        self._waiting.clear()
        self._open_bytes = self._waiting_bytes = self._lost = self._strays = self._paid_ns = 0
        self._timed_ns = self._cost_ns = self._known_cost_ns = 0.0
        self._left = 0
        self._told_home.clear()

    def _drop(self, begun: Begun | None) -> None:
        if begun is not None:
            self._open_bytes -= begun.held
            self._lost += 1

    def unheard(self) -> list[Site]:
        """See `Following`."""
        return self._listening.sites()
