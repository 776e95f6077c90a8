"""The pages of verdicts: the list, what of it changes, and one of them."""

from msgspec import Struct

from leadline.control.verdicts import list_verdicts, show_verdict, verdict_filter
from leadline.server.page_frame import frame
from leadline.server.route import Call, Route, page
from leadline.server.verdict_routes import number_of
from leadline.web import verdict as verdict_view
from leadline.web import verdicts as verdicts_view


class VerdictsPageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which verdicts: see `control.list_verdicts`. A form sends what is empty too."""

    service: str = ""
    verdict: str = ""
    before: str = ""


@page("/verdicts", query=VerdictsPageQuery)
def verdicts(call: Call) -> str:
    """Show what was said of candidates, newest first."""
    return verdicts_view.page(frame(call, "/verdicts"), _verdicts(call))


@page("/parts/verdicts", query=VerdictsPageQuery)
def verdicts_part(call: Call) -> str:
    """Return what changes of the above."""
    return verdicts_view.part(_verdicts(call))


@page("/verdicts/{verdict}")
def one_verdict(call: Call) -> str:
    """Show one verdict: its shares, the candidate, the calls that decided it."""
    found = show_verdict(call.context, number_of(call.path["verdict"]))
    return verdict_view.page(frame(call, "/verdicts"), verdict_view.view(found))


def _verdicts(call: Call) -> verdicts_view.Verdicts:
    query: VerdictsPageQuery = call.query
    matching = verdict_filter(query.service.strip(), query.verdict)
    before = int(query.before[:19]) if _is_number(query.before) else 0
    found = list_verdicts(
        call.context, matching, before=before or None, limit=verdicts_view.FIRST_VERDICTS
    )
    return verdicts_view.verdicts(found, matching, before)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


VERDICT_PAGES: tuple[Route, ...] = (verdicts, one_verdict, verdicts_part)
