"""`leadline snap`: the stack with all its variables."""

import argparse
from typing import Any

from leadline.cli.placing import probe_command
from leadline.cli.probe_word import ProbeWord, add_stack, stack_of
from leadline.wire.probe import ProbeKind, SnapshotProbe
from leadline.wire.target import Place


def _own(args: argparse.Namespace, _place: Place) -> dict[str, Any]:
    return stack_of(args)


WORD = ProbeWord(
    "snap",
    ProbeKind.SNAPSHOT,
    SnapshotProbe,
    "keep the stack with its variables when a place is reached",
    "leadline snap shop shop.pricing:quote --watch 'len(lines)' --if 'result < 0'",
    add_stack,
    _own,
)
COMMAND = probe_command(WORD)
