"""Waiting for what twins answer: what is shown meanwhile, and why there was none."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.show import err, harmless
from leadline.cli.twin_order import Order
from leadline.wire.errors import ExitCode
from leadline.wire.probe import Fate, Status

_LOOK_S = 1.0
"""How often the order is looked at while nothing is answered: an agent reports each second."""
_FIRST_LOOK_S = 0.1
_CANNOT = (Status.ERROR, Status.MISMATCH, Status.EXPIRED, Status.REMOVED)
"""Where an instance makes no twin any more for this order."""
_NAMED = re.compile(r"\[([a-z]+(?:-[a-z]+)*)\]$")
_REFUSALS = ("twins-off", "twin-unsigned", "twin-elsewhere")
"""What an instance says that could make a twin and is not allowed to."""


class Waiting:
    """One order's answers as they come. `blocked` says that no instance will make a twin."""

    def __init__(self, client: Client, order: Order, seconds: float) -> None:
        self._client, self._order = client, order
        self._until = time.monotonic() + seconds
        self._last = 0
        self._said = ""
        self.blocked = False

    def hits(self, most: int) -> Iterator[dict[str, Any]]:
        """Yield each answer, until so many came, the time is over, or none will come."""
        look_at = time.monotonic() + _FIRST_LOOK_S
        seen = 0
        while seen < most:
            for hit in self._stream(min(look_at, self._until)):
                seen += 1
                yield hit
                if seen == most:
                    return
            over = self._look()
            if over or time.monotonic() >= self._until:
                # what was answered while it was looked at
                for hit in self._stored()[: most - seen]:
                    seen += 1
                    yield hit
                return
            look_at = time.monotonic() + _LOOK_S

    def _stream(self, until: float) -> Iterator[dict[str, Any]]:
        events = self._client.stream(
            "/v1/hits/stream", until=until, probe=self._order.id, after=self._last
        )
        for name, data in events:
            if name == "hit":
                hit = json.loads(data)
                self._last = hit["id"]
                yield hit

    def _stored(self) -> list[dict[str, Any]]:
        query = {"probe": self._order.id, "after": self._last, "limit": 1_000}
        return list(self._client.get("/v1/hits", **query)["hits"])

    def _look(self) -> bool:
        """Say how the order stands, where that is new; returns whether it is over."""
        probe = self._order.look()
        here = [one for one in probe["instances"] if one["connected"]]
        if (said := progress(probe, here)) != self._said:
            self._said = said
            err(f"leadline: {harmless(said)}")
        heard = [one for one in here if one["reported_at"]]
        self.blocked = bool(heard) and all(one["status"] in _CANNOT for one in here)
        return self.blocked or probe["ended_at"] is not None


def progress(probe: Mapping[str, Any], here: list[Mapping[str, Any]]) -> str:
    """Return in a few words how an order stands."""
    armed = sum(one["status"] == Status.ARMED for one in here)
    if not here:
        return str(probe["reason"] or "no instance is connected")
    said = f"armed in {armed} instance{'' if armed == 1 else 's'}"
    without = sum(missed(one["fates"]) for one in here)
    if without:
        reason = next((one["unknown"] for one in here if one["unknown"]), "")
        said += f"; {without:,} hit{'' if without == 1 else 's'} went by without a twin"
        said += f": {reason}" if reason else ""
    return said


def missed(fates: Mapping[str, int]) -> int:
    """Return how many passages could have made a twin and made none."""
    apart = (Fate.CAPTURED, Fate.CONDITION_FALSE)
    return sum(count for fate, count in fates.items() if fate not in apart)


def reasons(probe: Mapping[str, Any]) -> list[str]:
    """Return why an order has no answer: a sentence for each instance that is there."""
    here = [one for one in probe["instances"] if one["connected"]]
    if not here:
        return [str(probe["reason"] or "no instance is connected")]
    return [f"{one['program']}/{one['pid']}: {one['why']}" for one in here]


def no_answer_status(probe: Mapping[str, Any]) -> ExitCode:
    """Return the exit status where there is none: whether a policy refused it everywhere."""
    here = [one for one in probe["instances"] if one["connected"]]
    slugs = [found[1] for one in here if (found := _NAMED.search(one["reason"]))]
    refused = [slug for slug in slugs if slug in _REFUSALS]
    return ExitCode.REFUSED if here and len(refused) == len(here) else ExitCode.UNAVAILABLE
