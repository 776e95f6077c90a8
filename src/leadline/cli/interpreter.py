"""Which Python a command starts, and whether the agent gets into it.

The interpreter is asked itself: it is started as the command would start it, with a few lines
of our own in place of the program, and an address at which nobody listens.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leadline import __version__
from leadline.agent.welcome import unwelcome
from leadline.cli.finding import Finding, Level, ok
from leadline.wire.struct import dataclass

_ANSWER_S = 20.0
"""A cold interpreter on a slow disk takes some seconds; one that takes longer hangs."""
_NOWHERE = "http://127.0.0.1:1"
_ASK = """
import json, sys
found = {"python": sys.version.split()[0], "implementation": sys.implementation.name}
try:
    import leadline
    found["leadline"] = leadline.__version__
except ImportError:
    found["leadline"] = ""
boot = sys.modules.get("leadline.agent.boot")
found["hooked"] = boot is not None
found["running"] = boot is not None and boot.running()
seats = getattr(sys, "monitoring", None)
names = [seats.get_tool(seat) for seat in range(6)] if seats else []
found["seats"] = [[seat, name] for seat, name in enumerate(names) if name]
sys.stdout.write("\\n" + json.dumps(found) + "\\n")
"""
_PYTHON = re.compile(r"python|pypy")
_TRAMPOLINE = re.compile(rb"""^'''exec' "?([^"\n]+?)"? "\$0" "\$@"$""", re.MULTILINE)
"""How installers start Python where its path is too long for a first line."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """`path` of an interpreter, and its own options as the command gives them."""

    path: str
    options: tuple[str, ...] = ()


def interpreter_of(command: list[str]) -> Interpreter | None:
    """Return the Python that `command` starts; None where that cannot be told."""
    path = shutil.which(command[0])
    if path is None:
        return None
    if _PYTHON.match(Path(path).name):
        return Interpreter(path, tuple(_options(command[1:])))
    return _shebang(path)


def examine(command: list[str]) -> Iterator[Finding]:
    """Yield what keeps the agent out of what `command` starts, or that nothing does."""
    subject = command[0]
    if shutil.which(subject) is None:
        yield Finding(Level.PROBLEM, subject, "there is no such program")
        return
    interpreter = interpreter_of(command)
    if interpreter is None:
        yield Finding(
            Level.WARNING,
            subject,
            "it does not say which Python it starts, if any",
            "Run doctor on the command of the interpreter itself.",
        )
        return
    arguments = command[1:] if _PYTHON.match(Path(subject).name) else command
    if unwelcome(arguments):
        yield Finding(
            Level.PROBLEM,
            subject,
            "it is a tool that the agent never enters",
            "See docs/settings.md, Who is never entered.",
        )
    yield from ask(interpreter)


def ask(interpreter: Interpreter) -> Iterator[Finding]:
    """Start an interpreter and yield what it says of the agent in it."""
    found, complaint = _answer(interpreter)
    subject = interpreter.path
    if found is None:
        yield Finding(Level.PROBLEM, subject, f"it cannot be started: {complaint}")
        return
    if found["implementation"] != "cpython" or _version(found["python"]) < (3, 12):
        yield Finding(
            Level.PROBLEM,
            subject,
            f"{found['implementation']} {found['python']} cannot carry the agent",
            "Leadline needs CPython 3.12 or newer.",
        )
    elif not found["leadline"]:
        yield Finding(
            Level.PROBLEM,
            subject,
            f"Python {found['python']} finds no Leadline",
            _how_to_install(interpreter),
        )
    elif not found["hooked"]:
        yield Finding(
            Level.PROBLEM,
            subject,
            f"Python {found['python']} has Leadline, but does not run its start-up hook",
            "Install Leadline anew, or call leadline.start() in the program.",
        )
    elif not found["running"]:
        yield Finding(Level.PROBLEM, subject, complaint or "the agent does not start")
    else:
        yield from _good(subject, found)


def _how_to_install(interpreter: Interpreter) -> str:
    leaving_out = [one for one in interpreter.options if re.fullmatch(r"-\w*[SI]\w*", one)]
    if leaving_out:
        return f"{leaving_out[0]} leaves out what is installed: call leadline.start() there."
    return f"Install it there: {interpreter.path} -m pip install leadline"


def _good(subject: str, found: dict[str, Any]) -> Iterator[Finding]:
    yield ok(subject, f"Python {found['python']} carries the agent {found['leadline']}")
    if found["leadline"] != __version__:
        yield Finding(
            Level.WARNING,
            subject,
            f"its Leadline is {found['leadline']} and this command's is {__version__}",
            f"{subject} -m pip install leadline=={__version__}",
        )
    others = [f"{name} holds {seat}" for seat, name in found["seats"] if name != "leadline"]
    if others:
        yield Finding(
            Level.NOTE, subject, f"other tools at sys.monitoring: {', '.join(others)}"
        )


def _answer(interpreter: Interpreter) -> tuple[dict[str, Any] | None, str]:
    """Return what the interpreter says, and what it complains about."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith("LEADLINE_")
    }
    environ |= {
        "LEADLINE_URL": _NOWHERE, "LEADLINE_SERVICE": "doctor", "LEADLINE_VERBOSE": "1"
    }  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that was named
            [interpreter.path, *interpreter.options, "-c", _ASK],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"it said nothing for {_ANSWER_S:.0f} s"
    except OSError as error:
        return None, str(error.strerror)
    last = done.stdout.decode("utf-8", "replace").strip().rpartition("\n")[2]
    said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    try:
        found = json.loads(last)
    except ValueError:
        return None, said or "it gave no answer"
    return (found if isinstance(found, dict) else None), said.removeprefix("leadline: ")


def _options(words: list[str]) -> Iterator[str]:
    """Yield the interpreter's own options, up to its program."""
    waiting = iter(words)
    for word in waiting:
        if not word.startswith("-") or word == "-":
            return
        if word in ("-W", "-X", "--check-hash-based-pycs"):
            yield word
            yield next(waiting, "")
        elif not word.startswith("--") and word[-1] in "cm" and word[1] not in "WX":
            if len(word) > 2:
                yield word[:-1]
            return
        elif word.startswith("-c"):
            return
        else:
            yield word


def _shebang(path: str) -> Interpreter | None:
    try:
        with open(path, "rb") as file:
            head = file.read(1_000)
    except OSError:
        return None
    first = head.partition(b"\n")[0].decode("utf-8", "replace")
    if not first.startswith("#!"):
        return None
    words = first[2:].split()
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        words = [shutil.which(words[0]) or words[0], *words[1:]] if words else []
    elif found := _TRAMPOLINE.search(head):
        words = [found[1].decode("utf-8", "replace")]
    if words and _PYTHON.match(Path(words[0]).name):
        return Interpreter(words[0], tuple(words[1:]))
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])
