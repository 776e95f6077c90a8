"""The link against servers that are none, and an application that closes what it finds."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from leadline.agent.link import http
from leadline.agent.link.events import Event, events
from leadline.agent.link.http import Address, Connection, HttpError
from leadline.agent.link.receiver import Receiver
from leadline.native import SETTING
from leadline.wire.errors import WireError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
PROBE = {
    "id": "p1",
    "kind": "log",
    "target": {"file": "app.py", "line": 3},
    "moment": "line",
    "template": "x",
    "condition": None,
    "limits": {"hits": 1, "ttl_s": 60.0, "rate_per_s": 1.0},
    "capture": {"depth": 3, "items": 100, "text": 256},
    "owner": "",
    "note": "",
}


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Accept connections and let `answer` do with each what it likes."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        threads = []
        while not over.is_set():
            try:
                accepted, _ = listener.accept()
            except TimeoutError:
                continue
            accepted.settimeout(5)
            threads.append(threading.Thread(target=one, args=(accepted,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def one(accepted: socket.socket) -> None:
        with accepted:
            try:
                answer(accepted)
            except OSError:
                return  # the agent has gone

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listener.close()


def saying(content: bytes) -> Callable[[socket.socket], None]:
    def answer(accepted: socket.socket) -> None:
        accepted.recv(65_536)
        accepted.sendall(content)

    return answer


def flooding(start: bytes, more: bytes) -> Callable[[socket.socket], None]:
    def answer(accepted: socket.socket) -> None:
        accepted.recv(65_536)
        accepted.sendall(start)
        for _ in range(10_000):
            accepted.sendall(more)

    return answer


def silent(accepted: socket.socket) -> None:
    accepted.recv(65_536)
    threading.Event().wait(1.5)


def stream(*messages: object) -> bytes:
    return HEAD + b"".join(
        f"event: set\ndata: {json.dumps(message)}\n\n".encode() for message in messages
    )


HOSTILE = {
    "closes at once": lambda accepted: None,
    "never answers": silent,
    "no http": saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "binary": saying(bytes(range(256)) * 100),
    "endless head": flooding(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 100),
    "endless line": flooding(HEAD, b"x" * 65_536),
    "wrong status": saying(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"),
    "refused": saying(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
    "redirect": saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"),
    "bad chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\nabc\r\n"),
    "huge chunk": saying(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nabc\r\n"
    ),
    "negative chunk": saying(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n"
    ),
    "not json": saying(HEAD + b"event: set\ndata: {nonsense\n\n"),
    "deep json": saying(HEAD + b"event: set\ndata: " + b"[" * 100_000 + b"\n\n"),
    "not an object": saying(stream([1, 2])),
    "no probes": saying(stream({"revision": 1})),
    "unknown kind": saying(stream({"revision": 1, "probes": [{**PROBE, "kind": "exec"}]})),
    "wrong types": saying(stream({"revision": 1, "probes": [{**PROBE, "template": 5}]})),
    "extra members": saying(
        stream({"revision": 1, "probes": [{**PROBE, "limits": {"hits": 1, "evil": 2}}]})
    ),
    "infinite limits": saying(
        HEAD + b'event: set\ndata: {"probes": [{"id":"p","kind":"log","target":{"file":"a",'
        b'"line":1},"moment":"line","template":"x","limits":{"ttl_s":Infinity},"capture":{}}]}\n\n'
    ),
    "forbidden expression": saying(
        stream({"revision": 1, "probes": [{**PROBE, "template": "{__import__('os')}"}]})
    ),
}
SCRIPT = """
import time
def work(n):
    return n + 1
n, end = 0, time.monotonic() + 1.0
while time.monotonic() < end:
    n = work(n)
    time.sleep(0.001)
