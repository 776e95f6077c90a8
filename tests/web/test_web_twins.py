"""A twin asked on the page: under a line, by keyboard, and what is shown of its answer."""

import re

import pytest
from captured import HOSTILE
from playwright.sync_api import Page, expect

from leadline.cli.client import Client
from leadline.wire.twin import (
    Agreement,
    Difference,
    Ran,
    Refusal,
    Said,
    Tried,
    TwinEnd,
    TwinPolicy,
    TwinUse,
    TwinView,
)
from spoken_for import SpokenFor

TOTAL = 5
"""The line of `app.py` that adds up."""


def box(page: Page):
    return page.get_by_role("form", name="Ask a twin")


def read(site, page, service):
    page.goto(f"{site.url}/services/{service}/source/app.py#L{TOTAL}")
    expect(page.locator(f"[id=L{TOTAL}] .gutter")).to_be_focused()


def spoken(site, service, on_probe=None):
    return SpokenFor(site.home, site.port, service, on_probe)


@pytest.mark.soak
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_twin_is_asked_under_a_line_by_keyboard(site, service, signed_in, accessible, scheme):
    name = f"asked-{scheme}"
    service(
        name, LEADLINE_TWIN="threads", LEADLINE_TWIN_LOAD="1000", LEADLINE_TWIN_PAUSE="10000"
    )
    page = signed_in(color_scheme=scheme).page
    read(site, page, name)
    page.keyboard.press("a")
    code = box(page).get_by_label("code")
    expect(code).to_be_focused()
    for text in (
        "shipping + 1",
        "for n in range(2):",
        "    print('n is', n)",
        "missing",
        "open('/tmp/never', 'w')",
        "{'a': [1, {'b': country}]}",
    ):
        page.keyboard.insert_text(text + "\n")
    page.keyboard.press("Control+Enter")
    answer = page.locator("twin-ask .twin-answer")
    expect(answer).to_contain_text("shipping + 1 451")
    expect(answer.locator(".printed")).to_have_text("n is 0\nn is 1\n")
    expect(answer.locator(".raised").first).to_contain_text("NameError")
    expect(answer.locator(".refused").first).to_contain_text("/tmp/never: refused")
    expect(answer.locator(".cost")).to_have_text(
        re.compile(r"pause [\d.]+ ms · the twin lived [\d.]+ m?s · files read-only")
    )
    expect(answer.locator("ul.values").last).to_contain_text("'b'")
    accessible(page)
    page.keyboard.press("Escape")
    expect(box(page)).to_have_count(0)
    expect(page.locator(f"[id=L{TOTAL}] .gutter")).to_be_focused()

    (probe,) = site.client.get("/v1/probes", service=name)["probes"]
    assert (probe["use"], probe["condition"]) == ("ask", None)
    assert probe["anchor"]["text"] == "total = goods + shipping"
    page.goto(f"{site.url}/probes")
    expect(
        page.get_by_role("row", name=re.compile(f"{probe['id']} .*twin ask"))
    ).to_be_visible()
    page.goto(f"{site.url}/probes/{probe['id']}")
    expect(page.locator(".probe-head")).to_contain_text("open('/tmp/never', 'w')")
    expect(page.locator("main")).to_contain_text("a twin was made")
    page.goto(f"{site.url}/audit?action=twin&service={name}")
    expect(page.locator(".ran")).to_contain_text("for n in range(2):\n    print('n is', n)")
    accessible(page)


@pytest.mark.soak
def test_an_order_that_is_closed_is_taken_out(site, service, page):
    service(
        "closed",
        LEADLINE_TWIN="readonly",
        LEADLINE_TWIN_LOAD="1000",
        LEADLINE_TWIN_PAUSE="10000",
    )
    read(site, page, "closed")
    page.locator(f"[id=L{TOTAL}] .gutter").click()
    page.get_by_role("button", name="Ask a twin").click()
    box(page).get_by_label("code").fill("1")
    box(page).get_by_label("only if").fill("goods < 0")
    box(page).get_by_role("button", name="Run").click()
    expect(page.locator("twin-ask .answer")).to_contain_text(
        "Waiting for a hit, in 1 of 1 process."
    )
    (probe,) = site.client.get("/v1/probes", service="closed")["probes"]
    assert probe["status"] in ("armed", "pending")
    box(page).get_by_role("button", name="Close").click()
    expect(box(page)).to_have_count(0)
    page.goto(f"{site.url}/probes/{probe['id']}")
    expect(page.locator(".standing .badge")).to_have_text("removed")


