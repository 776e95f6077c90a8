"""The messages as JSON, and the five addresses that an agent knows.

    POST /v1/agent/connect   InstanceInfo up; answers with a stream of server-sent events:
                                event: set     data: {"revision": 7, "probes": [...]}
                                event: add     data: {"revision": 8, "probes": [one]}
                                event: remove  data: {"revision": 9, "ids": ["p3"]}
                                event: off     data: {"reason": "..."}, until event: on
                                event: want    data: {"id": "7f", "what": "inventory"}
                                event: tell    data: {"probe": "p3", "number": 1, "text": ...}
                             and a comment line every KEEPALIVE_S while nothing happens
    POST /v1/agent/report    Report up, deflated when long; answers 204
    POST /v1/agent/answer    what was wanted (wire/inventory.py), deflated; answers 204
    POST /v1/agent/shell     what a twin says to a shell (wire/shell.py); answers 204
    POST /v1/agent/sample    which captured calls a twin is to try (wire/sample.py)

All need `Authorization: Bearer KEY`. The stream begins with the whole set, so a connection
that was lost is simply made again. `add` of a probe that is
known says that its anchor is new. An agent reads its side with the strict readers below; the
server reads its side with msgspec from the same dataclasses.
"""

import json
from typing import Any

from leadline.wire.errors import LeadlineError, WireError
from leadline.wire.limits import CaptureLimits, Limits
from leadline.wire.probe import (
    Anchor,
    CaptureProbe,
    CounterProbe,
    ExceptionProbe,
    LogProbe,
    MetricProbe,
    Moment,
    Probe,
    ProbeKind,
    SnapshotProbe,
    TimerProbe,
    TwinProbe,
)
from leadline.wire.struct import members
from leadline.wire.target import FunctionTarget, Place, Target
from leadline.wire.twin import TwinUse

CONNECT_PATH = "/v1/agent/connect"
REPORT_PATH = "/v1/agent/report"
ANSWER_PATH = "/v1/agent/answer"
SHELL_PATH = "/v1/agent/shell"
SAMPLE_PATH = "/v1/agent/sample"

KEEPALIVE_S = 10.0
"""Seconds of silence after which the server sends a comment line down the stream."""
SILENCE_S = 30.0
"""Seconds of silence after which an agent takes the connection for dead: three keepalives."""
MAX_REPORT_BYTES = 4_000_000
"""The largest body of a report, inflated; an agent splits before it."""
MAX_PROBES = 1_000
"""Probes of one service; more are refused with a clear status."""


_compact = json.JSONEncoder(separators=(",", ":"), default=members)


def encode(message: object) -> bytes:
    """Write one of the wire's dataclasses as JSON (ASCII only)."""
    return _compact.encode(message).encode("ascii")


def encode_probes(probes: list[Probe]) -> str:
    """Write a set of probes as one line of JSON, for the stream or an environment variable."""
    return _compact.encode(probes)


def decode_probes(value: object) -> list[Probe]:
    """Read a parsed list of probes. Raises `WireError`; nothing in it is taken on trust."""
    if not isinstance(value, list) or len(value) > MAX_PROBES:
        raise WireError("The set of probes is not a list of at most 1,000.")
    return [_probe(item) for item in value]


_STRUCTS: dict[str, type[Any]] = {
    ProbeKind.LOG: LogProbe,
    ProbeKind.SNAPSHOT: SnapshotProbe,
    ProbeKind.COUNTER: CounterProbe,
    ProbeKind.METRIC: MetricProbe,
    ProbeKind.TIMER: TimerProbe,
    ProbeKind.EXCEPTION: ExceptionProbe,
    ProbeKind.TWIN: TwinProbe,
    ProbeKind.CAPTURE: CaptureProbe,
}


def _probe(value: object) -> Probe:
    if not isinstance(value, dict):
        raise WireError("A probe is not an object.")
    kind = value.get("kind")
    struct = _STRUCTS.get(kind) if type(kind) is str else None
    if struct is None:
        raise WireError(f"This agent knows no probe of the kind {kind!r}.")
    try:
        return struct(**_common(value), **_own(struct, value))  # type: ignore[no-any-return]
    except WireError:
        raise
    except (KeyError, TypeError, ValueError, LeadlineError) as error:
        raise WireError(f"A probe does not follow the contract: {error}") from error


def _common(value: dict[str, Any]) -> dict[str, Any]:
    anchor = _typed(value, "anchor", dict, None)
    return {
        "id": _typed(value, "id", str),
        "target": _place(_typed(value, "target", dict)),
        "condition": _typed(value, "condition", str, None),
        "limits": Limits(**_typed(value, "limits", dict)),
        "capture": CaptureLimits(**_typed(value, "capture", dict)),
        "owner": _typed(value, "owner", str, ""),
        "note": _typed(value, "note", str, ""),
        "anchor": Anchor(**anchor) if anchor is not None else None,
        "moment": Moment(_typed(value, "moment", str)),
    }


def _own(struct: type[Any], value: dict[str, Any]) -> dict[str, Any]:
    """The members that only probes of this kind have."""
    own: dict[str, Any] = {}
    for name, kind in (("template", str), ("expression", str), ("frames", int)):
        if name in struct.__slots__:
            own[name] = _typed(value, name, kind)
    for name in ("watches", "raises"):
        if name in struct.__slots__:
            own[name] = _texts(value, name)
    if struct is TimerProbe and (until := _typed(value, "until", dict, None)) is not None:
        own["until"] = Target(**until)
    if struct is CaptureProbe:
        own["fails"] = _typed(value, "fails", str, None)
    if struct is TwinProbe:
        own["use"] = TwinUse(_typed(value, "use", str))
        own["code"] = _texts(value, "code")
        own |= {name: _typed(value, name, str) for name in ("instance", "nonce", "signature")}
        own |= {name: _number(value, name) for name in ("life_s", "signed_until")}
    return own


def _place(value: dict[str, Any]) -> Place:
    return FunctionTarget(**value) if "function" in value else Target(**value)


def _texts(value: dict[str, Any], name: str) -> tuple[str, ...]:
    items = value.get(name, [])
    if not isinstance(items, (list, tuple)) or not all(type(item) is str for item in items):
        raise WireError(f"A probe's {name} are not a list of texts.")
    return tuple(items)


def _number(value: dict[str, Any], name: str) -> float:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise WireError(f"A probe's {name} is not a number.")
    return float(number)


_REQUIRED = object()


def _typed(value: dict[str, Any], name: str, kind: type, default: Any = _REQUIRED) -> Any:
    item = value.get(name, default)
    if item is default and default is not _REQUIRED:
        return default
    if type(item) is not kind:
        raise WireError(f"A probe's {name} is not a {kind.__name__}.")
    return item
