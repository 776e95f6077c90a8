"""`leadline`: finds the command, runs it, turns errors into one sentence and an exit status."""

import argparse
import io
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Never

from leadline import __version__
from leadline.cli.command import Command
from leadline.cli.show import err, harmless
from leadline.wire.errors import ExitCode, LeadlineError

MODULES: dict[str, str] = {
    "demo": "demo",
    "up": "up",
    "open": "open_page",
    "run": "run",
    "status": "status",
    "doctor": "doctor",
    "log": "log",
    "snap": "snap",
    "count": "count",
    "metric": "metric",
    "time": "timer",
    "catch": "catch",
    "ask": "ask",
    "shell": "shell",
    "rerun": "rerun",
    "capture": "capture",
    "verify": "verify",
    "verdicts": "verdicts",
    "apply": "apply",
    "probes": "probes",
    "hits": "hits",
    "hit": "hit",
    "series": "series",
    "tail": "tail",
    "rm": "rm",
    "inventory": "inventory",
    "source": "source",
    "off": "off",
    "on": "on",
    "purge": "purge",
    "audit": "audit",
    "keys": "keys",
    "openapi": "openapi",
}
"""The module of each command, in the order in which help shows them. Only the one that is
asked for is imported: all of them would take longer than most commands do."""


class _Help(argparse.RawDescriptionHelpFormatter):
    """argparse's own, which loads `shutil` for the terminal's width with every option."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class _Parser(argparse.ArgumentParser):
    """argparse, with our exit status for what it does not understand.

    Where `takes_program` is set, what stands behind `--` is nobody's but the program's.
    """

    takes_program = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        words = list(args or ())
        if not self.takes_program or "--" not in words:
            return super().parse_known_args(args, namespace)
        cut = words.index("--")
        found, rest = super().parse_known_args(words[:cut], namespace)
        found.program = words[cut + 1 :]
        return found, rest

    def error(self, message: str) -> Never:
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(ExitCode.USAGE)


def parser(commands: Iterable[str] = tuple(MODULES)) -> argparse.ArgumentParser:
    """Return the command line with these commands, by default all."""
    root = _Parser(
        prog="leadline",
        description="See what running Python services do.",
        formatter_class=_Help,
    )
    root.add_argument("--version", action="version", version=f"leadline {__version__}")
    words = root.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name in commands:
        command = _command(name)
        _configure(words.add_parser(name, help=command.summary, **_described(command)), command)
    return root


def _command(name: str) -> Command:
    command: Command = import_module(f"leadline.cli.{MODULES[name]}").COMMAND
    return command


def _described(command: Command) -> dict[str, Any]:
    return {
        "description": command.summary,
        "epilog": f"example:\n  {command.example}",
        "formatter_class": _Help,
    }


def _configure(word: _Parser, command: Command) -> None:
    word.takes_program = command.takes_program
    command.configure(word)
    word.set_defaults(run_command=command.run)


def _parsed(given: list[str]) -> argparse.Namespace | None:
    """Return what was asked for, or nothing if nothing was. Of a command that is named first,
    as it nearly always is, only that one is made."""
    if given and given[0] in MODULES:
        command = _command(given[0])
        word = _Parser(prog=f"leadline {command.name}", **_described(command))
        _configure(word, command)
        return word.parse_args(given[1:])
    root = parser(()) if given[:1] == ["--version"] else parser()
    args = root.parse_args(given)
    if args.command is None:
        root.print_help()
        return None
    return args


def _columns() -> int:
    """Return the terminal's width, as `shutil.get_terminal_size` does."""
    said = os.environ.get("COLUMNS", "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    _print_anything()
    try:
        args = _parsed(given)
        if args is None:
            return ExitCode.USAGE
        return int(args.run_command(args))
    except LeadlineError as error:
        err(f"leadline: {_shown(error)}")
        return error.exit_code
    except BrokenPipeError:
        # whoever read our output has seen enough; the interpreter must not flush into it again
        sys.stdout = None
        return ExitCode.OK
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        sys.stdout = None
        err(f"leadline: the output cannot be written: {error.strerror}")
        return ExitCode.UNAVAILABLE


def _print_anything() -> None:
    """Let letters that the terminal's encoding lacks be shown as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _shown(error: LeadlineError) -> str:
    """A pointed error has lines that belong under each other: it begins on a new one."""
    pointed = "\n" in error.message
    lines = [harmless(line) for line in str(error).split("\n")]
    start = ["this cannot be used:", *(f"  {line}" for line in lines)] if pointed else lines
    return "\n".join([*start, f"(more: docs/errors/{error.slug}.md)"])
