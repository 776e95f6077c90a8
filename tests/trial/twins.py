"""Twins for tests: a fork, sealed or not, at the start of a function, inside of a callback."""

import json
import os
import select
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

from leadline import native
from leadline.agent.capture.tree import Room, capture
from leadline.agent.twin.readable import readable
from leadline.trial import chance
from leadline.wire.limits import CaptureLimits
from leadline.wire.struct import asdict, is_struct

LIFE_S = 30.0


def shown(value: object) -> Any:
    return capture(value, CaptureLimits())


def shower(room: int = 20_000) -> Callable[[object], Any]:
    """Return what captures several values within one room, as an agent does."""
    left = Room(room)
    return lambda value: capture(value, CaptureLimits(), left)


def born(policy: int | None, channel: int) -> int:
    """Fork, or make a sealed twin that may use `channel`; returns as `os.fork`."""
    if policy is not None:
        seal: Any = native.twin()
        return seal.clone(policy, LIFE_S, 10, 256 << 20, (channel,), readable())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there are threads: that is the point
        return os.fork()


def ended(pid: int) -> int:
    """Return how a twin ended, which is about to. One that is sealed is nobody's child."""
    deadline = time.monotonic() + LIFE_S
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG | _ALL)
        if found:
            return status
        time.sleep(0.005)
    raise AssertionError("the twin lives on")


_ALL = 0x40000000
"""`__WALL`: also those that end without a signal to their parent."""


def gone(pid: int) -> None:
    """End a twin."""
    try:
        os.kill(pid, 9)
        os.waitpid(pid, _ALL)
    except (ProcessLookupError, ChildProcessError):
        pass


class Twin:
    """A fork at the first start of `function`, in which `inside(frame)` runs; its answer."""

    def __init__(
        self,
        function: FunctionType | Any,
        inside: Callable[[FrameType], Any],
        policy: int | None = None,
    ) -> None:
        self._policy = policy
        self._code = function.__code__
        self._inside = inside
        self._pid = 0
        self._answer = -1

    def __enter__(self) -> "Twin":
        monitoring, events = sys.monitoring, sys.monitoring.events
        self._tool = next(one for one in (4, 3, 5) if monitoring.get_tool(one) is None)
        monitoring.use_tool_id(self._tool, "twin of a test")
        monitoring.register_callback(self._tool, events.PY_START, self._hit)
        monitoring.set_local_events(self._tool, self._code, events.PY_START)
        return self

    def __exit__(self, *_: object) -> None:
        sys.monitoring.set_local_events(self._tool, self._code, 0)
        sys.monitoring.free_tool_id(self._tool)
        if self._pid:
            os.close(self._answer)
            gone(self._pid)

    def _hit(self, _code: object, _offset: int) -> None:
        if self._pid:
            return
        self._answer, answer = os.pipe()
        state = chance.remember()
        self._pid = born(self._policy, answer)
        if self._pid:
            os.close(answer)
            return
        sys.monitoring.set_local_events(self._tool, self._code, 0)
        try:
            chance.restore(state)
            said = self._inside(sys._getframe(1))
            text = json.dumps({"said": said}, default=plain)
        except BaseException:  # noqa: BLE001 - told to the test
            text = json.dumps({"failed": traceback.format_exc()})
        os.write(answer, text.encode())
        os._exit(0)

    def answer(self) -> Any:
        """Return what `inside` returned, as JSON has it."""
        assert self._pid, "never hit"
        deadline, data = time.monotonic() + LIFE_S, b""
        while True:
            ready, _, _ = select.select(
                [self._answer], [], [], max(0, deadline - time.monotonic())
            )
            assert ready, "the twin says nothing"
            part = os.read(self._answer, 1 << 20)
            if not part:
                break
            data += part
        assert data, "the twin died"
        message = json.loads(data)
        assert "failed" not in message, message["failed"]
        return message["said"]


def plain(value: object) -> Any:
    if is_struct(value):
        return asdict(value)
    raise TypeError(type(value).__name__)


def twin_of(
    function: Any,
    inside: Callable[[FrameType], Any],
    live: Callable[[], Any],
    policy: int | None = None,
) -> tuple[Any, Any]:
    """Return what `live()` returned, and what the twin at `function` answered."""
    with Twin(function, inside, policy) as twin:
        result = live()
        return result, twin.answer()