@pytest.mark.soak
def test_an_order_is_taken_out_when_its_page_is_left(site, service, page):
    service(
        "left", LEADLINE_TWIN="threads", LEADLINE_TWIN_LOAD="1000", LEADLINE_TWIN_PAUSE="10000"
    )
    read(site, page, "left")
    page.keyboard.press("a")
    box(page).get_by_label("code").fill("1")
    box(page).get_by_label("only if").fill("goods < 0")
    box(page).get_by_role("button", name="Run").click()
    expect(page.locator("twin-ask .answer")).to_contain_text("Waiting for a hit")
    (probe,) = site.client.get("/v1/probes", service="left")["probes"]
    page.goto(f"{site.url}/probes/{probe['id']}")
    expect(page.locator(".standing .badge")).to_have_text("removed")


def test_what_is_wrong_is_said_in_the_box(site, service, page, watched):
    watched.allowed.append("status of 400")
    service("off")
    read(site, page, "off")
    page.keyboard.press("a")
    page.keyboard.insert_text("f(:")
    page.keyboard.press("Control+Enter")
    expect(box(page).locator(".told")).to_contain_text("f(:")
    box(page).get_by_label("code").fill("1")
    expect(box(page).locator(".told")).to_be_empty()
    page.keyboard.press("Control+Enter")
    expect(page.locator("twin-ask .answer")).to_contain_text("This service makes no twins.")


def test_who_has_not_the_right_sees_why(site, service, open_page, accessible):
    service("unright")
    key = site.client.post("/v1/keys", {"name": "looker"})["key"]
    looker = Client(key=key)
    page = open_page().page
    page.goto(site.url + str(looker.post("/v1/links")["path"]))
    looker.close()
    page.wait_for_url(f"{site.url}/")
    read(site, page, "unright")
    page.keyboard.press("a")
    expect(box(page)).to_contain_text("leadline keys add NAME --may twin")
    expect(box(page).get_by_role("button", name="Close")).to_be_focused()
    accessible(page)
    page.keyboard.press("Escape")
    expect(box(page)).to_have_count(0)


def hostile() -> TwinView:
    """Texts that would be a page's end, in every place that has one."""
    text = "</pre><script>alert(1)</script>" + "".join(HOSTILE)[:500]
    return TwinView(
        TwinUse.RERUN,
        TwinPolicy.STRICT,
        TwinEnd.CUT_OFF,
        text,
        said=[
            Said(text, True, text, text, "", [Refusal(text, text, 2)]),
            Said(text, raised=text),
        ],
        refused=[Refusal(text, text, 2), Refusal("connect", "")],
        agreement=Agreement(
            False, text, text, text, [Difference(text, text, text)], marks=[text]
        ),
        notes=[text],
        lost=7,
        tried=Tried(
            text,
            text,
            [Agreement(True), Agreement(None, text)],
            Agreement(False, text, text, text, [Difference(text, text, text)], marks=[text]),
            text,
            fails=True,
            expect=False,
            obstacle=text,
            runs=[Ran("live", True, text), Ran("candidate", False, text, reached=[text])],
        ),
    )


def test_a_hit_of_a_twin_is_shown_and_its_text_is_only_text(site, page, accessible, watched):
    watched.allowed.append(
        "status of 503"
    )  # its source is asked of a process that is not there

    def on_probe(agent, probe):
        agent.hit(probe.id, hostile(), message="differs at result")

    body = {"use": "rerun", "target": "app:price", "hits": 2}
    page.goto(f"{site.url}/hits")
    with spoken(site, "hostile", on_probe):
        probe = site.client.post("/v1/services/hostile/twins", body)["probe"]
        row = page.locator("table.hits tbody tr").first
        expect(row).to_contain_text("differs at result")  # it arrived while one looked
        expect(row.locator(".tag")).to_have_text("rerun")
    page.goto(f"{site.url}/hits?kind=twin&probe={probe['id']}")
    expect(row.locator(".tag")).to_have_text("rerun")
    row.get_by_role("link").click()
    answer = page.locator(".twin-answer")
    expect(answer).to_contain_text("</pre><script>alert(1)</script>")
    expect(answer.locator(".ended")).to_contain_text("It proves nothing: it was cut off")
    expect(answer.locator(".differences tbody tr")).to_have_count(1)
    expect(answer.locator(".cost")).to_contain_text("no files · 7 bytes of its answer")
    expect(page.locator("script:not([src])")).to_have_count(0)
    accessible(page)
