"""Hits and one hit, as somebody sees them who looks for what went wrong."""

import csv
import io
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from captured import HOSTILE
from playwright.sync_api import expect

from leadline.cli.client import Client
from leadline.web.visible import plain
from leadline.wire.hit import Hit, InstanceInfo, Report
from leadline.wire.messages import REPORT_PATH, encode
from live import LEADLINE, Program
from waiting import wait_for

APP = f"""\
import time
from dataclasses import dataclass

HOSTILE = {HOSTILE!r}

@dataclass
class Customer:
    id: int
    name: str
    password: str

def price(customer, goods):
    evil = HOSTILE[customer.id % len(HOSTILE)]
    many = list(range(300))
    total = goods + 450
    return total

def serve(number):
    customer = Customer(number % 20, "Ada", "hunter2")
    return price(customer, 1000)

number = 0
while True:
    number += 1
    serve(number)
    time.sleep(0.01)
"""
LINE = APP[: APP.index("return total")].count("\n") + 1


@pytest.fixture(scope="module")
def till(site, tmp_path_factory) -> Iterator[Program]:
    """A service with a stack, values to look for, and the worst texts there are."""
    folder = tmp_path_factory.mktemp("till")
    app = folder / "app.py"
    app.write_text(APP, "utf-8")
    command = [LEADLINE, "run", "--service", "till", "--", sys.executable, str(app)]
    with Program(command, folder, {"LEADLINE_VERSION": "1.4.2"}) as program:
        wait_for(lambda: site.connected("till"), 20, "till connects")
        yield program


def snap(site, count=1, **more):
    """Place a snapshot probe and wait for its hits; returns them, oldest first."""
    body = {"kind": "snapshot", "target": f"app.py:{LINE}"}
    body |= {"limits": {"hits": count, "rate_per_s": 50.0}} | more
    probe = site.client.post("/v1/services/till/probes", body)["probe"]["id"]
    return hits_of(site, probe, count)


def logged(site, template, count, **more):
    limits = {"hits": count, "rate_per_s": 100.0}
    probe = site.place("till", f"app.py:{LINE}", template, limits=limits, **more)["id"]
    return hits_of(site, probe, count)


def hits_of(site, probe, count):
    def enough():
        hits = site.client.get("/v1/hits", probe=probe, limit=1000)["hits"]
        return hits if len(hits) >= count else []

    return wait_for(enough, 20, f"{count} hits of {probe}")


def rows(page):
    return page.locator("table.hits tbody tr")


def told(page):
    return page.locator("hit-stream [role=status]")


def test_hits_arrive_pause_and_go_on(site, page, till):
    page.goto(f"{site.url}/hits?service=till&text=flow")
    expect(page.get_by_role("heading", name="No hit is like that")).to_be_visible()
    expect(told(page)).to_contain_text("Live.")
    probe = site.place("till", f"app.py:{LINE}", "flow {customer.id}", limits={"hits": 9000})
    expect(rows(page).first).to_contain_text("flow ")
    expect(page.get_by_role("heading", name="No hit is like that")).to_have_count(0)
    page.keyboard.press("p")
    expect(told(page)).to_contain_text("Paused.")
    seen = rows(page).count()
    before = len(hits_of(site, probe["id"], 1))
    hits_of(site, probe["id"], before + 20)
    assert rows(page).count() == seen
    page.get_by_role("button", name="Go on").click()
    site.cli("rm", probe["id"])
    last = rows(page).first

    def shown() -> list[int]:
        """The last ones come when the probe is gone already: a report is sent each second."""
        before = [hit["id"] for hit in hits_of(site, probe["id"], 1)]
        time.sleep(1.2)
        stored = [hit["id"] for hit in hits_of(site, probe["id"], 1)]
        whole = stored == before and last.get_attribute("data-key") == str(stored[-1])
        return stored if whole else []

    stored = wait_for(shown, 20, "the last hit is shown")
    keys = [int(key) for key in rows(page).evaluate_all("all => all.map(r => r.dataset.key)")]
    assert keys == sorted(keys, reverse=True)
    skipped = re.search(r"(\d+) more not shown", told(page).text_content() or "")
    assert len(keys) + (int(skipped[1]) if skipped else 0) == len(stored)


