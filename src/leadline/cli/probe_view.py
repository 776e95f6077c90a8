"""A probe as text: what it asks, how it stands in each instance, what it has seen."""

from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.points import said
from leadline.cli.show import harmless, short_path
from leadline.wire.probe import AGGREGATED, Moment, Status


def asked(probe: Mapping[str, Any]) -> str:
    """Return what a probe asks, in words close to those of the command that placed it."""
    words = [probe["id"], probe["service"], probe["kind"], probe["target"]]
    if probe["moment"] in (Moment.ENTRY, Moment.RAISED):
        words.append(f"at {probe['moment']}" if probe["moment"] == Moment.ENTRY else "raised")
    if probe["template"]:
        words.append(repr(probe["template"]))
    words += [word for word in (probe["expression"], *probe["watches"]) if word]
    if probe.get("use"):
        words.append(probe["use"])
        words += [one for code in probe["code"] for one in code.split("\n")[:1]]
    if probe["raises"]:
        words.append(f"of type {', '.join(probe['raises'])}")
    if probe["fails"]:
        words.append(f"failing where {probe['fails']}")
    if probe["until"]:
        words.append(f"until {probe['until']}")
    if probe["condition"]:
        words.append(f"if {probe['condition']}")
    words += _where(probe)
    return harmless("  ".join(words))


def _where(probe: Mapping[str, Any]) -> Iterator[str]:
    where, canary = probe["where"], probe["canary"]
    if where["instance"]:
        yield f"in {where['instance']}"
    if where["tags"]:
        yield "with " + ", ".join(f"{name}={value}" for name, value in where["tags"].items())
    if canary and canary["step"] != "passed":
        yield f"canary: {canary['step']}" + (
            f" in {canary['instance']}" if canary["instance"] else ""
        )
    if probe["set"]:
        yield f"set {probe['set']}/{probe['name']}"


def total_of(probe: Mapping[str, Any]) -> str:
    """Return what a probe that adds up has seen in all; empty for others."""
    if probe["kind"] not in AGGREGATED:
        return ""
    return said(probe["kind"], probe["total"] or {"count": 0})


def instance_lines(one: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a probe stands in one instance, why, and both texts of a mismatch."""
    where = f"{short_path(one['file'])}:{one['line']}" if one["line"] else ""
    function = f" in {one['function']}" if one["function"] else ""
    mismatch = one["status"] == Status.MISMATCH
    code = f"   {one['source'].strip()}" if one["source"] and not mismatch else ""
    yield harmless(f"{one['program']}/{one['pid']}  {one['status']}  {where}{function}{code}")
    if one["reason"]:
        yield f"  {harmless(one['reason'])}"
    if mismatch and one["expected"]:
        yield harmless(f"    here      {one['source'].strip()}")
        yield harmless(f"    expected  {one['expected']}")
