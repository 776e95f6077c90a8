"""The shells that are open: who sits at each, in which process its twin lives, what passes.

All of it is in memory, and bounded. A shell lasts as long as its order: what ends that, its
time included, ends the shell, and a shell that ends takes its order out. Nothing here waits.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from leadline.control.stream import Message, asleep
from leadline.store.events import Placed
from leadline.wire.errors import (
    LeadlineError,
    RefusedError,
    UnavailableError,
    UsageError,
    WireError,
)
from leadline.wire.probe import TwinProbe
from leadline.wire.shell import GONE, MAX_REPLY_CHARS, MAX_REQUEST_CHARS, Replies, Tell
from leadline.wire.twin import TwinUse

if TYPE_CHECKING:
    from leadline.control.context import Context

MAX_SHELLS = 20
"""At once: each is a person, and a twin somewhere."""
MAX_REQUESTS = 1_000
"""Of one shell, and each is in the audit log: in ten minutes nobody types more."""
MAX_UNANSWERED = 8
"""Requests that wait for a twin at once; who sends more does not listen."""
MAX_UNREAD_CHARS = 2_000_000
"""Of replies that nobody has taken: then their reader is taken to be gone."""
MAX_REASON_CHARS = 500
LISTEN_S = 10.0
"""How long a twin that was made may wait for whoever ordered it to listen: it can be there
before the answer to the order is."""


class NoSuchShellError(LeadlineError):
    """There is no such shell, or not any more."""

    def __init__(self, probe: str) -> None:
        super().__init__("no-such-shell", f"There is no open shell {probe[:100]!a}.")


class Shell:
    """One shell, as the stream of what its twin says.

    Its events are `begun`, `reply` and, last, `ended`. `instance` is empty until the twin has
    spoken.
    """

    def __init__(self, probe: str, service: str) -> None:
        self.probe, self.service = probe, service
        self.who = ""
        self.instance = ""
        self.requests = self.answered = 0
        self.listened = False
        self.opened = time.monotonic()
        self._lock = threading.Lock()
        self._waiting: deque[Message] = deque()
        self._chars = 0
        self._closed = False
        self._wake = asleep

    def is_forlorn(self) -> bool:
        """Whether whoever ordered it has not come to listen."""
        return not self.listened and time.monotonic() - self.opened > LISTEN_S

    def attach(self, wake: Callable[[], None]) -> None:
        """See `Stream`."""
        self._wake = wake
        wake()

    @property
    def closed(self) -> bool:
        """See `Stream`."""
        return self._closed

    def close(self) -> None:
        """See `Stream`."""
        self._closed = True
        self._wake()

    def take(self) -> list[Message]:
        """See `Stream`."""
        with self._lock:
            messages = list(self._waiting)
            self._waiting.clear()
            self._chars = 0
        return messages

    def admit(self, number: int) -> None:
        """Count the request of that number. Raises slug `bad-limit` where it is not the next,
        or where there are too many."""
        with self._lock:
            if number != self.requests + 1:
                raise UsageError(
                    "bad-limit",
                    f"The next request of this shell has the number {self.requests + 1}.",
                )
            if number > MAX_REQUESTS or number - self.answered > MAX_UNANSWERED:
                raise UsageError(
                    "bad-limit",
                    f"A shell takes {MAX_REQUESTS:,} requests, at most {MAX_UNANSWERED} of "
                    "them before the first was answered.",
                )
            self.requests = number

    def say(self, event: str, content: dict[str, object]) -> bool:
        """Add an event; False if there is no room for it."""
        data = json.dumps(content, separators=(",", ":"))
        with self._lock:
            if self._chars + len(data) > MAX_UNREAD_CHARS:
                return False
            self._chars += len(data)
            self._waiting.append(Message(event, data))
        self._wake()
        return True

    def end(self, reason: str) -> None:
        """Say why there is no more, and close."""
        if not self._closed:
            self.say("ended", {"reason": reason[:MAX_REASON_CHARS]})
            self.close()


class Shells:
    """All of one server. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Shell] = {}
        self._stopped = False

    def check_room(self) -> None:
        """Refuse one more (slug `too-many-shells`)."""
        with self._lock:
            if self._stopped:
                raise UnavailableError("stopping", "The server is stopping.")
            if len(self._open) >= MAX_SHELLS:
                raise UnavailableError(
                    "too-many-shells",
                    f"{MAX_SHELLS} shells are open, which is the most there may be.",
                    "End one with Ctrl-D; one that nobody sits at ends with its order.",
                )

    def placed(self, event: Placed) -> None:
        """Open the shell of an order, before any instance hears of that."""
        probe = event.probe.probe
        if isinstance(probe, TwinProbe) and probe.use is TwinUse.SHELL:
            with self._lock:
                self._open[probe.id] = Shell(probe.id, event.probe.service)

    def own(self, probe: str, who: str) -> None:
        """Say who ordered a shell: nobody else may sit at it."""
        with self._lock:
            if shell := self._open.get(probe):
                shell.who = who

    def of(self, probe: str, who: str) -> Shell:
        """Return the shell that `who` ordered. Raises slugs `no-such-shell`,
        `not-your-shell`."""
        with self._lock:
            shell = self._open.get(probe)
        if shell is None:
            raise NoSuchShellError(probe)
        if not shell.who or shell.who != who:
            raise RefusedError("not-your-shell", "This shell was opened with another key.")
        return shell

    def running(self, probe: str, instance: str, service: str) -> tuple[Shell, bool]:
        """Return the shell whose twin speaks, and whether it has begun with that; the first
        that does is its only one, and its reader is told."""
        with self._lock:
            shell = self._open.get(probe)
            if shell is None or shell.service != service or shell.is_forlorn():
                raise NoSuchShellError(probe)
            if shell.instance not in ("", instance):
                raise NoSuchShellError(probe)
            if begins := not shell.instance:
                shell.instance = instance
                shell.say("begun", {"instance": instance})
        return shell, begins

    def end(self, ended: Callable[[Shell], bool], reason: str) -> list[Shell]:
        """End those that are meant, and return them."""
        with self._lock:
            gone = [shell for shell in self._open.values() if ended(shell)]
            for shell in gone:
                del self._open[shell.probe]
        for shell in gone:
            shell.end(reason)
        return gone

    def over(self, reasons: Iterable[tuple[str, str]]) -> list[Shell]:
        """End those whose orders are over, each for its reason, and return them."""
        gone: list[Shell] = []
        for probe, reason in reasons:
            gone += self.end(lambda shell, probe=probe: shell.probe == probe, reason)  # type: ignore[misc]
        return gone

    def stop(self) -> None:
        """End them all, and open none any more."""
        with self._lock:
            self._stopped = True
        self.end(lambda _: True, "the server is stopping")


