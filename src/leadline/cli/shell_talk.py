"""The conversation with a twin: requests by POST, replies from a stream that a thread reads."""

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from leadline.cli.client import Client
from leadline.cli.twin_order import KEY, Order
from leadline.wire.errors import LeadlineError
from leadline.wire.stepping import Do
from leadline.wire.twin import line_text, sign

_AGAIN_S = 0.2
_MORE_S = 10.0
"""How long after the end of its life a twin is still waited for: then the server has gone."""


class OverError(Exception):
    """The twin has ended, for the reason that is the text."""


class Conversation:
    """One shell. `late` is called with replies that come after nobody waited for them, and with
    what was asked."""

    def __init__(
        self,
        client: Client,
        order: Order,
        life_s: float,
        late: Callable[[dict[str, Any], Do, str], None],
    ) -> None:
        self._client, self._order, self._late = client, order, late
        self._key = os.environ.get(KEY, "").strip()
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._number = 0
        self._interrupted: tuple[Do, str] | None = None
        """A request that Ctrl-C has met on its way."""
        self._unseen: dict[int, tuple[Do, str]] = {}
        self._ends = time.monotonic() + life_s
        self._prompting = False
        self._deciding = threading.Lock()
        self._main = threading.get_ident()
        self.over = ""
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def left_s(self) -> int:
        """How many seconds the twin has left."""
        return max(0, round(self._ends - time.monotonic()))

    def begun(self, seconds: float) -> str:
        """Wait so long for the twin; returns its instance, or nothing while there is none."""
        try:
            event, content = self._events.get(timeout=seconds)
        except queue.Empty:
            return ""
        if event == "ended":
            raise self._ended(content)
        return str(content["instance"])

    def live(self, seconds: float) -> None:
        """Say how long the twin has from now on."""
        self._ends = time.monotonic() + seconds

    def ask(self, do: Do, text: str = "", *, seconds: float | None = None) -> dict[str, Any]:
        """Ask, and wait for the answer, at the longest for `seconds`.

        Raises `OverError` when the twin has ended, `LeadlineError` for what cannot be asked,
        `queue.Empty` when the answer did not come in time: it comes to `late`, but for
        completions.
        """
        try:
            self._send(do, text)
        except LeadlineError as error:
            if error.slug != "bad-limit" or self._interrupted is None:
                raise
            self._sent(*self._interrupted)  # it had been taken
            self._send(do, text)
        self._sent(do, text)
        return self._answer(self._number, seconds)

    def _send(self, do: Do, text: str) -> None:
        number = self._number + 1
        said = json.dumps({"do": str(do), "text": text, "number": number})
        text_signed = line_text(self._order.nonce, number, said)
        signature = sign(self._key, text_signed) if self._key else ""
        body = {"number": number, "text": said, "signature": signature}
        try:
            self._client.post(f"/v1/twins/{self._order.id}/requests", body)
        except LeadlineError as error:
            if error.slug == "no-such-shell":
                raise self._end_said(str(error.message)) from None
            raise
        except KeyboardInterrupt:
            self._interrupted = do, text  # nobody knows whether it was taken
            raise

    def _sent(self, do: Do, text: str) -> None:
        """Count a request that was taken."""
        self._number += 1
        self._interrupted = None
        if do is not Do.COMPLETE:
            self._unseen[self._number] = do, text

    @contextmanager
    def prompting(self) -> Iterator[None]:
        """Have the twin's end interrupt what is done here: waiting for somebody to type."""
        self._prompting = True
        try:
            if self.over:
                raise KeyboardInterrupt
            yield
        finally:
            self._prompting = False
            with self._deciding:  # a signal that is on its way arrives here
                pass

    def last_words(self, seconds: float) -> None:
        """Wait until the twin has ended, at most so long."""
        deadline = time.monotonic() + seconds
        while not self.over and (left := deadline - time.monotonic()) > 0:
            try:
                self._take(*self._events.get(timeout=left))
            except queue.Empty:
                return
            except OverError:
                return

    def _answer(self, number: int, seconds: float | None) -> dict[str, Any]:
        deadline = time.monotonic() + (self._ends - time.monotonic() + _MORE_S)
        if seconds is not None:
            deadline = min(deadline, time.monotonic() + seconds)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                if seconds is None:
                    raise self._end_said("nothing was heard of it any more")
                raise queue.Empty
            found = self._take(*self._events.get(timeout=left))
            if found is not None and found["number"] == number:
                self._unseen.pop(number, None)
                return found
            self._tell_late(found)

    def _tell_late(self, found: dict[str, Any] | None) -> None:
        if found is not None and (asked := self._unseen.pop(found["number"], None)):
            self._late(found, *asked)

    def _take(self, event: str, content: dict[str, Any]) -> dict[str, Any] | None:
        if event == "ended":
            raise self._ended(content)
        if event != "reply":
            return None
        try:
            reply = json.loads(content["text"])
        except ValueError:
            return None
        if not isinstance(reply, dict):
            return None
        if isinstance(reply.get("alive_s"), int | float) and reply["alive_s"] > 0:
            self.live(float(reply["alive_s"]))
        return reply | {"number": content["number"]}

    def _ended(self, content: dict[str, Any]) -> OverError:
        return self._end_said(str(content.get("reason", "")))

    def _end_said(self, reason: str) -> OverError:
        self.over = self.over or reason or "it has ended"
        return OverError(self.over)

    def _read(self) -> None:
        """Read the stream to its end, on a thread of its own."""
        # Ctrl-C is for whoever waits for the terminal: taken here, it would not wake them
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        reason = "the server has ended the shell"
        try:
            for name, data in self._client.stream(f"/v1/twins/{self._order.id}/replies"):
                if name in ("begun", "reply", "ended"):
                    content = json.loads(data)
                    if name == "ended":
                        reason = str(content.get("reason", reason))
                        break
                    self._events.put((name, content))
        except (LeadlineError, ValueError) as error:
            reason = getattr(error, "message", "") or str(error)
        self._events.put(("ended", {"reason": reason}))
        self.over = self.over or reason
        while self._prompting:  # whoever types would see it only with the next line
            with self._deciding:
                if self._prompting:
                    signal.pthread_kill(self._main, signal.SIGINT)
            # One that came just before the terminal is waited for is lost to whoever waits.
            time.sleep(_AGAIN_S)
