"""One verification, from calls and a candidate to a report."""

import time
from collections.abc import Callable, Iterator, Sequence

from leadline.trial.candidate import Candidate, obstacles
from leadline.trial.place import RUN_S, Begin, Ready
from leadline.verify import advice
from leadline.verify.as_test import Program
from leadline.verify.aside import aside
from leadline.verify.calls import CapturedCall, Home
from leadline.verify.comparison import (
    Compared,
    compare_runs,
    left_open,
    not_replayable,
    not_run,
)
from leadline.verify.elsewhere import in_other_worlds
from leadline.verify.held import TESTS_S, UNTRIED, see_held
from leadline.verify.judging import Asked, Verified, reported, sides_of
from leadline.verify.lacking import without_what_lacks
from leadline.verify.loaded import check_loaded, edited, loaded_of
from leadline.verify.luck import see_luck
from leadline.verify.places import ENDLESS, Places
from leadline.verify.signature import unseen_change
from leadline.verify.state import imported
from leadline.wire.errors import RefusedError, UnavailableError
from leadline.wire.struct import dataclass, field, replace

_RUNNING = "running"
_ENDLESS = (
    "not run: none of the first {} had ended after {:g} s (--within gives each more time, "
    "another --entry may take less)"
)

type Progress = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be verified, on what, and what was stated beforehand."""

    service: str
    entry: str
    calls: Sequence[CapturedCall]
    home: Home
    candidate: Candidate
    fails: str = ""
    expect: str = ""
    scope: list[str] = field(default_factory=list)
    readable: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    least: int | None = None
    """As in `Stated`."""
    within_s: float = RUN_S
    exported: bool = False
    """Whether calls become tests: then it is seen which of them need nothing around them."""


def verify(request: Request, progress: Progress = lambda *_: None) -> Verified:
    """Run the candidate on the calls, beside two controls, and report what may be said.

    Raises `RefusedError` (`not-applicable`) for a candidate that cannot run at all, and
    `UnavailableError` (`no-place`) where no sealed process can be made.
    """
    began = time.monotonic()
    if said := obstacles(request.candidate):
        raise RefusedError("not-applicable", f"{said[0]}.")
    asked = Asked(
        request.service,
        request.entry,
        request.candidate,
        request.fails,
        request.expect,
        request.least,
    )
    ready = [call for call in request.calls if call.document is not None]
    found, runs = _run(request, ready, progress)
    notes = [*found.notes, *advice.in_twins(found.compared), *advice.late(found.compared)]
    lost = [not_replayable(call) for call in request.calls if call.document is None]
    took = time.monotonic() - began
    every = [*found.compared, *lost]
    verified = reported(asked, every, found.place, notes, runs, took, found.elsewhere)
    return replace(verified, program=Program(request.home.main, request.first))


@dataclass(frozen=True, slots=True)
class _Found:
    """The calls, some of them again in other worlds, the place, and what there is to say of
    it."""

    compared: list[Compared]
    elsewhere: list[Compared]
    place: str
    notes: list[str]

    @property
    def runs(self) -> int:
        """Return how many runs there were."""
        every = (*self.compared, *self.elsewhere)
        return 3 * sum(one.control is not None for one in every)


def _run(
    request: Request, calls: Sequence[CapturedCall], progress: Progress
) -> tuple[_Found, int]:
    """Run the calls; where they import modules of the service, once more in places that have
    these beforehand: what a module holds is compared with what it held before."""
    found = _run_in(request, calls, (), progress)
    later = {name for one in found.compared for name in imported(one.control, one.candidate)}
    if not later:
        return found, found.runs
    again = _run_in(request, calls, sorted(later), progress)
    return again, found.runs + again.runs


def _imported(found: Sequence[Compared]) -> Iterator[str]:
    """Yield the modules of the service that calls have imported."""
    for one in found:
        yield from imported(one.control, one.candidate)


def _run_in(
    request: Request,
    calls: Sequence[CapturedCall],
    later: Sequence[str],
    progress: Progress,
) -> _Found:
    home, candidate = request.home, request.candidate
    place = f"fresh sealed process, CPython {home.python}"
    if not calls:
        return _Found([], [], place, [])
    progress("importing", 0, 1)
    begin = _begin(request, later)
    untold: list[str] = []
    with Places(begin, candidate.sources, sides_of(candidate.changes), home) as places:
        control = _control(request, places)
        left = replace(aside(candidate.changes), changed=frozenset(control.moved))

        def compared(some: Sequence[CapturedCall], doing: str) -> list[Compared]:
            def told(done: int) -> None:
                progress(doing, done, len(some))

            runs = places.run(some, request.within_s, told)
            lost = _ENDLESS.format(ENDLESS, request.within_s)
            if len(runs) < len(some) and doing == _RUNNING:
                untold.append(f"{len(some) - len(runs)} calls were {lost}")
            return [
                *(compare_runs(call, *three, left)
                  for call, three in zip(some, runs, strict=False)),
                *(not_run(call, lost) for call in some[len(runs):]),
            ]  # fmt: skip

        found = compared(calls, _RUNNING)
        see_luck(found, calls, compared)
        found = without_what_lacks(found)
        is_again = not later and any(_imported(found))  # then all are run once more
        if request.exported and not is_again and (late := see_held(found, compared)):
            untold.append(UNTRIED.format(late, TESTS_S))
        elsewhere = (
            []
            if is_again
            else in_other_worlds(
                found, candidate.changes, places, left, request.within_s, progress
            )
        )
    unseen = unseen_change(candidate.changes, control.file, control.function)
    if unseen:
        found = [left_open(one, unseen) for one in found]
    notes = control.notes if request.scope else [*control.notes, *edited(begin.loaded, control)]
    return _Found(found, elsewhere, place, [*untold, *notes])


def _begin(request: Request, later: Sequence[str]) -> Begin:
    """Return what the places of the old code begin with."""
    home = request.home
    return Begin(
        path=home.path,
        cwd=home.cwd,
        entry=request.entry,
        argv=home.argv,
        main=home.main,
        has_main=_are_given_main(request.calls),
        state=home.state,
        loaded=loaded_of(request.candidate, home),
        recursion_limit=home.recursion_limit,
        max_str_digits=home.max_str_digits,
        warnings=home.warnings,
        overlay=dict(request.candidate.old_sources),
        scope=request.scope,
        readable=request.readable,
        first=request.first,
        later=list(later),
        fails=request.fails,
        expect=request.expect,
    )


def _are_given_main(calls: Sequence[CapturedCall]) -> bool:
    """Tell whether most calls are given what the program itself holds, such as an application
    that serves where it was made. A file of calls may hold anything: what is no node names
    nothing."""
    return sum(map(_names_main, calls)) > len(calls) / 2


def _names_main(call: CapturedCall) -> bool:
    nodes = (call.document or {}).get("nodes")
    return isinstance(nodes, list) and any(
        isinstance(one, dict) and (one.get("k"), one.get("m")) == ("name", "__main__")
        for one in nodes
    )


def _control(request: Request, places: Places) -> Ready:
    """Wait for the places; return what a control says of itself. Raises `UnavailableError`
    where the old code cannot be imported there, and `RefusedError` where the new cannot."""
    control, tried = places.ready()
    if not control.ok:
        raise UnavailableError(
            "no-place",
            f"The calls cannot be run again in a fresh process: {_why(control)}.",
            advice.of_import(control, request.entry, request.home.main),
        )
    if not tried.ok:
        raise RefusedError(
            "not-applicable", f"The candidate cannot be imported: {_why(tried)}."
        )
    check_loaded(request.candidate, places.begin.loaded, control, tried)
    return control


def _why(ready: Ready) -> str:
    return ready.reason.rstrip(".")
