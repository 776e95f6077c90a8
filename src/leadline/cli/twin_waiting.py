"""Waiting for what twins answer: what is shown meanwhile, and why there was none."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.show import err, harmless
from leadline.cli.standing import here
from leadline.cli.twin_order import Order
from leadline.wire.errors import ExitCode
from leadline.wire.probe import Fate, Status
from leadline.wire.twin_words import MAKES_NONE, missed_words, obstacle_words

LOOK_S = 1.0
"""How often the order is looked at while nothing is answered: an agent reports each second."""
_FIRST_LOOK_S = 0.1
_NAMED = re.compile(r"\[([a-z]+(?:-[a-z]+)*)\]$")
_REFUSALS = ("twins-off", "twin-unsigned", "twin-elsewhere")
"""What an instance says that could make a twin and is not allowed to."""


class Progress:
    """How an order stands, said on stderr where that is new."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._said: tuple[int, str] | None = None
        self._made = 0

    def look(self, answered: int = 0, *, of_one: bool = False) -> bool:
        """Ask how the order stands; returns whether it is over: a twin answers some time after
        it was made, so that many answers are not all yet. `of_one` says that all come from the
        one twin, and end with its process."""
        probe = self._order.look()
        there = here(probe)
        heard = [one for one in there if one["reported_at"]]
        if heard or not there:
            self._say(probe, heard)
        made = sum(one["fates"].get(Fate.CAPTURED, 0) for one in there)
        over = blocked(probe) and made <= answered
        gone = of_one and made < self._made
        self._made = made
        return over or gone or probe["ended_at"] is not None

    @property
    def made(self) -> int:
        """How many twins have been made so far."""
        return self._made

    def _say(self, probe: Mapping[str, Any], heard: list[Mapping[str, Any]]) -> None:
        armed = sum(one["status"] == Status.ARMED for one in heard)
        reason = str(probe["reason"])
        if heard:
            reason = obstacle_words(str(one["unknown"]) for one in heard)
        if (armed, reason) == self._said:
            return  # how often it happens is told once
        self._said = (armed, reason)
        if not heard:
            err(f"leadline: {harmless(reason or 'no instance is connected')}")
            return
        said = f"armed in {armed} instance{'' if armed == 1 else 's'}"
        if missed := missed_words((one["fates"] for one in heard), reason):
            said += f"; {missed}"
        err(f"leadline: {harmless(said)}")


class Waiting:
    """One order's answers as they come; of a sample one twin gives many."""

    def __init__(
        self,
        client: Client,
        order: Order,
        seconds: float,
        *,
        is_sample: bool = False,
        made_within: float | None = None,
    ) -> None:
        """`made_within` says how long there is for the first twin, in seconds, if that is not
        the whole time."""
        self._client, self._order = client, order
        self._is_sample = is_sample
        self._progress = Progress(order)
        self._until = time.monotonic() + seconds
        self._made_until = time.monotonic() + (seconds if made_within is None else made_within)
        self._last = 0

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
            answered = 0 if self._is_sample else seen
            over = self._progress.look(answered, of_one=self._is_sample)
            if not seen and not self._progress.made and time.monotonic() >= self._made_until:
                over = True
            if over or time.monotonic() >= self._until:
                # what was answered while it was looked at
                yield from self._stored()[: most - seen]
                return
            look_at = time.monotonic() + LOOK_S

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


def blocked(probe: Mapping[str, Any]) -> bool:
    """Return whether every instance has said that it makes no twin of an order."""
    there = here(probe)
    return bool(there) and all(
        one["reported_at"] and one["status"] in MAKES_NONE for one in there
    )


def no_answer_status(probe: Mapping[str, Any]) -> ExitCode:
    """Return the exit status where there is none: whether a policy refused it everywhere."""
    there = here(probe)
    slugs = [found[1] for one in there if (found := _NAMED.search(one["reason"]))]
    refused = [slug for slug in slugs if slug in _REFUSALS]
    return ExitCode.REFUSED if there and len(refused) == len(there) else ExitCode.UNAVAILABLE
