"""Which connected instances a probe is for, and why there is none when there is none."""

from collections.abc import Callable, Iterable

from leadline.control.feed import Feed
from leadline.store.records import EVERY_SERVICE, InstanceRecord, PlacedProbe, Where, serves
from leadline.wire.errors import LeadlineError, UsageError, WireError

MAX_TAGS = 20
MAX_TAG_CHARS = 200
"""Of a tag's name and of its value: far longer than any that is typed."""
_TOLD = 5
"""Values of a tag, or ids, that a reason lists."""


def meant(placed: PlacedProbe, feeds: Iterable[Feed]) -> list[Feed]:
    """Return the instances that a probe is for once its canary has passed."""
    where = placed.terms.where
    found = [feed for feed in feeds if serves(placed.service, feed.service)]
    if not where.instance and not where.tags:  # as nearly every probe
        return found
    return [feed for feed in found if where.admits(feed.info)]


def absent(
    placed: PlacedProbe, feeds: Iterable[Feed], known: Callable[[str], InstanceRecord | None]
) -> str:
    """Return why no connected instance is meant, as one sentence."""
    where = placed.terms.where
    if where.instance:
        record = known(where.instance)
        if record is None:
            return f"the instance {where.instance} is not known any more"
        who = f"{record.info.program}/{record.info.pid} on {record.info.host}"
        return f"the instance {where.instance} ({who}) is gone, and it is for that one alone"
    here = [feed for feed in feeds if serves(placed.service, feed.service)]
    if not here and placed.service == EVERY_SERVICE:
        return "no instance is connected"
    if not here:
        return f"no instance of {placed.service!r} is connected"
    wanted = ", ".join(f"{name}={value}" for name, value in where.tags.items())
    seen = {
        f"{name}={feed.info.tags[name]}"
        for feed in here
        for name in where.tags
        if name in feed.info.tags
    }
    there = f"there are: {_some(sorted(seen))}" if seen else "no instance has such a tag at all"
    return f"no connected instance has the tag {wanted}; {there}"


def resolve(where: Where, service: str, known: Iterable[InstanceRecord]) -> Where:
    """Return it with the whole id of the instance that it names by a prefix.

    Raises slugs `no-such-instance`, `ambiguous-instance`, `bad-message`.
    """
    if len(where.tags) > MAX_TAGS or any(
        not name or len(name) > MAX_TAG_CHARS or len(value) > MAX_TAG_CHARS
        for name, value in where.tags.items()
    ):
        raise WireError(
            f"`where` takes at most {MAX_TAGS} tags, of 1 to {MAX_TAG_CHARS} characters."
        )
    if not where.instance:
        return where
    records = [record for record in known if serves(service, record.info.service)]
    found = [r for r in records if r.info.id.startswith(where.instance)]
    exact = [r for r in found if r.info.id == where.instance]
    found = exact or [r for r in found if r.gone_at is None] or found
    if not found:
        raise NoSuchInstanceError(where.instance, service)
    if len(found) > 1:
        raise UsageError(
            "ambiguous-instance",
            f"Several instances of {service!r} begin with {where.instance[:100]!a}: "
            f"{_some([record.info.id for record in found])}.",
            "Write more of the id.",
        )
    return Where(found[0].info.id, where.tags)


class NoSuchInstanceError(LeadlineError):
    """The service has and had no such process."""

    def __init__(self, instance: str, service: str) -> None:
        super().__init__(
            "no-such-instance",
            f"The service {service!r} has no instance {instance[:100]!a}.",
            "`leadline status` shows the instances.",
        )


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _TOLD} more" if len(texts) > _TOLD else ""
    return ", ".join(texts[:_TOLD]) + more
