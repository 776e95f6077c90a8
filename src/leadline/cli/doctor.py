"""`leadline doctor`: whether the agent gets in, the server is well, and what to do if not."""

import argparse
import json
import os
import sys
from collections.abc import Iterator

from leadline.agent.welcome import switched_off
from leadline.cli.command import Command, add_json
from leadline.cli.finding import Finding, Level, ok, problem_of
from leadline.cli.health import server_findings
from leadline.cli.interpreter import Interpreter, ask, examine
from leadline.cli.places import server_keys_file
from leadline.cli.show import harmless, out
from leadline.wire.errors import ExitCode, LeadlineError, UsageError
from leadline.wire.keys import AGENT_PREFIX, load
from leadline.wire.service import check_service
from leadline.wire.struct import asdict


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="look at the processes of this service")
    add_json(parser)
    parser.set_defaults(program=None)
    parser.usage = "%(prog)s [-h] [--json] [service] [-- PROGRAM ...]"
    parser.description = (
        "check whether the agent gets in and the server is well; behind -- a command as it "
        "would be started: whether the agent gets into that"
    )


def _run(args: argparse.Namespace) -> int:
    if args.program == []:
        raise UsageError("no-program", "There is no program behind the two dashes.")
    findings = list(_findings(args.service, args.program or []))
    if args.json:
        out(json.dumps({"schema_version": 1, "findings": [asdict(one) for one in findings]}))
    else:
        for one in findings:
            out(f"{one.level:<8} {harmless(one.subject)}: {harmless(one.message)}")
            if one.hint:
                out(f"         {harmless(one.hint)}")
    bad = any(one.level is Level.PROBLEM for one in findings)
    return ExitCode.NO if bad else ExitCode.OK


def _findings(service: str | None, command: list[str]) -> Iterator[Finding]:
    if service is not None:
        check_service(service)
    if command:
        yield from examine(command)
        yield from _environment()
        return
    yield from ask(Interpreter(sys.executable))
    yield from _environment()
    yield from _keys()
    yield from server_findings(service)


def _environment() -> Iterator[Finding]:
    if switched_off():
        yield Finding(
            Level.WARNING, "LEADLINE_OFF", "it is set here: no agent starts",
            "Unset it, unless that is what you want.",
        )  # fmt: skip
    if os.environ.get("LEADLINE_PROBES"):
        yield Finding(
            Level.WARNING,
            "LEADLINE_PROBES",
            "it is set here: every Python that starts arms them",
        )


def _keys() -> Iterator[Finding]:
    if given := os.environ.get("LEADLINE_KEY"):
        if given.startswith(AGENT_PREFIX):
            yield Finding(
                Level.PROBLEM, "LEADLINE_KEY", "it holds an agent's key, of no use to commands",
                "Unset it, or set it to a user key (llu_...).",
            )  # fmt: skip
        return
    try:
        load(server_keys_file())
    except LeadlineError as error:
        yield problem_of("keys", error)
    else:
        yield ok("keys", f"{server_keys_file()} can be read by you alone")


COMMAND = Command(
    "doctor",
    "check whether the agent gets in and the server is well",
    "leadline doctor -- python app.py",
    _configure,
    _run,
    takes_program=True,
)
