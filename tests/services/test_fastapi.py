"""FastAPI under uvicorn with uvloop: coroutines and background tasks."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kinds import rows
from live import Leadline, Program, free_port, get, tool
from soundings import Soundings
from waiting import wait_for
from watched import Spot, Watched, library, line_in, line_of, with_agent

APP = """\
import asyncio
import contextvars

from fastapi import BackgroundTasks, FastAPI, HTTPException

app = FastAPI()
told = []
who = contextvars.ContextVar("who")


@app.get("/")
async def ready():
    return {"loop": type(asyncio.get_running_loop()).__module__}


@app.get("/slow/{number}")
async def slow(number: int):
    who.set(number)
    before = number * 2
    await asyncio.sleep(0.05)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part(one)) for one in range(3)]
    return {"number": number, "before": before, "parts": [task.result() for task in tasks]}


async def part(one):
    await asyncio.sleep(0.001)
    mine = who.get() + one
    return mine


@app.get("/later/{word}")
async def later(word: str, tasks: BackgroundTasks):
    tasks.add_task(tell, word)
    tasks.add_task(tell_from_thread, word)
    return {"accepted": word}


async def tell(word):
    await asyncio.sleep(0.01)
    text = word.upper()
    told.append(text)


def tell_from_thread(word):
    told.append(word.lower())


@app.get("/told")
async def show():
    return sorted(told)


@app.get("/refuse/{code}")
async def refuse(code: int):
    reason = f"refused with {code}"
    raise HTTPException(code, reason)


@app.get("/stream")
async def stream():
    async def lines():
        for number in range(3):
            await asyncio.sleep(0)
            yield f"line {number}\\n"

    from starlette.responses import StreamingResponse
    return StreamingResponse(lines(), media_type="text/plain")
"""
BACKGROUND = library("starlette/background.py")
PATHS = (
    "/slow/1",
    "/slow/x",
    "/later/Word",
    "/refuse/404",
    "/refuse/451",
    "/stream",
    "/nothing",
    "/openapi.json",
)
SPOTS = (
    Spot(
        name="own",
        file=Path("front.py"),
        line=line_in(APP, "return", "mine = who.get()"),
        module="front",
        function="part",
        template="{one} {mine}",
        message=r"^0 1|1 2|2 3$",
        value="mine",
        passes=3,
        values=(1, 2, 3),
        raiser="front:refuse",
        raises="HTTPException",
    ),
    Spot(
        name="library",
        file=BACKGROUND,
        line=line_of(BACKGROUND, "if self.is_async:"),
        module="starlette.background",
        function="BackgroundTask.__call__",
        template="{self.args} {self.is_async}",
        message=r"^\('Word',\) (True|False)$",
        value="len(self.args)",
        passes=2,
    ),
)


def answers(port: int) -> list[tuple[object, ...]]:
    """Return status, headers and body of each path; the last is what was told until now."""
    found = []
    for path in PATHS:
        status, headers, body = get(port, path)
        headers.pop("date")
        found.append((path, status, headers, body))
    return found


def told(port: int) -> list[str]:
    return list(json.loads(get(port, "/told")[2]))


@pytest.fixture(scope="module")
def soundings(shore: Leadline) -> Iterator[Soundings]:
    (shore.cwd / "front.py").write_text(APP, "utf-8")
    port = free_port()
    command = [tool("uvicorn"), "--loop", "uvloop", "--port", str(port), "front:app"]
    with Program(command, shore.cwd).serving(port) as plain:
        assert b'"loop":"uvloop"' in get(port)[2]
        expected = answers(port)
        alone = plain.stop()
    with Program(with_agent("front", command), shore.cwd).serving(port) as program:
        watched = Watched(shore, "front", program, port)
        watched.connected(1)
        yield Soundings(watched, SPOTS, lambda: answers(port), expected)
        assert program.stop() == alone


@pytest.mark.parametrize(("kind", "spot"), rows(SPOTS), ids=str)
def test_each_kind(soundings, kind, spot) -> None:
    soundings.check(kind, spot)


def test_the_answers_are_the_same(soundings) -> None:
    soundings.check_answers()


def test_background_tasks_run_to_their_end(soundings) -> None:
    port = soundings.watched.port
    wait_for(lambda: len(told(port)) % 2 == 0)  # of a test before, perhaps
    before = told(port)
    get(port, "/later/Late")
    wait_for(lambda: len(told(port)) == len(before) + 2)
    assert sorted([*before, "LATE", "late"]) == told(port)


def test_coroutines_that_wait_for_each_other(soundings) -> None:
    """Fifty requests at once, each in the middle of its own: every hit has its own values."""
    watched = soundings.watched
    line = line_in(APP, 'return {"number"')
    probe = watched.place(
        {"kind": "log", "target": f"front.py:{line}", "template": "{number} {before}",
         "condition": "number >= 100", "limits": {"hits": 1000, "rate_per_s": 1000}}
    )  # fmt: skip
    watched.wait_armed([probe], 1)
    numbers = range(100, 150)
    with ThreadPoolExecutor(25) as many:
        bodies = list(many.map(lambda n: get(watched.port, f"/slow/{n}")[2], numbers))
    assert [json.loads(body) for body in bodies] == [
        {"number": n, "before": 2 * n, "parts": [n, n + 1, n + 2]} for n in numbers
    ]
    fates = watched.wait_captured(probe, 50)["fates"]
    found = sorted(hit["message"] for hit in watched.wait_hits(probe, fates["captured"]))
    assert set(found) <= {f"{n} {2 * n}" for n in numbers}
    assert len(set(found)) == len(found)
    assert len(found) == 50 or fates["over_budget"], fates
    watched.remove(probe)


@pytest.mark.soak
def test_the_server_is_killed_and_comes_back(soundings) -> None:
    soundings.check_without_server()
