"""Calls of WSGI and ASGI applications: what is the server's, and what it is told."""

import asyncio
import contextlib
import http.client
import io
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from leadline import native
from leadline.agent.capture import kept_surroundings, living
from leadline.trial.gateway import exchange_of
from leadline.trial.rebuilding import rebuild
from leadline.trial.withheld import Withheld, WithheldTouched
from leadline.wire.gateway import RESPONSE
from leadline.wire.limits import Limits
from leadline.wire.probe import CaptureProbe

APPS = """\
import json

def wsgi(environ, start_response):
    status = "404 Not Found" if environ["PATH_INFO"] == "/no" else "200 OK"
    body = json.dumps({"path": environ["PATH_INFO"]}).encode()
    two = [("X-Two", "1"), ("x-two", "2")]
    start_response(status, [("Content-Type", "application/json"), *two])
    return [body]

async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"text/plain"), (b"Set-Cookie", b"session=abc")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    for part in (b"one, ", b"two"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})

def slowly(environ, start_response):
    start_response("200 OK", [])
    yield b"one"
    yield b"two"
"""
CALLS = Limits(hits=100, rate_per_s=1_000.0)


@pytest.fixture(autouse=True)
def own_streams(monkeypatch):
    """What the tests are run by has replaced the standard streams; a service has not."""
    monkeypatch.setattr(kept_surroundings, "replaced", lambda: ())


@pytest.fixture
def apps(make_module):
    return make_module("captured_apps", APPS)


class Server:
    """As gunicorn and uvicorn do it: one object a request, whose methods are handed out."""

    def __init__(self) -> None:
        self.told = []

    def start_response(self, status, headers, exc_info=None):
        self.told.append((status, headers))
        return self.told.append

    async def receive(self):
        return {"type": "http.request"}

    async def send(self, message):
        self.told.append(message)


def environ_of(path="/", **more):
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.input": io.BufferedReader(io.BytesIO(b"body")),
        "wsgi.errors": sys.stderr,
    } | more


def scope_of(path="/", headers=(), **more):
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "path": path}
    return scope | {"method": "GET", "headers": list(headers)} | more


def ask(app, environ):
    return b"".join(app(environ, Server().start_response))


def ask_asgi(app, scope):
    server = Server()
    asyncio.run(app(scope, server.receive, server.send))
    return server.told


def capture(soundings, function: str, first, **options) -> str:
    """Place a capture and make a first call, whose server is to be listened to from then on."""
    probe = soundings.place(
        CaptureProbe, f"captured_apps:{function}", **{"limits": CALLS} | options
    )
    first()
    assert calls(soundings) == []
    soundings.tick(0.1)
    return probe


def calls(soundings):
    return [reading.call for reading in soundings.readings()]


def fields(call):
    return call.arguments[RESPONSE]["fields"]


