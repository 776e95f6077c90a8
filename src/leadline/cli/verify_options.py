"""What `leadline verify` is told, and what does not go together."""

import argparse
from pathlib import Path

from leadline.cli.command import add_json
from leadline.cli.verify_more import MANY
from leadline.cli.verify_report import add_report
from leadline.trial.predicate import compile_predicate
from leadline.verify.verdict import LEAST_EVIDENCE, LEAST_GOOD
from leadline.wire.call import MAX_CALLS
from leadline.wire.errors import UsageError
from leadline.wire.target import parse_place

AUTO, FRESH, TWIN, HIT = "auto", "fresh", "twin", "hit"
MAX_WITHIN_S = 3_600
"""Of one run: nobody waits longer for each of three times hundreds."""


def configure(parser: argparse.ArgumentParser) -> None:
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


def check(args: argparse.Namespace) -> None:
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
