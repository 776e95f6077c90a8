"""Questions that people have put to a running instance, while they wait for its answer."""

import secrets
import threading

from leadline.wire.errors import UnavailableError
from leadline.wire.inventory import Answer
from leadline.wire.struct import dataclass, field

MAX_WAITING = 8
"""Questions that wait at once: each holds up one of the server's threads."""


@dataclass(slots=True, eq=False)
class Question:
    """One question, for the thread that waits for its answer."""

    instance: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    answer: Answer | None = None
    settled: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float) -> Answer | None:
        """Return the answer, or None when there was none in time."""
        self.settled.wait(seconds)
        return self.answer


class Questions:
    """Those that wait. An answer that nobody waits for any more is let go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Question] = {}
        self._stopped = False

    def open(self, instance: str) -> Question:
        """Begin to wait; give it back to `close`. Raises slug `too-many-questions`."""
        question = Question(instance)
        with self._lock:
            if self._stopped:
                raise UnavailableError("stopping", "The server is stopping.")
            if len(self._waiting) >= MAX_WAITING:
                raise UnavailableError(
                    "too-many-questions",
                    f"{MAX_WAITING} questions to instances wait for their answers already.",
                    "Ask again in some seconds.",
                )
            self._waiting[question.id] = question
        return question

    def close(self, question: Question) -> None:
        """Wait no longer."""
        with self._lock:
            self._waiting.pop(question.id, None)

    def settle(self, answer: Answer) -> None:
        """Hand an answer to whoever waits for it, if it is from the instance that was asked."""
        with self._lock:
            question = self._waiting.get(answer.id)
            if question is None or question.instance != answer.instance:
                return
            question.answer = answer
        question.settled.set()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._lock:
            self._stopped = True
            waiting = list(self._waiting.values())
        for question in waiting:
            question.settled.set()
