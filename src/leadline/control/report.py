"""Taking in what an agent reports. An agent is trusted with its own service, not with sizes."""

import math
import re
from dataclasses import astuple

from leadline.control.context import Context
from leadline.store.records import Taken
from leadline.wire.errors import RefusedError, UnavailableError, WireError
from leadline.wire.hit import InstanceInfo, Report

MAX_INSTANCE_CHARS = 500
"""Of each text that an instance says about itself: it is kept for every process."""
MAX_COUNTERS = 100
MAX_COUNT = 2**63 - 1
"""What a column of SQLite holds; JSON's integers have no end."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


def take_report(context: Context, service: str, report: Report) -> Taken:
    """Store a report of an instance of `service`; one that comes twice counts once.

    Raises `WireError` for one that breaks the contract, `RefusedError` for one of another
    service, `UnavailableError` when it could not be stored: then nothing of it was, and its
    hits are counted in `context.not_stored`.
    """
    check_instance(service, report.instance)
    _check(report)
    try:
        taken = context.store.take(report, context.clock())
    except UnavailableError as error:
        context.count_not_stored(error.slug, len(report.hits))
        raise
    if report.leaving:
        feed = context.desired.feed(report.instance.id)
        if feed is not None:
            context.desired.leave(feed)
    return taken


def check_instance(service: str, info: InstanceInfo) -> None:
    """Refuse an instance that is not of the service that its key is for, or that is too big."""
    if info.service != service:
        raise RefusedError(
            "wrong-service",
            f"This key is for agents of {service!r} only.",
            "Give each service the key made for its own name.",
        )
    if not _ID.fullmatch(info.id):
        raise WireError("An instance's id is 1 to 100 letters, digits, dots or dashes.")
    for item in astuple(info):
        if isinstance(item, str) and len(item) > MAX_INSTANCE_CHARS:
            raise WireError("An instance says too much about itself.")
    _within(info.pid)
    if not math.isfinite(info.started_at):
        raise WireError("An instance's start is not a time.")


def _check(report: Report) -> None:
    for hit in report.hits:
        if hit.instance != report.instance.id:
            raise WireError("A hit is of another instance than its report.")
        _within(hit.seq, hit.line)
        if not math.isfinite(hit.time):
            raise WireError("A hit's time is not a time.")
    for state in report.states:
        _within(state.line, state.cost_ns, *state.fates.values())
    for counters in (report.dropped, report.faults):
        if len(counters) > MAX_COUNTERS or any(
            len(name) > MAX_INSTANCE_CHARS for name in counters
        ):
            raise WireError("A report counts too many different things.")
        _within(*counters.values())


def _within(*numbers: int) -> None:
    if not all(0 <= number <= MAX_COUNT for number in numbers):
        raise WireError("A number in a report is out of range.")
