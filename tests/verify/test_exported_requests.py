"""Requests exported as tests: what stands for the server in them, and what of a request they
hold."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.verify.calling import home, imported

from leadline.agent.capture.gateway import gateway_of
from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.candidate import make, of_texts
from leadline.trial.place import Begin, Order
from leadline.verify.calls import CapturedCall
from leadline.verify.exporting import Exported, export_tests
from leadline.verify.literals import NotLiteral, arguments_source
from leadline.verify.places import Place
from leadline.verify.verifying import Request, verify
from verify.test_exported import run
from verify.test_served_calls import Server

SITE = """\
import json


def share(number):
    return 60 // number


class Site:
    def __init__(self):
        self.seen = None

    def __call__(self, environ, start_response):
        number = int(environ["PATH_INFO"].strip("/"))
        start_response("200 OK", [("Content-Type", "application/json"), ("X-N", str(number))])
        return [json.dumps({"share": share(number)}).encode(), environ["wsgi.input"].read()]


site = Site()


def careful(environ, start_response):
    number = int(environ["PATH_INFO"].strip("/"))
    try:
        body = json.dumps({"share": share(number)}).encode()
    except ZeroDivisionError:
        start_response("500 Internal Server Error", [])
        return [b"nobody"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


def environment(environ, start_response):
    return careful({**environ, "PATH_INFO": "/" + environ["SITE_NUMBER"]}, start_response)


async def answers(scope, receive, send):
    message = await receive()
    number = int(scope["path"].strip("/"))
    assert scope["headers"][0] == (b"host", b"site")
    kind = [(b"content-type", b"application/json")]
    try:
        body = json.dumps({"share": share(number)}).encode()
    except ZeroDivisionError:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})
        raise  # after it has answered, as frameworks do
    await send({"type": "http.response.start", "status": 200, "headers": kind})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body"})
    assert (await receive())["type"] == "http.disconnect"
"""
BAD = "return 60 // number"
WRONG = "return 60 // (number or 1) + (number > 2)"
FAILS, EXPECT = "response.status == 500", "response.status == 200"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl"
NUMBERS = (0, 1, 3, 4)


def by_wsgi(number: int, **more: object) -> list[tuple[str, object]]:
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": f"/{number}", "SERVER_PROTOCOL": "HTTP/1.1",
        "SITE_NUMBER": str(number), "wsgi.version": (1, 0), "wsgi.errors": sys.stderr,
        "wsgi.input": io.BufferedReader(io.BytesIO()), "server.socket": Server(),
        "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
    } | more  # fmt: skip
    return [("environ", environ), ("start_response", Server().start_response)]


def by_asgi(number: int, **more: object) -> list[tuple[str, object]]:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "path": f"/{number}", "app": Server(),
        "headers": [(b"host", b"site"), (b"x-token", TOKEN.encode())],
    } | more  # fmt: skip
    server = Server()
    return [("scope", scope), ("receive", server.receive), ("send", server.send)]


def document_of(named: list[tuple[str, object]]) -> dict[str, Any]:
    gateway = gateway_of(named)
    assert gateway is not None
    landmarks = Landmarks.of(["site_of_it"])
    pieces = gateway.pieces
    kept = keep(named, leaves_out=True, surrounded=False, landmarks=landmarks, pieces=pieces)
    found = withhold(kept)
    assert found.document is not None, found.obstacle
    return found.document


def captured(folder: Path, entry: str) -> list[CapturedCall]:
    """Make requests of the application, in a sealed place: what it has come to there is what a
    live call has come to."""
    at = home(folder)
    calls = []
    with imported(folder, "site_of_it") as (module,):
        begin = Begin(at.path, at.cwd, f"site_of_it:{entry}", salt="x")
        place = Place(begin, sys.executable, "1")
        try:
            assert place.ready().ok, place.ready().reason
            for number in NUMBERS:
                named = by_asgi(number) if entry == "answers" else by_wsgi(number)
                is_method = entry == "Site.__call__"
                document = document_of([("self", module.site), *named] if is_method else named)
                ran = place.run(Order(number + 1, document))
                assert ran.rerun.outcome is not None, ran.rerun.cut
                kind = "coroutine" if entry == "answers" else "function"
                live, failed = ran.rerun.outcome, number == 0
                calls.append(CapturedCall(number + 1, document, live, failed, kind=kind))
        finally:
            place.close()
    return calls


def exported(folder: Path, entry: str, to: Path) -> Exported:
    file = folder / "site_of_it.py"
    candidate = make("wrong", [of_texts(str(file), SITE, SITE.replace(BAD, WRONG))])
    calls = captured(folder, entry)
    found = verify(
        Request("s", f"site_of_it:{entry}", calls, home(folder), candidate, FAILS, EXPECT,
                least=1, exported=True)
    )  # fmt: skip
    assert found.report.shares.agreed == len(NUMBERS), found.report.reason
    return export_tests(str(to), f"site_of_it:{entry}", found.compared, FAILS, EXPECT)


@pytest.fixture
def sites(tmp_path: Path) -> tuple[Path, Path]:
    for name, text in (("old", SITE), ("new", SITE.replace(BAD, WRONG))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "site_of_it.py").write_text(text, "utf-8")
    return tmp_path / "old", tmp_path / "new"


@pytest.mark.parametrize(
    "entry",
    [
        "careful",
        pytest.param("answers", marks=pytest.mark.soak),
        pytest.param("Site.__call__", marks=pytest.mark.soak),
    ],
)
def test_a_request_becomes_a_test(sites, tmp_path, entry) -> None:
    """One fails, and two of the others come out differently."""
    old, new = sites
    to = tmp_path / "kept"
    found = exported(old, entry, to)
    assert (len(found.files), found.left_out) == (3, {})
    text = (to / found.files[0]).read_text("utf-8")
    assert TOKEN[:20] not in text
    assert "SITE_NUMBER" not in text
    assert "1 failed, 2 passed" in run(to, old)
    assert "2 failed, 1 passed" in run(to, new)


@pytest.mark.soak
def test_who_reads_what_a_test_does_not_have_becomes_none(sites, tmp_path) -> None:
    """Some servers put the environment among a request, and nobody wants that in a file."""
    found = exported(sites[0], "environment", tmp_path / "kept")
    assert found.files == []
    assert "comes to something else with what a test has of it" in found.left_out[1]


def test_a_body_that_was_not_seen_is_no_text() -> None:
    with pytest.raises(NotLiteral, match="the body of a request that was not seen whole"):
        arguments_source(document_of(by_wsgi(1, CONTENT_LENGTH="3")))
