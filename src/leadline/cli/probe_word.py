"""A word that places a probe: what `log`, `snap`, `count`, ... have in common, and what not.

The same words are commands (`leadline snap SERVICE PLACE`) and stand in one argument of
`leadline run --probe 'snap PLACE'`, so both read a probe here.
"""

import argparse
from collections.abc import Callable
from typing import Any

from leadline.cli.duration import duration, spoken
from leadline.expression import check_expressions
from leadline.wire.errors import UsageError
from leadline.wire.limits import DEFAULT_FRAMES, CaptureLimits, Limits
from leadline.wire.probe import AGGREGATED, DEFAULTS, Moment, Probe, ProbeKind, default_moment
from leadline.wire.struct import dataclass
from leadline.wire.target import EVERYWHERE, Place, parse_place

_CAPTURE = CaptureLimits()
_MOMENTS = {
    ProbeKind.LOG: Moment.EXIT,
    ProbeKind.SNAPSHOT: Moment.EXIT,
    ProbeKind.METRIC: Moment.EXIT,
    ProbeKind.COUNTER: Moment.ENTRY,
}
"""Kinds that can look at a function's entry or exit, and which they do if nothing is said."""


@dataclass(frozen=True, slots=True)
class ProbeWord:
    """`configure` adds what only this kind takes, `own` reads it into members of `struct`."""

    name: str
    kind: ProbeKind
    struct: Callable[..., Probe]
    summary: str
    example: str
    configure: Callable[[argparse.ArgumentParser], None]
    own: Callable[[argparse.Namespace, Place], dict[str, Any]]


def add_probe_options(parser: argparse.ArgumentParser, word: ProbeWord) -> None:
    """Add the place, what this kind takes, and the options that every probe has."""
    _add_place(parser, word.kind)
    word.configure(parser)
    if word.kind in _MOMENTS:
        _add_moment(parser, _MOMENTS[word.kind])
    parser.add_argument(
        "--if",
        dest="condition",
        metavar="EXPRESSION",
        help="only when this holds, e.g. 'len(sql) > 20' (see docs/expressions.md)",
    )
    _add_limits(parser, word.kind)
    if word.kind not in AGGREGATED:
        add_capture(parser)
    parser.add_argument("--note", default="", metavar="TEXT", help="why this probe is there")


def read_probe(
    word: ProbeWord, args: argparse.Namespace, *, probe_id: str = "", owner: str = ""
) -> Probe:
    """Return the probe that was asked for, checked as the server would check it.

    Raises `UsageError` (slugs `bad-target`, `bad-moment`, `bad-limit`, `too-long`) and
    `ExpressionError`.
    """
    place = parse_place(args.place)
    defaults = DEFAULTS[word.kind]
    probe = word.struct(
        id=probe_id,
        target=place,
        condition=args.condition,
        limits=Limits(
            hits=defaults.hits if args.hits is None else args.hits,
            ttl_s=args.ttl,
            rate_per_s=defaults.rate_per_s if args.rate is None else args.rate,
            cost_percent=args.cost,
        ),
        capture=capture_of(args),
        owner=owner,
        note=args.note,
        moment=_moment(word.kind, place, args),
        **word.own(args, place),
    )
    check_expressions(probe)
    return probe


def add_stack(parser: argparse.ArgumentParser) -> None:
    """The options of the two kinds that keep a stack."""
    parser.add_argument(
        "--watch",
        action="append",
        default=[],
        metavar="EXPRESSION",
        help="an expression to keep beside the variables; may be repeated",
    )
    parser.add_argument(
        "--frames",
        type=int,
        default=DEFAULT_FRAMES,
        metavar="N",
        help="calls of the stack that are kept (default: %(default)s)",
    )


def stack_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return what `add_stack` has asked for."""
    return {"watches": tuple(args.watch), "frames": args.frames}


def nothing_own(_parser: argparse.ArgumentParser) -> None:
    """Of a kind that takes nothing beyond what all take."""


def _add_place(parser: argparse.ArgumentParser, kind: ProbeKind) -> None:
    if kind is ProbeKind.EXCEPTION:
        parser.add_argument(
            "place",
            nargs="?",
            default=EVERYWHERE,
            metavar="PLACE",
            help="a function, MODULE:FUNCTION; by default any function (*)",
        )
        return
    parser.add_argument(
        "place", metavar="PLACE", help="FILE:LINE or MODULE:FUNCTION, e.g. shop/pricing.py:88"
    )


def _add_moment(parser: argparse.ArgumentParser, usual: Moment) -> None:
    chosen = parser.add_mutually_exclusive_group()
    for moment in (Moment.ENTRY, Moment.EXIT):
        default = " (default for functions)" if moment is usual else ""
        chosen.add_argument(
            f"--{moment}",
            dest="moment",
            action="store_const",
            const=moment,
            help=f"with a function: look at its {moment}{default}",
        )


def _add_limits(parser: argparse.ArgumentParser, kind: ProbeKind) -> None:
    default = DEFAULTS[kind]
    adds_up = kind in AGGREGATED
    what = "passages" if adds_up else "hits"
    parser.add_argument(
        "--hits",
        type=int,
        default=None if adds_up else default.hits,
        metavar="N",
        help=f"stop after N {what}, over all instances "
        + ("(default: no limit)" if adds_up else "(default: %(default)s)"),
    )
    parser.add_argument(
        "--ttl",
        type=duration,
        default=default.ttl_s,
        metavar="TIME",
        help=f"stop after this time, e.g. 90s, 15m, 2h (default: {spoken(default.ttl_s)})",
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=None if adds_up else default.rate_per_s,
        metavar="N",
        help=f"at most N {what} a second in each instance "
        + ("(default: no limit)" if adds_up else "(default: %(default)g)"),
    )
    parser.add_argument(
        "--cost",
        type=float,
        default=default.cost_percent,
        metavar="PERCENT",
        help="at most so much measured time in each instance, of one core (default: what all "
        "probes of the process may use)",
    )


def add_capture(parser: argparse.ArgumentParser) -> None:
    """The options that say how much of a value is captured."""
    for name, of, default in (
        ("depth", "levels of a value that are captured", _CAPTURE.depth),
        ("items", "items of a value that are captured, over all levels", _CAPTURE.items),
        ("text", "characters of a text that are captured", _CAPTURE.text),
    ):
        parser.add_argument(
            f"--{name}",
            type=int,
            default=default,
            metavar="N",
            help=f"{of} (default: %(default)s)",
        )


def capture_of(args: argparse.Namespace) -> CaptureLimits:
    """Return what `add_capture` has asked for."""
    if not hasattr(args, "depth"):
        return _CAPTURE
    return CaptureLimits(depth=args.depth, items=args.items, text=args.text)


def _moment(kind: ProbeKind, place: Place, args: argparse.Namespace) -> Moment:
    asked: Moment | None = getattr(args, "moment", None)
    usual = default_moment(kind, place)
    if asked is not None and usual is Moment.LINE:
        raise UsageError(
            "bad-moment",
            f"{place} is a line, which has no {asked}.",
            f"Name a function to look at its {asked}: MODULE:FUNCTION.",
        )
    return asked or usual
