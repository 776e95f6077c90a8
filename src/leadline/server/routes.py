"""Every address of the server. Who wants to know what it can do reads this file."""

from msgspec.structs import asdict

from leadline import __version__
from leadline.control.audit import list_audit
from leadline.control.hits import hit_filter, list_hits
from leadline.control.instances import connect, leave, overview
from leadline.control.probes import list_probes, remove_all, remove_probe, show_probe
from leadline.control.probes import place as place_probe
from leadline.control.report import take_report
from leadline.control.series import series
from leadline.control.sets import Named, put_set, remove_set, show_set
from leadline.control.watch import unwatch, watch
from leadline.server.approval_routes import APPROVAL_ROUTES
from leadline.server.bodies import (
    AuditAnswer,
    AuditQuery,
    HealthAnswer,
    HitsAnswer,
    HitsQuery,
    KeyAnswer,
    PlaceBody,
    ProbeAnswer,
    ProbesAnswer,
    ProbesQuery,
    RemovedAnswer,
    SeriesAnswer,
    SeriesQuery,
    ServicesAnswer,
    SetAnswer,
    SetBody,
    WatchQuery,
)
from leadline.server.instance_routes import INSTANCE_ROUTES
from leadline.server.key_routes import KEY_ROUTES
from leadline.server.openapi import describe
from leadline.server.operating import OPERATING
from leadline.server.posted import Posted, posted
from leadline.server.route import Call, Flow, Route, Who, route
from leadline.server.sign_in_routes import SIGN_IN_ROUTES
from leadline.server.twin_routes import TWIN_ROUTES
from leadline.server.verdict_routes import VERDICT_ROUTES
from leadline.wire.hit import InstanceInfo, Report
from leadline.wire.keys import agent_key
from leadline.wire.messages import CONNECT_PATH, MAX_REPORT_BYTES, REPORT_PATH

PROBES = "/v1/probes"
SERVICE = "/v1/services/{service}"
SET = "/v1/services/{service}/sets/{set}"
MAX_SET_BYTES = 1_000_000
"""A thousand probes of a set, written out."""


@route("GET", "/health", who=Who.NOBODY, returns=HealthAnswer)
def health(_call: Call) -> HealthAnswer:
    """Say that the server is there, and which version of it."""
    return HealthAnswer(ok=True, version=__version__)


@route(
    "POST",
    CONNECT_PATH,
    who=Who.AGENT,
    body=InstanceInfo,
    events={
        "set": "`revision` and all `probes`",
        "add": "`revision` and `probes` that are new, or have a new anchor",
        "remove": "`revision` and the `ids` of probes that are over",
        "off": "`revision` and `reason`: no probe may be in the process",
        "on": "`revision`: a `set` follows",
        "tell": "`probe`, `number`, `text` and `signature`: for the twin of a shell",
    },
)
def connect_agent(call: Call) -> Flow:
    """Stream the set of probes to an instance, then every change of it."""
    feed = connect(call.context, call.service, call.body)
    return Flow(feed, lambda: leave(call.context, feed))


@route(
    "POST",
    REPORT_PATH,
    who=Who.AGENT,
    body=Report,
    status=204,
    max_bytes=MAX_REPORT_BYTES,
    reader=posted,
)
def report(call: Call) -> None:
    """Take in an instance's hits, states and losses; one that is posted twice counts once."""
    came: Posted = call.body
    take_report(call.context, call.service, came.report, came.hits)


@route(
    "POST", f"{SERVICE}/probes", who=Who.USER, body=PlaceBody, returns=ProbeAnswer, status=201
)
def place(call: Call) -> ProbeAnswer:
    """Place a probe in a service."""
    body: PlaceBody = call.body
    placed = place_probe(call.context, body.read(), who=call.who, service=call.path["service"])
    return ProbeAnswer(probe=placed)


@route("DELETE", f"{SERVICE}/probes", who=Who.USER, returns=RemovedAnswer)
def remove_service_probes(call: Call) -> RemovedAnswer:
    """Remove all probes of a service."""
    return RemovedAnswer(removed=remove_all(call.context, call.path["service"], who=call.who))


@route("GET", PROBES, who=Who.USER, query=ProbesQuery, returns=ProbesAnswer)
def probes(call: Call) -> ProbesAnswer:
    """List the active and the expired probes, with their state in each instance."""
    return ProbesAnswer(probes=list_probes(call.context, call.query.service))


@route("GET", f"{PROBES}/{{probe}}", who=Who.USER, returns=ProbeAnswer)
def show(call: Call) -> ProbeAnswer:
    """Show one probe, also after it was removed."""
    return ProbeAnswer(probe=show_probe(call.context, call.path["probe"]))