@pytest.mark.soak
def test_a_list_is_walked_through_by_keyboard(site, page, till):
    first, second = logged(site, "walk {goods}", 2)
    page.goto(f"{site.url}/hits?probe={first['probe']}")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows(page).nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/hits/{second['id']}")
    page.keyboard.press("p")
    page.wait_for_url(f"{site.url}/hits/{first['id']}")
    page.keyboard.press("u")
    page.wait_for_url(f"{site.url}/hits?probe={first['probe']}")


@pytest.mark.soak
def test_every_choice_is_in_the_address(site, page, till):
    hits = logged(site, "value {customer.id}", 30)
    chosen = [hit["id"] for hit in hits if hit["values"]["customer.id"] == 7]
    page.goto(f"{site.url}/hits?probe={hits[0]['probe']}")
    page.get_by_label("value").fill("customer.id = 7")
    page.get_by_label("value").press("Enter")
    page.wait_for_url(re.compile(r"value=customer\.id\+%3D\+7"))
    assert "text=" not in page.url
    expect(rows(page)).to_have_count(len(chosen))
    page.reload()
    expect(rows(page)).to_have_count(len(chosen))
    page.get_by_role("list", name="Chosen").get_by_role("link", name="value").click()
    expect(rows(page)).to_have_count(30)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("thread").fill("nobody")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="No hit is like that")).to_be_visible()


@pytest.mark.soak
def test_a_time_is_chosen_by_mouse_and_by_keyboard(site, page, till):
    hits = logged(site, "when {goods}", 30)
    address = f"{site.url}/hits?probe={hits[0]['probe']}"
    page.goto(address)
    area = page.get_by_role("slider")
    box = area.bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=3)
    expect(area.locator(".label")).to_be_visible()
    page.mouse.up()
    page.wait_for_url(re.compile(r"since=.*until="))
    since, until = (
        float(re.search(rf"{name}=([\d.]+)", page.url)[1]) for name in ("since", "until")
    )
    expect(rows(page)).to_have_count(sum(since <= hit["time"] < until for hit in hits))
    expect(told(page)).to_contain_text("nothing new can match")
    page.goto(address)
    area.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    expect(area).to_have_attribute("aria-valuetext", re.compile(r": 30 hits$"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"since=.*until="))
    expect(rows(page)).to_have_count(30)


@pytest.mark.soak
def test_files_hold_what_was_chosen_and_no_formula(site, page, till):
    hits = logged(site, "=1+{customer.id}", 20)
    query = f"probe={hits[0]['probe']}&value=customer.id+%3C+10"
    chosen = [hit for hit in hits if hit["values"]["customer.id"] < 10]
    page.goto(f"{site.url}/hits?{query}")
    with page.expect_download() as begun:
        page.get_by_role("link", name="CSV").click()
    assert begun.value.suggested_filename == "hits.csv"
    lines = list(csv.DictReader(io.StringIO(begun.value.path().read_text("utf-8"))))
    assert [line["message"] for line in lines] == [f"'{hit['message']}" for hit in chosen]
    with page.expect_download() as begun:
        page.get_by_role("link", name="JSON").click()
    told = json.loads(begun.value.path().read_text("utf-8"))
    assert [hit["id"] for hit in told["hits"]] == [hit["id"] for hit in chosen]
    assert not told["more"]


@pytest.mark.soak
def test_a_flood_is_counted_and_does_not_pile_up(site, page, till):
    key = site.client.post("/v1/services/flood/agent-key", {})["key"]
    limits = {"hits": 100_000, "rate_per_s": 1000.0}
    probe = site.place("flood", "a.py:1", "{x}", limits=limits)["id"]
    page.goto(f"{site.url}/hits?service=flood")
    expect(told(page)).to_contain_text("Live.")
    info = InstanceInfo("flood-1", "flood", 7, "h", "a.py", "3.13", "0", "pure", 1.0)
    with closing(Client(key=key)) as agent:
        for batch in range(30):
            first, now = batch * 100, time.time()
            hits = [
                Hit(probe, "flood-1", first + n, now, "t", "/a.py", 1, "f", f"x={n}", {"x": n})
                for n in range(100)
            ]
            agent.post(REPORT_PATH, json.loads(encode(Report(info, hits))))
    expect(told(page)).to_contain_text(re.compile(r"3,000 came since"))
    shown = rows(page).count()
    assert 0 < shown <= 500
    skipped = int(
        re.search(r"([\d,]+) more not shown", told(page).text_content())[1].replace(",", "")
    )
    assert shown + skipped == 3000 or (shown == 500 and skipped < 2500)
    page.get_by_role("button", name="Pause").click()
    expect(told(page)).to_contain_text("Paused.")


