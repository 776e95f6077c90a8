"""`leadline verify`: a candidate fix run on real calls, beside the old code."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from leadline.cli.command import Command, add_json
from leadline.cli.show import err, harmless, out
from leadline.cli.verify_calls import Captured, from_file, from_service
from leadline.cli.verify_entry import (
    MAX_STEPS,
    first_entry,
    is_good,
    local_roots,
    wants_twin,
    wider,
)
from leadline.cli.verify_more import MANY, with_more
from leadline.cli.verify_report import add_report, keep_report
from leadline.cli.verify_twin import at_hits, in_twins, noted
from leadline.cli.verify_view import report_lines
from leadline.trial import candidate as candidates
from leadline.trial.candidate import Candidate
from leadline.trial.patch import parse
from leadline.trial.predicate import compile_predicate
from leadline.verify import git
from leadline.verify.calls import Home
from leadline.verify.effects import effect_of
from leadline.verify.exporting import export_tests
from leadline.verify.markdown import markdown
from leadline.verify.report import Report
from leadline.verify.sources import finder
from leadline.verify.verdict import LEAST_EVIDENCE, LEAST_GOOD
from leadline.verify.verifying import Request, Verified, verify
from leadline.wire.call import MAX_CALLS
from leadline.wire.errors import LeadlineError, RefusedError, UnavailableError, UsageError
from leadline.wire.target import parse_place

_STDIN = "-"
AUTO, FRESH, TWIN, HIT = "auto", "fresh", "twin", "hit"
_STEP_S = 1.0
MAX_WITHIN_S = 3_600
"""Of one run: nobody waits longer for each of three times hundreds."""
MAX_CANDIDATE_BYTES = 16_000_000
"""A diff, or the new text of a file, may be so long."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", default="", help="the service that is running")
    what = parser.add_argument_group("the candidate, one of")
    what.add_argument("--patch", metavar="FILE", help="a unified diff; - for standard input")
    what.add_argument(
        "--ref",
        metavar="REF",
        help="what the branch REF adds to what is checked out in --path, or here; HEAD for "
        "what is not committed, or a range as for `git diff`",
    )
    what.add_argument(
        "--replace", metavar="NAME=FILE", help="FILE is the new version of the service's NAME"
    )
    _configure_calls(parser.add_argument_group("the calls"))
    _configure_place(parser.add_argument_group("where they are run"))
    told = parser.add_argument_group("the report")
    told.add_argument("--markdown", metavar="FILE", help="write it for a pull request, too")
    told.add_argument(
        "--export-tests", metavar="DIR", help="write failing and differing calls as tests there"
    )
    add_report(parser)
    add_json(parser)


def _configure_calls(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--entry",
        metavar="MODULE:FUNCTION",
        default="",
        help="the function whose calls are run (default: the one that the candidate changes)",
    )
    group.add_argument(
        "--fails",
        metavar="PREDICATE",
        default="",
        help="which calls fail: 'raises KeyError', 'result is None', 'response.status == 500'",
    )
    group.add_argument(
        "--expect", metavar="PREDICATE", default="", help="what must hold for them with the fix"
    )
    group.add_argument("--captured", metavar="FILE", help="calls that `leadline capture` kept")
    group.add_argument(
        "--calls", "-n", dest="many", type=int, metavar="N",
        help=f"calls that are captured, or read (default: {MANY}, and more of a service that "
        "runs where too few good ones come by the change)",
    )  # fmt: skip
    group.add_argument(
        "--for", dest="seconds", default="60s", metavar="TIME",
        help="how long calls are captured (default: %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--least", type=int, metavar="N",
        help="calls that have to stand behind `fixed`, and good ones among them where any "
        f"comes by a changed line (default: {LEAST_EVIDENCE}, and {LEAST_GOOD})",
    )  # fmt: skip


