"""`leadline log`: a line of text with values in it."""

import argparse
from typing import Any

from leadline.cli.placing import probe_command
from leadline.cli.probe_word import ProbeWord
from leadline.wire.probe import LogProbe, ProbeKind
from leadline.wire.target import Place


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "template", metavar="TEMPLATE", help="e.g. 'sql={sql} rows={len(rows)}'"
    )


def _own(args: argparse.Namespace, _place: Place) -> dict[str, Any]:
    return {"template": args.template}


WORD = ProbeWord(
    "log",
    ProbeKind.LOG,
    LogProbe,
    "write a line of values each time a place is reached",
    "leadline log ds datasette/database.py:310 'sql={sql}' --if 'len(sql) > 20' --ttl 15m",
    _configure,
    _own,
)
COMMAND = probe_command(WORD)