@route("DELETE", f"{PROBES}/{{probe}}", who=Who.USER, returns=RemovedAnswer)
def remove(call: Call) -> RemovedAnswer:
    """Remove one probe; its hits stay."""
    return RemovedAnswer(removed=remove_probe(call.context, call.path["probe"], who=call.who))


@route(
    "GET", f"{PROBES}/{{probe}}/series", who=Who.USER, query=SeriesQuery, returns=SeriesAnswer
)
def show_series(call: Call) -> SeriesAnswer:
    """Show what a counter, metric or timer saw over time."""
    query: SeriesQuery = call.query
    found = series(
        call.context,
        call.path["probe"],
        since=query.since,
        until=query.until,
        step=query.step,
        by=query.by,
    )
    return SeriesAnswer(series=found)


@route("PUT", SET, who=Who.USER, body=SetBody, returns=SetAnswer, max_bytes=MAX_SET_BYTES)
def put_named_set(call: Call) -> SetAnswer:
    """Make a set of probes exactly this; what is the same stays as it is."""
    body: SetBody = call.body
    service, name = call.path["service"], call.path["set"]
    orders = [Named(one.name, one.read()) for one in body.probes]
    parts = put_set(call.context, orders, who=call.who, service=service, name=name)
    return SetAnswer(service=service, set=name, parts=parts)


@route("GET", SET, who=Who.USER, returns=ProbesAnswer)
def show_named_set(call: Call) -> ProbesAnswer:
    """List the probes of a set, active and expired."""
    return ProbesAnswer(probes=show_set(call.context, call.path["service"], call.path["set"]))


@route("DELETE", SET, who=Who.USER, returns=RemovedAnswer)
def remove_named_set(call: Call) -> RemovedAnswer:
    """Remove all probes of a set."""
    service, name = call.path["service"], call.path["set"]
    return RemovedAnswer(removed=remove_set(call.context, service, name, who=call.who))


@route("GET", "/v1/audit", who=Who.USER, query=AuditQuery, returns=AuditAnswer)
def audit(call: Call) -> AuditAnswer:
    """List the newest entries of the audit log, or the newest before one; oldest first."""
    page = list_audit(call.context, limit=call.query.limit, before=call.query.before)
    return AuditAnswer(entries=page.entries, more=page.more)


@route("GET", "/v1/services", who=Who.USER, returns=ServicesAnswer)
def services(call: Call) -> ServicesAnswer:
    """List services and their instances, and what was lost."""
    seen = overview(call.context)
    return ServicesAnswer(services=seen.services, losses=seen.losses)


@route("POST", f"{SERVICE}/agent-key", who=Who.USER, returns=KeyAnswer)
def make_agent_key(call: Call) -> KeyAnswer:
    """Return the key for a service's agents; the same one until it is replaced."""
    service = call.path["service"]
    return KeyAnswer(service=service, key=agent_key(call.ring.keys(), service))


@route("GET", "/v1/hits", who=Who.USER, query=HitsQuery, returns=HitsAnswer)
def hits(call: Call) -> HitsAnswer:
    """List the newest hits, or with `after` those that followed; oldest first."""
    said = asdict(call.query)
    limit = said.pop("limit")
    page = list_hits(call.context, hit_filter(**said), limit)
    return HitsAnswer(hits=page.hits, more=page.more)


@route(
    "GET",
    "/v1/hits/stream",
    who=Who.USER,
    query=WatchQuery,
    events={
        "hit": "one hit, as `GET /v1/hits` lists them; its `id` is the event's",
        "point": "one point, where `points` was asked for",
        "lost": "`count` of what is missing at this place",
    },
)
def watch_hits(call: Call) -> Flow:
    """Stream hits as they arrive; an event `lost` counts those missing at that place."""
    said = asdict(call.query)
    points = said.pop("points")
    if _is_id(call.last_event_id):
        said["after"] = int(call.last_event_id)
    watcher = watch(call.context, hit_filter(**said), points=points)
    return Flow(watcher, lambda: unwatch(call.context, watcher))


@route("GET", "/v1/openapi.json", who=Who.USER)
def openapi(_call: Call) -> object:
    """Describe all addresses as OpenAPI 3.1."""
    return describe(ROUTES)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


ROUTES: tuple[Route, ...] = (
    health,
    connect_agent,
    report,
    place,
    remove_service_probes,
    probes,
    show,
    remove,
    show_series,
    put_named_set,
    show_named_set,
    remove_named_set,
    audit,
    services,
    make_agent_key,
    hits,
    watch_hits,
    openapi,
    *INSTANCE_ROUTES,
    *OPERATING,
    *KEY_ROUTES,
    *SIGN_IN_ROUTES,
    *TWIN_ROUTES,
    *APPROVAL_ROUTES,
    *VERDICT_ROUTES,
)
