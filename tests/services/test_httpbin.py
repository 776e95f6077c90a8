"""httpbin under gunicorn, with gevent's workers: threads, sockets and time are patched."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from kinds import rows
from live import GUNICORN, Leadline, Program, free_port, get, tool
from soundings import Soundings
from watched import Spot, Watched, library, line_of, with_agent

pytestmark = pytest.mark.soak

CORE, FLASK = library("httpbin/core.py"), library("flask/app.py")
PATHS = (
    "/get?a=1&a=2",
    "/get?b=ü",
    "/status/418",
    "/delay/0",
    "/headers",
    "/anything/x?y=z",
    "/gzip",
    "/stream/3",
    "/bytes/10?seed=1",
    "/redirect/2",
    "/cookies/set?a=b",
    "/image/png",
    "/basic-auth/u/p",
    "/nothing/there",
)
SPOTS = (
    Spot(
        name="own",
        file=CORE,
        line=line_of(CORE, "return jsonify(", "def view_anything("),
        module="httpbin.core",
        function="view_anything",
        template="{anything}",
        message="^x$",
        value="len(anything)",
        passes=1,
    ),
    Spot(
        name="library",
        file=FLASK,
        line=line_of(FLASK, "return self.finalize_request(rv)", "def full_dispatch_request"),
        module="flask.app",
        function="Flask.full_dispatch_request",
        template="rv={rv}",
        message="^rv=",
        value="len(self.import_name)",
        passes=len(PATHS),
        raiser="flask.app:Flask.dispatch_request",
        raises="NotFound",
    ),
)
"""/bytes, /stream and the others are one dispatch each."""


def answers(port: int) -> list[tuple[object, ...]]:
    """Return status, headers and body of each path."""
    found = []
    for path in PATHS:
        status, headers, body = get(port, path.replace("ü", "%C3%BC"))
        headers.pop("Date")
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)  # the packed form holds the time
        found.append((path, status, headers, body))
    return found


@pytest.fixture(scope="module")
def soundings(shore: Leadline) -> Iterator[Soundings]:
    port = free_port()
    command = [
        tool("gunicorn"), "-k", "gevent", "-w", "2", *GUNICORN,
        "-b", f"127.0.0.1:{port}", "httpbin:app",
    ]  # fmt: skip
    with Program(command, shore.cwd).serving(port) as plain:
        expected = answers(port)
        assert plain.stop() == 0, plain.last
    with Program(with_agent("bin", command), shore.cwd).serving(port) as program:
        watched = Watched(shore, "bin", program, port)
        watched.connected(3)
        yield Soundings(watched, SPOTS, lambda: answers(port), expected, processes=2)
        assert program.stop() == 0, program.last
        assert "Traceback" not in program.last[1]


@pytest.mark.parametrize(("kind", "spot"), rows(SPOTS), ids=str)
def test_each_kind(soundings, kind, spot) -> None:
    soundings.check(kind, spot)


def test_the_answers_are_the_same(soundings) -> None:
    soundings.check_answers()


@pytest.mark.soak
def test_the_server_is_killed_and_comes_back(soundings) -> None:
    soundings.check_without_server()


@pytest.mark.soak
def test_greenlets_still_wait_at_the_same_time(soundings) -> None:
    """Twenty requests of half a second each, to two workers: nobody blocks the loop."""
    with ThreadPoolExecutor(20) as many:
        found = list(
            many.map(lambda _: get(soundings.watched.port, "/delay/0.5")[0], range(20))
        )
    assert found == [200] * 20