def _configure_place(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--place", choices=(AUTO, FRESH, TWIN, HIT), default=AUTO,
        help="where the calls are run: in fresh sealed processes, in copies of one sealed twin "
        "of the live process, or in a twin of it at each hit (default: %(default)s, a twin "
        "where fresh ones do not agree)",
    )  # fmt: skip
    group.add_argument(
        "--path", action="append", default=[], metavar="DIR",
        help="import from here, before the service's own import path; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--read", action="append", default=[], metavar="PATH",
        help="a folder or file that the runs may read, beside the import path",
    )  # fmt: skip
    group.add_argument(
        "--import", dest="first", action="append", default=[], metavar="MODULE",
        help="import this before the function's module: what sets the service up, such as "
        "mysite.wsgi; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--python", default="", metavar="FILE",
        help="the interpreter that runs the calls (default: the service's; with --captured the "
        "one of this command)",
    )  # fmt: skip
    group.add_argument(
        "--within", type=float, default=5.0, metavar="SECONDS",
        help="how long one run may take (default: %(default)g)",
    )  # fmt: skip


def _run(args: argparse.Namespace) -> int:
    _check(args)
    args.goes_on, args.many = args.many is None, args.many or MANY
    patch = _patch(args)
    if args.place in (TWIN, HIT):
        return _tell(args, _in_twins(args, patch))
    if args.captured:
        captured = from_file(args)
        return _tell(args, _verified(args, captured, _candidate(args, captured.home, patch)))
    if args.entry:
        captured = from_service(args, args.entry)
        candidate = _candidate(args, captured.home, patch)
        found, is_fresh = _fresh_first(args, captured, candidate)
        if is_fresh and wants_twin(found.report) and args.place == AUTO:
            found = _elsewhere(args, candidate, found, captured)
        return _tell(args, found)
    return _tell(args, _widened(args, patch))


def _in_twins(args: argparse.Namespace, patch: bytes) -> Verified:
    target = args.entry or first_entry(_local(args, patch), local_roots(args))
    if args.place == TWIN:
        captured = from_service(args, target)
        return _twins(args, _candidate(args, captured.home, patch), captured)
    one = argparse.Namespace(**{**vars(args), "many": 1, "fails": ""})
    known = from_service(one, target)  # one call says where the service has its code
    return at_hits(args, _candidate(args, known.home, patch), known)


def _local(args: argparse.Namespace, patch: bytes) -> Candidate:
    """Read the candidate before it is known where the service has its code."""
    roots = local_roots(args)
    here = Home(path=roots, cwd=roots[0] if roots else str(Path.cwd()))
    found = _candidate(args, here, patch)
    if said := candidates.obstacles(found):
        raise RefusedError("not-applicable", f"{said[0]}.")
    return found


def _widened(args: argparse.Namespace, patch: bytes) -> Verified:
    """Begin at the changed function, and go outwards while its calls cannot be made again."""
    target = first_entry(_local(args, patch), local_roots(args))
    best: Verified | None = None
    tried: list[str] = []
    while len(tried) < MAX_STEPS:
        captured = from_service(args, target)
        tried.append(captured.entry)
        candidate = _candidate(args, captured.home, patch)
        found, is_fresh = _fresh_first(args, captured, candidate)
        if not is_fresh:
            return found
        shares = found.report.shares
        if best is None or _share(found.report) > _share(best.report):
            best, of_best = found, captured
        if is_good(found.report):
            break
        target = wider(captured.calls, tried)
        err(
            f"leadline: {harmless(captured.entry)}: control agreed on {shares.agreed} of "
            f"{shares.calls} calls"
        )
        if not target:
            break
    if best is None:
        raise UsageError("no-entry", "No function was found whose calls could be run.")
    if wants_twin(best.report) and args.place == AUTO:
        best = _elsewhere(args, _candidate(args, of_best.home, patch), best, of_best)
    chosen = f"entry chosen: {best.report.entry}"
    if len(tried) > 1:
        chosen += f", of {', '.join(tried)}: its control agrees most often"
    return noted(best, [chosen])


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


