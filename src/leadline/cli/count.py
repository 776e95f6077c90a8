"""`leadline count`: how often a place is reached."""

import argparse
from typing import Any

from leadline.cli.placing import probe_command
from leadline.cli.probe_word import ProbeWord, nothing_own
from leadline.wire.probe import CounterProbe, ProbeKind
from leadline.wire.target import Place


def _own(_args: argparse.Namespace, _place: Place) -> dict[str, Any]:
    return {}


WORD = ProbeWord(
    "count",
    ProbeKind.COUNTER,
    CounterProbe,
    "count how often a place is reached",
    "leadline count shop shop/pricing.py:27 --if 'base == 0'",
    nothing_own,
    _own,
)
COMMAND = probe_command(WORD)
