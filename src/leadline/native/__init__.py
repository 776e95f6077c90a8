"""What of the agent is written in C; without it everything works, only slower.

`core()` decides once per process. `LEADLINE_CORE=pure` keeps the extension out altogether, so
that a process in which C code of ours is not wanted has none loaded.
"""

import importlib
import os
import sys
from types import ModuleType

SETTING = "LEADLINE_CORE"
_PURE = "pure"


def core() -> ModuleType | None:
    """Return the module `_core`, or None where it is not there or not wanted."""
    return _loaded


def reason() -> str:
    """Return why there is no native core here, as one sentence; empty where there is one."""
    return _reason


def _load() -> tuple[ModuleType | None, str]:
    if os.environ.get(SETTING, "") == _PURE:
        return None, f"{SETTING}=pure asks for the core in Python"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None, "this interpreter runs without the global interpreter lock"
    try:
        return importlib.import_module("leadline.native._core"), ""
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError):
            return None, "not built: there was no C compiler when it was installed"
        return None, f"it cannot be loaded here: {error}"[:200]


_loaded, _reason = _load()


def in_twin() -> bool:
    """Whether this process is a sealed copy of another; it does not load `_twin` to know."""
    twin = sys.modules.get("leadline.native._twin")
    return twin is not None and bool(twin.inside())
