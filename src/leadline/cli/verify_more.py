"""More calls, where those that were captured say too little of the good ones."""

import argparse
import math
from collections.abc import Callable

from leadline.cli.show import err, harmless
from leadline.cli.verify_calls import Captured, from_service
from leadline.verify.calls import joined_code
from leadline.verify.judging import Verified
from leadline.verify.report import Report
from leadline.verify.verdict import CAPTURE_MORE, LEAST_EVIDENCE, MORE_GOOD, wanted_good
from leadline.wire.errors import LeadlineError
from leadline.wire.struct import replace

MANY = 200
"""Calls that are captured, or read, if nothing is said."""
MOST_MORE = 3 * MANY
"""Of calls in one further capture."""
ROUNDS = 2
_SPARE = 1.5
"""So many times the calls that are needed if as many of them come by the change as before."""

type Run = Callable[[Captured], Verified]


def with_more(args: argparse.Namespace, captured: Captured, run: Run) -> Verified:
    """Verify captured calls; while too few of them come by the change to say anything good,
    capture more of the same and verify them all, unless `--calls` says how many are to be, or
    the user has stopped the capture."""
    found = run(captured)
    for _ in range(ROUNDS if args.goes_on else 0):
        many = more_wanted(found.report, args.least)
        if not many or captured.stopped or found.stopped:
            break
        said = found.report.reason.removesuffix(CAPTURE_MORE)
        err(f"leadline: {harmless(said)}; capturing up to {many} more")
        try:
            more = from_service(
                argparse.Namespace(**{**vars(args), "many": many}), captured.entry
            )
        except (LeadlineError, KeyboardInterrupt) as error:
            why = error.message if isinstance(error, LeadlineError) else "stopped"
            err(f"leadline: no more calls: {harmless(why)}")
            break
        captured = _joined(captured, more)
        found = run(captured)
    return found


def more_wanted(report: Report, least: int | None) -> int:
    """Return how many more calls may change an `unknown`; none where they are not too few."""
    shares = report.shares
    if MORE_GOOD not in report.reason or not shares.reached:
        return 0
    share, lacking = shares.reached / shares.calls, (least or LEAST_EVIDENCE) - shares.reached
    if shares.others and (good := wanted_good(least) - shares.others) > lacking:
        share, lacking = shares.others / shares.calls, good
    return min(math.ceil(_SPARE * lacking / share), MOST_MORE)


def _joined(captured: Captured, more: Captured) -> Captured:
    last = max((call.number for call in captured.calls), default=0)
    others = [replace(call, number=last + n) for n, call in enumerate(more.calls, 1)]
    notes = list(dict.fromkeys([*captured.notes, *more.notes]))
    home = replace(captured.home, code=joined_code([captured.home.code, more.home.code]))
    calls = [*captured.calls, *others]
    return replace(captured, home=home, calls=calls, notes=notes, stopped=more.stopped)
