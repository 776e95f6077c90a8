"""Answers what the server asks of this process, on a thread that lives as long as that takes.

Not on the receiver's thread, where it would hold up probes, nor on the sender's, where it would
hold up hits. A question is answered once; when that does not reach the server, whoever asked is
told that there is no answer, and may ask again.
"""

import _thread
import zlib

from leadline.agent.guard import faults
from leadline.agent.inventory import inventory, modules
from leadline.agent.link.http import Address, Connection
from leadline.agent.link.native import original, start_thread
from leadline.agent.locate.listing import NoSuchFileError, listing
from leadline.agent.locate.names import names
from leadline.wire.hit import InstanceInfo
from leadline.wire.inventory import Answer, Want, WantKind
from leadline.wire.messages import ANSWER_PATH, encode

MAX_WAITING = 8
"""Questions that wait; the server has no more than this open at a time."""

_allocate_lock = original("_thread", "allocate_lock", _thread.allocate_lock)


class Answerer:
    """Takes questions from the receiver's thread."""

    def __init__(self, address: Address, key: str, who: InstanceInfo) -> None:
        self._address = address
        self._key = key
        self._who = who
        self._waiting: list[Want] = []
        self._busy = False
        self._lock = _allocate_lock()

    def ask(self, want: Want) -> None:
        """Have a question answered; does not wait. Of too many the oldest is left unanswered:
        the server has given it up, and a process that stood still finds them all at once."""
        with self._lock:
            self._waiting = [*self._waiting, want][-MAX_WAITING:]
            idle, self._busy = not self._busy, True
        if idle:
            start_thread("answerer", self._run)

    def _run(self) -> None:
        connection = Connection(self._address, self._key)
        while (want := self._next()) is not None:
            self._post(connection, self._answer(want))
        connection.close()

    def _next(self) -> Want | None:
        with self._lock:
            self._busy = bool(self._waiting)
            return self._waiting.pop(0) if self._waiting else None

    def _answer(self, want: Want) -> Answer:
        who = self._who
        try:
            match want.what:
                case WantKind.INVENTORY:
                    return Answer(who.id, want.id, inventory=inventory(who.core))
                case WantKind.MODULES:
                    return Answer(who.id, want.id, modules=modules())
                case WantKind.SOURCE:
                    found = listing(want.file, who.started_at)
                    return Answer(who.id, want.id, source=found)
                case WantKind.NAMES:
                    return Answer(who.id, want.id, names=names())
        except NoSuchFileError as error:
            return Answer(
                who.id, want.id, error=error.slug, message=error.message, nearest=error.nearest
            )
        except Exception as error:  # noqa: BLE001 - said to whoever asked, and counted
            faults.count("answer", error)
            return Answer(
                who.id, want.id, error="internal", message="The agent failed at this question."
            )

    @staticmethod
    def _post(connection: Connection, answer: Answer) -> None:
        try:
            connection.post(ANSWER_PATH, zlib.compress(encode(answer), 1), deflated=True)
        except OSError:  # away, or it does not want to know any more
            connection.close()
