"""Signing in: a link that works once, a cookie with the rights of its key, an end."""

import json
import re
import stat

import pytest
from playwright.sync_api import expect

from leadline.server.pages import PAGES
from leadline.server.route import Who
from live import get
from waiting import wait_for

pytestmark = pytest.mark.soak


@pytest.fixture
def watched(site, open_page):
    """A page that has signed in by itself and shows the services."""
    made = open_page()
    site.sign_in(made.page)
    return made


def fetch(page, path, method="GET", **headers):
    """Ask from inside a page as its scripts could; returns status and slug."""
    found = page.evaluate(
        """async ([path, method, headers]) => {
            const answer = await fetch(path, {method, headers});
            const text = await answer.text();
            return [answer.status, text];
        }""",
        [path, method, headers],
    )
    slug = re.search(r'"slug":"([a-z-]+)"', found[1])
    return found[0], slug[1] if slug else ""


def test_without_a_session_a_page_says_how_to_sign_in_and_shows_nothing(site, visitor):
    answer = visitor.goto(f"{site.url}/services/shop")
    assert answer.status == 401
    expect(visitor.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(visitor.get_by_text("leadline open", exact=True)).to_be_visible()
    assert fetch(visitor, "/v1/services") == (401, "no-key")
    assert fetch(visitor, "/parts/services")[0] == 401


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.path)
def test_every_page_but_signing_in_and_its_files_needs_a_session(site, route):
    status, _, body = get(site.port, re.sub(r"{\w+(:path)?}", "p1", route.path))
    public = route.path.startswith(("/sign-in", "/static/"))
    assert (route.who is Who.NOBODY) == public
    assert public or (status == 401 and b"leadline open" in body)


def test_a_link_signs_in_once(site, open_page):
    link = site.link()
    first = open_page().page
    first.goto(link)
    first.wait_for_url(f"{site.url}/")
    expect(first.get_by_role("heading", name="Services", exact=True)).to_be_attached()
    assert "#" not in first.evaluate("history.state + location.href")
    second = open_page()
    second.allowed.append("status of 403")
    second.page.goto(link)
    expect(second.page.get_by_text("was used already")).to_be_visible()
    assert second.page.context.cookies() == []


def test_the_cookie_is_for_this_server_and_no_script(site, watched):
    watched.allowed.append("status of 403")  # of a sign-in without a link
    page = watched.page
    (cookie,) = page.context.cookies()
    assert cookie["name"] == f"leadline-{site.port}"
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert cookie["domain"] == "leadline.localhost"
    assert page.evaluate("document.cookie") == ""
    page.goto(f"http://127.0.0.1:{site.port}/sign-in")
    assert page.context.cookies(f"http://127.0.0.1:{site.port}") == []


def test_the_page_that_was_asked_for_comes_once_one_is_signed_in(site, visitor):
    visitor.goto(f"{site.url}/services/later")
    expect(visitor.get_by_role("heading", name="Sign in")).to_be_visible()
    other = visitor.context.new_page()
    other.goto(site.link())
    other.wait_for_url(f"{site.url}/")
    visitor.bring_to_front()
    expect(visitor.get_by_text("No service is called later")).to_be_visible()


def test_a_write_needs_the_token_of_the_page(site, watched):
    watched.allowed.append("status of 403")
    page = watched.page
    assert fetch(page, "/v1/services/nobody/on", "POST") == (403, "no-write-token")
    wrong = {"leadline-write": "0" * 64}
    assert fetch(page, "/v1/services/nobody/on", "POST", **wrong) == (403, "no-write-token")
    token = page.locator("meta[name=leadline-write]").get_attribute("content")
    right = {"leadline-write": token}
    assert fetch(page, "/v1/services/nobody/on", "POST", **right)[0] == 200
    assert fetch(page, "/v1/links", "POST", **right) == (403, "wrong-key")


def test_another_sites_page_gets_no_cookie_and_no_answer(site, watched):
    """The two names are two sites for a browser, on one and the same server."""
    watched.allowed += ["status of 403", "CORS", "Content Security Policy"]
    page = watched.page
    page.goto(f"http://127.0.0.1:{site.port}/sign-in")
    asked = f"""fetch({json.dumps(site.url + "/v1/services")}, {{credentials: "include"}})
        .then((answer) => answer.status, () => "no answer")"""
    assert page.evaluate(asked) in ("no answer", 403)