def _check(args: argparse.Namespace) -> None:
    """Say what does not go together before anything is waited for."""
    given = [name for name in ("patch", "ref", "replace") if getattr(args, name)]
    if len(given) != 1:
        raise UsageError(
            "no-candidate",
            f"Only one of --{' and --'.join(given)} can be verified at a time."
            if given
            else "Say what is to be verified: one of --patch, --ref and --replace.",
            "For example: git diff | leadline verify shop --patch -",
        )
    if bool(args.service) == bool(args.captured):
        raise UsageError(
            "no-calls",
            "Calls come either from a service that runs or from --captured FILE.",
            "For example: leadline verify shop --patch fix.diff",
        )
    if args.place in (TWIN, HIT) and args.captured:
        raise UsageError(
            "no-calls",
            "A twin is one of a service that runs: leave --captured out.",
            "For example: leadline verify shop --place twin --patch fix.diff",
        )
    if args.expect and not args.fails and not args.captured:
        raise UsageError(
            "no-predicate",
            "--expect is about the calls that fail: say which with --fails.",
            "For example: --fails 'raises ZeroDivisionError'",
        )
    if args.entry:
        parse_place(args.entry)
    for named in (*args.path, *args.read):
        if not Path(named).exists():
            raise UsageError("no-such-path", f"{named} is not there: see --path and --read.")
    for predicate in filter(None, (args.fails, args.expect)):
        compile_predicate(predicate)
    if any(limit is not None and limit < 1 for limit in (args.many, args.least)):
        raise UsageError("bad-limit", "--calls and --least must be above zero.")
    if args.many is not None and args.many > MAX_CALLS:
        raise UsageError(
            "bad-limit", f"--calls must be from 1 to {MAX_CALLS:,}, not {args.many:,}."
        )
    if not 0 < args.within <= MAX_WITHIN_S:  # nan is not, either
        raise UsageError(
            "bad-limit", f"--within must be above zero, and at most {MAX_WITHIN_S:,} seconds."
        )


def _patch(args: argparse.Namespace) -> bytes:
    """Read the diff once, since standard input can be read no second time, and see that it is
    one before any call is waited for."""
    if not args.patch:
        return b""
    if args.patch == _STDIN:
        patch = _within(sys.stdin.buffer.read(MAX_CANDIDATE_BYTES + 1), "Standard input")
    else:
        patch = _bytes(args.patch)
    parse(patch.decode("utf-8", "surrogateescape"))
    return patch


def _candidate(args: argparse.Namespace, home: Home, patch: bytes) -> Candidate:
    """Read the candidate; says once, and before anything runs, what of it is not tried."""
    found = _read(args, home, patch)
    names = ", ".join(one.name for one in found.untried)
    if names and names != getattr(args, "untried", ""):
        args.untried = names
        err(f"leadline: not tried, so nothing good can be said: {harmless(names)}")
    return found


def _read(args: argparse.Namespace, home: Home, patch: bytes) -> Candidate:
    folder = str(Path(args.path[0]).resolve()) if args.path else home.cwd
    read = finder(home.path, folder, args.path)
    if args.ref:
        where = [folder] if args.path else [folder, *home.path]
        return git.from_git(args.ref, _checkout(where), read)
    if args.replace:
        name, equal, file = args.replace.partition("=")
        if not equal:
            raise UsageError("bad-patch", "--replace is NAME=FILE: shop/pricing.py=new.py")
        return candidates.from_file(name, candidates.decoded(_bytes(file)), read)
    title = "standard input" if args.patch == _STDIN else Path(args.patch).name
    text = patch.decode("utf-8", "surrogateescape")
    return candidates.from_diff(text, read, title=title, folder=folder)


def _checkout(folders: Sequence[str]) -> str:
    """Return the first folder that lies in a checkout; else the first one, of which git tells
    what is wrong."""
    return next((one for one in folders if one and git.is_checkout(one)), folders[0])


def _bytes(file: str) -> bytes:
    try:
        with Path(file).open("rb") as content:
            return _within(content.read(MAX_CANDIDATE_BYTES + 1), file)
    except OSError as error:
        raise UsageError("bad-patch", f"{file} cannot be read: {error.strerror}.") from None


def _within(content: bytes, name: str) -> bytes:
    if len(content) > MAX_CANDIDATE_BYTES:
        size = f"{MAX_CANDIDATE_BYTES / 1e6:g} MB"
        raise UsageError("bad-patch", f"{name} is longer than the {size} that are read.")
    return content


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
    if args.markdown and args.markdown != _STDIN:
        _write_markdown(args.markdown, markdown(plain))
    if args.export_tests:
        exported = export_tests(
            args.export_tests, report.entry, found.compared, report.fails, report.expect
        )
        err(f"leadline: {len(exported.files)} tests written to {harmless(args.export_tests)}")
        for number, why in exported.left_out.items():
            err(f"leadline: no test of call {number}: {harmless(why)}")
    return report.exit_status


def _show(args: argparse.Namespace, report: Mapping[str, Any]) -> None:
    if args.json:
        out(json.dumps(report))
    if args.markdown == _STDIN:
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
    _configure,
    _run,
)
