"""What of the agent is written in C; without it everything works, only slower, but for twins.

`core()` decides once per process. `LEADLINE_CORE=pure` keeps the extension out altogether, so
that a process in which C code of ours is not wanted has none loaded. `twin()` loads the other
one, the seal, when somebody first asks for it: a service that allows no twins never has it.
"""

import importlib
import os
import sys
from types import ModuleType

SETTING = "LEADLINE_CORE"
TWIN = "leadline.native._twin"
_PURE = "pure"
_NO_COMPILER = "not built: there was no C compiler when it was installed"
_NO_LOCK = "this interpreter runs without the global interpreter lock"


def core() -> ModuleType | None:
    """Return the module `_core`, or None where it is not there or not wanted."""
    return _loaded


def reason() -> str:
    """Return why there is no native core here, as one sentence; empty where there is one."""
    return _reason


def twin() -> ModuleType | None:
    """Return the module `_twin`, or None where there can be no twins."""
    return _the_twin()[0]


def twin_reason() -> str:
    """Return why there are no twins here, as one sentence; empty where there can be some."""
    return _the_twin()[1]


def in_twin() -> bool:
    """Whether this process is a sealed copy of another; it does not load `_twin` to know."""
    twin = sys.modules.get(TWIN)
    return twin is not None and bool(twin.inside())


def _load() -> tuple[ModuleType | None, str]:
    if os.environ.get(SETTING, "") == _PURE:
        return None, f"{SETTING}=pure asks for the core in Python"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None, _NO_LOCK
    return _import("leadline.native._core")


_found: list[tuple[ModuleType | None, str]] = []


def _the_twin() -> tuple[ModuleType | None, str]:
    if not _found:
        _found.append(_seal())
    return _found[0]


def _seal() -> tuple[ModuleType | None, str]:
    machine = os.uname().machine
    if sys.platform != "linux" or machine != "x86_64":
        return None, f"twins are for Linux on x86-64, this is {sys.platform} on {machine}"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None, _NO_LOCK
    module, why = _import(TWIN)
    why = why or (module.missing() if module else "")
    return (None, why) if why else (module, "")


def _import(name: str) -> tuple[ModuleType | None, str]:
    try:
        return importlib.import_module(name), ""
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError):
            return None, _NO_COMPILER
        return None, f"it cannot be loaded here: {error}"[:200]


_loaded, _reason = _load()
