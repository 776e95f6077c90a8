"""Probes, one probe, the audit log and an instance, as somebody sees them who looks."""

import json
import re

import pytest
from captured import HOSTILE
from playwright.sync_api import expect

from waiting import wait_for


def place(site, service, kind, target, **more):
    body = {"kind": kind, "target": target, **more}
    return site.client.post(f"/v1/services/{service}/probes", body)["probe"]["id"]


def seen(site, probe, least=1):
    """Wait until a probe has hits, or has added something up."""

    def enough():
        shown = site.client.get(f"/v1/probes/{probe}")["probe"]
        return max(shown["hits"], (shown["total"] or {}).get("count", 0)) >= least

    wait_for(enough, 20, f"{probe} sees something")


def panel(page, name):
    return page.get_by_role("region", name=name, exact=True).first


@pytest.mark.soak
def test_without_probes_it_says_what_to_do(site, page):
    page.goto(f"{site.url}/")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url(f"{site.url}/probes")
    expect(page.get_by_role("heading", name="No probes yet")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url(f"{site.url}/audit")
    expect(page.locator("table.audit tbody tr").first).to_contain_text("signed-in")
    page.goto(f"{site.url}/audit?who=nobody")
    expect(page.get_by_role("heading", name="No entry is like that")).to_be_visible()


@pytest.mark.soak
def test_a_log_probe_has_status_fates_cost_hits_and_history(site, page, service):
    service("one")
    probe = site.place("one", "app.py:5", "{goods}", condition="goods > 5")["id"]
    seen(site, probe)
    page.goto(f"{site.url}/probes/{probe}")
    states = panel(page, "In each process").locator("tbody tr")
    expect(states).to_contain_text("armed")
    expect(states).to_contain_text("app.py:5")
    expect(panel(page, "What became of what passed")).to_contain_text("captured")
    expect(panel(page, "Cost receipt")).to_contain_text(re.compile(r"\d (µs|ms|s) of the app"))
    expect(page.get_by_text("goods > 5").first).to_be_visible()
    hits = page.locator("table.hits tbody tr")
    expect(hits.first).to_contain_text("1000")
    count = hits.count()
    assert 0 < count <= 10
    expect(panel(page, "History").locator("tbody tr").last).to_contain_text("place")
    page.get_by_role("link", name="All hits").click()
    page.wait_for_url(f"{site.url}/hits?probe={probe}")


@pytest.mark.soak
def test_why_there_are_no_hits_is_said_until_there_are(site, page, service):
    service("silent")
    probe = site.place("silent", "app.py:5", "{goods}", condition="goods < 0")["id"]
    page.goto(f"{site.url}/probes/{probe}")
    why = page.get_by_role("region", name="Why no hits")
    expect(why).to_contain_text(re.compile(r"armed; condition false [\d,]+ times"))


@pytest.mark.soak
@pytest.mark.parametrize(
    ("kind", "target", "more", "plots"),
    [
        pytest.param("counter", "app.py:5", {}, 1, marks=pytest.mark.soak),
        pytest.param("metric", "app.py:5", {"expression": "goods"}, 3, marks=pytest.mark.soak),
        ("timer", "__main__:price", {}, 3),
    ],
)
def test_what_adds_up_is_plotted_with_a_table(site, page, service, kind, target, more, plots):
    service(f"sums-{kind}")
    probe = place(site, f"sums-{kind}", kind, target, **more)
    seen(site, probe)
    page.goto(f"{site.url}/probes/{probe}?last=600")
    over_time = page.get_by_role("region", name="Over time", exact=True)
    expect(over_time.get_by_role("img")).to_have_count(plots)
    expect(over_time.get_by_role("img").first).to_have_attribute(
        "aria-label", re.compile("count in .*, at most")
    )
    over_time.get_by_text("As a table").click()
    expect(over_time.locator("tbody tr").first).to_contain_text(re.compile(r"\d"))
    if plots > 1:
        expect(over_time.locator("thead")).to_contain_text("p99")
        expect(over_time.locator("path.p99")).to_have_attribute("d", re.compile("^M"))


@pytest.mark.soak
def test_a_probe_is_removed_by_keyboard_and_its_page_stays(site, page, service):
    service("gone")
    probe = site.place("gone", "app.py:5", "{goods}")["id"]
    page.goto(f"{site.url}/probes/{probe}")
    page.get_by_role("button", name="Remove").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=f"Remove {probe}?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".standing")).to_contain_text("removed")
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)
    expect(panel(page, "History").locator("tbody tr").first).to_contain_text("removed")
    assert site.client.get("/v1/probes", service="gone")["probes"] == []


