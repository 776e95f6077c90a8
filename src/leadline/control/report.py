"""Taking in what an agent reports. An agent is trusted with its own service, not with sizes."""

import math
import re
import sys
from dataclasses import astuple
from functools import lru_cache

from leadline.control.context import Context
from leadline.control.shells import lose_twins
from leadline.control.times import is_time
from leadline.store.records import NewHit, Taken, Told, as_written
from leadline.wire.errors import RefusedError, UnavailableError, WireError
from leadline.wire.hit import InstanceInfo, Point, Report
from leadline.wire.limits import MAX_PASSAGES
from leadline.wire.sketch import MAX_BUCKETS, bucket_of

__all__ = ["MAX_COUNT", "NewHit", "as_it_came", "check_instance", "take_report"]

MAX_INSTANCE_CHARS = 500
"""Of each text that an instance says about itself: it is kept for every process."""
MAX_COUNTERS = 100
MAX_COUNT = 2**63 - 1
"""What a column of SQLite holds; JSON's integers have no end."""
MAX_POINT_S = 30 * 86_400.0
"""A point is of about a second. While the server is away an agent adds up further, at the most
for as long as a probe may live."""
MAX_KEY = int(bucket_of(sys.float_info.max)[1:])
"""The bucket of the largest number there is; those next to zero are not as far away."""
_OF_ANOTHER = "A hit is of another instance than its report."
_BUCKET = re.compile(r"z|[np](0|-?[1-9][0-9]{0,4})")
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


def take_report(
    context: Context, service: str, report: Report, arrived: list[NewHit] | None = None
) -> Taken:
    """Store a report of an instance of `service`; one that comes twice counts once. `arrived`
    are its hits where they came written out: see `Store.take`.

    Raises `WireError` for one that breaks the contract, `RefusedError` for one of another
    service, `UnavailableError` when it could not be stored: then nothing of it was, and its
    hits are counted in `context.not_stored`.
    """
    check_instance(service, report.instance)
    _check(report)
    for hit in arrived or ():
        if hit.facets.instance != report.instance.id:
            raise WireError(_OF_ANOTHER)
    try:
        taken = context.store.take(report, context.clock(), arrived)
    except UnavailableError as error:
        hits = report.hits if arrived is None else arrived
        context.count_not_stored(error.slug, len(hits) + len(report.points))
        raise
    context.pulse.reported(report, taken.stored)
    if report.leaving:
        context.pulse.left(report.instance.id)
        lose_twins(context, report.instance.id)
        feed = context.desired.feed(report.instance.id)
        if feed is not None:
            context.desired.leave(feed)
    return taken


def as_it_came(hit: Told, body: bytes) -> NewHit:
    """Return a hit that is stored as it was written. `body` is its JSON: ASCII, on one line,
    with all members and no other."""
    return as_written(hit, body)


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
    if not is_time(info.started_at):
        raise WireError("An instance's start is not a time.")


def _check(report: Report) -> None:
    for hit in report.hits:
        if hit.instance != report.instance.id:
            raise WireError(_OF_ANOTHER)
        _within(hit.seq, hit.line)
        if not is_time(hit.time):
            raise WireError("A hit's time is not a time.")
    for point in report.points:
        _check_point(point, report.instance.id)
    for state in report.states:
        _within(state.line, state.cost_ns, state.entered, *state.fates.values())
    for counters in (report.dropped, report.faults):
        if len(counters) > MAX_COUNTERS or any(
            len(name) > MAX_INSTANCE_CHARS for name in counters
        ):
            raise WireError("A report counts too many different things.")
        _within(*counters.values())


def _check_point(point: Point, instance: str) -> None:
    if point.instance != instance:
        raise WireError("A point is of another instance than its report.")
    _within(point.seq)
    if not is_time(point.time):
        raise WireError("A point's time is not a time.")
    if not all(map(math.isfinite, (point.seconds, point.total, point.low, point.high))):
        raise WireError("A point holds what is not a number.")
    if not 0 <= point.seconds <= MAX_POINT_S:
        raise WireError("A point is of a time that is too long.")
    counts = (point.count, point.lost, *point.buckets.values())
    if not all(0 <= count <= MAX_PASSAGES for count in counts):
        raise WireError("A count in a point is out of range.")
    if len(point.buckets) > MAX_BUCKETS or not all(map(_is_bucket, point.buckets)):
        raise WireError("A point's buckets do not follow the contract.")


@lru_cache(8_192)  # the same keys come again and again
def _is_bucket(key: str) -> bool:
    return _BUCKET.fullmatch(key) is not None and abs(int(key[1:] or 0)) <= MAX_KEY


def _within(*numbers: int) -> None:
    if not all(0 <= number <= MAX_COUNT for number in numbers):
        raise WireError("A number in a report is out of range.")
