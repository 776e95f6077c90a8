"""Nobody is kept out: each view with a screen reader, in either colours, on a narrow screen."""

import re

import pytest
from playwright.sync_api import Page, expect

from waiting import wait_for

pytestmark = pytest.mark.soak

SCREENS = (("light", 1280), ("dark", 380))


@pytest.fixture(scope="module")
def busy(site, tmp_path_factory):
    """A service with probes of which one is a mismatch, hits, and another that is off; returns
    what they are called."""

    def place(kind, target, **more):
        body = {"kind": kind, "target": target, **more}
        return site.client.post("/v1/services/open/probes", body)["probe"]["id"]

    program = site.run("open", tmp_path_factory.mktemp("open"))
    try:
        made = {
            "log": place("log", "app.py:5", template="{goods}"),
            "snapshot": place("snapshot", "app.py:6"),
            "timer": place("timer", "__main__:price"),
            "odd": place("log", "app.py:5", template="x", anchor={"text": "nothing like it"}),
        }
        site.client.post("/v1/services/other/off", {"reason": "a try"})

        def seen():
            shown = site.client.get("/v1/probes", service="open")["probes"]
            timed = any((one["total"] or {}).get("count") for one in shown)
            hits = site.client.get("/v1/hits", probe=made["snapshot"])["hits"]
            return hits if timed else []

        made["hit"] = wait_for(seen, 20, "hits and sums")[0]["id"]
        made["instance"] = site.connected("open")[0]["info"]["id"]
        yield made
    finally:
        program.stop()


def shows_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def shows_form(page: Page) -> None:
    page.locator("[id=L5] .gutter").click()
    expect(page.get_by_role("form", name="New probe")).to_be_visible()


def shows_values(page: Page) -> None:
    page.locator("[id=L5] .chip").first.focus()
    expect(page.get_by_role("complementary").locator("h4").first).to_be_visible()


def asks_before_it_removes(page: Page) -> None:
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("dialog", name=re.compile("^Remove all"))).to_be_visible()


def soaked(*values):
    """A page that is looked at where there is time."""
    return pytest.param(*values, marks=pytest.mark.soak)


@pytest.mark.parametrize(
    ("address", "there", "first"),
    [
        ("/", ".service tbody tr", None),
        soaked("/", ".service tbody tr", shows_keys),
        soaked("/services/open", ".service tbody tr", None),
        soaked("/services/nothing", ".note.empty", None),
        soaked("/source", ".choice a", None),
        soaked("/services/open/source", ".modules a", None),
        soaked("/services/open/source/app.py#L5", "[id=L5] .problems", None),
        soaked("/services/open/source/app.py#L5", "[id=L5] .problems", shows_form),
        ("/services/open/source/app.py#L5", "[id=L5] .problems", shows_values),
        ("/hits?service=open&probe={snapshot}", "table.hits tbody tr", None),
        soaked("/hits?text=nothing+like+it", ".note.empty", None),
        ("/hits/{hit}", "hit-code .here", None),
        soaked("/probes", "table.probes tbody tr", None),
        ("/probes", "table.probes tbody tr", asks_before_it_removes),
        soaked("/probes?service=nothing", ".note.empty", None),
        soaked("/probes/{log}", "table.hits tbody tr", None),
        soaked("/probes/{odd}", ".silent", None),
        ("/probes/{timer}", ".plots svg", None),
        soaked("/audit", "table.audit tbody tr", None),
        soaked("/instances/{instance}", "table.packages tbody tr", None),
    ],
)
def test_nobody_is_kept_out(site, busy, page, accessible, address, there, first) -> None:
    page.goto(site.url + address.format(**busy))
    expect(page.locator(there).first).to_be_visible()
    if first:
        first(page)
    for number, (scheme, width) in enumerate(SCREENS):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        if number < 2:  # both colours and both widths: what is in the others is in these
            accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is wider than a screen of {width}"


@pytest.mark.soak
def test_who_is_not_signed_in_is_not_kept_out_either(site, visitor, accessible) -> None:
    visitor.goto(f"{site.url}/")
    for scheme, width in SCREENS[:2]:
        visitor.emulate_media(color_scheme=scheme)
        visitor.set_viewport_size({"width": width, "height": 800})
        accessible(visitor)
