"""Loops that were running before any probe came: of a thread, of an event loop, of a generator.

None of their functions is ever entered again. Each job passes the three of them once.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinds import rows
from live import READY_S, Leadline, Program, free_port, tool
from soundings import Soundings
from waiting import wait_for
from watched import Spot, Watched, line_in, with_agent

pytestmark = pytest.mark.soak

LOOPS = """\
import asyncio
import json
import queue
import sys
import threading

jobs, done = queue.Queue(), queue.Queue()


def refuse(number):
    if number == 2:
        raise ValueError(f"not {number}")


def by_thread():
    while True:
        number = jobs.get()
        doubled = number * 2
        try:
            refuse(number)
        except ValueError:
            doubled += 1000
        passed = number
        done.put(doubled)


async def by_task(inbox, outbox):
    while True:
        number = await inbox.get()
        tripled = number * 3
        try:
            refuse(number)
        except ValueError:
            tripled += 1000
        passed = number
        await outbox.put(tripled)


def by_generator():
    sum_of_all = 0
    while True:
        number = yield sum_of_all
        sum_of_all = number * 4
        try:
            refuse(number)
        except ValueError:
            sum_of_all += 1000
        passed = number


async def main():
    inbox, outbox = asyncio.Queue(), asyncio.Queue()
    task = asyncio.create_task(by_task(inbox, outbox), name="tripler")
    generator = by_generator()
    next(generator)
    threading.Thread(target=by_thread, daemon=True).start()

    async def answer(reader, writer):
        for number in json.loads(await reader.readline()):
            jobs.put(number)
            await inbox.put(number)
            said = [done.get(), await outbox.get(), generator.send(number)]
            writer.write(json.dumps(said).encode() + b"\\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1])):
        await task


asyncio.run(main())
"""
JOBS = (1, 2, 3)


def spot(name: str, function: str, result: str, factor: int) -> Spot:
    """Return the place in the loop where the result is known."""
    head = f"def {function}("
    return Spot(
        name=name,
        file=Path("loops.py"),
        line=line_in(LOOPS, "refuse(number)", head),
        until=line_in(LOOPS, "passed = number", head),
        module="loops",
        function=function,
        template=f"{{number}} {{{result}}}",
        message=r"^(1 2|2 4|3 6|1 3|2 6|3 9|1 4|2 8|3 12)$",
        value=result,
        values=tuple(number * factor for number in JOBS),
        passes=len(JOBS),
        raiser=f"loops:{function}",
        raises="ValueError",
        loops=True,
    )


SPOTS = (
    spot("thread", "by_thread", "doubled", 2),
    spot("task", "by_task", "tripled", 3),
    spot("generator", "by_generator", "sum_of_all", 4),
)
EXPECTED = [[2, 3, 4], [1004, 1006, 1008], [6, 9, 12]]


def send(port: int) -> list[list[int]]:
    """Send a round of jobs; returns what each loop made of them."""
    with socket.create_connection(("127.0.0.1", port), 20) as to, to.makefile("rw") as file:
        file.write(json.dumps(JOBS) + "\n")
        file.flush()
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def soundings(shore: Leadline) -> Iterator[Soundings]:
    (shore.cwd / "loops.py").write_text(LOOPS, "utf-8")
    port = free_port()
    command = [tool("python"), "loops.py", str(port)]
    with Program(with_agent("loops", command), shore.cwd) as program:
        wait_for(lambda: listens(port), READY_S, "it listens")
        assert send(port) == EXPECTED
        watched = Watched(shore, "loops", program, port)
        watched.connected(1)
        yield Soundings(watched, SPOTS, lambda: send(port), EXPECTED)
        program.stop()
        assert program.last == ("", "")


def listens(port: int) -> bool:
    try:
        return send(port) == EXPECTED
    except OSError:
        return False


@pytest.mark.parametrize(("kind", "spot"), rows(SPOTS), ids=str)
def test_each_kind(soundings, kind, spot) -> None:
    soundings.check(kind, spot)


def test_the_answers_are_the_same(soundings) -> None:
    soundings.check_answers()


@pytest.mark.soak
def test_the_server_is_killed_and_comes_back(soundings) -> None:
    soundings.check_without_server()
