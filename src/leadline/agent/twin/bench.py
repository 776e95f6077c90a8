"""What all runs of one candidate in a twin share, and what each of them does in its copy.

A run is looked at as one in a fresh place is, by the same code: its outcome, what it has
changed in the modules, what lazy results give out and closures hold.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from leadline.agent.place import databases
from leadline.agent.place.callee import between
from leadline.agent.place.entry import Entry, find_entry
from leadline.agent.place.globals import Globals
from leadline.agent.place.one_run import PRINTED, Look, observed
from leadline.agent.place.scope import is_installed, own_code
from leadline.agent.twin.database_file import MOST_KNOWN, is_any_open
from leadline.agent.twin.digests import digest
from leadline.agent.twin.inside import refusals
from leadline.trial import applying, candidate, vigil
from leadline.trial.calls import Call, FunctionOf, obstacle, parameters
from leadline.trial.candidate import touched_new, touched_old
from leadline.trial.course import Course
from leadline.trial.elsewhere import be_elsewhere
from leadline.trial.failure import told
from leadline.trial.left import told as told_left
from leadline.trial.place import LATER, OPENED, Begin, Order, Ran, cut
from leadline.trial.printed import Printed
from leadline.trial.questions import Questions
from leadline.trial.rebuilding import built
from leadline.wire.errors import LeadlineError, RefusedError
from leadline.wire.messages import encode
from leadline.wire.struct import dataclass, replace
from leadline.wire.twin import AGAIN, CANDIDATE, CONTROLS, TwinPolicy, stated

RUNS = (*CONTROLS, CANDIDATE)
MOST_BYTES = 500_000
"""Of one outcome, and of all else that a run shows: it goes through the live process."""
_VIGIL = 0.85
"""Of a run's life when it is said where code still waits that waits for no loop."""
_MOST_RAISED = 50
_MOST_CHARS = 20_000
"""Of what a run printed, and of its exception's text."""

