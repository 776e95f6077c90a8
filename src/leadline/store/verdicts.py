"""What a store takes and gives back of verdicts: what verifications said of candidates."""

from leadline.wire.struct import dataclass


@dataclass(frozen=True, slots=True)
class NewVerdict:
    """A verdict to be kept. `head` is what a list shows of it, `body` all of it; both are ASCII
    JSON."""

    service: str
    verdict: str
    head: str
    body: str


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict that is kept, and who sent it when. `body` is empty in a list."""

    id: int
    service: str
    received_at: float
    who: str
    head: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class VerdictFilter:
    """Which verdicts are meant; what is empty admits all."""

    service: str = ""
    verdict: str = ""
