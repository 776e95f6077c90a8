"""The page of a twin: what there is of its answer, for whoever waits for it in Source."""

from leadline.control.hits import hit_filter, newest_hits, sources
from leadline.control.probes import show_probe
from leadline.server.route import Call, Route, page
from leadline.web import twin as view


@page("/parts/twins/{probe}")
def twin_part(call: Call) -> str:
    """Return what a twin that was ordered has answered, or why nothing yet."""
    probe = show_probe(call.context, call.path["probe"])
    found = newest_hits(call.context, hit_filter(probe=probe.id), 1).hits if probe.hits else []
    hit = found[-1] if found else None
    process = ""
    if hit is not None:
        process = sources(call.context, [hit]).processes.get(hit.instance, hit.instance[:8])
    return view.part(probe, hit, process)


TWIN_PAGES: tuple[Route, ...] = (twin_part,)
