"""`leadline verify`: a candidate fix run on real calls, beside the old code."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadline.cli.command import Command
from leadline.cli.show import err, harmless, out
from leadline.cli.verify_calls import from_file, from_service
from leadline.cli.verify_candidate import STDIN, local_candidate, read_candidate, read_patch
from leadline.cli.verify_choice import chosen
from leadline.cli.verify_entry import entries, local_roots, wants_twin
from leadline.cli.verify_more import MANY
from leadline.cli.verify_options import AUTO, HIT, TWIN, check, configure
from leadline.cli.verify_places import elsewhere, fresh_first, twins, verified
from leadline.cli.verify_report import keep_report
from leadline.cli.verify_twin import at_hits
from leadline.cli.verify_view import report_lines
from leadline.verify.exporting import MAX_TESTS, export_tests
from leadline.verify.judging import Verified
from leadline.verify.markdown import markdown
from leadline.wire.errors import UnavailableError


def _run(args: argparse.Namespace) -> int:
    check(args)
    args.goes_on, args.many = args.many is None, args.many or MANY
    patch = read_patch(args)
    if args.place in (TWIN, HIT):
        return _tell(args, _in_twins(args, patch))
    if args.captured:
        captured = from_file(args)
        return _tell(args, verified(args, captured, read_candidate(args, captured.home, patch)))
    if args.entry:
        captured = from_service(args, args.entry)
        candidate = read_candidate(args, captured.home, patch)
        found, is_fresh = fresh_first(args, captured, candidate)
        if is_fresh and wants_twin(found.report) and args.place == AUTO:
            found = elsewhere(args, candidate, found, captured)
        return _tell(args, found)
    return _tell(args, chosen(args, patch))


def _in_twins(args: argparse.Namespace, patch: bytes) -> Verified:
    target = args.entry or next(iter(entries(local_candidate(args, patch), local_roots(args))))
    if args.place == TWIN:
        captured = from_service(args, target)
        return twins(args, read_candidate(args, captured.home, patch), captured)
    one = argparse.Namespace(**{**vars(args), "many": 1, "fails": ""})
    known = from_service(one, target)  # one call says where the service has its code
    return at_hits(args, read_candidate(args, known.home, patch), known)


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