def test_what_start_response_is_told_is_a_part_of_the_call(soundings, apps) -> None:
    def get(path):
        return ask(apps.wsgi, environ_of(path))

    fails = "response.status >= 400 and response.json['path'] == '/no'"
    capture(soundings, "wsgi", lambda: get("/"), fails=fails)
    assert get("/yes") == b'{"path": "/yes"}'
    get("/no")
    good, bad = calls(soundings)
    assert (good.fails, bad.fails) == (False, True)
    assert (fields(good)["status"], fields(good)["reason"]) == (200, "OK")
    assert (fields(bad)["status"], fields(bad)["reason"]) == (404, "Not Found")
    headers = dict(fields(good)["headers"]["entries"])
    assert headers["content-type"] == "application/json"
    assert headers["x-two"]["items"] == ["1", "2"]
    assert "json" not in fields(good)
    assert good.value["items"][0]["text"] == '{"path": "/yes"}'
    assert good.obstacle == ""
    given = rebuild(good.kept)
    assert given["environ"]["wsgi.input"].read() == b""
    exchange = exchange_of(given)
    assert exchange is not None
    exchange.finish(apps.wsgi(given["environ"], given["start_response"]))
    assert exchange.response.body == '{"path": "/yes"}'


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def test_a_real_server_is_listened_to(soundings, apps) -> None:
    with make_server("127.0.0.1", 0, apps.wsgi, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def get(path):
            connection = http.client.HTTPConnection(*server.server_address, timeout=10)
            with contextlib.closing(connection):
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.reason, answer.read().decode()

        try:
            capture(soundings, "wsgi", lambda: get("/"))
            asked = [get("/yes"), get("/no")]
        finally:
            server.shutdown()
            thread.join(10)
    found = [fields(call) for call in calls(soundings)]
    assert [(one["status"], one["reason"], one["body"]) for one in found] == asked


def test_what_is_sent_is_a_part_of_the_call(soundings, apps) -> None:
    def get(path):
        return ask_asgi(apps.asgi, scope_of(path))

    capture(soundings, "asgi", lambda: get("/"), fails="'one' in response.body")
    assert len(get("/yes")) == 4
    [call] = calls(soundings)
    assert (call.kind, call.fails) == ("coroutine", True)
    assert (fields(call)["status"], fields(call)["body"]) == (201, "one, two")
    headers = dict(fields(call)["headers"]["entries"])
    assert headers["content-type"] == "text/plain"
    assert headers["set-cookie"]["omitted"] == "redacted"
    given = rebuild(call.kept)
    exchange = exchange_of(given)
    assert exchange is not None
    asyncio.run(apps.asgi(given["scope"], given["receive"], given["send"]))
    assert exchange.response.body == "one, two"


FRAMEWORKS = """\
from django.conf import settings
if not settings.configured:
    settings.configure(ALLOWED_HOSTS=["*"])
from django.http import HttpResponse, StreamingHttpResponse
from flask import Flask, Response

front = Flask(__name__)

@front.route("/<path:kind>")
def view(kind):
    return Response(iter(["on", "e"])) if kind == "lazy" else "one"

def flask(environ, start_response):
    return front.wsgi_app(environ, start_response)

def django_(environ, start_response):
    start_response("200 OK", [])
    lazy = environ["PATH_INFO"] == "/lazy"
    return StreamingHttpResponse([b"on", b"e"]) if lazy else HttpResponse("one")
"""


@pytest.mark.skipif(native.core() is None, reason="the frame of a generator is read in C")
@pytest.mark.parametrize("function", ["flask", "django_"])
def test_a_body_that_is_there_already_is_seen(soundings, make_module, function) -> None:
    app = getattr(make_module("captured_apps", FRAMEWORKS), function)
    more = {"SERVER_NAME": "a", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}

    def get(path):
        return ask(app, environ_of(path, **more))

    capture(soundings, function, lambda: get("/"))
    assert get("/there") == get("/lazy") == b"one"
    there, lazy = calls(soundings)
    assert (fields(there)["status"], fields(there)["body"]) == (200, "one")
    assert "body" not in fields(lazy)


def test_each_of_several_requests_has_its_own_response(soundings, apps) -> None:
    capture(soundings, "asgi", lambda: ask_asgi(apps.asgi, scope_of()))

    async def many():
        servers = [Server() for _ in range(5)]
        await asyncio.gather(
            *(apps.asgi(scope_of(), server.receive, server.send) for server in servers)
        )

    asyncio.run(many())
    assert [fields(call)["body"] for call in calls(soundings)] == ["one, two"] * 5


def test_a_servers_function_without_an_object_is_told_by_the_stack(soundings, apps) -> None:
    def get(path):
        told = []

        def start_response(status, *more):
            told.append(status)

        return ask_with(path, start_response)

    def ask_with(path, start_response):
        return b"".join(apps.wsgi(environ_of(path), start_response))

    capture(soundings, "wsgi", lambda: get("/"))
    get("/no")
    [call] = calls(soundings)
    assert fields(call)["status"] == 404


def test_a_generator_has_its_response_as_well(soundings, apps) -> None:
    capture(soundings, "slowly", lambda: ask(apps.slowly, environ_of()))
    assert ask(apps.slowly, environ_of()) == b"onetwo"
    [call] = calls(soundings)
    assert fields(call)["status"] == 200
    assert [one["text"] for one in call.yields] == ["one", "two"]


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({}, True),
        ({"CONTENT_LENGTH": "0"}, True),
        ({"CONTENT_LENGTH": ""}, True),
        ({"CONTENT_LENGTH": "4"}, False),
        ({"CONTENT_LENGTH": 0}, False),
        ({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}, False),
        ({"SERVER_PROTOCOL": "HTTP/2"}, False),
    ],
)
def test_a_body_that_is_announced_was_not_captured(soundings, apps, more, known) -> None:
    capture(soundings, "wsgi", lambda: ask(apps.wsgi, environ_of()))
    stream = environ_of()["wsgi.input"]
    ask(apps.wsgi, environ_of(**more) | {"wsgi.input": stream})
    assert stream.read() == b"body"  # nobody has
    [call] = calls(soundings)
    given = rebuild(call.kept)["environ"]["wsgi.input"]
    assert (type(given) is not Withheld) == known
    if not known:
        with pytest.raises(WithheldTouched, match="the request's body, which was not captured"):
            given.read()


