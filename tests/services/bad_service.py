"""A small service for bad input: known answers, and it says which events are on in its code."""

import contextlib
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from live import READY_S, Leadline, Program, free_port, get, tool
from waiting import wait_for
from watched import Watched, line_in, with_agent

SOURCE = """\
import http.server
import json
import sys
import time

import lines


def work(n):
    total = n * 2 + 1
    # a comment

    return total


def loop(n):
    total = 0
    for number in range(n):
        total += number & 7
    return total


def large(size):
    text = "é" * (size // 2)
    octets = b"x" * size
    table = list(range(size // 8))
    found = len(text) + len(octets) + len(table)
    return found


def every(n):
    return sum(one(n) for one in lines.ALL)


def events(_):
    seats = [seat for seat in range(6) if sys.monitoring.get_tool(seat) == "leadline"]
    return sum(sys.monitoring.get_local_events(seat, work.__code__) != 0 for seat in seats)


def clock(_):
    return time.time()


ROUTES = {one.__name__: one for one in (work, loop, large, every, events, clock)}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        _, name, number = self.path.split("/")
        began = time.perf_counter()
        answer = ROUTES[name](int(number))
        body = json.dumps([answer, time.perf_counter() - began]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
FUNCTIONS = 100
LINES = "".join(f"def f{n}(x):\n    y = x + {n}\n    return y\n" for n in range(FUNCTIONS))
LINES += f"ALL = [{', '.join(f'f{n}' for n in range(FUNCTIONS))}]\n"
WORK = line_in(SOURCE, "return total", "def work")
LOOP = line_in(SOURCE, "total += number & 7")
LARGE = line_in(SOURCE, "return found")


def works(port: int, *numbers: int) -> None:
    """The service is there and right."""
    for number in numbers or (1, 20):
        assert said(port, "work", number) == number * 2 + 1


def said(port: int, name: str, number: int = 0) -> float:
    """Return what a function of the service answers."""
    return timed(port, name, number)[0]


def timed(port: int, name: str, number: int = 0) -> tuple[float, float]:
    """Return what a function of the service answers, and the seconds that it took."""
    status, _, body = get(port, f"/{name}/{number}")
    assert status == 200
    answer, seconds = json.loads(body)
    return answer, seconds


@contextmanager
def started(
    folder: Path, name: str = "", env: dict[str, str] | None = None
) -> Iterator[tuple[Program, int]]:
    """Start the service, watched under `name` if there is one, by `env` if not; at its end
    it has said nothing of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "deep.py").write_text(SOURCE, "utf-8")
    (folder / "lines.py").write_text(LINES, "utf-8")
    port = free_port()
    command: list[str | Path] = [tool("python"), "deep.py", str(port)]
    with Program(with_agent(name, command) if name else command, folder, env) as program:
        wait_for(lambda: _listens(port), READY_S, "the service listens")
        yield program, port
        assert program.process.poll() is None, program.err
        program.stop()
        assert program.last == ("", "")


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    return False


@contextmanager
def serving(
    leadline: Leadline, name: str, env: dict[str, str] | None = None
) -> Iterator[Watched]:
    """Start the service with the agent in it, connected to the server."""
    with started(leadline.cwd / name, name, env) as (program, port):
        watched = Watched(leadline, name, program, port)
        watched.connected(1)
        yield watched
