"""The addresses of verdicts: keeping what a verification said, and showing it again."""

from leadline.control.verdicts import (
    keep_verdict,
    list_verdicts,
    show_verdict,
    verdict_filter,
)
from leadline.server.route import Call, Route, Who, route
from leadline.server.verdict_bodies import (
    MAX_VERDICT_BYTES,
    VerdictAnswer,
    VerdictBody,
    VerdictKeptAnswer,
    VerdictsAnswer,
    VerdictsQuery,
)
from leadline.wire.errors import UsageError


@route(
    "POST",
    "/v1/services/{service}/verdicts",
    who=Who.USER,
    body=VerdictBody,
    returns=VerdictKeptAnswer,
    status=201,
    max_bytes=MAX_VERDICT_BYTES,
)
def keep(call: Call) -> VerdictKeptAnswer:
    """Keep the report of a verification."""
    body: VerdictBody = call.body
    kept = keep_verdict(call.context, body.plain(), service=call.path["service"], who=call.who)
    return VerdictKeptAnswer(kept=kept, path=f"/verdicts/{kept.id}")


@route("GET", "/v1/verdicts", who=Who.USER, query=VerdictsQuery, returns=VerdictsAnswer)
def verdicts(call: Call) -> VerdictsAnswer:
    """List the newest verdicts, or the newest before one; the newest first."""
    query: VerdictsQuery = call.query
    matching = verdict_filter(query.service, query.verdict)
    page = list_verdicts(call.context, matching, before=query.before, limit=query.limit)
    return VerdictsAnswer(verdicts=page.verdicts, more=page.more)


@route("GET", "/v1/verdicts/{verdict}", who=Who.USER, returns=VerdictAnswer)
def verdict(call: Call) -> VerdictAnswer:
    """Show all of one verdict."""
    return VerdictAnswer(verdict=show_verdict(call.context, number_of(call.path["verdict"])))


def number_of(said: str) -> int:
    """Return the number of a verdict, as an address has it. Raises slug `no-such-verdict`."""
    if not (said.isascii() and said.isdigit()):
        raise UsageError("no-such-verdict", f"{said[:100]!a} is not the number of a verdict.")
    return int(said[:19])


VERDICT_ROUTES: tuple[Route, ...] = (keep, verdicts, verdict)
