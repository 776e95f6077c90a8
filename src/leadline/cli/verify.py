"""`leadline verify`: a candidate fix run on real calls, beside the old code."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from leadline.cli.command import Command
from leadline.cli.show import err, harmless, out
from leadline.cli.verify_calls import Captured, from_file, from_service
from leadline.cli.verify_candidate import STDIN, read_candidate, read_patch
from leadline.cli.verify_entry import (
    MAX_STEPS,
    first_entry,
    is_good,
    local_roots,
    speaks_of_one,
    wants_twin,
    wider,
    worth,
)
from leadline.cli.verify_more import MANY, with_more
from leadline.cli.verify_options import AUTO, HIT, TWIN, check, configure
from leadline.cli.verify_report import keep_report
from leadline.cli.verify_twin import at_hits, in_twins, noted
from leadline.cli.verify_view import report_lines
from leadline.trial import candidate as candidates
from leadline.trial.candidate import Candidate
from leadline.verify.calls import Home
from leadline.verify.effects import effect_of
from leadline.verify.exporting import MAX_TESTS, export_tests
from leadline.verify.judging import Verified
from leadline.verify.markdown import markdown
from leadline.verify.report import Report
from leadline.verify.verdict import Verdict
from leadline.verify.verifying import Request, verify
from leadline.wire.errors import LeadlineError, RefusedError, UnavailableError, UsageError
from leadline.wire.struct import replace

_STEP_S = 1.0


def _run(args: argparse.Namespace) -> int:
    check(args)
    args.goes_on, args.many = args.many is None, args.many or MANY
    patch = read_patch(args)
    if args.place in (TWIN, HIT):
        return _tell(args, _in_twins(args, patch))
    if args.captured:
        captured = from_file(args)
        return _tell(
            args, _verified(args, captured, read_candidate(args, captured.home, patch))
        )
    if args.entry:
        captured = from_service(args, args.entry)
        candidate = read_candidate(args, captured.home, patch)
        found, is_fresh = _fresh_first(args, captured, candidate)
        if is_fresh and wants_twin(found.report) and args.place == AUTO:
            found = _elsewhere(args, candidate, found, captured)
        return _tell(args, found)
    return _tell(args, _widened(args, patch))


def _in_twins(args: argparse.Namespace, patch: bytes) -> Verified:
    target = args.entry or first_entry(_local(args, patch), local_roots(args))
    if args.place == TWIN:
        captured = from_service(args, target)
        return _twins(args, read_candidate(args, captured.home, patch), captured)
    one = argparse.Namespace(**{**vars(args), "many": 1, "fails": ""})
    known = from_service(one, target)  # one call says where the service has its code
    return at_hits(args, read_candidate(args, known.home, patch), known)


def _local(args: argparse.Namespace, patch: bytes) -> Candidate:
    """Read the candidate before it is known where the service has its code."""
    roots = local_roots(args)
    here = Home(path=roots, cwd=roots[0] if roots else str(Path.cwd()))
    found = read_candidate(args, here, patch)
    if said := candidates.obstacles(found):
        raise RefusedError("not-applicable", f"{said[0]}.")
    return found


_STAYS = (
    "{} is about {}, so none of its callers was tried: name one with --entry, such as {}, and "
    "say what is expected of it"
)


def _widened(args: argparse.Namespace, patch: bytes) -> Verified:
    """Begin at the changed function, and go outwards while its calls cannot be made again."""
    target = first_entry(_local(args, patch), local_roots(args))
    best: Verified | None = None
    tried: list[str] = []
    held: list[str] = []
    while len(tried) < MAX_STEPS:
        captured = from_service(args, target)
        tried.append(captured.entry)
        candidate = read_candidate(args, captured.home, patch)
        found, is_fresh = _fresh_first(args, captured, candidate)
        if not is_fresh:
            return found
        shares = found.report.shares
        if best is None or worth(found.report) > worth(best.report):
            best, of_best = found, captured
        if is_good(found.report):
            break
        target = wider(captured.calls, tried, found.report)
        if target and (stays := speaks_of_one(args.fails, args.expect)):
            held.append(_STAYS.format(stays, captured.entry, target))
            target = ""
        err(
            f"leadline: {harmless(captured.entry)}: control agreed on {shares.agreed} of "
            f"{shares.calls} calls"
        )
        if not target:
            break
    if best is None:
        raise UsageError("no-entry", "No function was found whose calls could be run.")
    if wants_twin(best.report) and args.place == AUTO:
        best = _elsewhere(args, read_candidate(args, of_best.home, patch), best, of_best)
    chosen = f"entry chosen: {best.report.entry}"
    if len(tried) > 1:
        chosen += f", of {', '.join(tried)}: its calls tell most"
    return noted(best, [chosen, *(held if best.report.verdict == Verdict.UNKNOWN else ())])


def _fresh_first(
    args: argparse.Namespace, captured: Captured, candidate: Candidate
) -> tuple[Verified, bool]:
    """Verify in fresh processes, and tell so; where there are none, in a twin."""
    try:
        fresh = with_more(args, captured, lambda calls: _verified(args, calls, candidate))
        return fresh, True
    except UnavailableError as error:
        # what is to be imported was named by hand: better right than elsewhere
        if error.slug != "no-place" or args.place != AUTO or args.first:
            raise
        for line in filter(None, (*error.message.split("\n"), error.hint)):
            err(f"leadline: {harmless(line)}")
        try:
            twins = _twins(args, candidate, captured)
        except LeadlineError as other:
            said = f"{_first_line(error)}. Not in a twin either: {other.message}"
            raise UnavailableError(error.slug, said, error.hint) from None
        return noted(twins, [f"not run in a fresh process: {_first_line(error)}"]), False


def _first_line(error: LeadlineError) -> str:
    """Return what an error says without the frames that may stand below."""
    return error.message.partition("\n")[0].rstrip(".")


def _twins(args: argparse.Namespace, candidate: Candidate, captured: Captured) -> Verified:
    if effect_of(candidate.changes, captured.entry):
        return in_twins(args, candidate, captured)  # live ones: none that are captured
    return with_more(args, captured, lambda calls: in_twins(args, candidate, calls))


def _elsewhere(
    args: argparse.Namespace, candidate: Candidate, fresh: Verified, captured: Captured
) -> Verified:
    """Where a fresh process does not come to what happens, try a twin of the live one."""
    captured = replace(captured, doubt=fresh.doubt)
    try:
        twins = _twins(args, candidate, captured)
    except LeadlineError as error:
        return noted(fresh, [f"not tried in a twin of the live process: {error.message}"])
    if _share(twins.report) > _share(fresh.report):
        return noted(twins, ["a fresh process agreed less often"])
    if is_good(fresh.report) and is_good(twins.report):
        return noted(twins, [f"a fresh process did not know: {fresh.report.reason}"])
    return noted(fresh, ["a twin of the live process agreed no more often"])


def _share(report: Report) -> float:
    return report.shares.agreed / max(1, report.shares.calls)


def _verified(args: argparse.Namespace, captured: Captured, candidate: Candidate) -> Verified:
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


def _tell(args: argparse.Namespace, found: Verified) -> int:
    """Show the verdict before anything is written to a file: that can fail. The exit status is
    the verdict's, also where nobody reads on."""
    report = found.report
    plain = report.plain()
    try:
        _show(args, plain)
    except BrokenPipeError:
        sys.stdout = None  # the interpreter must not flush into it again
    keep_report(args, plain)
    if args.markdown and args.markdown != STDIN:
        _write_markdown(args.markdown, markdown(plain))
    if args.export_tests:
        exported = export_tests(
            args.export_tests,
            report.entry,
            found.compared,
            report.fails,
            report.expect,
            found.program,
        )
        err(f"leadline: {len(exported.files)} tests written to {harmless(args.export_tests)}")
        for number, why in exported.left_out.items():
            err(f"leadline: no test of call {number}: {harmless(why)}")
        for database in exported.databases:
            err(f"leadline: they ask {harmless(database)}, a copy of what it holds by then")
        if exported.beyond:
            err(f"leadline: no tests of {exported.beyond} more: {MAX_TESTS} of each sort do")
    return report.exit_status


def _show(args: argparse.Namespace, report: Mapping[str, Any]) -> None:
    if args.json:
        out(json.dumps(report))
    if args.markdown == STDIN:
        out(markdown(report).rstrip("\n"))
    elif not args.json:
        for line in report_lines(report):
            out(line)


def _write_markdown(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, "utf-8")
    except OSError as error:
        raise UnavailableError(
            "markdown-unwritable",
            f"The verdict cannot be written to {file}: {error.strerror}.",
            "Choose another file with --markdown; the verdict itself stands above.",
        ) from None


COMMAND = Command(
    "verify",
    "run a candidate fix on real calls, beside the old code, and say what may be said of it",
    "leadline verify shop --entry shop.pricing:quote --fails 'raises ZeroDivisionError' "
    "--expect 'result[\"total\"] > 0' --patch fix.diff",
    configure,
    _run,
)
