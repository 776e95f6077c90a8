"""What a command is, and the option that all share."""

import argparse
from collections.abc import Callable

from leadline.wire.struct import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `leadline`. `run` returns the exit status; a `LeadlineError` that it
    raises becomes one sentence on stderr and the error's own status. With `takes_program`, the
    words behind `--` are in `args.program`."""

    name: str
    summary: str
    example: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    takes_program: bool = False


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`, on every command that shows something."""
    parser.add_argument(
        "--json", action="store_true", help="print JSON with a schema_version instead of text"
    )
