"""debugpy's logpoints, set over the Debug Adapter Protocol by a client of its own process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import target
from benchmarks.subjects import Case
from benchmarks.windows import pauses_ns

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # it warns of frozen modules
import debugpy


class Subject:
    """See `benchmarks.subjects.Subject`."""

    version = version("debugpy")
    turns = 2

    def __init__(self) -> None:
        # started first: debugpy changes how processes are started, to be in them as well
        self._client = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("debug_client.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        _, port = debugpy.listen(("127.0.0.1", 0))
        self._ask(port)

    def cases(self) -> dict[str, Callable[[], Case]]:
        def plain() -> int:
            return target.price(3, 4)

        def case(mark: str, **said: str) -> Callable[[], Case]:
            return lambda: (plain, plain, lambda on: self._switch(on, mark, said))

        return {
            "cold": case("cold", logMessage="{quantity}"),
            "condition": case("hot", condition="quantity > 1000"),
            "counter": case("hot", hitCondition=">= 1000000000"),
            "log": case("hot", logMessage="q {quantity} u {unit}"),
        }

    def between(self) -> None:
        return

    def pauses(self) -> dict[str, list[int]]:
        seen = {"control": pauses_ns(lambda: target.price(3, 4), 20_000)}
        hostile = target.Hostile()
        self._switch(True, "hostile", {"logMessage": "{wide} {deep}"})
        seen["hostile value, log"] = pauses_ns(lambda: target.hold(hostile), 3)
        self._switch(False, "hostile", {})
        return seen

    def _switch(self, on: bool, mark: str, said: dict[str, str]) -> None:
        point = [{"line": target.line(mark)} | said] if on else []
        self._ask([target.__file__, point])

    def _ask(self, said: Any) -> None:
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(json.dumps(said) + "\n")
        self._client.stdin.flush()
        answer = json.loads(self._client.stdout.readline())
        assert answer["ok"], answer
