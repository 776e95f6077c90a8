"""`leadline catch`: a snapshot when an exception is raised in a function, or leaves it."""

import argparse
from typing import Any

from leadline.cli.placing import probe_command
from leadline.cli.probe_word import ProbeWord, add_stack, stack_of
from leadline.wire.probe import ExceptionProbe, Moment, ProbeKind
from leadline.wire.target import Place


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--type",
        action="append",
        default=[],
        metavar="NAME",
        help="only exceptions of this class or a subclass; may be repeated "
        "(default: every Exception)",
    )
    parser.add_argument(
        "--raised",
        dest="moment",
        action="store_const",
        const=Moment.RAISED,
        help="when it is raised in the function, also if it is caught there; "
        "without it, when it leaves the function",
    )
    add_stack(parser)


def _own(args: argparse.Namespace, _place: Place) -> dict[str, Any]:
    return {"raises": tuple(args.type), **stack_of(args)}


WORD = ProbeWord(
    "catch",
    ProbeKind.EXCEPTION,
    ExceptionProbe,
    "keep the stack when an exception is raised in a function or leaves it",
    "leadline catch shop shop.pricing:quote --type ZeroDivisionError",
    _configure,
    _own,
)
COMMAND = probe_command(WORD)
