"""The way between a shell's twin and whoever sits at the prompt, on a thread of ours."""

import json
import os
from typing import Any

from leadline.agent.guard import faults
from leadline.agent.link.http import Address, Connection
from leadline.agent.twin.child import Child
from leadline.agent.twin.requests import GONE, Request, decode_request
from leadline.wire.twin import is_signed, line_text

__all__ = ["LEFT", "SHELL_PATH", "Shells", "decode_request", "obey"]

SHELL_PATH = "/v1/agent/shell"
LEFT = "the client has gone"


class Shells:
    """Takes replies to the server, over a connection of its own: a report may take longer than
    anybody likes to wait at a prompt."""

    def __init__(self, address: Address, key: str, instance: str) -> None:
        self._connection = Connection(address, key)
        self._instance = instance

    def post(self, probe: str, replies: list[dict[str, Any]], *, ended: str = "") -> None:
        """Send replies, each with its number and the JSON of a `wire.stepping.Reply`."""
        body = {
            "instance": self._instance,
            "probe": probe,
            "replies": [
                {"number": reply.get("number", 0), "text": json.dumps(reply)}
                for reply in replies
            ],
            "ended": ended,
        }
        for _ in range(2):  # a kept-open connection may have been closed by the server
            try:
                self._connection.post(
                    SHELL_PATH, json.dumps(body).encode("ascii"), deflated=False
                )
                return
            except OSError as error:
                self._connection.close()
                last = error
        faults.count("shell", last)


def obey(child: Child, request: Request, key: str) -> str:
    """Hand a request to a twin, without waiting. Returns why not, or nothing, or `LEFT`."""
    if request.number == GONE:
        return LEFT
    if key and not is_signed(
        key, line_text(child.probe.nonce, request.number, request.text), request.signature
    ):
        return "this service runs only what is signed with its key"
    if request.number <= child.number:
        return "this request was answered already"
    child.number = request.number
    line = request.text.encode("utf-8", "surrogatepass") + b"\n"
    try:
        written = os.write(child.channel, line)
    except OSError:
        child.lost += len(line)
        return "the twin does not listen"
    if written < len(line):
        child.lost += len(line) - written
        return "the twin does not listen"
    return ""
