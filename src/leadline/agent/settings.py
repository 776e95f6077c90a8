"""What the environment asks of the agent, read once at start."""

import os
import sys
from dataclasses import dataclass, field

from leadline.agent.identity import Identity, identity

DEFAULT_URL = "http://127.0.0.1:7357"

_GUESTS_NOT_WANTED = frozenset(
    """
    pip pip3 pipx uv uvx poetry pdm hatch virtualenv venv ensurepip build wheel twine
    setup.py conda pre-commit ruff mypy pyright black leadline
    """.split()
)
"""Tools that share a service's environment variables and are nobody's service."""
_FLAGS = "bBdEiIOPqsSuvVx"
"""The interpreter's options of one letter, which may stand before the `m` of `-m`: `-Im`."""
_HELPER_PROCESS = "multiprocessing.resource_tracker"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the agent reports to and as what. `probes` is the set to arm before the first
    line of the application, as JSON (see wire/messages.py)."""

    url: str
    key: str
    service: str
    probes: str = ""
    identity: Identity = field(default_factory=Identity)
    strict: bool = False
    """Whether no text may leave the process, see `agent.capture.outlet`."""
    redact: tuple[str, ...] = ()
    """Names that are secrets of this service, beside those of `wire.redaction`."""


def read(
    service: str | None = None, url: str | None = None, key: str | None = None
) -> Settings:
    """Take what is given, the rest from the environment, the rest by default."""
    environ, who = os.environ, identity()
    return Settings(
        url=url or environ.get("LEADLINE_URL") or DEFAULT_URL,
        key=key or environ.get("LEADLINE_KEY") or "",
        service=service or who.service or program_name(),
        probes=environ.get("LEADLINE_PROBES") or "",
        identity=who,
        strict=_set(environ.get("LEADLINE_STRICT", "")),
        redact=tuple(environ.get("LEADLINE_REDACT", "").split(",")),
    )


def switched_off() -> bool:
    """Whether the kill switch of this process is set."""
    return _set(os.environ.get("LEADLINE_OFF", ""))


def _set(value: str) -> bool:
    """Tell a switch that is on: set to anything but nothing or 0."""
    return value not in ("", "0")


def unwelcome(arguments: list[str] | None = None) -> bool:
    """Whether an interpreter with these arguments (this one, if none are given) is a tool or
    a helper that no agent belongs in."""
    words = sys.orig_argv[1:] if arguments is None else arguments
    if any(_HELPER_PROCESS in word for word in words[:3]):
        return True
    program, is_module = _program(words)
    if is_module:
        return program.partition(".")[0] in _GUESTS_NOT_WANTED or program == "leadline.server"
    return os.path.basename(program) in _GUESTS_NOT_WANTED


def program_name() -> str:
    """Return the base name of what this process runs, never an argument of it."""
    return service_name(["python", *sys.orig_argv[1:]])


def service_name(command: list[str]) -> str:
    """Return what a person would call the service that `command` starts."""
    name = os.path.basename(command[0])
    if name.startswith(("python", "pypy")):
        name = _program(command[1:])[0] or name
    base = os.path.basename(name).removesuffix(".py")
    clean = "".join(one for one in base if one.isascii() and (one.isalnum() or one in "._-"))
    return clean.strip(".")[:100] or "python"


def _program(words: list[str]) -> tuple[str, bool]:
    """Return the script or module in an interpreter's arguments, and whether it is a module."""
    waiting = iter(words)
    for word in waiting:
        if word == "-m" or (
            word.startswith("-") and word.endswith("m") and word[1:2] in _FLAGS
        ):
            return next(waiting, ""), True
        if word.startswith("-c") or word == "-":
            return "", False
        if word in ("-W", "-X", "--check-hash-based-pycs"):
            next(waiting, "")
        elif not word.startswith("-"):
            return word, False
    return "", False
