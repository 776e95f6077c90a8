"""A candidate that waits for a person: read and decided about on its page."""

import json
import re

import pytest
from captured import HOSTILE
from playwright.sync_api import expect

from leadline.cli.client import Client
from leadline.trial import candidate

OLD = (
    'def price(goods):\n    note = "</pre><script>alert(1)</script>"\n    return goods + 450\n'
)
HOSTILE_TITLE = "</title><script>alert(1)</script>" + "".join(HOSTILE)[:100]


@pytest.fixture(scope="module")
def robot(site) -> Client:
    """Somebody whose key may look, and not run code."""
    client = Client(key=site.client.post("/v1/keys", {"name": "robot"})["key"])
    yield client
    client.close()


def asked(robot: Client, service: str, title: str = "free delivery"):
    change = candidate.of_texts("/srv/app.py", OLD, OLD.replace("goods + 450", "goods"))
    code = json.dumps(candidate.encode(candidate.make(title, [change])))
    body = {"use": "verify", "target": "app:price", "code": [code], "hits": 5}
    return robot.post(f"/v1/services/{service}/twins", body)["approval"]


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), pytest.param("dark", 380, marks=pytest.mark.soak)]
)
def test_a_change_is_read_and_approved_by_keyboard(
    site, signed_in, robot, accessible, scheme, width
):
    service = f"approved-{scheme}"
    waiting = asked(robot, service)
    page = signed_in(color_scheme=scheme, viewport={"width": width, "height": 800}).page
    page.goto(site.url + waiting["address"])
    expect(page.get_by_text("asked by")).to_be_visible()
    expect(page.locator(".diff .removed")).to_have_text("-    return goods + 450")
    expect(page.locator(".diff .added")).to_have_text("+    return goods")
    expect(page.locator(".facts")).to_contain_text(waiting["digest"])
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Approve").press("Enter")
    expect(page.locator(".badge")).to_have_text("approved")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    (probe,) = site.client.get("/v1/probes", service=service)["probes"]
    page.get_by_role("link", name=probe["id"], exact=True).click()
    expect(page).to_have_url(re.compile(f"/probes/{probe['id']}$"))
    assert robot.get(f"/v1/approvals/{waiting['id']}")["approval"]["probe"] == probe["id"]


def test_what_is_refused_is_never_placed_and_text_is_only_text(site, page, robot):
    waiting = asked(robot, "refused", HOSTILE_TITLE)
    page.goto(f"{site.url}/services/refused")
    page.locator(".attention").get_by_role("link", name="<script>alert(1)").click()
    expect(page).to_have_url(site.url + waiting["address"])
    expect(page.locator("h1")).to_contain_text("</title><script>alert(1)</script>")
    page.get_by_role("button", name="Refuse").click()
    expect(page.locator(".badge")).to_have_text("refused")
    assert site.client.get("/v1/probes", service="refused")["probes"] == []
    assert page.evaluate("document.querySelectorAll('main script').length") == 0


def test_who_may_not_run_code_reads_it_and_cannot_decide(site, open_page, robot):
    waiting = asked(robot, "looked-at")
    page = open_page().page
    page.goto(site.url + str(robot.post("/v1/links")["path"]))
    page.wait_for_url(f"{site.url}/")
    page.goto(site.url + waiting["address"])
    expect(page.get_by_role("status").filter(has_text="has not the right")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
