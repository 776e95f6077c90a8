"""Who this process is, beside its number: what it was told about itself when it was started.

Leadline's own variables go before those of OpenTelemetry, which many services carry already.
"""

import os

from leadline.wire.struct import dataclass, field

MAX_TAGS = 20
"""Tags select instances; what has more than this is an inventory."""
MAX_TAG_CHARS = 100


@dataclass(frozen=True, slots=True)
class Identity:
    """`service`, `version` and `environment` are empty when nobody said."""

    service: str = ""
    version: str = ""
    environment: str = ""
    tags: dict[str, str] = field(default_factory=dict)


def identity() -> Identity:
    """Read `LEADLINE_SERVICE`, `_VERSION`, `_ENVIRONMENT`, `_TAGS`, then `OTEL_SERVICE_NAME`
    and `OTEL_RESOURCE_ATTRIBUTES`. What cannot be read as NAME=VALUE is left out."""
    environ = os.environ
    resource = pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))

    def told(name: str, *attributes: str) -> str:
        given = environ.get(name) or next(filter(None, map(resource.get, attributes)), "")
        return given.strip()[:MAX_TAG_CHARS]

    return Identity(
        service=environ.get("LEADLINE_SERVICE")
        or _fitting(environ.get("OTEL_SERVICE_NAME") or resource.get("service.name", "")),
        version=told("LEADLINE_VERSION", "service.version"),
        environment=told(
            "LEADLINE_ENVIRONMENT", "deployment.environment.name", "deployment.environment"
        ),
        tags=pairs(environ.get("LEADLINE_TAGS", "")),
    )


def pairs(text: str) -> dict[str, str]:
    """Read `zone=eu,canary=yes`; percent signs escape, as OpenTelemetry writes them."""
    found: dict[str, str] = {}
    for item in text.split(","):
        name, equals, value = item.partition("=")
        name = name.strip()
        if equals and name and len(found) < MAX_TAGS:
            found[name[:MAX_TAG_CHARS]] = _unescaped(value.strip())[:MAX_TAG_CHARS]
    return found


def _unescaped(value: str) -> str:
    """Undo percent signs. (`urllib.parse` is 5 ms of imports for this one function.)"""
    first, *rest = value.encode("utf-8", "replace").split(b"%")
    octets = first
    for part in rest:
        try:
            octets += bytes.fromhex(part[:2].decode("ascii")) + part[2:]
        except ValueError:
            octets += b"%" + part
    return octets.decode("utf-8", "replace")


def _fitting(name: str) -> str:
    """A name that OpenTelemetry allows as one that can stand in an address."""
    return "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "-"
        for one in name.strip()[:MAX_TAG_CHARS]
    ).strip(".")