@pytest.mark.soak
def test_a_snapshot_shows_stack_code_and_values(site, page, signed_in, till):
    hits = snap(site, 3)
    page.goto(f"{site.url}/hits/{hits[1]['id']}")
    stack = page.get_by_role("region", name="Stack")
    expect(stack.get_by_role("link")).to_have_count(3)
    code, values = page.locator("hit-code"), page.get_by_role("region", name="Values")
    expect(code.locator(".here")).to_contain_text("return total")
    expect(code.locator(".here")).to_contain_text("total = 1450")
    expect(code.locator(".k", has_text="def").first).to_be_visible()
    expect(values).to_contain_text("redacted held back by a redaction rule")
    expect(values).to_contain_text("name:password")
    expect(values).to_contain_text("200 more: more items than the limit")
    assert "hunter2" not in values.text_content()
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(r"call=1$"))
    expect(code.locator(".here")).to_contain_text("return price(customer, 1000)")
    expect(values.get_by_role("heading", name="variables of serve")).to_be_visible()
    colleague = signed_in().page
    colleague.goto(page.url)
    expect(colleague.locator("hit-code .here")).to_contain_text("return price(customer, 1000)")
    page.go_back()
    expect(code.locator(".here")).to_contain_text("return total")
    stack.get_by_role("link", name="serve").click()
    expect(code.locator(".here")).to_contain_text("return price(customer, 1000)")


