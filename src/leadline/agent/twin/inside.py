"""What happens inside a twin, between the clone and its end. Nothing here returns to the live
request, but for the shell, whose frame goes on under the tracer of `trial.stepping`."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from leadline import native
from leadline.agent.capture.room import Room
from leadline.agent.capture.tree import capture
from leadline.agent.core.passage import Visit
from leadline.agent.twin import database_file
from leadline.agent.twin.outcome import taker
from leadline.trial import asking, calls, chance, revival, running, stepping, vigil
from leadline.wire.errors import LeadlineError
from leadline.wire.messages import encode
from leadline.wire.probe import TwinProbe
from leadline.wire.twin import (
    MAX_ANSWER_BYTES,
    TRIES,
    Refusal,
    Said,
    TwinPolicy,
    TwinUse,
)
from leadline.wire.value import Value

_EVENTS = sys.monitoring.events
_VIGIL = 0.85
"""When it is said where code still waits that waits for no loop."""
_AWAITS = 0.7
"""What of its life a coroutine may take: then there is time to say that it waits in vain."""


def live(
    probe: TwinProbe, visit: Visit, channel: int, luck: chance.State, policy: TwinPolicy
) -> None:
    """Do what the twin was made for, say what came of it, and end the process."""
    try:
        if probe.use in TRIES:
            database_file.take_known()  # at once: the live call goes on, and may write to it
        _be_alone()
        chance.restore(luck)
        match probe.use:
            case TwinUse.ASK:
                _ask(probe, visit, channel, policy)
            case TwinUse.RERUN:
                _rerun(probe, visit, channel, policy)
            case TwinUse.VERIFY | TwinUse.SAMPLE:
                _try(probe, visit, channel, policy)
            case TwinUse.SHELL:
                _step(probe, visit, channel)
                return
    except BaseException as error:  # noqa: BLE001 - the last frame of this process
        _say(channel, {"failed": f"{type(error).__name__}: {error}"[:500]})
    _say(channel, {"refused": _refused()})
    os._exit(0)


def refusals() -> list[Refusal]:
    """Return what the seal has refused so far."""
    twin = native.twin()
    return [Refusal(*one) for one in twin.refusals()] if twin is not None else []


def _refused() -> list[list[object]]:
    return [[one.what, one.detail, one.count] for one in refusals()]


def _be_alone() -> None:
    """Take our own callbacks away: threads of the twin pass armed places too. Nor is what it
    imports kept: that would look like a try to write."""
    sys.dont_write_bytecode = True
    for tool in range(6):
        if sys.monitoring.get_tool(tool) == "leadline":
            for event in (
                _EVENTS.INSTRUCTION,
                _EVENTS.PY_START,
                _EVENTS.PY_RETURN,
                _EVENTS.PY_UNWIND,
                _EVENTS.RAISE,
                _EVENTS.LINE,
            ):
                sys.monitoring.register_callback(tool, event, None)


def _in_time(
    probe: TwinProbe, channel: int, policy: TwinPolicy, last: Callable[[str], dict[str, object]]
) -> None:
    """Have it said where the code waits, if it still does when the life is nearly over."""

    def tell(where: str) -> None:
        _say(channel, last(where) | {"refused": _refused(), "cut": where})
        os._exit(0)

    if policy is TwinPolicy.THREADS:
        vigil.keep_vigil(probe.life_s * _VIGIL, tell)


def _ask(probe: TwinProbe, visit: Visit, channel: int, policy: TwinPolicy) -> None:
    room = Room(MAX_ANSWER_BYTES // 2)

    def shown(value: object) -> Value:
        return capture(value, probe.capture, room)

    _say(channel, {"notes": revival.revive()})
    rest = list(probe.code)
    _in_time(
        probe,
        channel,
        policy,
        lambda where: {"said": json.loads(encode(Said(rest[0], raised=where)))} if rest else {},
    )
    within_s = probe.life_s * _AWAITS
    for said in asking.asked(visit.frame, probe.code, shown, refusals, within_s):
        _say(channel, {"said": json.loads(encode(said))})
        del rest[:1]
    _say(channel, {"done": True})


def _rerun(probe: TwinProbe, visit: Visit, channel: int, policy: TwinPolicy) -> None:
    _say(channel, {"notes": revival.revive()})
    try:
        call = calls.call_of(visit.frame, _function_of)
    except LeadlineError as error:
        refused = running.Rerun(None, cut=error.message)
        _say(channel, {"rerun": json.loads(encode(refused)), "done": True})
        return
    _in_time(
        probe,
        channel,
        policy,
        lambda where: {"rerun": json.loads(encode(running.Rerun(None, cut=where)))},
    )
    ran = running.run(call, taker(), probe.life_s * _AWAITS)
    _say(channel, {"rerun": json.loads(encode(ran)), "done": True})


def _try(probe: TwinProbe, visit: Visit, channel: int, policy: TwinPolicy) -> None:
    from leadline.agent.twin import trying, zygote  # inside the seal: `loading.SEALED_PARTS`

    does = zygote.serve if probe.use is TwinUse.SAMPLE else trying.verify
    does(probe, visit.frame, channel, lambda said: _say(channel, said), policy, _function_of)


def _step(probe: TwinProbe, visit: Visit, channel: int) -> None:
    room_for = probe.capture
    revival.revive()

    def shown(value: object) -> Value:
        return capture(value, room_for, Room(MAX_ANSWER_BYTES // 4))

    stepping.Stepper(
        visit.frame, channel, shown, refusals, probe.life_s, function_of=_function_of
    ).arm()


def _function_of(frame: Any) -> Any:
    twin = native.twin()
    return twin.function_of(frame) if twin is not None else None


def _say(channel: int, message: dict[str, object]) -> None:
    try:
        left = json.dumps(message).encode("ascii") + b"\n"
        while left:
            left = left[os.write(channel, left) :]
    except (OSError, ValueError):
        return  # nobody listens any more
