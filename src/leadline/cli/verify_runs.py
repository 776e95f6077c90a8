"""What a twin has told of the runs of one call, as `leadline.verify` compares it."""

from collections.abc import Mapping
from typing import Any

from leadline.trial.course import Coursed, Raised
from leadline.trial.outcome import Outcome
from leadline.trial.place import Ran
from leadline.trial.running import Rerun
from leadline.verify.aside import NOTHING_ASIDE, Aside
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, compare_runs
from leadline.verify.luck import may_be_luck, once_more
from leadline.wire.twin import AGAIN, CANDIDATE, CONTROLS, LIVE, Refusal

NO_ROOM = "what it came to found no room in the answer"


def many_runs(tried: Mapping[str, Any] | None) -> int:
    """Return how many runs a twin has told of, without the live one."""
    return sum(run["what"] != LIVE for run in (tried or {}).get("runs", ()))


def compare(
    call: CapturedCall, tried: Mapping[str, Any], files: set[str], left: Aside = NOTHING_ASIDE
) -> Compared:
    """Compare the runs of a call, and those that were made again: what differs once is luck.
    `files` are those that the candidate changes."""
    found = compare_runs(call, *_runs_of(call.number, tried, files), left)
    again = _again_of(call.number, tried, files)
    if again is None or not may_be_luck(found):
        return found
    return once_more(found, compare_runs(call, *again, left))


def _runs_of(number: int, tried: Mapping[str, Any], files: set[str]) -> tuple[Ran, Ran, Ran]:
    """Return the two controls and the candidate's run."""
    runs = {run["what"]: run for run in tried.get("runs", ())}
    first, second, candidate = (
        ran_of(number, runs.get(what, {}), runs, files) for what in (*CONTROLS, CANDIDATE)
    )
    return first, second, candidate


def _again_of(
    number: int, tried: Mapping[str, Any], files: set[str]
) -> tuple[Ran, Ran, Ran] | None:
    """Return the same of the runs that were made again; None where there are none."""
    runs = {run["what"]: run for run in tried.get("runs", ())}
    if not set(AGAIN) <= set(runs):
        return None
    control, candidate = (ran_of(number, runs[what], runs, files) for what in AGAIN)
    return control, ran_of(number, runs.get(CONTROLS[1], {}), runs, files), candidate


def ran_of(
    number: int, run: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any]], files: set[str]
) -> Ran:
    """Return one run; what it has in common with another was said with that."""
    held = runs.get(run["same_as"], {}) if run.get("same_as") else run
    missing = run.get("omitted") or held.get("omitted")
    cut = run.get("cut", "") or (NO_ROOM if missing else "")
    outcome = None
    if run and held.get("returned") is not None and not cut:
        outcome = Outcome(
            held["returned"],
            held.get("value"),
            dict(held.get("arguments", {})),
            list(held.get("yields", ())),
        )
    given = held.get("given")
    if given is None and outcome is not None:
        given = outcome.arguments
    return Ran(
        number,
        Rerun(
            outcome,
            cut or ("" if outcome is not None else "it came to no end"),
            "",
            run.get("printed", ""),
        ),
        _course(run, files),
        [Refusal(**one) for one in run.get("refused", ())],
        run.get("fails"),
        run.get("expect"),
        run.get("unknown", ""),
        state=dict(held.get("state", {})),
        given=given,
        inside=dict(held.get("held", {})),
        left=dict(run.get("left", {})),
        met=list(run.get("met", ())),
        called=[name for one in runs.values() for name in one.get("called", ())],
    )


def _course(run: Mapping[str, Any], files: set[str]) -> Coursed:
    raised = [
        Raised((one["kind"],), one["at"], one["handled"]) for one in run.get("inside", ())
    ]
    return Coursed(run.get("path", ""), 0, _touched(run.get("reached"), files), raised)


def _touched(reached: list[str] | None, files: set[str]) -> dict[str, list[int]]:
    touched: dict[str, list[int]] = {}
    for place in reached or ():
        file, _, line = place.rpartition(":")
        if file in files and line.isdigit():
            touched.setdefault(file, []).append(int(line))
    return touched
