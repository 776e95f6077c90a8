"""The way between a shell's twin and whoever sits at the prompt, on a thread of ours."""

import json
import os
from collections import deque
from typing import Any

from leadline.agent.guard import faults
from leadline.agent.link.http import Address, Connection, HttpError
from leadline.agent.link.native import new_lock, start_thread
from leadline.agent.twin.child import Child
from leadline.wire.errors import WireError
from leadline.wire.messages import SHELL_PATH, encode
from leadline.wire.shell import GONE, MAX_REPLY_CHARS, Replies, Reply, Tell
from leadline.wire.stepping import Reason, read_request
from leadline.wire.twin import is_signed, line_text

LEFT = "the client has gone"


class Shells:
    """Takes replies to the server, over a connection and on a thread of its own: a report may
    take longer than anybody likes to wait at a prompt, and a server that does not answer must
    not keep the nursery from its twins.

    `deserted` are shells whose replies nobody has taken: their twins are to end.
    """

    def __init__(self, address: Address, key: str, instance: str) -> None:
        self._connection = Connection(address, key)
        self._instance = instance
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._lock = new_lock()
        self._busy = False
        self.deserted: set[str] = set()

    def post(self, probe: str, said: list[dict[str, Any]], *, ended: str = "") -> None:
        """Send what a twin said; does not wait."""
        replies = [_reply(one) for one in said if _is_numbered(one)]
        body = encode(Replies(self._instance, probe, replies, ended))
        with self._lock:
            self._waiting.append((probe, body))
            idle, self._busy = not self._busy, True
        if idle:
            start_thread("shell", self._run)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                probe, body = self._waiting.popleft()
            if probe not in self.deserted and not self._send(body):
                self.deserted.add(probe)

    def _send(self, body: bytes) -> bool:
        for again in (True, False):  # a kept-open connection may have been closed by the server
            try:
                self._connection.post(SHELL_PATH, body, deflated=False)
                return True
            except OSError as error:
                self._connection.close()
                if isinstance(error, HttpError) and error.status:
                    return False
                if not again:
                    faults.count("shell", error)
        return False


def obey(child: Child, request: Tell, key: str) -> str:
    """Hand a request to a twin, without waiting. Returns why not, or nothing, or `LEFT`."""
    if request.number == GONE:
        return LEFT
    if key and not is_signed(
        key, line_text(child.probe.nonce, request.number, request.text), request.signature
    ):
        return "This service runs only what is signed with its key (LEADLINE_TWIN_KEY)."
    if request.number <= child.number:
        return "This request was answered already."
    child.number = request.number
    child.asked[request.number] = _code_of(request.text)
    line = request.text.encode("utf-8", "surrogatepass") + b"\n"
    try:
        written = os.write(child.channel, line)
    except OSError:
        written = 0
    child.lost += len(line) - written
    return "" if written == len(line) else "The twin does not listen."


def _code_of(text: str) -> str:
    try:
        return read_request(text).text
    except WireError:  # the twin says so
        return ""


def refused(request: Tell, why: str) -> dict[str, Any]:
    """Return the reply to a request that did not reach its twin."""
    return {"number": request.number, "reason": Reason.ERROR, "text": why}


def _is_numbered(said: dict[str, Any]) -> bool:
    number = said.get("number")
    return type(number) is int and number > 0


def _reply(said: dict[str, Any]) -> Reply:
    text = json.dumps(said)
    if len(text) > MAX_REPLY_CHARS:
        text = json.dumps(
            refused(Tell("", said["number"]), "The answer is too large: ask for a part of it.")
        )
    return Reply(said["number"], text)
