"""Hits as OTLP's log records."""

import json
import re

from leadline.control.otlp.attributes import Json, any_value, attributes, nanoseconds, text
from leadline.store.records import StoredHit
from leadline.wire.probe import ProbeKind
from leadline.wire.value import Value, render

_INFO, _ERROR = 9, 17
_TRACE, _SPAN = re.compile("[0-9a-f]{32}"), re.compile("[0-9a-f]{16}")


def record(stored: StoredHit) -> Json:
    """Return a hit as a log record. Raises `KeyError`, `TypeError` or `ValueError` for a hit
    that is not as the wire has it."""
    hit = json.loads(stored.body)
    kind = stored.kind or ProbeKind.LOG
    failed = kind == ProbeKind.EXCEPTION
    detail = hit["detail"] or {}
    made: Json = {
        "timeUnixNano": nanoseconds(hit["time"]),
        "observedTimeUnixNano": nanoseconds(stored.received_at),
        "severityNumber": _ERROR if failed else _INFO,
        "severityText": "ERROR" if failed else "INFO",
        "body": {"stringValue": text(hit["message"] or _place(hit, kind))},
        "attributes": [
            *attributes(
                {
                    "leadline.probe.id": stored.probe,
                    "leadline.probe.kind": kind,
                    "leadline.hit.id": stored.id,
                    "leadline.hit.seq": hit["seq"],
                    "code.file.path": hit["file"],
                    "code.line.number": hit["line"],
                    "code.function.name": hit["function"],
                    "thread.name": hit["thread"],
                    "leadline.task.name": hit["task"],
                    "leadline.duration": detail.get("duration_s"),
                    **_twin(hit.get("twin") or {}),
                }
            ),
            *_values("leadline.value.", hit["values"]),
            *_values("leadline.context.", detail.get("context", {})),
            *_stack(detail),
        ],
    }
    if detail.get("returned"):
        made["attributes"] += _values("leadline.", {"result": detail["result"]})
    # zeros only are OpenTelemetry's word for "no trace"
    if _TRACE.fullmatch(hit["trace"]) and hit["trace"].strip("0"):
        made["traceId"] = hit["trace"]
        if _SPAN.fullmatch(hit["span"]) and hit["span"].strip("0"):
            made["spanId"] = hit["span"]
    return made


def _twin(twin: Json) -> Json:
    """Return what is told of a twin beside the values of what was asked."""
    if not twin:
        return {}
    agreement = twin["agreement"] or {}
    return {
        "leadline.twin.use": twin["use"],
        "leadline.twin.policy": twin["policy"],
        "leadline.twin.end": twin["end"],
        "leadline.twin.pause": twin["pause_ms"] / 1e3,
        "leadline.twin.agrees": agreement.get("agrees"),
    }


def _place(hit: Json, kind: str) -> str:
    return f"{kind} at {hit['file']}:{hit['line']} in {hit['function']}"


def _values(prefix: str, values: dict[str, Value]) -> list[Json]:
    """Return captured values; None too, which is a value here."""
    return [
        {"key": text(prefix + name), "value": any_value(value)}
        for name, value in values.items()
    ]


def _stack(detail: Json) -> list[Json]:
    frames = detail.get("frames", [])
    thrown = detail.get("exception")
    found: list[Json] = []
    lines = [_line(frame) for frame in reversed(frames)]
    if isinstance(thrown, dict):
        name, message = str(thrown.get("type", "")), _message(thrown)
        if lines:
            head, tail = "Traceback (most recent call last):", f"{name}: {message}"
            lines = [head, *lines, tail if message else name]
        found += attributes({"exception.type": name, "exception.message": message})
    if lines:
        stack = "exception.stacktrace" if thrown is not None else "code.stacktrace"
        found += attributes({stack: "\n".join(lines)})
    if frames:
        variables = [{"kvlistValue": {"values": _frame(frame)}} for frame in frames]
        found.append({"key": "leadline.frames", "value": {"arrayValue": {"values": variables}}})
    return found


def _line(frame: Json) -> str:
    source = f"\n    {frame['source'].strip()}" if frame["source"] else ""
    return f'  File "{frame["file"]}", line {frame["line"]}, in {frame["function"]}{source}'


def _frame(frame: Json) -> list[Json]:
    variables = {"kvlistValue": {"values": _values("", frame["locals"])}}
    return [
        *attributes(
            {
                "code.file.path": frame["file"],
                "code.line.number": frame["line"],
                "code.function.name": frame["function"],
                "omitted": frame["omitted"],
            }
        ),
        {"key": "locals", "value": variables},
    ]


def _message(thrown: Json) -> str:
    """Return what `str()` of an exception would say, where its arguments tell."""
    items = thrown.get("items", [])
    if not items:
        return "" if "omitted" not in thrown else render(thrown)
    if len(items) == 1:
        return render(items[0])
    return "(" + ", ".join(render(item, quoted=True) for item in items) + ")"
