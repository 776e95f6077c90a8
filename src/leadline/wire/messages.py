"""The messages as JSON, and the two addresses that an agent knows.

    POST /v1/agent/connect   InstanceInfo up; answers with a stream of server-sent events:
                                event: set     data: {"revision": 7, "probes": [...]}
                                event: add     data: {"revision": 8, "probes": [one]}
                                event: remove  data: {"revision": 9, "ids": ["p3"]}
                             and a comment line every KEEPALIVE_S while nothing happens
    POST /v1/agent/report    Report up, deflated when long; answers 204

Both need `Authorization: Bearer KEY`. The stream begins with the whole set, so a connection
that was lost is simply made again. An agent reads its side with the strict readers below; the
server reads its side with msgspec from the same dataclasses.
"""

import json
from dataclasses import asdict
from typing import Any

from leadline.wire.errors import LeadlineError, WireError
from leadline.wire.probe import CaptureLimits, Limits, LogProbe, Probe, ProbeKind, Target

CONNECT_PATH = "/v1/agent/connect"
REPORT_PATH = "/v1/agent/report"

KEEPALIVE_S = 10.0
"""Seconds of silence after which the server sends a comment line down the stream."""
SILENCE_S = 30.0
"""Seconds of silence after which an agent takes the connection for dead: three keepalives."""
MAX_REPORT_BYTES = 4_000_000
"""The largest body of a report, inflated; an agent splits before it."""
MAX_PROBES = 1_000
"""Probes of one service; more are refused with a clear status."""


def encode(message: object) -> bytes:
    """Write one of the wire's dataclasses as JSON (ASCII only)."""
    return json.dumps(asdict(message), separators=(",", ":")).encode("ascii")  # type: ignore[call-overload]


def encode_probes(probes: list[Probe]) -> str:
    """Write a set of probes as one line of JSON, for the stream or an environment variable."""
    return json.dumps([asdict(probe) for probe in probes], separators=(",", ":"))


def decode_probes(value: object) -> list[Probe]:
    """Read a parsed list of probes. Raises `WireError`; nothing in it is taken on trust."""
    if not isinstance(value, list) or len(value) > MAX_PROBES:
        raise WireError("The set of probes is not a list of at most 1,000.")
    return [_probe(item) for item in value]


def _probe(value: object) -> Probe:
    if not isinstance(value, dict):
        raise WireError("A probe is not an object.")
    try:
        kind = value["kind"]
        match kind:
            case ProbeKind.LOG:
                return LogProbe(
                    id=_typed(value, "id", str),
                    target=Target(**_typed(value, "target", dict)),
                    template=_typed(value, "template", str),
                    condition=_typed(value, "condition", str, None),
                    limits=Limits(**_typed(value, "limits", dict)),
                    capture=CaptureLimits(**_typed(value, "capture", dict)),
                    owner=_typed(value, "owner", str, ""),
                    note=_typed(value, "note", str, ""),
                )
    except WireError:
        raise
    except (KeyError, TypeError, ValueError, LeadlineError) as error:
        raise WireError(f"A probe does not follow the contract: {error}") from error
    raise WireError(f"This agent knows no probe of the kind {kind!r}.")


_REQUIRED = object()


def _typed(value: dict[str, Any], name: str, kind: type, default: Any = _REQUIRED) -> Any:
    item = value.get(name, default)
    if item is default and default is not _REQUIRED:
        return default
    if type(item) is not kind:
        raise WireError(f"A probe's {name} is not a {kind.__name__}.")
    return item
