"""Whether an agent belongs in this process, by its command line, and what it would be called.

Every interpreter that starts under `LEADLINE_URL` asks this, those of tools included: so
nothing is imported for it.
"""

import os
import sys

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


def switched_off() -> bool:
    """Whether the kill switch of this process is set."""
    return switched_on(os.environ.get("LEADLINE_OFF", ""))


def switched_on(value: str) -> bool:
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
