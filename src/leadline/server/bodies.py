"""The JSON that routes take and give. Unknown members are refused: a typo must not be obeyed.

Answers open with `schema_version`, which grows when a member changes its meaning.
"""

from collections.abc import Callable

from msgspec import Struct, structs

from leadline.control.order import AskedLimits, Order
from leadline.control.views import (
    AuditView,
    HitView,
    Losses,
    ProbeView,
    SeriesView,
    ServiceView,
    SetPartView,
)
from leadline.wire.errors import UsageError
from leadline.wire.limits import CaptureLimits
from leadline.wire.probe import Anchor, Moment, ProbeKind

SCHEMA_VERSION = 1


def checked[T](kind: Callable[..., T], body: Struct) -> T:
    """Return the wire's own of a body, checked. Raises slug `bad-limit`, and its own."""
    try:
        return kind(**structs.asdict(body))
    except OverflowError:  # the sentence about a limit cannot show an integer of 400 digits
        raise UsageError("bad-limit", "A limit is far too large.") from None


class LimitsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """See `wire.Limits`; what is not said is the default of the probe's kind."""

    hits: int | None = None
    ttl_s: float | None = None
    rate_per_s: float | None = None
    cost_percent: float | None = None


class CaptureBody(Struct, frozen=True, forbid_unknown_fields=True):
    """See `wire.CaptureLimits`."""

    depth: int = CaptureLimits().depth
    items: int = CaptureLimits().items
    text: int = CaptureLimits().text

    def read(self) -> CaptureLimits:
        """Return the wire's own, checked."""
        return checked(CaptureLimits, self)


class AnchorBody(Struct, frozen=True, forbid_unknown_fields=True):
    """See `wire.Anchor`."""

    text: str
    function: str = ""
    digest: str = ""


class WhereBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which instances a probe is for: an id or the beginning of one, and tags."""

    instance: str = ""
    tags: dict[str, str] = {}


class CanaryBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a probe is tried in one instance first, in seconds."""

    seconds: float


class PlaceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A probe to be placed: see `control.Order`."""

    kind: ProbeKind
    target: str
    moment: Moment | None = None
    template: str | None = None
    expression: str | None = None
    watches: tuple[str, ...] | None = None
    frames: int | None = None
    raises: tuple[str, ...] | None = None
    until: str | None = None
    fails: str | None = None
    condition: str | None = None
    limits: LimitsBody = LimitsBody()
    capture: CaptureBody = CaptureBody()
    owner: str = ""
    note: str = ""
    anchor: AnchorBody | None = None
    where: WhereBody = WhereBody()
    canary: CanaryBody | None = None

    def read(self) -> Order:
        """Return the use case's own; its limits and expressions are not checked yet."""
        said = {name: getattr(self, name) for name in PlaceBody.__struct_fields__}
        said["limits"] = checked(AskedLimits, self.limits)
        said["capture"] = self.capture.read()
        said["anchor"] = checked(Anchor, self.anchor) if self.anchor else None
        where = said.pop("where")
        said["instance"], said["tags"] = where.instance, where.tags
        canary = said.pop("canary")
        said["canary_s"] = canary.seconds if canary else None
        return Order(**said)


class NamedBody(PlaceBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A probe of a set, with its name there."""

    name: str


class SetBody(Struct, frozen=True, forbid_unknown_fields=True):
    """All that a set should be."""

    probes: list[NamedBody]


class SeriesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which time, in what steps, and whether by instance: see `control.series`."""

    since: float | None = None
    until: float | None = None
    step: float | None = None
    by: str = ""


class AuditQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries: see `control.list_audit`."""

    limit: int = 100
    before: int | None = None


class ProbesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of which service; all if not said."""

    service: str | None = None


class HitsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which hits: see `control.hit_filter`."""

    service: str | None = None
    probe: str | None = None
    instance: str | None = None
    kind: str | None = None
    thread: str | None = None
    task: str | None = None
    trace: str | None = None
    text: str | None = None
    value: str | None = None
    since: float | None = None
    until: float | None = None
    after: int | None = None
    limit: int = 100


class WatchQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which hits to watch. The header `Last-Event-ID` goes before `after`."""

    service: str | None = None
    probe: str | None = None
    instance: str | None = None
    kind: str | None = None
    thread: str | None = None
    task: str | None = None
    trace: str | None = None
    text: str | None = None
    value: str | None = None
    since: float | None = None
    until: float | None = None
    after: int | None = None
    points: bool = False


class HealthAnswer(Struct, frozen=True):
    """That the server is there, and nothing else."""

    ok: bool
    version: str


class ProbeAnswer(Struct, frozen=True, kw_only=True):
    """One probe."""

    schema_version: int = SCHEMA_VERSION
    probe: ProbeView


class ProbesAnswer(Struct, frozen=True, kw_only=True):
    """Probes, oldest first."""

    schema_version: int = SCHEMA_VERSION
    probes: list[ProbeView]


class RemovedAnswer(Struct, frozen=True, kw_only=True):
    """The ids of the probes that were taken out."""

    schema_version: int = SCHEMA_VERSION
    removed: list[str]


class SetAnswer(Struct, frozen=True, kw_only=True):
    """What was done for each name."""

    schema_version: int = SCHEMA_VERSION
    service: str
    set: str
    parts: list[SetPartView]


class SeriesAnswer(Struct, frozen=True, kw_only=True):
    """A probe over time."""

    schema_version: int = SCHEMA_VERSION
    series: SeriesView


class AuditAnswer(Struct, frozen=True, kw_only=True):
    """Entries of the audit log, oldest first; `more` when there are older ones."""

    schema_version: int = SCHEMA_VERSION
    entries: list[AuditView]
    more: bool


class ServicesAnswer(Struct, frozen=True, kw_only=True):
    """Services by name, with their instances."""

    schema_version: int = SCHEMA_VERSION
    services: list[ServiceView]
    losses: Losses


class HitsAnswer(Struct, frozen=True, kw_only=True):
    """Hits, oldest first; `more` when others match that are not here."""

    schema_version: int = SCHEMA_VERSION
    hits: list[HitView]
    more: bool


class KeyAnswer(Struct, frozen=True, kw_only=True):
    """The key that a service's agents are started with."""

    schema_version: int = SCHEMA_VERSION
    service: str
    key: str


class ErrorPart(Struct, frozen=True):
    """`slug` names the page under docs/errors; `message` is a sentence, `hint` may be empty."""

    slug: str
    message: str
    hint: str


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """Why not."""

    schema_version: int = SCHEMA_VERSION
    error: ErrorPart
