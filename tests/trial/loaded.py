"""What is loaded here as a service would have it: without the tests, of which this process has
hundreds, each looked through as if it were the service's."""

import sys
from pathlib import Path
from types import ModuleType

_TESTS = tuple(f"{Path(__file__).parents[2] / name}/" for name in ("tests", "benchmarks"))


def loaded() -> dict[str, ModuleType]:
    return {
        name: module
        for name, module in sys.modules.items()
        if not str(getattr(module, "__file__", None) or "").startswith(_TESTS)
    }