def listen(context: "Context", probe: str, who: str) -> Shell:
    """Return the stream of a shell, for the one who ordered it; give it back to `leave_shell`.

    Raises slugs `no-such-shell`, `not-your-shell`, `shell-taken`.
    """
    shell = context.shells.of(probe, who)
    if shell.listened:
        raise RefusedError("shell-taken", "Somebody sits at this shell already.")
    shell.listened = True
    return shell


def leave_shell(context: "Context", shell: Shell) -> None:
    """End a shell that nobody sits at any more, and its twin; does not wait."""
    reason = "nobody is at the shell any more"
    if not context.shells.end(lambda one: one is shell, reason):
        return  # its twin has ended, and knows that
    if shell.instance:
        context.desired.tell(shell.instance, Tell(shell.probe, GONE))
    context.store.end_soon(shell.probe, reason, now=context.clock())


def lose_twins(context: "Context", instance: str) -> None:
    """End the shells whose twins an instance had that is gone; does not wait."""
    reason = "the process of the twin is gone"
    for shell in context.shells.end(lambda one: one.instance == instance, reason):
        context.store.end_soon(shell.probe, reason, now=context.clock())


def ask_shell(
    context: "Context", probe: str, number: int, text: str, signature: str, *, who: str
) -> None:
    """Put a request to the twin of a shell, once it is in the audit log.

    Raises slugs `no-such-shell`, `not-your-shell`, `shell-not-ready`, `bad-limit`, and those of
    a database that cannot be written: then nothing is asked.
    """
    shell = context.shells.of(probe, who)
    if not shell.instance:
        raise UsageError("shell-not-ready", "There is no twin yet: wait for the event `begun`.")
    if len(text) > MAX_REQUEST_CHARS or len(signature) > 100 or "\n" in text:
        raise UsageError(
            "bad-limit", f"A request is one line of at most {MAX_REQUEST_CHARS:,} characters."
        )
    shell.admit(number)
    detail: dict[str, object] = {"instance": shell.instance, "number": number, "text": text}
    now = context.clock()
    try:
        context.store.note(who, "shell", shell.service, detail, now=now, probe=probe)
    except BaseException:
        shell.requests -= 1  # it was not asked, so the next has its number
        raise
    if not context.desired.tell(shell.instance, Tell(probe, number, text, signature)):
        lose_twins(context, shell.instance)
        raise NoSuchShellError(probe)


def take_replies(context: "Context", service: str, came: Replies) -> None:
    """Pass on what a twin of an instance of `service` says.

    Raises slug `no-such-shell`: the twin is to end. `wrong-service` and `bad-message` too.
    """
    feed = context.desired.feed(came.instance)
    if feed is not None and feed.service != service:
        raise RefusedError(
            "wrong-service",
            f"This key is for agents of {service!r} only.",
            "Give each service the key made for its own name.",
        )
    if feed is None:
        raise NoSuchShellError(came.probe)
    shell, begins = context.shells.running(came.probe, came.instance, service)
    if begins:  # the others would make twins that nobody sits at
        context.desired.keep_in(came.probe, came.instance)
    for reply in came.replies:
        if not 1 <= reply.number <= shell.requests or len(reply.text) > MAX_REPLY_CHARS:
            raise WireError("A reply of a shell does not follow the contract.")
        shell.answered = max(shell.answered, reply.number)
        if not shell.say("reply", {"number": reply.number, "text": reply.text}):
            leave_shell(context, shell)
            raise NoSuchShellError(came.probe)
    if came.ended:
        context.shells.end(lambda one: one is shell, came.ended)
