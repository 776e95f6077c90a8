"""What a command is, and the options that several share."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from leadline.cli.duration import duration
from leadline.wire.probe import CaptureLimits, Limits

_CAPTURE = CaptureLimits()
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `leadline`. `run` returns the exit status; a `LeadlineError` that it
    raises becomes one sentence on stderr and the error's own status."""

    name: str
    summary: str
    example: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`, on every command that shows something."""
    parser.add_argument(
        "--json", action="store_true", help="print JSON with a schema_version instead of text"
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    """The options that every probe takes, with their defaults in the help."""
    parser.add_argument(
        "--if",
        dest="condition",
        metavar="EXPRESSION",
        help="hit only when this holds, e.g. 'len(sql) > 20' (see docs/expressions.md)",
    )
    parser.add_argument(
        "--hits",
        type=int,
        default=_LIMITS.hits,
        metavar="N",
        help="stop after N hits, over all instances (default: %(default)s)",
    )
    parser.add_argument(
        "--ttl",
        type=duration,
        default=_LIMITS.ttl_s,
        metavar="TIME",
        help=f"stop after this time, e.g. 90s, 15m, 2h (default: {_LIMITS.ttl_s / 60:.0f}m)",
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=_LIMITS.rate_per_s,
        metavar="N",
        help="at most N hits a second in each instance (default: %(default)g)",
    )
    parser.add_argument(
        "--depth",
        type=int,
        default=_CAPTURE.depth,
        metavar="N",
        help="levels of a value that are captured (default: %(default)s)",
    )
    parser.add_argument(
        "--items",
        type=int,
        default=_CAPTURE.items,
        metavar="N",
        help="items of a value that are captured, over all levels (default: %(default)s)",
    )
    parser.add_argument(
        "--text",
        type=int,
        default=_CAPTURE.text,
        metavar="N",
        help="characters of a text that are captured (default: %(default)s)",
    )
    parser.add_argument("--note", default="", metavar="TEXT", help="why this probe is there")


def limits_of(args: argparse.Namespace) -> Limits:
    """Raises `UsageError` (slug `bad-limit`)."""
    return Limits(hits=args.hits, ttl_s=args.ttl, rate_per_s=args.rate)


def capture_of(args: argparse.Namespace) -> CaptureLimits:
    """Raises `UsageError` (slug `bad-limit`)."""
    return CaptureLimits(depth=args.depth, items=args.items, text=args.text)
