"""The pages of hits: the list, one of them, the picture over time, and files to take along."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import asdict
from starlette.responses import Response

from leadline.control.hit_source import hit_source
from leadline.control.hits import (
    MAX_EXPORTED,
    SEARCHED,
    HitsPage,
    hit_filter,
    neighbours,
    newest_hits,
    newest_number,
    over_time,
    searched,
    show_hit,
    sources,
)
from leadline.control.views import HitView
from leadline.server.page_frame import HEADERS, frame
from leadline.server.route import Call, Route, page
from leadline.web import hit as hit_view
from leadline.web import hits as hits_view
from leadline.web.hit_filters import Filters
from leadline.wire.errors import LeadlineError, UsageError
from leadline.wire.struct import replace


class HitsPageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """See `web.hit_filters.Filters`; a form sends what is empty too."""

    service: str = ""
    probe: str = ""
    kind: str = ""
    instance: str = ""
    thread: str = ""
    task: str = ""
    trace: str = ""
    text: str = ""
    value: str = ""
    last: str = ""
    since: str = ""
    until: str = ""
    before: str = ""


class HitQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which call of the stack is looked at, 0 is the innermost."""

    call: int = 0


@page("/hits", query=HitsPageQuery)
def hits(call: Call) -> str:
    """Show hits, newest first, and those that arrive."""
    filters = Filters(**asdict(call.query))
    context = call.context
    asked = hit_filter(**filters.said(context.clock()))
    matching = searched(context, asked)
    newest = newest_number(context)
    found = newest_hits(
        context, replace(matching, before=filters.before_hit), hits_view.FIRST_HITS
    )
    known = sources(context, found.hits)
    view = hits_view.Hits(
        rows=hits_view.rows(found, known.processes),
        more=found.more,
        columns=over_time(context, matching, None if filters.before else found),
        filters=filters,
        sources=known,
        newest=newest,
        partly=0 if matching is asked else SEARCHED,
    )
    return hits_view.page(frame(call, "/hits"), view)


@page("/parts/hits-over-time", query=HitsPageQuery)
def hits_over_time(call: Call) -> str:
    """Return the picture over time of the above."""
    filters = Filters(**asdict(call.query))
    asked = hit_filter(**filters.said(call.context.clock()))
    return hits_view.histogram(over_time(call.context, searched(call.context, asked)))


@page("/hits/export.json", query=HitsPageQuery)
def hits_as_json(call: Call) -> Response:
    """Send the newest hits that match as a file of JSON."""
    return _file(call, "json", "application/json", hits_view.as_json)


@page("/hits/export.csv", query=HitsPageQuery)
def hits_as_csv(call: Call) -> Response:
    """Send the newest hits that match as a file of CSV."""
    return _file(call, "csv", "text/csv; charset=utf-8", hits_view.as_csv)


@page("/hits/{hit}", query=HitQuery)
def one_hit(call: Call) -> str:
    """Show one hit: stack, code, values, and its neighbours."""
    found = _hit(call)
    process = sources(call.context, [found]).processes[found.instance]
    shown = hit_view.view(found, process, neighbours(call.context, found), call.query.call)
    return hit_view.page(frame(call, "/hits"), shown)


@page("/parts/hits/{hit}/code", query=HitQuery)
def hit_code(call: Call) -> str:
    """Return the code of one call of a hit's stack, asked of a running process."""
    found = _hit(call)
    at = hit_view.call_of(found, call.query.call)
    try:
        asked = hit_source(call.context, found, at.file, call.who)
    except LeadlineError as error:
        return hit_view.no_code(at, error.message, error.hint)
    return hit_view.code_part(found, at, asked)


def _hit(call: Call) -> HitView:
    said = call.path["hit"]
    if not (said.isascii() and said.isdigit()):
        raise UsageError("no-such-hit", f"{said[:100]!a} is not the number of a hit.")
    return show_hit(call.context, int(said[:19]))


def _file(call: Call, ending: str, kind: str, write: Callable[[HitsPage], str]) -> Response:
    filters = Filters(**asdict(call.query))
    asked = hit_filter(**filters.said(call.context.clock()))
    found = newest_hits(call.context, replace(asked, before=filters.before_hit), MAX_EXPORTED)
    content = write(found).encode("utf-8", "backslashreplace")
    headers = {**HEADERS, "content-disposition": f'attachment; filename="hits.{ending}"'}
    return Response(content, 200, headers, kind)


HIT_PAGES: tuple[Route, ...] = (
    hits,
    hits_as_json,
    hits_as_csv,
    one_hit,
    hits_over_time,
    hit_code,
)
