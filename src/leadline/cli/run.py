"""`leadline run`: start any program with the agent in it."""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from leadline.agent.welcome import service_name
from leadline.cli.account import Account
from leadline.cli.client import Client
from leadline.cli.command import Command
from leadline.cli.inline_probe import parse_probe
from leadline.cli.listener import Listener
from leadline.cli.places import make_folder, server_keys_file, server_url
from leadline.cli.show import err, harmless
from leadline.cli.supervise import hold_signals, pass_on, replace_process, supervise
from leadline.wire.errors import LeadlineError, UsageError
from leadline.wire.keys import AGENT_PREFIX, agent_key, load_or_create
from leadline.wire.messages import encode_probes
from leadline.wire.service import check_service

_SHORT_S = 1.0
"""A server that answers later than this is left for the agent to find."""
_LOOK_S = 3.0
"""For another interpreter to say whether it has the agent."""
_PYTHON = re.compile(r"(python|pypy)[\d.]*")
_HAS_AGENT = "import importlib.util as u, sys; sys.exit(u.find_spec('leadline') is None and 7)"
_HAS_NONE = 7
_TELLING = ("bad-url", "bad-key", "not-a-server", "bad-host")
"""What stays wrong; that an agent's key may not list services is what should be answered, and
a server that is not there may come."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--service",
        metavar="NAME",
        help="report to the server as this service (default: the program's name)",
    )
    parser.add_argument(
        "--probe",
        action="append",
        default=[],
        metavar="PROBE",
        help="without a server: place this probe and show its hits on stderr, e.g. "
        "'log app.py:3 \"t={t}\" --hits 5'; may be repeated",
    )
    parser.add_argument(
        "--json", action="store_true", help="with --probe: write hits as JSON, one a line"
    )
    parser.add_argument(
        "program",
        nargs=argparse.REMAINDER,
        metavar="-- PROGRAM ...",
        help="the program to start and its arguments",
    )


def _run(args: argparse.Namespace) -> int:
    command = args.program[1:] if args.program[:1] == ["--"] else args.program
    if not command:
        raise UsageError(
            "no-program",
            "There is no program to run.",
            "Write it behind two dashes: leadline run --service shop -- python app.py",
        )
    if args.probe and args.service:
        raise UsageError(
            "probe-and-service",
            "--probe shows hits here and --service reports to a server: use one of them.",
            "With a server, place probes by `leadline log SERVICE FILE:LINE TEMPLATE`.",
        )
    if python := _without_agent(command):
        err(f"leadline: no agent starts in this program: {harmless(python)} has no leadline. "
            f"Install it there: {harmless(python)} -m pip install leadline")  # fmt: skip
    if args.probe:
        return _with_probes(args.probe, command, as_json=args.json)
    service = check_service(args.service or service_name(command))
    key = _agent_key(service)
    _warn(server_url(), key)
    environ = {
        **_environ(),
        "LEADLINE_URL": server_url(),
        "LEADLINE_KEY": key,
        "LEADLINE_SERVICE": service,
    }
    return replace_process(command, environ)


def _warn(url: str, key: str) -> None:
    """Say what the agent, a silent guest, would keep to itself. The program starts all the
    same: it must not depend on us."""
    try:
        Client(url, key, timeout_s=_SHORT_S).get("/v1/services")
    except LeadlineError as error:
        if error.slug in _TELLING:
            err(f"leadline: no probe will reach this program: {harmless(error.message)} "
                f"(more: docs/errors/{error.slug}.md)")  # fmt: skip


def _without_agent(command: list[str]) -> str:
    """Return the interpreter that runs the program, where it is another than this one and
    leadline is not installed for it; empty where that is not known."""
    python = _interpreter(command[0])
    if not python or Path(python).absolute().parent == Path(sys.executable).absolute().parent:
        return ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = [python, "-c", _HAS_AGENT]
        environ = {name: one for name, one in _environ().items() if name != "LEADLINE_URL"}
        done = subprocess.run(  # noqa: S603 - what is about to be run anyway
            asked, env=environ, timeout=_LOOK_S, check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return python if done.returncode == _HAS_NONE else ""
    return ""


def _interpreter(program: str) -> str:
    """Return the Python that a program is, or that its first line names."""
    path = shutil.which(program) or ""
    if _PYTHON.fullmatch(Path(path).name):
        return path
    with contextlib.suppress(OSError), open(path or os.devnull, "rb") as file:
        said = os.fsdecode(file.readline(300))
        words = said.removeprefix("#!").split() if said.startswith("#!") else []
        if words and Path(words[0]).name == "env":
            words = [shutil.which(words[1]) or ""] if words[1:] else []
        if words and _PYTHON.fullmatch(Path(words[0]).name):
            return words[0]
    return ""


def _with_probes(texts: list[str], command: list[str], *, as_json: bool) -> int:
    probes = [parse_probe(text, f"p{number}") for number, text in enumerate(texts, 1)]
    with hold_signals(), Listener(Account(probes, as_json=as_json)) as listener:
        environ = {
            **_environ(),
            "LEADLINE_URL": listener.url,
            "LEADLINE_KEY": listener.key,
            "LEADLINE_SERVICE": service_name(command),
            "LEADLINE_PROBES": encode_probes(probes),
        }
        status = supervise(command, environ)
        listener.finish()
    return pass_on(status)


def _environ() -> dict[str, str]:
    """The environment without what an outer `leadline run` has put there."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("LEADLINE_KEY", "LEADLINE_PROBES", "LEADLINE_SERVICE")
    }


def _agent_key(service: str) -> str:
    """Return the key for the service's agents; a user's key never enters a service."""
    given = os.environ.get("LEADLINE_KEY", "")
    if given.startswith(AGENT_PREFIX):
        return given
    if given:
        answer = Client().post(f"/v1/services/{service}/agent-key")
        return str(answer["key"])
    keys = server_keys_file()
    make_folder(keys)
    return agent_key(load_or_create(keys), service)


COMMAND = Command(
    "run",
    "start a program with the agent in it",
    "leadline run --probe 'log app.py:3 \"t={t} q={q}\"' -- python app.py",
    _configure,
    _run,
)
