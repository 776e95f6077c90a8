"""One sealed place, and calls of web applications of several sorts: what they answer there."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.verify.calling import home

from leadline.agent.capture.gateway import gateway_of
from leadline.agent.capture.keeping import keep, withhold
from leadline.agent.twin.served import served
from leadline.trial.calls import Call
from leadline.trial.outcome import Outcome
from leadline.trial.place import Begin, Order, Ran
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, compare_runs
from leadline.verify.gateways import notes_of, request_text
from leadline.verify.places import Place
from leadline.verify.report import shown_cases
from leadline.verify.verdict import Candidate, Case, Control, Stated
from leadline.wire.errors import RefusedError
from leadline.wire.gateway import RESPONSE
from leadline.wire.struct import replace

APPS = """\
import asyncio
import json

OK, KINDS = "200 OK", [("Content-Type", "application/json")]


def plain(environ, start_response):
    start_response(OK, KINDS)
    return [json.dumps({"items": [1, 2], "page": environ["PATH_INFO"]}).encode()]


def other(environ, start_response):
    start_response(OK, [*KINDS, ("X-More", "1")])
    return [json.dumps({"items": [1, 3], "page": environ["PATH_INFO"]}).encode()]


class Lazy:
    def __init__(self, start_response, fails=False):
        self.start_response, self.fails = start_response, fails

    def __iter__(self):
        self.start_response(OK, KINDS)
        yield b'{"items": '
        if self.fails:
            raise ValueError("halfway")
        yield b'[1, 2]}'


def lazy(environ, start_response):
    return Lazy(start_response)


def lazy_fails(environ, start_response):
    return Lazy(start_response, fails=True)


def raises(environ, start_response):
    start_response(OK, KINDS)
    raise ValueError("after all")


def twice(environ, start_response):
    start_response(OK, KINDS)
    start_response("500 Oh", KINDS)
    return []


def writes(environ, start_response):
    write = start_response(OK, KINDS)
    write(b"one ")
    environ["wsgi.errors"].write("a line\\n")
    environ["more"] = {"user": "Ada", "object": object()}
    return [b"two"]


def reads(environ, start_response):
    start_response(OK, KINDS)
    try:
        return [environ["wsgi.input"].read()]
    except Exception:
        return [b"no body"]


async def answer(scope, receive, send, body=b"one", status=200):
    message = await receive()
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": message["body"] + body})
    return None


async def asgi(scope, receive, send):
    await answer(scope, receive, send)


async def asgi_other(scope, receive, send):
    await answer(scope, receive, send, b"two", 201)