@pytest.mark.parametrize(
    ("headers", "more", "there"),
    [
        ([], {}, True),
        ([(b"content-length", b"0")], {}, True),
        ([(b"Content-Length", b"3")], {}, False),
        ([(b"transfer-encoding", b"chunked")], {}, False),
        ([], {"http_version": "2"}, False),
    ],
)
def test_a_body_that_is_announced_is_not_received(
    soundings, apps, headers, more, there
) -> None:
    capture(soundings, "asgi", lambda: ask_asgi(apps.asgi, scope_of()))
    ask_asgi(apps.asgi, scope_of(headers=headers, **more))
    [call] = calls(soundings)
    receive = rebuild(call.kept)["receive"]
    if there:
        message = {"type": "http.request", "body": b"", "more_body": False}
        assert asyncio.run(receive()) == message
    else:
        with pytest.raises(WithheldTouched, match="the request's body, which was not captured"):
            asyncio.run(receive())


def test_an_application_that_no_module_has_is_found_in_a_twin(soundings, make_module) -> None:
    apps = make_module("captured_apps", "class App:\n    def __call__(self, environ, start):\n"
                       "        start('200 OK', [])\n        return []\n")  # fmt: skip
    app = apps.App()
    app.name = "shop"
    capture(soundings, "App.__call__", lambda: ask(app, environ_of()))
    ask(app, environ_of())
    [call] = calls(soundings)
    assert rebuild(call.kept)["self"].name == "shop"

    def live(mark):
        return (living.found(*mark),)

    assert rebuild(call.kept, living=live)["self"] is app


def test_a_body_in_memory_is_kept(soundings, apps) -> None:
    capture(soundings, "wsgi", lambda: ask(apps.wsgi, environ_of()))
    stream = io.BytesIO(b"a form")
    ask(apps.wsgi, environ_of(CONTENT_LENGTH="6") | {"wsgi.input": stream})
    [call] = calls(soundings)
    assert rebuild(call.kept)["environ"]["wsgi.input"].read() == b"a form"


def test_what_is_no_request_cannot_be_made_again(soundings, apps) -> None:
    capture(soundings, "asgi", lambda: ask_asgi(apps.asgi, scope_of()))
    ask_asgi(apps.asgi, scope_of() | {"type": "websocket"})
    [call] = calls(soundings)
    assert call.obstacle == "what a server asks of it is websocket, no request"


def test_nothing_is_listened_to_once_the_capture_is_gone(soundings, apps) -> None:
    capture(soundings, "wsgi", lambda: ask(apps.wsgi, environ_of()))
    code = Server.start_response.__code__
    assert sys.monitoring.get_local_events(4, code)
    soundings.registry.apply([])
    assert not sys.monitoring.get_local_events(4, code)