@pytest.mark.soak
def test_probes_are_chosen_and_all_of_a_service_removed_by_mouse(site, page, service):
    service("many")
    fine = site.place("many", "app.py:5", "{goods}")["id"]
    odd = site.place("many", "app.py:5", "{goods}", anchor={"text": "nothing like it"})["id"]
    page.goto(f"{site.url}/probes?service=many")
    rows = page.locator("table.probes tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(odd)  # what needs attention is first
    expect(rows.first).to_contain_text("mismatch")
    expect(page.get_by_role("region", name="Probes of many", exact=True)).to_contain_text(
        "1 mismatch"
    )
    page.get_by_label("status").select_option("mismatch")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("status=mismatch"))
    expect(rows).to_have_count(1)
    page.get_by_label("kind").select_option("timer")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="No probe is like that")).to_be_visible()
    page.goto(f"{site.url}/probes?service=many")
    page.get_by_role("button", name="Remove all").click()
    dialog = page.get_by_role("dialog", name="Remove all 2 probes of many?")
    dialog.get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(0)
    page.goto(f"{site.url}/audit?service=many&action=removed")
    expect(page.locator("table.audit tbody tr")).to_have_count(2)
    page.get_by_role("link", name=fine).click()
    page.wait_for_url(f"{site.url}/probes/{fine}")


@pytest.mark.soak
def test_the_audit_log_goes_back_and_says_what_it_cost(site, page, service):
    service("costly")
    probe = site.place("costly", "app.py:5", "{goods}")["id"]
    seen(site, probe)
    for _ in range(51):
        site.client.post("/v1/services/elsewhere/off", {"reason": "a try"})
        site.client.post("/v1/services/elsewhere/on")
    page.goto(f"{site.url}/audit?probe={probe}&action=place")
    row = page.locator("table.audit tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator("td.number")).to_have_text(re.compile(r"\d (µs|ms|s)"))
    row.locator("summary").click()
    expect(row.locator("pre")).to_contain_text('"template": "{goods}"')
    page.goto(f"{site.url}/audit?service=elsewhere")
    expect(page.locator("table.audit tbody tr")).to_have_count(100)
    page.get_by_role("link", name="Older entries").click()
    page.wait_for_url(re.compile("before="))
    expect(page.locator("table.audit tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Newest entries").click()
    expect(page.locator("table.audit tbody tr")).to_have_count(100)


@pytest.mark.soak
def test_an_instance_tells_what_it_has_loaded(site, page, service):
    program = service("loaded", LEADLINE_VERSION="2.0", SECRET_TOKEN="hunter2")
    page.goto(f"{site.url}/services/loaded")
    page.locator("tbody th a").click()
    page.wait_for_url(re.compile("/instances/"))
    expect(page.get_by_role("region", name="Environment")).to_contain_text("platform")
    expect(page.get_by_role("region", name="Process")).to_contain_text("2.0")
    packages = page.locator("table.packages tbody tr")
    expect(packages.filter(has_text="leadline")).to_have_count(1)
    page.get_by_label("find").fill("no such package")
    expect(page.get_by_text("No package is like that.")).to_be_visible()
    page.get_by_label("find").fill("LEADLINE")
    expect(packages.filter(visible=True)).to_have_count(1)
    assert "hunter2" not in page.content()
    with page.expect_download() as download:
        page.get_by_role("link", name="Inventory as JSON").click()
    told = json.loads(download.value.path().read_text("utf-8"))
    assert told["inventory"]["packages"]
    program.stop()
    wait_for(lambda: not site.connected("loaded"), 20, "it is gone")
    page.reload()
    expect(
        page.get_by_role("heading", name="What it has loaded cannot be told")
    ).to_be_visible()
    expect(page.get_by_text("is not connected")).to_be_visible()
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("button", name="Ask again")).to_be_enabled()


@pytest.mark.soak
def test_what_is_not_there_is_said(site, watched):
    watched.allowed += ["status of 400", "status of 404"]
    for address, told in (
        ("probes/p999999", "does not exist"),
        ("instances/nobody", "There is no instance"),
        ("audit?before=x", "number of an entry"),
        ("probes/p1?last=7", "goes back"),
    ):
        watched.page.goto(f"{site.url}/{address}")
        expect(watched.page.get_by_text(told)).to_be_visible()


def test_hostile_text_is_text_everywhere(site, page, service):
    service("hostile")
    texts = [text for text in HOSTILE if "\ud800" not in text and "{{" not in text]
    for text in texts:
        place(site, "hostile", "log", "app.py:5", template="{goods}", note=text[:100],
            owner=text[:50], anchor={"text": text},
        )  # fmt: skip
    found = site.client.get("/v1/probes", service="hostile")["probes"]
    assert len(found) == len(texts)
    expect_no_markup = "document.querySelectorAll('main img, main script').length"
    for address in ("probes?service=hostile", "audit?service=hostile"):
        page.goto(f"{site.url}/{address}")
        expect(page.locator("main tbody tr").first).to_be_visible()
        assert page.evaluate(expect_no_markup) == 0
        assert not re.search("[\u202e\u2066\x1b\x7f]", page.locator("main").inner_text())
    for one in found[::3]:  # each has passed the same templates
        page.goto(f"{site.url}/probes/{one['id']}")
        expect(page.get_by_role("region", name="History").first).to_be_visible()
        assert page.evaluate(expect_no_markup) == 0
        assert not re.search("[\u202e\u2066\x1b\x7f]", page.locator("main").inner_text())
