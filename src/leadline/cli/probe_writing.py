"""Probes that are placed, as a file that `leadline apply` reads."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from leadline.cli.inline_probe import WORDS
from leadline.wire.limits import DEFAULT_FRAMES, CaptureLimits
from leadline.wire.probe import AGGREGATED, DEFAULTS, Moment, ProbeKind, default_moment
from leadline.wire.target import parse_place

_CAPTURE = CaptureLimits()
_WORD = {word.kind: word.name for word in WORDS.values()}


def written(service: str, probes: Iterable[Mapping[str, Any]]) -> str:
    """Return a file with these probes; what has its default is left out."""
    parts = [f"service = {_text(service)}\n"]
    for probe in probes:
        lines = [f"{name} = {value}" for name, value in _members(probe)]
        parts.append("\n".join(["[[probe]]", *lines]) + "\n")
    return "\n".join(parts)


def order_from(probe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a placed probe as it was asked for, as the server takes it."""
    names = ["kind", "target", "moment", "condition", "limits", "capture", "owner", "note"]
    kind = ProbeKind(probe["kind"])
    match kind:
        case ProbeKind.LOG:
            names.append("template")
        case ProbeKind.METRIC:
            names.append("expression")
        case ProbeKind.TIMER:
            names.append("until")
        case ProbeKind.SNAPSHOT:
            names += ["watches", "frames"]
        case ProbeKind.EXCEPTION:
            names += ["watches", "frames", "raises"]
        case ProbeKind.COUNTER:
            pass
    order = {name: probe[name] for name in names} | {"where": probe["where"]}
    if probe["anchored"]:
        order["anchor"] = probe["anchor"]
    if probe["canary"]:
        order["canary"] = {"seconds": probe["canary"]["seconds"]}
    return order


def _members(probe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = ProbeKind(probe["kind"])
    yield "name", _text(probe["name"] or probe["id"])
    yield "kind", _text(_WORD[kind])
    yield "target", _text(probe["target"])
    for name in ("template", "expression", "until"):
        if probe[name]:
            yield name, _text(probe[name])
    if probe["condition"]:
        yield "if", _text(probe["condition"])
    if probe["moment"] != default_moment(kind, parse_place(probe["target"])):
        yield ("raised" if probe["moment"] == Moment.RAISED else probe["moment"]), "true"
    yield from _lists(probe)
    yield from _limits(kind, probe)
    for name in ("note", "owner"):
        if probe[name]:
            yield name, _text(probe[name])
    yield from _where(probe)


def _lists(probe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, member in (("watch", "watches"), ("type", "raises")):
        if probe[member]:
            yield name, f"[{', '.join(map(_text, probe[member]))}]"
    if probe["frames"] not in (0, DEFAULT_FRAMES):
        yield "frames", str(probe["frames"])


_LIMITS = (
    ("hits", "hits"),
    ("ttl", "ttl_s"),
    ("rate", "rate_per_s"),
    ("cost", "cost_percent"),
)


def _limits(kind: ProbeKind, probe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    limits, usual = probe["limits"], DEFAULTS[kind]
    for name, member in _LIMITS:
        if limits[member] != getattr(usual, member):
            yield name, json.dumps(limits[member])
    for name in ("depth", "items", "text"):
        if kind not in AGGREGATED and probe["capture"][name] != getattr(_CAPTURE, name):
            yield name, json.dumps(probe["capture"][name])


def _where(probe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    where = probe["where"]
    if where["instance"]:
        yield "instance", _text(where["instance"])
    if where["tags"]:
        tags = [_text(f"{name}={value}") for name, value in where["tags"].items()]
        yield "tag", f"[{', '.join(tags)}]"
    if probe["canary"]:
        yield "canary", _text(f"{probe['canary']['seconds']:g}s")


def _text(text: str) -> str:
    """Return a TOML string; everything beyond ASCII that JSON would halve is left as it is."""
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in shown)