READING = """\
def app(environ, start_response):
    start_response("200 OK", [])
    stream = environ["wsgi.input"]
    first = stream.readline if environ["most"] == 2 else stream.read
    return [first(3), stream.read(environ["most"])]

async def receives(scope, receive, send):
    body, more = b"", True
    while more and len(body) < scope["most"]:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


class Body:
    """As gunicorn's: written in Python."""

    def __init__(self, octets: bytes) -> None:
        self.stream = io.BytesIO(octets)

    def read(self, size=None):
        return self.stream.read(size)

    def readline(self, size=None):
        return self.stream.readline(size)


def test_a_body_that_the_application_reads_is_overheard(soundings, make_module) -> None:
    apps = make_module("captured_apps", READING)

    def post(most):
        given = Body(b"one\ntwo")
        more = {"CONTENT_LENGTH": "7", "wsgi.input": given, "most": most}
        return ask(apps.app, environ_of() | more)

    capture(soundings, "app", lambda: post(9))
    assert post(9) == b"one\ntwo"
    assert post(1) == b"one\n"
    assert post(2) == b"one\nt"
    whole, part, lines = calls(soundings)
    given = rebuild(whole.kept)
    assert b"".join(apps.app(given["environ"], given["start_response"])) == b"one\ntwo"
    assert type(rebuild(part.kept)["environ"]["wsgi.input"]) is Withheld
    assert type(rebuild(lines.kept)["environ"]["wsgi.input"]) is Withheld


class Posting(Server):
    def __init__(self) -> None:
        super().__init__()
        self.parts = [b"one", b"two"]

    async def receive(self):
        await asyncio.sleep(0)
        body = self.parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.parts)}


def test_a_body_that_is_received_is_overheard(soundings, make_module) -> None:
    apps = make_module("captured_apps", READING)

    def post(most, first=b"one"):
        server = Posting()
        server.parts[0] = first
        scope = scope_of(headers=[(b"content-length", b"6")], most=most)
        asyncio.run(apps.receives(scope, server.receive, server.send))

    capture(soundings, "receives", lambda: post(99))
    post(99)
    post(3)
    whole, part = calls(soundings)
    assert fields(whole)["body"] == "onetwo"
    receive = rebuild(whole.kept)["receive"]
    message = {"type": "http.request", "body": b"onetwo", "more_body": False}
    assert asyncio.run(receive()) == message
    post(99, b"password=hunter2secret&")
    [secret] = calls(soundings)
    with pytest.raises(WithheldTouched, match="was withheld by redaction"):
        asyncio.run(rebuild(secret.kept)["receive"]())
    receive = rebuild(part.kept)["receive"]

    async def further():
        assert (await receive())["body"] == b"one"
        await receive()

    with pytest.raises(WithheldTouched, match="the request's body, which was not captured"):
        asyncio.run(further())


HOSTILE = """\
class Loud(str):
    def __hash__(self):
        raise AssertionError("hashed")
    __eq__ = __str__ = __iter__ = __len__ = __getitem__ = __hash__

class Pairs(list):
    def __iter__(self):
        raise AssertionError("iterated")
    __len__ = __getitem__ = __iter__

class Quiet(dict):
    def get(self, *_):
        raise AssertionError("asked")
    __getitem__ = __iter__ = __contains__ = get

def app(environ, start_response):
    start_response(Loud("200 OK"), Pairs([("a", "b")]))
    return []

async def sends(scope, receive, send):
    await send(Quiet(type="http.response.start", status=200))
"""


def test_objects_of_the_application_are_not_asked(soundings, make_module) -> None:
    apps = make_module("captured_apps", HOSTILE)
    capture(soundings, "app", lambda: ask(apps.app, environ_of()))
    ask(apps.app, environ_of())
    [call] = calls(soundings)
    assert (fields(call), call.arguments[RESPONSE]["omitted"]) == ({"body": ""}, "unknown")
    capture(soundings, "sends", lambda: ask_asgi(apps.sends, scope_of()))
    ask_asgi(apps.sends, scope_of())
    [call] = calls(soundings)
    assert (fields(call), call.arguments[RESPONSE]["omitted"]) == ({}, "unknown")