print("done")
"""


type Ended = tuple[int, str, str, float]
"""Exit status, standard output and error, and the seconds that a program took."""


@pytest.fixture(scope="module")
def harmed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """What became of a program at each of the servers; they mostly wait, so all do at once."""
    folder = tmp_path_factory.mktemp("hostile")
    script = folder / "app.py"
    script.write_text(SCRIPT, "utf-8")
    plain = {
        name: text
        for name, text in os.environ.items()
        if name == SETTING or not name.startswith("LEADLINE_")
    }
    homes = {f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "DATA", "STATE")}

    def run(name: str) -> Ended:
        with server(HOSTILE[name]) as port:
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, script],
                env={**plain, **homes, "LEADLINE_URL": f"http://127.0.0.1:{port}"},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            return done.returncode, done.stdout, done.stderr, time.monotonic() - began

    with ThreadPoolExecutor(8) as many:
        return dict(zip(HOSTILE, many.map(run, HOSTILE), strict=True))


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_server_that_is_none_does_no_harm(harmed, name) -> None:
    """The program ends as it would without us, on time and without a word."""
    *said, took = harmed[name]
    assert said == [0, "done\n", ""]
    assert took < 30  # one second of work, one of draining; the rest is this machine's


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://a:b@c", "x", "http://h:99999"])
def test_a_bad_address_keeps_the_agent_out_and_says_so_on_request(tmp_path, home, url) -> None:
    for verbose, words in (("0", ""), ("1", "the agent is not in this process")):
        done = subprocess.run(
            [sys.executable, "-c", "print('done')"],
            env={**os.environ, "LEADLINE_URL": url, "LEADLINE_VERBOSE": verbose},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "done\n")
        assert words in done.stderr
        assert bool(done.stderr) == bool(words)


def test_descriptors_that_the_application_closes_are_not_written_to(tmp_path, home) -> None:
    """A daemon closes all it finds and opens files of its own under the same numbers."""
    script = tmp_path / "daemon.py"
    script.write_text(
        textwrap.dedent(
            """\
            import os, time
            time.sleep(0.5)                      # the agent is connected
            os.closerange(3, 256)
            files = [os.open(f"file{n}", os.O_RDWR | os.O_CREAT) for n in range(20)]
            def work(n):
                return n
            for n in range(20):
                work(n)
                time.sleep(0.05)
            print(sum(os.fstat(one).st_size for one in files))
            """
        ),
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "leadline", "run", "--probe", "log daemon.py:6 {n}", "--",
         sys.executable, script],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "0\n"
    assert done.stderr.count("daemon.py:6") == 20


def test_addresses() -> None:
    plain = Address("http://127.0.0.1:7357")
    assert (plain.host, plain.port, plain.secure, plain.prefix) == (
        "127.0.0.1",
        7357,
        False,
        "",
    )
    proxied = Address("https://leadline.example/behind/it/")
    assert (proxied.port, proxied.secure, proxied.prefix) == (443, True, "/behind/it")
    assert Address("http://[::1]:80").host == "::1"


def test_a_kept_open_connection_reads_each_framing() -> None:
    answers = [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ]

    def answer(accepted: socket.socket) -> None:
        for one in answers:
            accepted.recv(65_536)
            accepted.sendall(one)

    with server(answer) as port:
        connection = Connection(Address(f"http://127.0.0.1:{port}"), "key")
        bodies = []
        for _ in answers:
            connection.open("/x", b"{}")
            bodies.append(b"".join(connection.pieces()))
        connection.close()
    assert bodies == [b"", b"abc", b"abc"]


def test_a_page_is_no_receipt() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nIt works!"
    with server(saying(page)) as port:
        connection = Connection(Address(f"http://127.0.0.1:{port}"), "key")
        with pytest.raises(HttpError, match="somebody else"):
            connection.post("/x", b"{}")
        connection.close()


def test_a_refusal_carries_its_status() -> None:
    with server(saying(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")) as port:
        connection = Connection(Address(f"http://127.0.0.1:{port}"), "key")
        with pytest.raises(HttpError) as refused:
            connection.post("/x", b"{}")
        connection.close()
    assert refused.value.status == 403


def test_an_answer_has_its_time_as_a_whole(monkeypatch) -> None:
    monkeypatch.setattr(http, "REPLY_S", 0.5)

    def dripping(accepted: socket.socket) -> None:
        accepted.recv(65_536)
        accepted.sendall(b"HTTP/1.1 204 No Content\r\n")
        for _ in range(500):
            accepted.sendall(b"X-More: x\r\n")
            threading.Event().wait(0.05)

    with server(dripping) as port:
        connection = Connection(Address(f"http://127.0.0.1:{port}"), "key")
        with pytest.raises(HttpError, match=r"too long|silent"):
            connection.post("/x", b"{}")
        connection.close()


def test_an_event_without_an_end_is_not_kept() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"data: and more and more\n" * 10_000

    with pytest.raises(HttpError, match="too long"):
        list(events(pieces()))
    assert taken * 180_000 < 2 * http.MAX_LINE_BYTES


def test_events_arrive_however_they_are_cut() -> None:
    text = ': hello\n\nevent: set\ndata: {"a":\ndata: "ü"}\n\nevent: add\r\ndata: 1\r\n\r\n'
    octets = text.encode()
    expected = [Event("", ""), Event("set", '{"a":\n"ü"}'), Event("add", "1")]
    for size in (1, 2, 3, 7, len(octets)):
        pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
        assert list(events(pieces)) == expected


@pytest.mark.parametrize("data", ["[]", '{"ids": "p1"}', '{"ids": [1]}'])
def test_an_order_that_is_not_in_the_contract_is_not_obeyed(data) -> None:
    receiver = Receiver.__new__(Receiver)
    with pytest.raises(WireError):
        receiver._obey(Event("remove", data))
