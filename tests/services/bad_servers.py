"""Servers that are none: each kind answers the agent's requests in its own wrong way."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

type Answer = Callable[[socket.socket, threading.Event], None]
"""Answers one connection; the event is set when the test is over."""

OK = b"HTTP/1.1 200 OK\r\n"
STREAM = OK + b"Content-Type: text/event-stream\r\n\r\n"
FLOOD = 200
"""Pieces of 64 kB: more than any part of an answer may be long."""


def _saying(content: bytes, more: bytes = b"") -> Answer:
    def answer(accepted: socket.socket, _over: threading.Event) -> None:
        accepted.recv(65_536)
        accepted.sendall(content)
        for _ in range(FLOOD if more else 0):
            accepted.sendall(more)

    return answer


def dripping(accepted: socket.socket, over: threading.Event) -> None:
    """A byte of a head that never ends, five times a second."""
    accepted.recv(65_536)
    accepted.sendall(OK + b"X-Slow: ")
    while not over.wait(0.2):
        accepted.sendall(b".")


GARBAGE: dict[str, Answer] = {
    "wrong json": _saying(STREAM + b"event: set\ndata: {nonsense\n\n"),
    "no utf-8": _saying(STREAM + b"event: set\ndata: \xff\xfe\n\n"),
    "no http": _saying(b"220 mail.example ESMTP\r\n"),
    "nothing": _saying(b""),
    "endless head": _saying(OK, b"X-More: and more\r\n" * 3_640),
    "endless line": _saying(STREAM, b"x" * 65_536),
    "endless event": _saying(STREAM, b"data: and more\n" * 4_369),
    "huge body": _saying(OK + b"Content-Length: 99999999999\r\n\r\n", b"y" * 65_536),
    "redirect": _saying(
        b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    ),
    "a page": _saying(OK + b"Content-Type: text/html\r\n\r\n<h1>It works!</h1>"),
    "dripping": dripping,
}


@contextmanager
def impostor(port: int, answers: Sequence[Answer]) -> Iterator[Callable[[], int]]:
    """Stand at `port` and answer each connection in the next way, the last one for ever.

    Yields how many connections there were.
    """
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(0.1)
    over = threading.Event()
    threads: list[threading.Thread] = []

    def serve() -> None:
        while not over.is_set():
            try:
                accepted, _ = listener.accept()
            except TimeoutError:
                continue
            accepted.settimeout(5)
            answer = answers[min(len(threads), len(answers) - 1)]
            threads.append(threading.Thread(target=one, args=(accepted, answer)))
            threads[-1].start()

    def one(accepted: socket.socket, answer: Answer) -> None:
        with accepted:
            try:
                answer(accepted, over)
            except OSError:
                return  # the agent has gone

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield lambda: len(threads)
    finally:
        over.set()
        serving.join()
        for thread in threads:
            thread.join()
        listener.close()


def ordering(probe: dict[str, object]) -> Answer:
    """Give this probe to whoever connects, then drip at all that follows."""

    def answer(accepted: socket.socket, over: threading.Event) -> None:
        if b"POST /v1/agent/connect" not in accepted.recv(65_536):
            dripping(accepted, over)
            return
        data = json.dumps({"revision": 1, "probes": [probe]})
        accepted.sendall(STREAM + f"event: set\ndata: {data}\n\n".encode())
        while not over.wait(0.2):
            accepted.sendall(b": here\n\n")

    return answer