async def asgi_streams(scope, receive, send):
    await receive()
    gone = asyncio.create_task(receive())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in b"ab":
        assert not gone.done()
        await send({"type": "http.response.body", "body": bytes([part]), "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    assert (await gone)["type"] == "http.disconnect"


async def asgi_twice(scope, receive, send):
    await answer(scope, receive, send)
    await answer(scope, receive, send)


async def asgi_unended(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})


async def asgi_raises(scope, receive, send):
    await answer(scope, receive, send, status=500)
    raise ValueError("was answered before")
"""
EXPECT = "response.status == 200 and response.json['items'][0] == 1"


class Server:
    def start_response(self, *_: Any) -> None: ...
    async def receive(self) -> Any: ...
    async def send(self, message: Any) -> None: ...


def wsgi_call(**more: Any) -> list[tuple[str, object]]:
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/a", "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0), "wsgi.input": io.BufferedReader(io.BytesIO()),
        "wsgi.errors": sys.stdout,
    } | more  # fmt: skip
    return [("environ", environ), ("start_response", Server().start_response)]


def asgi_call(*headers: tuple[bytes, bytes]) -> list[tuple[str, object]]:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "path": "/a", "headers": list(headers),
    }  # fmt: skip
    server = Server()
    return [("scope", scope), ("receive", server.receive), ("send", server.send)]


def kept(named: list[tuple[str, object]]) -> dict[str, Any]:
    gateway = gateway_of(named)
    assert gateway is not None
    found = withhold(keep(named, leaves_out=True, pieces=gateway.pieces))
    assert found.document is not None, found.obstacle
    return found.document


type Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder: Path = tmp_path_factory.mktemp("apps")
    (folder / "apps_of_it.py").write_text(APPS, "utf-8")
    at = home(folder)
    begin = Begin(at.path, at.cwd, "apps_of_it:plain", expect=EXPECT, salt="x")
    place = Place(begin, sys.executable, "1")
    try:
        ready = place.ready()
        assert ready.ok, ready.reason
        wsgi, asgi = kept(wsgi_call()), kept(asgi_call())

        def made(entry: str, document: dict[str, Any] | None = None) -> Ran:
            document = document or (asgi if entry.startswith("asgi") else wsgi)
            return place.run(Order(1, document, entry=entry))

        yield made
    finally:
        place.close()


def answered(ran: Ran) -> dict[str, Any]:
    assert ran.rerun.outcome is not None, ran.rerun.cut
    assert ran.given is not None
    return dict(ran.given[RESPONSE]["fields"])


def compared(control: Ran, candidate: Ran, live: Outcome | None = None) -> Compared:
    """Compare as if the live call had been like the control."""
    live = live or control.rerun.outcome
    assert live is not None
    call = CapturedCall(1, {}, live)
    return compare_runs(call, control, control, candidate)


def test_a_wsgi_answer_is_told_by_its_parts(run: Run) -> None:
    plain, other = run("plain"), run("other")
    assert answered(plain)["status"] == 200
    assert answered(plain)["reason"] == "OK"
    assert answered(plain)["body"] == '{"items": [1, 2], "page": "/a"}'
    found = compared(plain, other)
    assert found.case.candidate is Candidate.DIFFERS
    where = [one.where for one in found.differences]
    assert set(where[:2]) == {"response.body['items'][1]", "response.headers['x-more']"}
    assert compared(plain, plain).case.candidate is Candidate.SAME


def test_what_is_lazy_is_asked_for_as_the_server_does(run: Run) -> None:
    lazy, fails = run("lazy"), run("lazy_fails")
    assert answered(lazy)["body"] == '{"items": [1, 2]}'
    assert answered(fails)["body"] == '{"items": '
    assert answered(fails)["raised"] == "ValueError('halfway')"
    assert lazy.rerun.outcome is not None
    before = replace(lazy.rerun.outcome, arguments={})  # it answers when the call is over
    assert compared(lazy, fails, before).case.control is Control.UNKNOWN
    assert (lazy.expected, fails.expected) == (True, None)


def test_who_raises_has_not_answered(run: Run) -> None:
    ran = run("raises")
    assert ran.rerun.outcome is not None
    assert (ran.rerun.outcome.returned, ran.expected) == (False, False)
    late = run("asgi_raises")
    assert late.rerun.outcome is not None
    assert (late.rerun.outcome.returned, late.expected) == (False, False)
    assert answered(late)["body"] == "one"


def test_a_server_has_its_rules(run: Run) -> None:
    for entry, words in (("twice", "called twice"), ("asgi_twice", "begun twice")):
        ran = run(entry)
        assert ran.rerun.outcome is not None
        assert not ran.rerun.outcome.returned
        assert words in ran.rerun.raised


def test_what_is_written_and_left_in_the_request_counts(run: Run) -> None:
    ran = run("writes")
    assert answered(ran)["body"] == "one two"
    assert ran.rerun.printed == "a line\n"
    assert ran.given is not None
    left = dict(ran.given["environ"]["entries"])
    assert dict(left["more"]["entries"]) == {"user": "Ada", "object": "a object"}


def test_a_body_that_was_not_captured_is_unknown(run: Run) -> None:
    assert answered(run("reads"))["body"] == ""
    cut = run("reads", kept(wsgi_call(CONTENT_LENGTH="5"))).rerun.cut
    assert "would give the request's body, which was not captured" in cut
    assert answered(run("plain", kept(wsgi_call(CONTENT_LENGTH="5"))))["status"] == 200
    cut = run("asgi", kept(asgi_call((b"content-length", b"5")))).rerun.cut
    assert "would give the request's body, which was not captured" in cut
    document = kept(wsgi_call(CONTENT_LENGTH="5") and wsgi_call(**{
        "CONTENT_LENGTH": "5", "wsgi.input": io.BytesIO(b"12345"),
    }))  # fmt: skip
    assert answered(run("reads", document))["body"] == "12345"


def test_what_is_sent_is_an_answer(run: Run) -> None:
    one, two = run("asgi"), run("asgi_other")
    assert answered(one) == {
        "status": 200,
        "headers": answered(one)["headers"],
        "body": "one",
    }
    found = compared(one, two)
    assert found.case.candidate is Candidate.DIFFERS
    assert {one.where for one in found.differences} == {"response.status", "response.body"}
    assert answered(run("asgi_streams"))["body"] == "ab"
    unended = answered(run("asgi_unended"))
    assert (unended["body"], unended["raised"]) == ("one", "its body has no end")


def test_in_a_twin_what_is_the_servers_is_replaced() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("A", "b")])
        environ["wsgi.errors"].write("")
        return [environ["wsgi.input"].read()]

    (_, environ), (_, start) = wsgi_call(**{"wsgi.errors": io.StringIO()})
    call = served(Call(app, (environ, start), {}, app.__code__))
    assert call.exchange is not None
    call.exchange.finish(call.function(*call.args, **call.kwargs))
    response = call.exchange.response
    assert (response.status, response.headers, response.body) == (200, {"a": "b"}, "")
    plain = Call(app, (1, start), {}, app.__code__)
    assert served(plain) is plain
    (_, scope), *more = asgi_call()
    socket = Call(asgi_app, ({**scope, "type": "websocket"}, *(one for _, one in more)), {},
                  asgi_app.__code__)  # fmt: skip
    with pytest.raises(RefusedError, match="what a server asks of it is websocket"):
        served(socket)


async def asgi_app(scope: Any, receive: Any, send: Any) -> None: ...


def test_a_control_rests_on_what_the_live_call_shows(run: Run) -> None:
    asgi, plain = run("asgi"), run("plain")
    assert asgi.rerun.outcome is not None
    assert plain.rerun.outcome is not None
    nothing = replace(asgi.rerun.outcome, arguments={})
    found = compared(asgi, asgi, nothing)
    assert found.case.control is Control.UNKNOWN
    assert found.case.reason == "the live call does not show what was answered"
    shown = replace(plain.rerun.outcome, arguments={})
    found = compared(plain, plain, shown)
    assert found.case.agreed
    [note] = notes_of([(found.call, plain.rerun.outcome)])
    assert note.startswith("status and headers were compared between control and candidate")
    another = run("asgi_other")
    assert another.rerun.outcome is not None
    assert compared(asgi, asgi, another.rerun.outcome).case.control is Control.DIFFERS


def table(**held: Any) -> dict[str, Any]:
    return {"type": "dict", "length": len(held), "entries": [list(one) for one in held.items()]}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (table(REQUEST_METHOD="GET", PATH_INFO="/o", QUERY_STRING="a=2"), "GET /o?a=2"),
        (table(method="PUT", path="/o", query_string={"type": "bytes", "text": ""}), "PUT /o"),
        (table(method="GET", path="/o", query_string={"type": "bytes", "omitted": "redacted"}),
         "GET /o"),
        (table(method="GET", path={"type": "str", "omitted": "redacted"}), ""),
        (table(method="GET"), ""),
        (7, ""),
    ],
)  # fmt: skip
def test_what_was_asked_for_is_told(asked: Any, said: str) -> None:
    assert request_text({"self": None, "environ": asked}) == said


def test_a_path_is_told_without_what_a_terminal_would_do() -> None:
    scope = table(method="GET", path="/\x1b[31m\n")
    call = CapturedCall(1, None, Outcome(True, None, {"scope": scope}))
    one = Compared(call, Case(True, Control.AGREES))
    (shown,) = shown_cases([one], Stated(fails=True))
    assert shown.arguments["request"] == repr("GET /\x1b[31m\n")