def test_signing_out_ends_it_everywhere(site, watched):
    watched.allowed.append("status of 401")
    page = watched.page
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.context.cookies() == []
    page.context.add_cookies(cookies)  # a copy of the cookie is worth nothing any more
    page.goto(f"{site.url}/")
    expect(page.get_by_role("heading", name="not signed in any more")).to_be_visible()


def test_a_session_is_the_named_keys_and_ends_with_it(site, watched, monkeypatch, tmp_path):
    watched.allowed.append("status of 401")
    site.cli("keys", "add", "ada", "--to", str(tmp_path / "ada"))
    with monkeypatch.context() as patch:
        patch.setenv("LEADLINE_KEY", (tmp_path / "ada").read_text().strip())
        link = site.link()
    page = watched.page
    page.goto(link)
    page.wait_for_url(f"{site.url}/")
    expect(page.get_by_text("signed in as ada")).to_be_visible()
    page.get_by_role("button", name="Kill switch").click()
    page.get_by_label("Why?").fill("a try")
    page.get_by_role("button", name="Switch off", exact=True).click()
    expect(page.get_by_text("Everything is off.")).to_be_visible()
    page.get_by_role("button", name="Switch on").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Everything is off.")).to_have_count(0)
    deeds = [(one["who"], one["action"]) for one in site.json("audit")["entries"]]
    assert ("ada", "signed-in") in deeds
    assert {who for who, action in deeds if action in ("off", "on")} == {"ada"}
    site.cli("keys", "revoke", "ada")
    expect(page.get_by_text("signed out", exact=True)).to_be_visible()


def test_events_come_with_the_cookie_and_end_with_the_session(site, watched):
    watched.allowed += ["status of 401", "EventSource"]
    page = watched.page
    page.evaluate(
        """() => {
            window.told = [];
            const source = new EventSource("/v1/hits/stream");
            source.onopen = () => window.told.push("open");
            source.onerror = () => { window.told.push("end"); source.close(); };
        }"""
    )
    wait_for(lambda: "open" in page.evaluate("window.told"), 20)
    token = page.locator("meta[name=leadline-write]").get_attribute("content")
    assert fetch(page, "/v1/session", "DELETE", **{"leadline-write": token})[0] == 204
    wait_for(lambda: "end" in page.evaluate("window.told"), 20)


@pytest.mark.soak
def test_a_restart_of_the_server_signs_nobody_out(site, watched):
    watched.allowed += ["ERR_", "Failed to load"]
    page = watched.page
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    site.kill()
    expect(page.get_by_text("reconnecting", exact=True)).to_be_visible()
    site.up()
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    (file,) = site.home.rglob("*.sign-ins")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert page.context.cookies()[0]["value"] not in file.read_text()


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/services/x", "/parts/services", "/nothing"]
)
def test_every_page_has_the_headers_that_keep_it_ours(site, path):
    status, headers, _ = get(site.port, path)
    assert status in (200, 401, 404)
    if path == "/nothing":
        return  # JSON for whoever does not ask for a page
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_a_browser_that_is_lost_is_told_so_as_a_page(site, watched):
    watched.allowed.append("status of 404")
    answer = watched.page.goto(f"{site.url}/nothing/here")
    assert answer.status == 404
    expect(watched.page.get_by_text("There is nothing at this address.")).to_be_visible()


def test_files_of_the_page_may_be_kept_and_nothing_else_is_there(site):
    _, _, body = get(site.port, "/sign-in")
    found = set(re.findall(r'"(/static/[^"]+)"', body.decode()))
    assert found
    for path in found:
        status, headers, _ = get(site.port, path)
        assert status == 200, path
        assert "immutable" in headers["cache-control"]
    digest = found.pop().split("/")[2]
    old = "/static/0000000000000000/css/base.css"
    assert get(site.port, old)[1]["cache-control"] == "no-store"
    for path in ("../rendering.py", "..%2frendering.py", "css", "", "css/none.css"):
        assert get(site.port, f"/static/{digest}/{path}")[0] == 404


def test_open_prints_a_link_where_there_is_no_screen(site, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    printed = site.cli("open")
    assert printed.startswith(f"{site.url}/sign-in#")
    assert "once" in printed


@pytest.mark.soak
def test_open_starts_the_browser(site, monkeypatch, tmp_path):
    seen = tmp_path / "seen"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    program.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(program))
    assert site.cli("open") == f"opened {site.url} in the browser\n"
    wait_for(lambda: seen.exists() and seen.read_text(), 20, "the browser was started")
    assert seen.read_text().startswith(f"{site.url}/sign-in#")
