"""The addresses for whoever operates the server: switches, purging, keys, health."""

from msgspec import Struct

from leadline.control.switches import Switch, switch_off, switch_on
from leadline.server.bodies import SCHEMA_VERSION
from leadline.server.route import Call, Route, Who, route

_SERVICE = "/v1/services/{service}"


class OffBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is switched off."""

    reason: str = ""


class SwitchesAnswer(Struct, frozen=True, kw_only=True):
    """What is switched off now; an empty `service` is everything."""

    schema_version: int = SCHEMA_VERSION
    off: list[Switch]


@route("POST", f"{_SERVICE}/off", who=Who.USER, body=OffBody, returns=SwitchesAnswer)
def service_off(call: Call) -> SwitchesAnswer:
    """Take all probes out of a service's processes, and let none in."""
    service, reason = call.path["service"], call.body.reason
    return SwitchesAnswer(off=switch_off(call.context, service, reason=reason, who=call.who))


@route("POST", f"{_SERVICE}/on", who=Who.USER, returns=SwitchesAnswer)
def service_on(call: Call) -> SwitchesAnswer:
    """Let a service carry its probes again."""
    return SwitchesAnswer(off=switch_on(call.context, call.path["service"], who=call.who))


@route("POST", "/v1/off", who=Who.USER, body=OffBody, returns=SwitchesAnswer)
def everything_off(call: Call) -> SwitchesAnswer:
    """Take all probes out of all processes, and let none in."""
    return SwitchesAnswer(
        off=switch_off(call.context, "", reason=call.body.reason, who=call.who)
    )


@route("POST", "/v1/on", who=Who.USER, returns=SwitchesAnswer)
def everything_on(call: Call) -> SwitchesAnswer:
    """Let everything carry its probes again but what was switched off by name."""
    return SwitchesAnswer(off=switch_on(call.context, "", who=call.who))


OPERATING: tuple[Route, ...] = (service_off, service_on, everything_off, everything_on)
