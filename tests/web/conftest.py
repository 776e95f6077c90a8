"""A real server, a real service and a real browser; what the browser complains of is a failure.

`site` is a server of one file of tests, `page` an empty page that is signed in there,
`visitor` one that is not. `service` starts a small program with the agent in it.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    StorageState,
    expect,
    sync_playwright,
)

from leadline.cli.client import Client
from live import LEADLINE, Leadline, Program
from waiting import wait_for

DEADLINE_MS = 20_000
"""Nothing here takes a second; a machine under load may."""
expect.set_options(timeout=DEADLINE_MS)
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
APP = """\
import sys, time

def price(goods, country):
    shipping = 450 if country == "DE" else 390
    total = goods + shipping
    return total

while True:
    price(1000, "DE")
    time.sleep(0.02)
"""


class Site(Leadline):
    """A server, and what a person does with it beside the browser."""

    @cached_property
    def client(self) -> Client:
        return Client()

    def close(self) -> None:
        self.client.close()
        super().close()

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://leadline.localhost:{self.port}"

    def sign_in(self, page: Page) -> None:
        """Sign a browser in; it shows the services then."""
        page.goto(self.link())
        page.wait_for_url(f"{self.url}/")

    def link(self) -> str:
        """Return a link that signs a browser in, with the rights of the key that is set now."""
        with closing(Client()) as client:
            return self.url + str(client.post("/v1/links")["path"])

    def place(self, service: str, target: str, template: str, **more: Any) -> dict[str, Any]:
        """Place a log probe."""
        body = {"kind": "log", "target": target, "template": template, **more}
        return dict(self.client.post(f"/v1/services/{service}/probes", body)["probe"])

    def connected(self, service: str) -> list[dict[str, Any]]:
        """Return the connected instances of a service, without starting a command."""
        known = self.client.get("/v1/services")["services"]
        instances = [
            one for kind in known if kind["service"] == service for one in kind["instances"]
        ]
        return [one for one in instances if one["connected"]]

    def run(self, service: str, folder: Path, **environment: str) -> Program:
        """Start a program that calls `price` 50 times a second, and wait until it is here."""
        app = folder / "app.py"
        app.write_text(APP)
        command = [LEADLINE, "run", "--service", service, "--", sys.executable, app]
        before = len(self.connected(service))
        program = Program(command, folder, environment)
        try:
            wait_for(lambda: len(self.connected(service)) > before, 20, f"{service} connects")
        except BaseException:
            program.stop()
            raise
        return program


class Watched:
    """A page whose errors are remembered. `allowed` are texts that a test expects in them."""

    def __init__(self, context: BrowserContext) -> None:
        self.allowed: list[str] = []
        self._errors: list[str] = []
        context.set_default_timeout(DEADLINE_MS)
        self.page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._errors.append(f"uncaught: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._errors.append(f"{message.text} ({message.location.get('url')})")

    @property
    def errors(self) -> list[str]:
        return [
            error for error in self._errors if not any(text in error for text in self.allowed)
        ]


@pytest.fixture(scope="module")
def browser(needs: Callable[[str], str]) -> Iterator[Browser]:
    """One browser for a file of tests; each page has a profile of its own."""
    path = needs("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server for a file of tests; each uses a service of its own."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("URL", "KEY", "SERVICE", "OFF"):
            patch.delenv(f"LEADLINE_{name}", raising=False)
        for name in ("CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
        made = Site(folder, folder).up()
        yield made
        made.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Make pages in profiles of their own; at the end none may have had an error."""
    made: list[tuple[BrowserContext, Watched]] = []

    def make(**options: Any) -> Watched:
        context = browser.new_context(**options)
        made.append((context, Watched(context)))
        return made[-1][1]

    yield make
    for context, watched in made:
        errors = watched.errors
        context.close()
        assert not errors, errors


@pytest.fixture(scope="module")
def session(site: Site, browser: Browser) -> StorageState:
    """What a browser keeps that has signed in: once for a file of tests, since it takes a
    browser as long as most of them."""
    with browser.new_context() as context:
        site.sign_in(context.new_page())
        return context.storage_state()


@pytest.fixture
def signed_in(
    session: StorageState, open_page: Callable[..., Watched]
) -> Callable[..., Watched]:
    """Make pages that are signed in, and empty yet."""
    return partial(open_page, storage_state=session)


@pytest.fixture
def watched(signed_in: Callable[..., Watched]) -> Watched:
    """A page that is signed in, with what it has complained of."""
    return signed_in()


@pytest.fixture
def page(watched: Watched) -> Page:
    """A page that is signed in."""
    return watched.page


@pytest.fixture
def visitor(open_page: Callable[..., Watched]) -> Page:
    """A page that is not signed in; being refused is what it is for."""
    watched = open_page()
    watched.allowed.append("status of 401")
    return watched.page


@pytest.fixture
def service(site: Site, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start services that end with the test."""
    made: list[Program] = []

    def start(name: str, **environment: str) -> Program:
        made.append(site.run(name, tmp_path, **environment))
        return made[-1]

    yield start
    for program in made:
        program.stop()


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Assert that axe has no serious finding on a page; it comes with its Python package."""

    def check(page: Page) -> None:
        only = {"resultTypes": ["violations"]}  # what is well takes longer to tell
        found = Axe().run(page, options=only).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        told = [
            (one["id"], [(node["html"], node["failureSummary"]) for node in one["nodes"]])
            for one in grave
        ]
        assert not told, json.dumps(told, indent=1)

    return check
