"""The source around a hit: asked of its own process, or of another one of the same version."""

from leadline.control.context import Context
from leadline.control.inventory import Asked, source
from leadline.control.views import HitView
from leadline.wire.errors import LeadlineError
from leadline.wire.inventory import SourceText

_GONE = ("instance-gone", "no-such-instance")


def hit_source(context: Context, hit: HitView, file: str, who: str) -> Asked[SourceText]:
    """Return the source of a file of a hit's stack, as `inventory.source` does.

    A process that is gone is stood in for by one of its service that says it is of the same
    version. Where there is none, what is raised says that the process is gone.
    """
    try:
        return source(context, hit.instance, file, who)
    except LeadlineError as error:
        if error.slug not in _GONE or (other := _same_version(context, hit.instance)) is None:
            raise
        return source(context, other, file, who)


def _same_version(context: Context, gone: str) -> str | None:
    """Return a connected instance of the same service and version, if the version is known."""
    record = context.store.instance(gone)
    if record is None or not record.info.version:
        return None
    for feed in context.desired.connected().values():
        if (feed.info.service, feed.info.version) == (record.info.service, record.info.version):
            return feed.instance
    return None
