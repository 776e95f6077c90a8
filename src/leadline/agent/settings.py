"""What the environment asks of the agent, read once at start."""

import os

from leadline.agent.identity import Identity, identity
from leadline.agent.welcome import program_name, switched_on
from leadline.wire.struct import dataclass, field

DEFAULT_URL = "http://127.0.0.1:7357"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the agent reports to and as what. `probes` is the set to arm before the first
    line of the application, as JSON (see wire/messages.py)."""

    url: str
    key: str
    service: str
    probes: str = ""
    identity: Identity = field(default_factory=Identity)
    strict: bool = False
    """Whether no text may leave the process, see `agent.capture.outlet`."""
    redact: tuple[str, ...] = ()
    """Names that are secrets of this service, beside those of `wire.redaction`."""
    budget_ns: int | None = None
    """What all probes may use of each second; nothing said is the core's own."""


def read(
    service: str | None = None, url: str | None = None, key: str | None = None
) -> Settings:
    """Take what is given, the rest from the environment, the rest by default."""
    environ, who = os.environ, identity()
    return Settings(
        url=url or environ.get("LEADLINE_URL") or DEFAULT_URL,
        key=key or environ.get("LEADLINE_KEY") or "",
        service=service or who.service or program_name(),
        probes=environ.get("LEADLINE_PROBES") or "",
        identity=who,
        strict=switched_on(environ.get("LEADLINE_STRICT", "")),
        redact=tuple(environ.get("LEADLINE_REDACT", "").split(",")),
        budget_ns=budget_ns(environ.get("LEADLINE_BUDGET", "")),
    )


def budget_ns(percent: str) -> int | None:
    """Read `0.5` as nanoseconds of a second; None for what is no percentage of a core."""
    try:
        given = float(percent)
    except ValueError:
        return None
    return int(given * 1e7) if 0 <= given <= 100 else None
