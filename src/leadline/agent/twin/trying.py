"""A candidate tried on the live call, in a twin: the old code twice, then the candidate.

Each run has a grandchild of its own, sealed as the twin is: what one of them changes, the next
one never sees. The twin itself runs nothing; it waits for each and says how it ended.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from leadline import native
from leadline.agent.twin.outcome import taker
from leadline.trial import applying, calls, candidate, revival, running, vigil
from leadline.trial.calls import Call
from leadline.trial.candidate import Candidate
from leadline.trial.course import Course
from leadline.trial.questions import Questions
from leadline.trial.reaching import Reaching
from leadline.wire.errors import LeadlineError, RefusedError
from leadline.wire.messages import encode
from leadline.wire.probe import TwinProbe
from leadline.wire.twin import CANDIDATE, CONTROLS, TwinPolicy, stated

type Tell = Callable[[dict[str, object]], None]

_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))) + "/"
_SHARE = 0.8
"""Of the twin's life that its runs may take: then there is time to say how they ended."""
_VIGIL = 0.85
"""Of a run's share when it is said where code still waits that waits for no loop."""
_AWAITS = 0.7
"""Of a run's share that a coroutine may take."""
_PATIENCE_S = 0.5
"""How much longer than its life a run may take to be gone."""
_LOOK_S = 0.002
_MOST_REACHED = 50
"""Lines that are told of one run."""
_MOST_CHARS = 20_000
"""Of what a run printed, and of its exception's text."""


def verify(
    probe: TwinProbe,
    frame: FrameType,
    tell: Tell,
    policy: TwinPolicy,
    function_of: calls.FunctionOf,
) -> None:
    """Try the candidate of an order on the call that `frame` stands for, and tell of it."""
    twin = native.twin()
    over = time.monotonic() + probe.life_s * _SHARE
    tell({"notes": revival.revive()})
    tried = candidate.decode(json.loads(probe.code[0]))
    try:
        call = calls.call_of(frame, function_of)
    except LeadlineError as error:
        tell({"obstacle": error.message, "done": True})
        return
    if twin is None:
        return
    runs = [*CONTROLS, CANDIDATE]
    for number, what in enumerate(runs):
        life_s = max(0.1, (over - time.monotonic()) / (len(runs) - number))
        pid = twin.grandchild(life_s)
        if pid == 0:
            _run(probe, what, tried, call, life_s, tell, policy)
        status = _waited(pid, life_s + _PATIENCE_S)
        tell({"ended": [what, status, twin.why(status) if status else ""]})
    tell({"done": True})


def _waited(pid: int, seconds: float) -> int:
    """Return how a run ended; one that does not end in time is ended."""
    twin = native.twin()
    if twin is None:
        return -1
    until = time.monotonic() + seconds
    while (status := twin.reap(pid)) is None:
        if time.monotonic() > until:
            twin.end(pid)
            until += seconds
        time.sleep(_LOOK_S)
    return int(status)


def _run(
    probe: TwinProbe,
    what: str,
    tried: Candidate,
    call: Call,
    life_s: float,
    tell: Tell,
    policy: TwinPolicy,
) -> None:
    """In a grandchild: make the call once, tell what came of it, and end the process."""

    def say(**more: object) -> None:
        tell({"ran": what, **more, "refused": _refused()})

    def cut(where: str) -> None:
        say(rerun=json.loads(encode(running.Rerun(None, cut=where))))
        os._exit(0)

    try:
        if policy is TwinPolicy.THREADS:
            vigil.keep_vigil(life_s * _VIGIL, cut)
        lines = {one.file: candidate.touched_old(one) for one in tried.changes}
        if what == CANDIDATE:
            call, notes = _with(tried, call)
            tell({"notes": notes})
            lines = {one.file: candidate.touched_new(one) for one in tried.changes}
        questions = Questions(*stated(probe.code), calls.given_to(call))
        course = Course(_own(tried), {})
        with Reaching(lines) as reaching:
            ran = running.run(call, taker(), life_s * _AWAITS, course, questions.ask)
        reached = [list(one) for one in reaching.found()[:_MOST_REACHED]]
        say(
            rerun=_short(ran),
            reached=reached if reaching.watched else None,
            inside=[[one.classes[0], one.at, one.handled] for one in course.found().raised],
            answers=[questions.fails, questions.expect, questions.unknown],
        )
    except LeadlineError as error:
        say(obstacle=error.message)
    except BaseException as error:  # noqa: BLE001 - the last frame of this process
        failed = f"the run itself failed: {type(error).__name__}: {error}"[:500]
        say(rerun=json.loads(encode(running.Rerun(None, cut=failed))))
    finally:
        os._exit(0)


def _with(tried: Candidate, call: Call) -> tuple[Call, list[str]]:
    """Put the candidate into this process; returns the call of what there is now, and what is
    worth a word.

    Raises `RefusedError` (`not-applicable`) with a sentence, before anything is changed.
    """
    applied = applying.apply(tried, sys.modules)
    code = getattr(call.function, "__code__", call.code)
    if call.rebuilt and _ends_with(applied.functions, code.co_qualname):
        raise RefusedError(
            "not-applicable",
            f"The candidate cannot be tried here: the function object of {code.co_qualname} "
            "cannot be had.",
        )
    return call.of(call.function, code), list(applied.notes)


def _own(tried: Candidate) -> Callable[[str], bool]:
    """Return what tells whether code is the service's own, as far as that can be told by where
    it lies: beside what is changed, or where nothing is installed."""
    beside = tuple(f"{os.path.dirname(os.path.realpath(one.file))}/" for one in tried.changes)
    foreign = (os.path.dirname(os.__file__) + "/", sys.base_prefix + "/lib/", _OURS)

    def own(file: str) -> bool:
        real = os.path.realpath(file)
        if real.startswith(beside):
            return True
        installed = "/site-packages/" in real or "/dist-packages/" in real
        return not (file.startswith("<") or installed or real.startswith(foreign))

    return own


def _ends_with(functions: tuple[str, ...], qualname: str) -> bool:
    return any(one.rpartition(":")[2] == qualname for one in functions)


def _short(ran: running.Rerun) -> Any:
    said = json.loads(encode(ran))
    for name in ("raised", "printed"):
        said[name] = said[name][:_MOST_CHARS]
    return said


def _refused() -> list[list[object]]:
    twin = native.twin()
    return [list(one) for one in twin.refusals()] if twin is not None else []
