"""A small client of the Debug Adapter Protocol.

Reads the adapter's port and attaches. Then for each line `[file, breakpoints]` on its standard
input it sets exactly those and prints a line when the adapter has answered.
"""

import json
import queue
import socket
import sys
import threading
from typing import Any

WAIT_S = 30.0


class Client:
    """Sends requests; answers and events are read on a thread."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self.events: queue.Queue[str] = queue.Queue()
        self._last = 0
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, command: str, **arguments: object) -> int:
        self._last += 1
        self._answers[self._last] = queue.Queue()
        message = {
            "seq": self._last,
            "type": "request",
            "command": command,
            "arguments": arguments,
        }
        body = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self._last

    def wait(self, number: int) -> dict[str, Any]:
        answer = self._answers[number].get(timeout=WAIT_S)
        del self._answers[number]
        return answer

    def _read(self) -> None:
        stream = self._socket.makefile("rb")
        while True:
            size = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length"):
                    size = int(line.split(b":")[1])
            if not size:
                return
            message = json.loads(stream.read(size))
            if message["type"] == "response":
                self._answers[message["request_seq"]].put(message)
            elif message["event"] != "output":
                self.events.put(message["event"])


def main() -> None:
    client = Client(int(sys.stdin.readline()))
    client.wait(client.send("initialize", adapterID="bench", pathFormat="path"))
    attaching = client.send("attach", justMyCode=False, subProcess=False)
    while client.events.get(timeout=WAIT_S) != "initialized":
        pass
    client.wait(client.send("configurationDone"))
    client.wait(attaching)
    print(json.dumps({"ok": True}), flush=True)
    for line in sys.stdin:
        path, points = json.loads(line)
        asked = client.send("setBreakpoints", source={"path": path}, breakpoints=points)
        print(json.dumps({"ok": client.wait(asked)["success"]}), flush=True)


if __name__ == "__main__":
    main()
