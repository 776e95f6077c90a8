"""The pages of probes and of the audit log."""

from msgspec import Struct
from msgspec.structs import asdict

from leadline.control.audit import costs, list_audit
from leadline.control.hits import hit_filter, list_hits
from leadline.control.probes import list_probes, show_probe
from leadline.control.series import series
from leadline.server.page_frame import frame
from leadline.server.route import Call, Route, page
from leadline.web import audit as audit_view
from leadline.web import probe as probe_view
from leadline.web import probes as probes_view
from leadline.wire.probe import AGGREGATED

LAST_HITS = 10
HISTORY = 100
"""Entries of the audit log that a probe shows, the newest."""


class ProbesPageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """See `web.probes.ProbeFilters`; a form sends what is empty too."""

    service: str = ""
    status: str = ""
    kind: str = ""
    owner: str = ""
    text: str = ""


class AuditPageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """See `web.audit.AuditFilters`; only entries before a number, if one is given."""

    who: str = ""
    action: str = ""
    service: str = ""
    probe: str = ""
    before: int | None = None


@page("/probes", query=ProbesPageQuery)
def probes(call: Call) -> str:
    """Show all probes, those that need attention first."""
    return probes_view.page(frame(call, "/probes"), _probes(call))


@page("/probes/{probe}")
def one_probe(call: Call) -> str:
    """Show one probe, also after it was removed."""
    return probe_view.page(frame(call, "/probes"), _probe(call))


@page("/audit", query=AuditPageQuery)
def audit(call: Call) -> str:
    """Show who did what, where and when, and what it cost."""
    said = asdict(call.query)
    before = said.pop("before")
    filters = audit_view.AuditFilters(**said)
    found = list_audit(call.context, limit=audit_view.PAGE, before=before, **said)
    view = audit_view.audit(
        filters,
        found.entries,
        costs(call.context, found.entries),
        more=found.more,
        newest=before is None,
    )
    return audit_view.page(frame(call, "/audit"), view)


@page("/parts/probes", query=ProbesPageQuery)
def probes_part(call: Call) -> str:
    """Return what changes of the probes."""
    return probes_view.part(_probes(call))


@page("/parts/probes/{probe}")
def probe_part(call: Call) -> str:
    """Return what changes of one probe."""
    return probe_view.part(_probe(call))


def _probes(call: Call) -> probes_view.Probes:
    filters = probes_view.ProbeFilters(**asdict(call.query))
    return probes_view.probes(list_probes(call.context), filters)


def _probe(call: Call) -> probe_view.Probe:
    shown = show_probe(call.context, call.path["probe"])
    adds_up = shown.kind in AGGREGATED
    hits = (
        [] if adds_up else list_hits(call.context, hit_filter(probe=shown.id), LAST_HITS).hits
    )
    history = list_audit(call.context, limit=HISTORY, probe=shown.id)
    over_time = series(call.context, shown.id) if adds_up else None
    return probe_view.probe(shown, over_time, hits, history.entries)


PROBE_PAGES: tuple[Route, ...] = (probes, one_probe, audit, probes_part, probe_part)
"""Pages first, then parts."""
