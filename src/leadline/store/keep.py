"""What kinds of things are stored, how much of them and for how long: what a server is told."""

from enum import StrEnum

from leadline.wire.struct import dataclass, field

KEEP_S = 2_592_000.0
"""Thirty days: long enough for what was found last month, short enough for production data."""
KEEP_AUDIT_S = 34_560_000.0
"""Four hundred days: whoever looks once a year still finds who did what."""
KEEP_BYTES = 2_000_000_000
"""What the database may take, in bytes of its pages that are in use."""
LEAST_BYTES = 1_000_000
"""A database without anything in it takes a tenth of this."""


class Kind(StrEnum):
    """What there is of stored things; each goes by age, number and size."""

    HITS = "hits"
    POINTS = "points"
    VERDICTS = "verdicts"
    PROBES = "probes"
    INSTANCES = "instances"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Keep:
    """The limits of one database: ages in seconds, for the audit log and for all the rest, and
    bytes for everything together."""

    age_s: float = KEEP_S
    audit_s: float = KEEP_AUDIT_S
    bytes: int = KEEP_BYTES

    def age_of(self, kind: Kind) -> float:
        """Return how old things of a kind may get, in seconds."""
        return self.audit_s if kind is Kind.AUDIT else self.age_s


@dataclass(frozen=True, slots=True)
class Shelved:
    """How much of a kind is stored, since when, and how much of it there may be."""

    count: int
    oldest_at: float | None
    at_most: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the database is: its files in bytes, `free` bytes in them that hold nothing,
    what is stored. `schema` is the number of the last migration."""

    path: str
    schema: int
    bytes: int
    free: int
    stored: dict[Kind, Shelved] = field(default_factory=dict)
