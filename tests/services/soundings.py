"""All kinds of probes at all spots of one service, and its answers beside them.

Every service goes through the same trials: what each probe has brought, that nothing of what
the service says has changed, and that it goes on while the server is killed.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from kinds import Kind, Lowered, rows
from waiting import wait_for
from watched import ARRIVES_S, Spot, Watched

type Round = Callable[[], Sequence[Any]]
"""One round of requests; returns all that the service said, less what varies by itself."""


class Soundings:
    """The probes of a running service. `processes` is how many of it load the code.

    Probes that capture the stack are lowered after the others: together they would exceed the
    budget, and what is over the budget is not counted.
    """

    def __init__(
        self,
        watched: Watched,
        spots: tuple[Spot, ...],
        play: Round,
        expected: Sequence[Any],
        processes: int = 1,
    ) -> None:
        self.watched, self.processes = watched, processes
        self._play, self._expected = play, expected
        self._instances = len(watched.api.instances(watched.service))
        self._spots = spots
        self._answers = [play()]
        self._outcomes: dict[tuple[Kind, Spot], AssertionError | None] = {}
        for heavy in (False, True):
            lowered = self._lower(heavy=heavy)
            self._answers.append(play())
            if heavy:
                self._answers += self._play_until_hit(lowered)
            self._outcomes |= {(one.kind, one.spot): _outcome(one) for one in lowered}
            self._raise(lowered)

    def check(self, kind: Kind, spot: Spot) -> None:
        """What the probe of this kind at this spot has brought."""
        if failure := self._outcomes[kind, spot]:
            raise failure

    def check_answers(self) -> None:
        """With the agent idle and with probes armed, the answers are those without it."""
        for answers in self._answers:
            self._same(answers)
        self.watched.unharmed()

    def check_without_server(self) -> None:
        """The service answers while the server is gone; what happened then arrives later."""
        lowered = self._lower(heavy=False)
        self.watched.leadline.kill()
        self._same(self._play())
        self.watched.leadline.up()
        self.watched.connected(self._instances)
        self._same(self._play())
        for one in lowered:
            one.kind.check(Lowered(one.watched, one.kind, one.spot, one.probe, rounds=2))
        self._raise(lowered)
        self.watched.unharmed()

    def _lower(self, *, heavy: bool) -> list[Lowered]:
        lowered = [
            Lowered(self.watched, kind, spot, self.watched.place(kind.body(spot)))
            for kind, spot in rows(self._spots)
            if kind.heavy is heavy
        ]
        self.watched.wait_armed([one.probe for one in lowered], self.processes)
        return lowered

    def _raise(self, lowered: list[Lowered]) -> None:
        for one in lowered:
            self.watched.remove(one.probe)

    def _play_until_hit(self, lowered: list[Lowered]) -> list[Any]:
        """A probe that was suspended for its cost tries again a second later."""
        answers: list[Any] = []

        def all_hit() -> bool:
            missing = [one for one in lowered if not self.watched.api.hits(one.probe)]
            if missing:
                answers.append(self._play())
            return not missing

        with contextlib.suppress(AssertionError):  # each check tells what is missing
            wait_for(all_hit, ARRIVES_S)
        return answers

    def _same(self, answers: Sequence[Any]) -> None:
        """Compared one by one, so that a failure shows the one that differs."""
        assert len(answers) == len(self._expected)
        for answer, expected in zip(answers, self._expected, strict=True):
            assert answer == expected


def _outcome(one: Lowered) -> AssertionError | None:
    try:
        one.kind.check(one)
    except AssertionError as failure:
        return failure
    return None
