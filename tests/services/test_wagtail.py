"""A Django site made with `wagtail start`, under gunicorn: two workers of four threads."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kinds import rows
from live import GUNICORN, Leadline, Program, free_port, get, tool
from soundings import Soundings
from wagtail_site import MODELS, make_site
from watched import Spot, Watched, library, line_in, line_of, with_agent

pytestmark = pytest.mark.soak  # ordinary suites have Flask, datasette and FastAPI

HANDLERS = library("django/core/handlers/base.py")
PATHS = (
    "/",
    "/first/",
    "/second-page/",
    "/first",
    "/a-broken-one/",
    "/nothing/",
    "/search/?query=page",
    "/admin/login/",
    "/admin/",
)
SPOTS = (
    Spot(
        name="own",
        file=Path("home/models.py"),
        line=line_in(MODELS, 'context["words"] = words'),
        module="home.models",
        function="HomePage.get_context",
        template="{self.title}: {words} of {request.path}",
        message=r"^(Home of the tests: 4 of /|First: 1 of /first/|Second page: 2 of .*)$",
        value="words",
        passes=3,
        calls=4,
        raiser="home.models:count_words",
        raises="ValueError",
    ),
    Spot(
        name="library",
        file=HANDLERS,
        line=line_of(HANDLERS, "return response", "response = response.render()"),
        module="django.core.handlers.base",
        function="BaseHandler._get_response",
        template="{request.method} {request.path} {response.status_code}",
        message="^GET /",
        value="response.status_code",
        raiser="wagtail.views:serve",
        raises="Http404",
    ),
)
_VARYING = re.compile(rb'"[0-9A-Za-z]{64}"')
"""Tokens against forged requests are new each time."""


def answers(port: int) -> list[tuple[object, ...]]:
    """Return status, headers and body of each path."""
    found = []
    for path in PATHS:
        status, headers, body = get(port, path)
        for name in ("Date", "Set-Cookie", "Expires"):
            headers.pop(name, None)
        found.append((path, status, headers, _VARYING.sub(b"", body)))
    return found


@pytest.fixture(scope="module")
def soundings(shore: Leadline) -> Iterator[Soundings]:
    site = make_site(shore.cwd / "site")
    port = free_port()
    command = [
        tool("gunicorn"), "-w", "2", "--threads", "4", *GUNICORN,
        "-b", f"127.0.0.1:{port}", "mysite.wsgi",
    ]  # fmt: skip
    with Program(command, site).serving(port) as plain:
        expected = answers(port)
        assert plain.stop() == 0, plain.last
    with Program(with_agent("wagtail", command), site).serving(port) as program:
        watched = Watched(shore, "wagtail", program, port)
        watched.connected(3)
        yield Soundings(watched, SPOTS, lambda: answers(port), expected, processes=2)
        assert program.stop() == 0, program.last


@pytest.mark.parametrize(("kind", "spot"), rows(SPOTS), ids=str)
def test_each_kind(soundings, kind, spot) -> None:
    soundings.check(kind, spot)


def test_the_answers_are_the_same(soundings) -> None:
    soundings.check_answers()


def test_the_server_is_killed_and_comes_back(soundings) -> None:
    soundings.check_without_server()


def test_many_requests_at_once(soundings) -> None:
    """All eight threads at once: each request is answered for itself and hit once."""
    paths = ["/", "/first/", "/second-page/", "/nothing/"] * 20
    with ThreadPoolExecutor(8) as many:
        found = list(many.map(lambda path: get(soundings.watched.port, path)[0], paths))
    assert found == [200, 200, 200, 404] * 20
