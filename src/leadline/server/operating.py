"""The addresses for whoever operates the server: switches, purging, keys, health."""

from msgspec import Struct

from leadline.control.doctor import DatabaseState, Finding, ServerState, examine
from leadline.control.purge import Kind, What, purge
from leadline.control.switches import Switch, switch_off, switch_on
from leadline.control.views import ExporterView, InstanceView, Losses
from leadline.server.bodies import SCHEMA_VERSION
from leadline.server.key_routes import KeyRow, key_rows
from leadline.server.route import Call, Route, Who, route

_SERVICE = "/v1/services/{service}"


class OffBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is switched off."""

    reason: str = ""


class SwitchesAnswer(Struct, frozen=True, kw_only=True):
    """What is switched off now; an empty `service` is everything."""

    schema_version: int = SCHEMA_VERSION
    off: list[Switch]


class PurgeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be deleted; without `confirm` nothing is."""

    what: What
    service: str | None = None
    before: float | None = None
    confirm: bool = False


class PurgedAnswer(Struct, frozen=True, kw_only=True):
    """See `control.purge.Purged`."""

    schema_version: int = SCHEMA_VERSION
    purged: bool
    counts: dict[Kind, int]
    bytes: int
    more: bool


class DoctorAnswer(Struct, frozen=True, kw_only=True):
    """See `control.doctor.Health`."""

    schema_version: int = SCHEMA_VERSION
    now: float
    server: ServerState
    database: DatabaseState
    exporter: ExporterView | None
    keys: list[KeyRow]
    off: list[Switch]
    instances: list[InstanceView]
    losses: Losses
    findings: list[Finding]


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


@route("POST", "/v1/purge", who=Who.USER, body=PurgeBody, returns=PurgedAnswer)
def purge_stored(call: Call) -> PurgedAnswer:
    """Delete stored data and give the space back, or say what would be deleted."""
    body: PurgeBody = call.body
    done = purge(
        call.context,
        body.what,
        who=call.who,
        service=body.service,
        before=body.before,
        confirm=body.confirm,
    )
    return PurgedAnswer(
        purged=done.purged, counts=done.counts, bytes=done.bytes, more=done.more
    )


@route("GET", "/v1/doctor", who=Who.USER, returns=DoctorAnswer)
def doctor(call: Call) -> DoctorAnswer:
    """Say how the server, its database, its exporter and the connected instances are."""
    found = examine(call.context)
    return DoctorAnswer(
        now=found.now,
        server=found.server,
        database=found.database,
        exporter=found.exporter,
        keys=key_rows(call.ring),
        off=found.off,
        instances=found.instances,
        losses=found.losses,
        findings=found.findings,
    )


OPERATING: tuple[Route, ...] = (
    service_off,
    service_on,
    everything_off,
    everything_on,
    purge_stored,
    doctor,
)