@pytest.mark.soak
def test_values_are_searched(site, page, till):
    (hit,) = snap(site)
    page.goto(f"{site.url}/hits/{hit['id']}")
    values = page.get_by_role("region", name="Values")
    page.keyboard.press("/")
    page.keyboard.type("ADA")
    expect(values.locator(".hit-found:visible")).to_have_count(1)
    expect(values.locator(".name:visible", has_text=".name")).to_be_visible()
    expect(values.locator("section[data-call='0'] .name", has_text="goods")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(values.locator("section[data-call='0'] .name", has_text="goods")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("no such thing")
    expect(values.get_by_role("status")).to_have_text("Nothing like it in this call")


@pytest.mark.soak
def test_neighbours_show_what_differs(site, page, till):
    hits = snap(site, 3)
    page.goto(f"{site.url}/hits/{hits[1]['id']}")
    beside = page.get_by_role("region", name=re.compile("^Neighbours in time of"))
    expect(beside.locator("tbody tr")).to_have_count(3)
    expect(beside.get_by_role("columnheader", name="customer.id")).to_be_visible()
    expect(beside.get_by_role("columnheader", name="goods")).to_have_count(0)
    expect(beside.locator("tr.here .differs")).to_have_count(0)
    assert beside.locator("td.differs").count() >= 2
    page.keyboard.press("n")
    page.wait_for_url(f"{site.url}/hits/{hits[2]['id']}")
    page.get_by_role("link", name="before").click()
    page.wait_for_url(f"{site.url}/hits/{hits[1]['id']}")


@pytest.mark.soak
def test_a_hit_is_copied_as_json(site, signed_in, till):
    page = signed_in(permissions=["clipboard-read", "clipboard-write"]).page
    (hit,) = snap(site, condition="customer.id == 3")
    page.goto(f"{site.url}/hits/{hit['id']}")
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == hit


@pytest.mark.soak
def test_a_log_hit_has_a_page_too(site, page, till):
    (hit,) = logged(site, "total={total}", 1)
    page.goto(f"{site.url}/hits/{hit['id']}")
    expect(page.get_by_text("A log probe keeps no stack.")).to_be_visible()
    expect(page.locator("hit-code .here")).to_contain_text("total = 1450")
    expect(page.get_by_text("It is the only hit of this probe.")).to_be_visible()


@pytest.mark.soak
def test_code_that_cannot_be_had_says_why(site, page, till, service):
    gone = service("brief")
    body = {"kind": "snapshot", "target": "app.py:6", "limits": {"hits": 1}}
    probe = site.client.post("/v1/services/brief/probes", body)["probe"]["id"]
    (hit,) = hits_of(site, probe, 1)
    gone.stop()
    wait_for(lambda: not site.connected("brief"), 20, "brief is gone")
    page.goto(f"{site.url}/hits/{hit['id']}")
    code = page.locator("hit-code")
    expect(code).to_contain_text("is not connected")
    expect(code.locator(".here")).to_contain_text("return total")


def test_hostile_text_is_text_in_every_view(site, page, till):
    seen = {}
    for hit in logged(site, "{evil}", 20):
        seen.setdefault(hit["message"], hit)
    assert len(seen) == len(HOSTILE)
    probe = next(iter(seen.values()))["probe"]
    for address in (f"/hits?probe={probe}", *(f"/hits/{hit['id']}" for hit in seen.values())):
        page.goto(site.url + address)
        assert page.locator("main img, main script").count() == 0
        assert page.evaluate(
            "[...document.querySelectorAll('main *')].every(e => !e.onmouseover)"
        )
        shown = page.locator("main").text_content()
        assert not re.search("[\u202e\u2066\u200b\x1b\ufeff]", shown)
    text = page.locator(".hit-head .message").text_content()
    assert text == plain(HOSTILE[-1]) or text in {plain(one) for one in HOSTILE}
    page.goto(f"{site.url}/hits?service=till&text=live-evil")
    expect(told(page)).to_contain_text("Live.")
    logged(site, "live-evil {evil}", 20)
    expect(rows(page)).to_have_count(20)
    shown = rows(page).all_text_contents()
    assert any("⟨U+202E⟩" in text for text in shown)
    assert any("<script>alert(1)</script>" in text for text in shown)
    assert rows(page).locator("img, script").count() == 0


@pytest.mark.soak
def test_the_server_is_lost_and_regained(site, watched, till):
    page = watched.page
    watched.allowed += [
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED",
        "ERR_EMPTY_RESPONSE",
    ]
    watched.allowed += ["ERR_CONNECTION_RESET", "Failed to fetch"]
    page.goto(f"{site.url}/hits?service=till&text=again")
    expect(told(page)).to_contain_text("Live.")
    site.kill()
    expect(page.locator("connection-state")).to_have_text("reconnecting")
    expect(told(page)).to_contain_text("Reconnecting.")
    site.up()
    wait_for(lambda: site.connected("till"), 30, "till comes back")
    logged(site, "again {goods}", 3)
    expect(rows(page)).to_have_count(3)
    expect(page.locator("connection-state")).to_have_text("live")
    expect(told(page)).to_contain_text("Live.")


@pytest.mark.soak
def test_signing_out_elsewhere_is_said(site, open_page, till):
    watched = open_page()
    site.sign_in(watched.page)
    watched.allowed.append("status of 401")
    page = watched.page
    page.goto(f"{site.url}/hits")
    expect(told(page)).to_contain_text("Live.")
    page.evaluate(
        """async () => {
            const { content } = document.querySelector("meta[name=leadline-write]");
            const headers = { "leadline-write": content };
            await fetch("/v1/session", { method: "DELETE", headers });
        }"""
    )
    expect(page.locator("connection-state")).to_have_text("signed out")


@pytest.mark.soak
def test_what_cannot_be_shown_is_refused_in_a_sentence(site, watched, till):
    watched.allowed += ["status of 400", "status of 404"]
    page = watched.page
    page.goto(f"{site.url}/hits?value=user.id")
    expect(page.get_by_role("heading")).to_contain_text("chooses no value")
    for said in ("since=1e300", "until=-1e300", "last=1e300", "last=-1e300"):
        page.goto(f"{site.url}/hits?{said}")
        expect(page.get_by_text("bad-limit: ")).to_be_visible()
    for hit in ("999999999", "0", "x", "9" * 30):
        page.goto(f"{site.url}/hits/{hit}")
        expect(page.get_by_text("no-such-hit: ")).to_be_visible()


@pytest.mark.soak
def test_its_keys_are_told(site, page, till):
    (hit,) = snap(site)
    page.goto(f"{site.url}/hits/{hit['id']}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Call further out")
