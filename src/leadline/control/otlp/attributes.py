"""OTLP's attributes: typed, free of what JSON readers refuse, named as its conventions say."""

from typing import Any

from leadline.store.records import PlacedProbe
from leadline.wire.hit import InstanceInfo
from leadline.wire.probe import MetricProbe
from leadline.wire.target import Target
from leadline.wire.value import Value, render

type Json = dict[str, Any]

_INT64 = 2**63


def text(value: str) -> str:
    """Return a text without lone surrogates, which no reader of UTF-8 takes."""
    return value.encode("utf-8", "replace").decode("utf-8")


def any_value(value: Value) -> Json:
    """Return a captured value: numbers, booleans and texts as such, others as they read."""
    match value:
        case bool():
            return {"boolValue": value}
        case int() if -_INT64 <= value < _INT64:
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": text(value)}
    return {"stringValue": text(render(value))}


def attributes(values: Json) -> list[Json]:
    """Return names and values as OTLP has them; those that are empty or None are left out."""
    return [
        {"key": text(name), "value": any_value(value)}
        for name, value in values.items()
        if value not in ("", None)
    ]


def resource(service: str, instance: str, info: InstanceInfo | None) -> Json:
    """Return the process that something is from; less of it if it is not known any more."""
    named: Json = {"service.name": service, "service.instance.id": instance}
    if info is not None:
        named |= {
            "service.version": info.version,
            "deployment.environment.name": info.environment,
            "host.name": info.host,
            "process.pid": info.pid,
            "process.executable.name": info.program,
            "process.runtime.name": "cpython",
            "process.runtime.version": info.python,
        }
        named |= {f"leadline.tag.{name}": value for name, value in info.tags.items()}
    return {"attributes": attributes(named)}


def probe_attributes(probe: str, placed: PlacedProbe | None) -> Json:
    """Return what tells one probe's numbers from another's."""
    named: Json = {"leadline.probe.id": probe}
    if placed is None:
        return named
    match placed.probe.target:
        case Target(file, line):
            named |= {"code.file.path": file, "code.line.number": line}
        case target:
            named["code.function.name"] = f"{target.module}.{target.function}"
    if isinstance(placed.probe, MetricProbe):
        named["leadline.probe.expression"] = placed.probe.expression
    return named | {"leadline.probe.note": placed.probe.note}


def nanoseconds(seconds: float) -> str:
    """Return a time as OTLP has it: nanoseconds since 1970, as text; never before that."""
    return str(max(0, round(seconds * 1e9)))
