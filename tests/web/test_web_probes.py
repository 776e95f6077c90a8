"""Probes, a probe, and the audit log, as somebody sees them who looks at the page."""

import re

from captured import HOSTILE
from playwright.sync_api import expect

from leadline.cli.client import Client


def rows(page):
    return page.get_by_role("region", name="Probes").locator("tbody tr")


def place(service, kind, target, **more):
    body = {"kind": kind, "target": target, **more}
    return Client().post(f"/v1/services/{service}/probes", body)["probe"]["id"]


def test_probes_are_chosen_and_all_of_a_service_removed_by_keyboard(site, page, service):
    page.goto(f"{site.url}/probes?service=nothing")
    expect(page.get_by_role("heading", name="No probe is")).to_be_visible()
    service("listed")
    fine = site.place("listed", "app.py:5", "{goods}", owner="ada")["id"]
    odd = site.place("listed", "app.py:5", "{total}", anchor={"text": "not there"})["id"]
    page.goto(f"{site.url}/probes")
    mine = rows(page).filter(has_text="listed")
    expect(mine).to_have_count(2)
    expect(mine.nth(0)).to_contain_text("mismatch")
    expect(mine.nth(0)).to_contain_text(odd)
    page.get_by_label("owner").select_option("ada")
    page.get_by_role("button", name="Show").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(fine)
    page.goto(f"{site.url}/probes?service=listed")
    page.get_by_role("button", name="Remove all of listed").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Remove").press("Enter")
    expect(page.get_by_role("heading", name="No probe is")).to_be_visible()


def test_a_probe_shows_hits_cost_and_history_and_is_removed_by_mouse(site, page, service):
    service("one")
    probe = site.place("one", "app.py:5", "goods={goods}", owner="ada")["id"]
    page.goto(f"{site.url}/probes/{probe}")
    hits = page.get_by_role("region", name="Last hits")
    expect(hits.get_by_role("listitem").first).to_contain_text("goods=1000")
    expect(page.get_by_role("region", name="What became of it")).to_contain_text("captured")
    expect(page.get_by_role("region", name="Cost receipt")).to_contain_text("µs")
    expect(page.get_by_role("region", name="In each process")).to_contain_text("captured")
    expect(hits.get_by_role("link").first).to_have_attribute("href", re.compile(r"/hits/\d+"))
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    history = page.get_by_role("region", name="History").get_by_role("listitem")
    expect(history.first).to_contain_text("remove")
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)


def test_a_probe_that_was_not_reached_says_why(site, page, service):
    service("waits")
    probe = place("waits", "counter", "app.py:5", condition="goods > 5000")
    page.goto(f"{site.url}/probes/{probe}")
    states = page.get_by_role("region", name="In each process")
    expect(states).to_contain_text("condition false")


def test_counters_metrics_and_timers_have_plots_and_a_table(site, page, service, accessible):
    service("plots")
    made = [
        place("plots", "counter", "app.py:5"),
        place("plots", "metric", "app.py:6", expression="total"),
        place("plots", "timer", "app:price"),
    ]
    for probe, plots in zip(made, (1, 2, 2), strict=True):
        page.goto(f"{site.url}/probes/{probe}")
        over_time = page.get_by_role("region", name="Over time")
        expect(over_time.locator("svg polyline").first).to_be_attached()
        expect(over_time.locator("svg")).to_have_count(plots)
        over_time.get_by_text("As a table").click()
        expect(over_time.locator("tbody tr").first).to_be_visible()
        accessible(page)


def test_the_audit_log_is_chosen_and_turned(site, page, service):
    for number in range(60):
        site.place("paged", f"app.py:{number + 1}", "x")
    page.goto(f"{site.url}/audit?service=paged")
    entries = page.get_by_role("region", name="Audit log").locator("tbody tr")
    expect(entries).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(entries).to_have_count(10)
    entries.first.get_by_role("link").last.click()
    expect(page.get_by_role("region", name="History")).to_contain_text("user")
    page.goto(f"{site.url}/audit?who=nobody")
    expect(page.get_by_role("heading", name="No entry is like that")).to_be_visible()


def test_what_is_hostile_stays_text_and_nobody_is_kept_out(site, page, service, accessible):
    for text in HOSTILE:
        if "\ud800" not in text:
            site.place("hostile", "app.py:5", "x", note=text, owner=text[:40])
    probe = site.place("hostile", "app.py:5", "x", note=HOSTILE[0])["id"]
    for path in ("/probes?service=hostile", f"/probes/{probe}", "/audit?service=hostile"):
        page.goto(f"{site.url}{path}")
        if path != "/audit?service=hostile":
            expect(page.locator("main")).to_contain_text("<script>alert(1)</script>")
        assert page.locator("main script, main img").count() == 0
        for scheme, width in (("light", 1280), ("dark", 380)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            accessible(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, "the page is wider than the screen"
