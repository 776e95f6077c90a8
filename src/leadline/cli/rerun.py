"""`leadline rerun`: each call of a function run once more in a twin, beside what happened."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from leadline.cli.ask import no_answer
from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.hit_view import place_line
from leadline.cli.processes import Processes
from leadline.cli.show import harmless, out
from leadline.cli.twin_order import add_order_options, ordered
from leadline.cli.twin_view import agreement_line, difference_lines
from leadline.cli.twin_waiting import Waiting
from leadline.wire.errors import ExitCode, UsageError
from leadline.wire.struct import dataclass, field
from leadline.wire.twin import DEFAULT_RERUNS, MAX_RERUNS, TwinEnd, TwinUse
from leadline.wire.twin_words import policy_words

_WAIT_S = 120.0
ENOUGH = 0.95
"""The share of calls that have to agree before anything is concluded from a rerun."""
UNKNOWN = 3
"""The exit status where too little is known."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", help="the service that is asked")
    parser.add_argument(
        "place", metavar="FUNCTION", help="MODULE:FUNCTION, e.g. shop.pricing:quote"
    )
    parser.add_argument(
        "--calls",
        "-n",
        dest="many",
        type=int,
        default=DEFAULT_RERUNS,
        metavar="N",
        help="calls that are run again (default: %(default)s)",
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=1.0,
        metavar="N",
        help="at most N twins a second in each instance; the service's own limit stays "
        "(default: %(default)g)",
    )
    add_order_options(parser, TwinUse.RERUN, _WAIT_S)
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    if not 1 <= args.many <= MAX_RERUNS:
        raise UsageError(
            "bad-limit", f"--calls must be from 1 to {MAX_RERUNS:,}, not {args.many:,}."
        )
    client = Client()
    processes, tally = Processes(client), Tally()
    with ordered(client, args, TwinUse.RERUN, hits=args.many, rate=args.rate) as order:
        for hit in Waiting(client, order, args.wait).hits(args.many):
            tally.add(hit["twin"])
            named = processes.name(hit)
            if args.json:
                out(json.dumps({"schema_version": 1, "hit": named}))
            else:
                _show(named)
        order.look()
    if not tally.of:
        return no_answer(order, args.wait, as_json=args.json)
    if args.json:
        said = {"schema_version": 1, "probe": order.probe, "asked": args.many}
        out(json.dumps(said | tally.summary()))
    else:
        missing = args.many - tally.of
        late = f"; {missing} more did not come in {args.wait:g} s" if missing > 0 else ""
        out(harmless(tally.words()) + late)
    return tally.status()


def _show(hit: Mapping[str, Any]) -> None:
    out(f"{place_line(hit)}  {agreement_line(hit['twin'])}")
    agreement = hit["twin"].get("agreement")
    if agreement is not None and agreement["agrees"] is False:
        for line in difference_lines(agreement):
            out(line)


@dataclass(slots=True)
class Tally:
    """What became of the calls so far. What is cut off counts as unknown."""

    agree: int = 0
    explained: int = 0
    unexplained: int = 0
    unknown: int = 0
    policy: str = ""
    marks: Counter[str] = field(default_factory=Counter)

    @property
    def of(self) -> int:
        """How many calls there were."""
        return self.agree + self.explained + self.unexplained + self.unknown

    def add(self, twin: Mapping[str, Any]) -> None:
        """Take in one call."""
        found = twin.get("agreement")
        self.policy = twin["policy"]
        if found is None or twin["end"] != TwinEnd.DONE or found["agrees"] is None:
            self.unknown += 1
        elif found["agrees"]:
            self.agree += 1
        elif found["reason"]:
            self.explained += 1
        else:
            self.unexplained += 1
        # how often a call met it is of no interest here: `time.time ×3`
        self.marks.update({mark.partition(" ×")[0] for mark in found["marks"]} if found else ())

    def status(self) -> int:
        """Return the exit status. One that would be another if more were known is `UNKNOWN`."""
        if self.unexplained or self.agree + self.unknown < ENOUGH * self.of:
            return ExitCode.NO
        return ExitCode.OK if self.agree >= ENOUGH * self.of else UNKNOWN

    def summary(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "of": self.of,
            "agree": self.agree,
            "explained": self.explained,
            "unexplained": self.unexplained,
            "unknown": self.unknown,
            "policy": self.policy,
            "marks": dict(self.marks),
        }

    def words(self) -> str:
        """Return it for a person."""
        parts = [f"{self.agree} of {self.of} agree"]
        for count, what in ((self.explained, "explained"), (self.unexplained, "unexplained")):
            if count:
                parts.append(f"{count} differ{'s' if count == 1 else ''}, {what}")
        if self.unknown:
            parts.append(f"{self.unknown} unknown")
        parts.append(policy_words(self.policy))
        if self.marks:
            marks = (f"{mark} in {count}" for mark, count in self.marks.most_common())
            parts.append(f"marks: {', '.join(marks)}")
        return "; ".join(parts)


COMMAND = Command(
    "rerun",
    "run each call of a function again in a twin, and say whether it comes to the same",
    "leadline rerun shop shop.pricing:quote -n 50",
    _configure,
    _run,
)
