"""The command line's own HTTP against servers that close when they like."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from leadline.cli.http import Connection, NotHttpError
from waiting import wait_for

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n"
)

type Act = Callable[[socket.socket, Callable[[], None]], None]


@contextmanager
def server(*acts: Act) -> Iterator[tuple[Connection, list[bytes]]]:
    """Treat each connection by the next of `acts`; yields who asks, and what was heard."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for act in acts:
            with listener.accept()[0] as peer:
                peer.settimeout(10)
                act(peer, lambda: heard.append(peer.recv(65_536).split(b" ")[0]))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    connection = Connection(*listener.getsockname()[:2], 10.0, secure=False)
    try:
        yield connection, heard
    finally:
        connection.close()
        listener.close()
        thread.join(10)


def answering(*answers: bytes) -> Act:
    """Answer so many questions, then close."""

    def act(peer, hear) -> None:
        for answer in answers:
            hear()
            peer.sendall(answer)

    return act


def deaf(peer, hear) -> None:
    """Answer one question, hear another, and close without a word."""
    hear()
    peer.sendall(OK)
    hear()


def ask(connection: Connection, method: str = "GET") -> bytes:
    return connection.ask(method, "/", {"Host": "x"}, b"").read(100)


def test_one_connection_carries_many_questions() -> None:
    with server(answering(OK, CHUNKED, OK)) as (connection, heard):
        assert [ask(connection) for _ in range(3)] == [b"ok"] * 3
        assert heard == [b"GET"] * 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_the_server_has_closed_is_replaced(method) -> None:
    with server(answering(OK), answering(OK)) as (connection, heard):
        assert ask(connection, method) == b"ok"
        wait_for(connection._is_stale)
        assert ask(connection, method) == b"ok"
        assert heard == [method.encode()] * 2


def test_what_may_be_asked_twice_is() -> None:
    with server(deaf, answering(OK)) as (connection, heard):
        assert [ask(connection), ask(connection)] == [b"ok"] * 2
        assert heard == [b"GET"] * 3


def test_what_may_have_been_done_is_not_asked_twice() -> None:
    with server(deaf, answering(OK)) as (connection, heard):
        assert ask(connection, "POST") == b"ok"
        with pytest.raises(ConnectionError):
            ask(connection, "POST")
        assert heard == [b"POST"] * 2
        assert ask(connection) == b"ok"  # and the next question has a connection of its own


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)
def test_what_is_no_http_is_an_error(answer) -> None:
    with server(answering(answer)) as (connection, _), pytest.raises(NotHttpError):
        ask(connection)