type Make = Callable[[Entry], tuple[Call, dict[str, Any], dict[str, object]]]
"""Makes the call of an entry, and says what is passed and which standard streams it replaces,
in the copy that is to run it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """`planned` is what putting the candidate in comes to, and `obstacle` why that cannot be
    done. Made once, before any copy."""

    tried: candidate.Candidate
    entry: Entry
    questions: tuple[str, str]
    policy: TwinPolicy
    is_own: Callable[[str], bool]
    state: Globals
    planned: applying.Planned
    lines: tuple[dict[str, list[int]], dict[str, list[int]]]
    """Lines that count as changed, in the old text and in the new one, by file."""
    obstacle: str = ""
    begun: tuple[str, ...] = ()
    """What may not be as it was when the call was made, as a run says it in its state."""

    @property
    def notes(self) -> list[str]:
        """What is done alike for all runs."""
        return self.planned.notes

    def run(self, what: str, order: Order, make: Make, answer: Callable[[bytes], None]) -> None:
        """Make a call once, in a copy that is to end, and answer what came of it."""
        life_s = order.within_s

        def late(where: str) -> None:
            answer(encode({"run": cut(order.number, where), "refused": refusals()}))
            os._exit(0)

        try:
            if self.policy is TwinPolicy.THREADS:
                vigil.keep_vigil(life_s * _VIGIL, late)
            ran, notes = self._ran(what, order, make)
        except LeadlineError as error:
            answer(encode({"obstacle": error.message}))
            return
        except BaseException as error:  # noqa: BLE001 - the last frame of this process
            ran, notes = cut(order.number, f"the run itself failed: {told(error)}"[:500]), []
        met = list(databases.HERE.copies)[:MOST_KNOWN]
        answer(encode({"run": _short(ran), "notes": notes, "databases": met}))

    def _ran(self, what: str, order: Order, make: Make) -> tuple[Ran, list[str]]:
        entry, state, notes = self.entry, self.state, list[str]()
        lines = self.lines[0]
        if what in (CANDIDATE, AGAIN[1]):
            applied = applying.apply(self.tried, sys.modules, self.planned)
            notes = list(applied.notes)
            entry = _as_it_is(entry)
            state.renew()  # what is there with the candidate, before
            lines = self.lines[1]
        elif what == CONTROLS[1]:
            be_elsewhere()
        course = Course(self.is_own, lines)
        with Printed(PRINTED) as printed:
            call, given, streams = make(entry)
            if self.planned.reckoned is not None:
                self.planned.reckoned.take_out_of(built())
            ran = observed(
                order,
                call,
                given,
                Questions(*self.questions, given),
                course,
                between(entry, given),
                Look(refusals, state, printed, streams, MOST_BYTES),
            )
        read, met = told_left(
            self.planned.left,
            course.called(),
            ran.coursed.touched,
            is_new=what in (CANDIDATE, AGAIN[1]),
        )
        ran.state.update(dict.fromkeys(self.begun, ""))
        return replace(ran, left=read, met=met), notes


def bench_of(
    code: tuple[str, ...], entry: Entry, policy: TwinPolicy, *, is_later: bool = False
) -> Bench:
    """Return the bench of an order's candidate. `is_later` says that its calls have been made
    already. Raises what `decode` does."""
    tried = candidate.decode(json.loads(code[0]))
    overlay = {one.file: one.new for one in tried.changes}
    scope = [os.path.dirname(one) for one in overlay if not is_installed(one)]
    begin = Begin([], "", "", scope=scope, overlay=overlay)
    is_own = own_code(begin)
    databases.install().prepare()  # modules have another `connect` now: before the look
    try:
        planned, why = applying.planned(tried, sys.modules, _called(entry)), ""
        planned.forget()
    except RefusedError as error:
        planned, why = applying.Planned([]), error.message
    state = Globals(is_own, overlay)
    # of an insertion the other side knows, and of a deletion too
    old = {one.file: sorted(touched_old(one, beside=False)) for one in tried.changes}
    new = {one.file: sorted(touched_new(one, beside=False)) for one in tried.changes}
    begun = (OPENED,) * is_any_open() + (LATER,) * is_later
    return Bench(
        tried, entry, stated(code), policy, is_own, state, planned, (old, new), why, begun
    )


def entry_of(frame: FrameType, function_of: FunctionOf) -> Entry:
    """Return the function that a frame runs, with what callers meet in its place. Raises
    `RefusedError`."""
    code = frame.f_code
    reason = obstacle(code)
    if reason and "generator" not in reason:
        raise RefusedError("not-replayable", f"{reason}.")
    function = function_of(frame)
    name = str(frame.f_globals.get("__name__", ""))
    try:
        found = find_entry(sys.modules[name], name, code.co_qualname)
    except (KeyError, LeadlineError):
        found = None
    if found is not None and (found.function is function or function is None):
        return found
    if function is None:
        raise RefusedError(
            "not-replayable", f"The function object of {code.co_qualname} cannot be had."
        )
    file = os.path.realpath(code.co_filename)
    return Entry(function, file, code.co_firstlineno, parameters(code))


def _called(entry: Entry) -> tuple[str, str]:
    """Return where an entry is: its module, and its name there."""
    function = entry.function
    qualname = function.__code__.co_qualname.partition(".<locals>")[0]
    return str(function.__globals__.get("__name__")), qualname


def ends_with(functions: tuple[str, ...], qualname: str) -> bool:
    """Tell whether a function is among those that a candidate changes."""
    return any(one.rpartition(":")[2] == qualname for one in functions)


def _as_it_is(entry: Entry) -> Entry:
    """Return an entry with the code that its function has by now."""
    code = entry.function.__code__
    return replace(entry, line=code.co_firstlineno, parameters=parameters(code))


def _short(ran: Ran) -> Ran:
    """Return a run as it is told; of what is left out, a digest is compared."""
    coursed = replace(ran.coursed, raised=ran.coursed.raised[:_MOST_RAISED])
    printed, inside = ran.rerun.printed, dict(ran.inside)
    if len(printed) > _MOST_CHARS:
        inside["printed beyond what is told"] = digest(printed)
    rerun = replace(
        ran.rerun, raised=ran.rerun.raised[:_MOST_CHARS], printed=printed[:_MOST_CHARS]
    )
    return replace(ran, coursed=coursed, rerun=rerun, inside=inside)


def may_be_luck(runs: Mapping[str, Mapping[str, Any]]) -> bool:
    """Tell whether the candidate came to what none of the controls came to, in a call that is
    none of the failing ones: such a call is made once more, with the old code and the new."""
    tried = runs.get(CANDIDATE)
    controls = [runs[what] for what in CONTROLS if what in runs]
    if tried is None or len(controls) < len(CONTROLS) or controls[0].get("fails"):
        return False
    return not any(same(one, tried) for one in controls)


def is_run(ran: Any) -> bool:
    """Tell whether what a run has said has the parts that are compared."""
    return isinstance(ran, dict) and isinstance(ran.get("rerun"), dict) and all(
        name in ran for name in ("state", "given", "inside")
    ) and "outcome" in ran["rerun"]  # fmt: skip


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two runs, as plain data, came to the same in all that is compared."""
    return _content(one) == _content(other)


def _content(ran: Mapping[str, Any]) -> list[Any]:
    return [ran["rerun"]["outcome"], ran["state"], ran["given"], ran["inside"]]
