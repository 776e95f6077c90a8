"""Datasette: an asyncio server whose queries run in a pool of threads."""

import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from kinds import rows
from live import Leadline, Program, free_port, get, tool
from soundings import Soundings
from watched import Spot, Watched, library, line_of, with_agent

DATABASE, PROXY = (
    library("datasette/database.py"),
    library("uvicorn/middleware/proxy_headers.py"),
)
PATHS = (
    "/",
    "/d",
    "/d/t",
    "/d/t.json?_shape=array",
    "/d/t?_sort_desc=b&_size=5",
    "/d.json?sql=select+count(*)+from+t",
    "/d/t/7.json",
    "/d/nothing",
    "/d.json?sql=select+nonsense",
    "/-/versions.json",
)
_VARYING = re.compile(rb'"query_ms": [0-9.]+|Queries took [0-9.]+ms|"[0-9.]+ms"')
SPOTS = (
    Spot(
        name="own",
        file=DATABASE,
        line=line_of(DATABASE, "cursor.execute(sql, params"),
        module="datasette.database",
        function="Database.execute.<locals>.sql_operation_in_thread",
        template="sql={sql}",
        message=r"(?is)^sql=.*\b(select|pragma)\b",
        value="len(sql)",
        raiser="datasette.database:Database.execute.<locals>.sql_operation_in_thread",
        raises="OperationalError",
    ),
    Spot(
        name="library",
        file=PROXY,
        line=line_of(PROXY, 'client_addr = scope.get("client")'),
        module="uvicorn.middleware.proxy_headers",
        function="ProxyHeadersMiddleware.__call__",
        template="{scope['path']}",
        message="^/",
        value="len(scope['headers'])",
        passes=len(PATHS),
    ),
)


def answers(port: int) -> list[tuple[object, ...]]:
    """Return status, type and body of each path, less what differs from one to the next."""
    found = []
    for path in PATHS:
        status, headers, body = get(port, path)
        found.append((path, status, headers.get("content-type"), _VARYING.sub(b"", body)))
    return found


@pytest.fixture(scope="module")
def soundings(shore: Leadline) -> Iterator[Soundings]:
    with closing(sqlite3.connect(shore.cwd / "d.db")) as database, database:
        database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(n, f"b{n}") for n in range(50)])
    port = free_port()
    command = [tool("datasette"), "serve", "d.db", "--port", str(port)]
    with Program(command, shore.cwd).serving(port) as plain:
        expected = answers(port)
        alone = plain.stop(signal.SIGINT)
    with Program(with_agent("ds", command), shore.cwd).serving(port) as program:
        watched = Watched(shore, "ds", program, port)
        watched.connected(1)
        yield Soundings(watched, SPOTS, lambda: answers(port), expected)
        assert program.stop(signal.SIGINT) == alone


@pytest.mark.parametrize(("kind", "spot"), rows(SPOTS), ids=str)
def test_each_kind(soundings, kind, spot) -> None:
    soundings.check(kind, spot)


def test_the_answers_are_the_same(soundings) -> None:
    soundings.check_answers()


@pytest.mark.soak
def test_the_server_is_killed_and_comes_back(soundings) -> None:
    soundings.check_without_server()
