"""How a probe stands in the instances that are there, in few sentences for however many."""

from collections.abc import Mapping
from typing import Any

_NAMED_EACH = 3
"""So many instances that say the same are named; of more, the count."""


def here(probe: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return how the probe stands in each instance that is connected."""
    return [one for one in probe["instances"] if one["connected"]]


def reasons(probe: Mapping[str, Any]) -> list[str]:
    """Return how a probe stands: a sentence for all instances that say the same, what most
    of them say first."""
    saying: dict[str, list[str]] = {}
    for one in here(probe):
        saying.setdefault(one["why"], []).append(f"{one['program']}/{one['pid']}")
    if not saying:
        return [str(probe["reason"] or "no instance is connected")]
    most_first = sorted(saying.items(), key=lambda item: -len(item[1]))
    return [f"{_of(instances)}: {why}" for why, instances in most_first]


def _of(instances: list[str]) -> str:
    if len(instances) > _NAMED_EACH:
        return f"{len(instances)} instances"
    return ", ".join(instances)
