"""Where the calls of one entry are run: in fresh processes, or in twins of the live one."""

import argparse
import time
from collections.abc import Callable

from leadline.cli.show import err, harmless
from leadline.cli.verify_calls import Captured
from leadline.cli.verify_entry import is_good
from leadline.cli.verify_more import with_more
from leadline.cli.verify_options import AUTO
from leadline.cli.verify_twin import in_twins, noted
from leadline.trial.candidate import Candidate
from leadline.verify.effects import effect_of
from leadline.verify.judging import Verified
from leadline.verify.report import Report
from leadline.verify.verifying import Request, verify
from leadline.wire.errors import LeadlineError, UnavailableError
from leadline.wire.struct import replace

_STEP_S = 1.0


def fresh_first(
    args: argparse.Namespace, captured: Captured, candidate: Candidate
) -> tuple[Verified, bool]:
    """Verify in fresh processes, and tell so; where there are none, in a twin."""
    try:
        fresh = with_more(args, captured, lambda calls: verified(args, calls, candidate))
        return fresh, True
    except UnavailableError as error:
        # what is to be imported was named by hand: better right than elsewhere
        if error.slug != "no-place" or args.place != AUTO or args.first:
            raise
        for line in filter(None, (*error.message.split("\n"), error.hint)):
            err(f"leadline: {harmless(line)}")
        try:
            found = twins(args, candidate, captured)
        except LeadlineError as other:
            said = f"{_first_line(error)}. Not in a twin either: {other.message}"
            raise UnavailableError(error.slug, said, error.hint) from None
        return noted(found, [f"not run in a fresh process: {_first_line(error)}"]), False


def _first_line(error: LeadlineError) -> str:
    """Return what an error says without the frames that may stand below."""
    return error.message.partition("\n")[0].rstrip(".")


def twins(args: argparse.Namespace, candidate: Candidate, captured: Captured) -> Verified:
    if effect_of(candidate.changes, captured.entry):
        return in_twins(args, candidate, captured)  # live ones: none that are captured
    return with_more(args, captured, lambda calls: in_twins(args, candidate, calls))


def elsewhere(
    args: argparse.Namespace, candidate: Candidate, fresh: Verified, captured: Captured
) -> Verified:
    """Where a fresh process does not come to what happens, try a twin of the live one."""
    captured = replace(captured, doubt=fresh.doubt)
    try:
        found = twins(args, candidate, captured)
    except LeadlineError as error:
        return noted(fresh, [f"not tried in a twin of the live process: {error.message}"])
    if _share(found.report) > _share(fresh.report):
        return noted(found, ["a fresh process agreed less often"])
    if is_good(fresh.report) and is_good(found.report):
        return noted(found, [f"a fresh process did not know: {fresh.report.reason}"])
    return noted(fresh, ["a twin of the live process agreed no more often"])


def _share(report: Report) -> float:
    return report.shares.agreed / max(1, report.shares.calls)


def verified(args: argparse.Namespace, captured: Captured, candidate: Candidate) -> Verified:
    request = Request(
        service=captured.service,
        entry=captured.entry,
        calls=captured.calls,
        home=captured.home,
        candidate=candidate,
        fails=captured.fails,
        expect=args.expect,
        scope=args.path,
        readable=args.read,
        first=args.first,
        least=args.least,
        within_s=args.within,
        exported=bool(args.export_tests),
    )
    return noted(verify(request, _progress()), captured.notes)


def _progress() -> Callable[[str, int, int], None]:
    """Return what tells how far it is, on a terminal in place and else now and then."""
    last = [0.0]

    def tell(what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if now - last[0] < _STEP_S and done < of:
            return
        last[0] = now
        err(f"leadline: {what} {done} of {of}" if of > 1 else f"leadline: {what}")

    return tell
