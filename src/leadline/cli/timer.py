"""`leadline time`: how long a function takes, or the way between two lines of one call."""

import argparse
from typing import Any

from leadline.cli.placing import probe_command
from leadline.cli.probe_word import ProbeWord
from leadline.wire.errors import UsageError
from leadline.wire.probe import ProbeKind, TimerProbe
from leadline.wire.target import Place, Target


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--until",
        metavar="LINE",
        help="with a line: measure from there to this line of the same call, "
        "written as LINE or FILE:LINE",
    )


def _own(args: argparse.Namespace, place: Place) -> dict[str, Any]:
    return {"until": until(args.until, place) if args.until else None}


def until(text: str, place: Place) -> Target:
    """Read the second line of a timer. Raises `UsageError` (slug `bad-target`)."""
    if text.isascii() and text.isdigit():
        if not isinstance(place, Target):
            raise UsageError(
                "bad-target", "A timer of a function ends with it; leave the second line out."
            )
        return Target(place.file, int(text))
    return Target.parse(text)


WORD = ProbeWord(
    "time",
    ProbeKind.TIMER,
    TimerProbe,
    "measure how long a function takes, or the way between two lines",
    "leadline time shop shop/orders.py:30 --until 41",
    _configure,
    _own,
)
COMMAND = probe_command(WORD)
