"""What this service allows its twins: its own environment says so, no probe and no server."""

import sys
from collections.abc import Mapping

from leadline import native
from leadline.wire.errors import LeadlineError, RefusedError, UnavailableError
from leadline.wire.struct import dataclass, field
from leadline.wire.twin import TwinPolicy

SETTING = "LEADLINE_TWIN"
DEFAULT_RATE = 1.0
"""Twins a second. Each costs the process a pause of some milliseconds."""
MAX_RATE = 1_000.0
DEFAULT_PAUSE_MS = 25.0
"""The longest pause of the whole process that is foretold and accepted."""
DEFAULT_LOAD = 4.0
"""Processes that want to run, for each core, above which no twin is made: it would be one
more, and the pause that was foretold would be wrong."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`rate` is twins a second, `readable` folders that a twin may read beside those of the
    import path, `pause_ms` the longest pause of one, `load` the host's load per core that is
    too much. `unknown` is what the setting says where that is no policy."""

    policy: TwinPolicy = TwinPolicy.OFF
    key: str = field(default="", repr=False)
    rate: float = DEFAULT_RATE
    pause_ms: float = DEFAULT_PAUSE_MS
    readable: tuple[str, ...] = ()
    load: float = DEFAULT_LOAD
    unknown: str = ""


def terms(environ: Mapping[str, str]) -> Terms:
    """Read the terms from the environment; what is not understood allows nothing."""
    said = environ.get(SETTING, "").strip().lower()
    known = said in list(TwinPolicy)
    return Terms(
        policy=TwinPolicy(said) if known else TwinPolicy.OFF,
        key=environ.get("LEADLINE_TWIN_KEY", ""),
        rate=_number(environ.get("LEADLINE_TWIN_RATE", ""), DEFAULT_RATE, MAX_RATE),
        readable=tuple(filter(None, environ.get("LEADLINE_TWIN_READ", "").split(":"))),
        pause_ms=_number(environ.get("LEADLINE_TWIN_PAUSE", ""), DEFAULT_PAUSE_MS, 10_000.0),
        load=_number(environ.get("LEADLINE_TWIN_LOAD", ""), DEFAULT_LOAD, 1e6),
        unknown="" if known or said in ("", "0") else said[:20],
    )


def check_terms(terms: Terms) -> None:
    """Raise why this process never makes a twin: `RefusedError` (slug `twins-off`) where its
    service does not want it, `UnavailableError` (`twins-unavailable`) where it cannot."""
    if terms.unknown:
        raise RefusedError(
            "twins-off",
            f"{SETTING}={terms.unknown} is no policy, so this service makes no twins.",
            f"Start it with {SETTING}=strict, readonly or threads.",
        )
    if terms.policy is TwinPolicy.OFF:
        raise RefusedError(
            "twins-off",
            "This service makes no twins.",
            f"Start it with {SETTING}=readonly (or threads) to allow them.",
        )
    if native.twin() is None:
        raise _unavailable(native.twin_reason())
    if sys.version_info >= (3, 14):
        raise _unavailable("twins are tried on CPython 3.12 and 3.13 only")


def _unavailable(reason: str) -> LeadlineError:
    return UnavailableError("twins-unavailable", f"No twin can be made here: {reason}.")


def _number(text: str, default: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        return default
    return number if 0 < number <= most else default
