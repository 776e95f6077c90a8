"""The kill switches as a command shows them, and waiting until the processes have obeyed."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from leadline.cli.client import Client
from leadline.cli.show import clock, harmless, out
from leadline.wire.service import check_service

_LOOK_S = 0.05


def turn(client: Client, word: str, service: str | None, body: dict[str, Any]) -> Any:
    """Turn the switch of a service, or of everything; returns the server's answer."""
    of = f"/services/{check_service(service)}" if service else ""
    return client.post(f"/v1{of}/{word}", body)


def show_switches(answer: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what is off now."""
    if as_json:
        out(json.dumps(answer))
        return
    for switch in answer["off"]:
        out(switch_line(switch))
    if not answer["off"]:
        out("nothing is switched off")


def switch_line(switch: Mapping[str, Any]) -> str:
    """Return one switch as a sentence."""
    what = f"service {switch['service']}" if switch["service"] else "everything"
    why = f": {switch['reason']}" if switch["reason"] else ""
    return harmless(f"{what} is off since {clock(switch['since'])}, by {switch['who']}{why}")


def still_armed(client: Client, service: str | None, seconds: float) -> int:
    """Wait until no connected process has a probe in it; returns how many still have one."""
    deadline = time.monotonic() + seconds
    while True:
        armed = _armed(client.get("/v1/services")["services"], service)
        if not armed or time.monotonic() >= deadline:
            return armed
        time.sleep(_LOOK_S)


def _armed(services: Sequence[Mapping[str, Any]], service: str | None) -> int:
    return sum(
        one["connected"] and one["armed"] > 0
        for kind in services
        if service is None or kind["service"] == service
        for one in kind["instances"]
    )
