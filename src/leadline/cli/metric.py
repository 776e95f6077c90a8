"""`leadline metric`: the values of an expression, added up."""

import argparse
from typing import Any

from leadline.cli.placing import probe_command
from leadline.cli.probe_word import ProbeWord
from leadline.wire.probe import MetricProbe, ProbeKind
from leadline.wire.target import Place


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "expression", metavar="EXPRESSION", help="what gives the number, e.g. 'len(queue)'"
    )


def _own(args: argparse.Namespace, _place: Place) -> dict[str, Any]:
    return {"expression": args.expression}


WORD = ProbeWord(
    "metric",
    ProbeKind.METRIC,
    MetricProbe,
    "add up the values of an expression: count, sum, least, most, quantiles",
    "leadline metric shop shop/pricing.py:51 total --if 'customer.tier == \"gold\"'",
    _configure,
    _own,
)
COMMAND = probe_command(WORD)
