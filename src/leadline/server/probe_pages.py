"""The pages of probes, of the audit log, and of one instance."""

from msgspec import Struct
from msgspec.structs import asdict

from leadline.control.audit import AuditFilter, list_audit, receipts
from leadline.control.hits import HitsPage, hit_filter, list_hits
from leadline.control.instances import show_instance
from leadline.control.inventory import inventory
from leadline.control.probes import list_probes, show_probe
from leadline.control.series import series
from leadline.server.page_frame import frame
from leadline.server.route import Call, Route, page
from leadline.web import audit as audit_view
from leadline.web import instance as instance_view
from leadline.web import probe as probe_view
from leadline.web import probes as probes_view
from leadline.wire.errors import UnavailableError, UsageError
from leadline.wire.probe import AGGREGATED

HITS_SHOWN = 10
"""Of a probe on its own page."""
HISTORY_SHOWN = 50
"""Entries of the audit log on the page of their probe."""
ENTRIES_SHOWN = 100
"""Entries of the audit log on a page."""


class ProbesPageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """See `web.probes.Filters`; a form sends what is empty too."""

    service: str = ""
    status: str = ""
    kind: str = ""
    owner: str = ""
    text: str = ""


class ProbePageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How many seconds back a picture goes; all that is stored if not said."""

    last: str = ""


class AuditPageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries; a form sends what is empty too."""

    service: str = ""
    probe: str = ""
    who: str = ""
    action: str = ""
    before: str = ""


@page("/probes", query=ProbesPageQuery)
def probes(call: Call) -> str:
    """Show all probes, what needs attention first."""
    return probes_view.page(frame(call, "/probes"), _probes(call))


@page("/parts/probes", query=ProbesPageQuery)
def probes_part(call: Call) -> str:
    """Return what changes of it."""
    return probes_view.part(_probes(call))


@page("/probes/{probe}", query=ProbePageQuery)
def probe(call: Call) -> str:
    """Show one probe, also after it was removed."""
    return probe_view.page(frame(call, "/probes"), _probe(call))


@page("/parts/probes/{probe}", query=ProbePageQuery)
def probe_part(call: Call) -> str:
    """Return what changes of it."""
    return probe_view.part(_probe(call))


@page("/audit", query=AuditPageQuery)
def audit(call: Call) -> str:
    """Show who did what, where and when, and what it cost."""
    return audit_view.page(frame(call, "/audit"), _audit(call))


@page("/parts/audit", query=AuditPageQuery)
def audit_part(call: Call) -> str:
    """Return what changes of it."""
    return audit_view.part(_audit(call))


@page("/instances/{instance}")
def instance(call: Call) -> str:
    """Show one process; what it has loaded is asked for by the page."""
    found = show_instance(call.context, call.path["instance"])
    return instance_view.page(frame(call, "/"), found)


@page("/parts/instances/{instance}")
def instance_part(call: Call) -> str:
    """Ask a process what it has loaded, and return that or why there is no answer."""
    try:
        asked = inventory(call.context, call.path["instance"])
    except UnavailableError as error:
        return instance_view.part(instance_view.refused(error))
    return instance_view.part(instance_view.loaded(asked.answer))


def _probes(call: Call) -> probes_view.Probes:
    filters = probes_view.Filters(**asdict(call.query))
    return probes_view.probes(list_probes(call.context), filters)


def _probe(call: Call) -> probe_view.ProbePage:
    context, name, last = call.context, call.path["probe"], call.query.last
    if last not in dict(probe_view.LAST):
        raise UsageError("bad-limit", f"A picture goes back {_spans()} seconds.")
    found, now = show_probe(context, name), context.clock()
    seen, over_time = HitsPage([], more=False), None
    if found.kind in AGGREGATED:
        since = now - float(last) if last else None
        over_time = series(context, name, since=since, until=now if last else None)
    else:
        seen = list_hits(context, hit_filter(probe=name), HITS_SHOWN)
    history = list_audit(context, limit=HISTORY_SHOWN, matching=AuditFilter(probe=name))
    return probe_view.probe_page(found, over_time, seen, history, now=now, last=last)


def _spans() -> str:
    return ", ".join(seconds for seconds, _ in probe_view.LAST if seconds)


def _audit(call: Call) -> audit_view.Audit:
    said = asdict(call.query)
    text = said.pop("before")
    if text and not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise UsageError("bad-limit", "before is the number of an entry.")
    matching = AuditFilter(**said)
    before = int(text) if text else None
    found = list_audit(call.context, limit=ENTRIES_SHOWN, before=before, matching=matching)
    return audit_view.audit(found, receipts(call.context, found), matching, before or 0)


PROBE_PAGES: tuple[Route, ...] = (
    probes,
    probe,
    audit,
    instance,
    probes_part,
    probe_part,
    audit_part,
    instance_part,
)
