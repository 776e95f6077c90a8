"""Source: reading what runs, and placing probes from the gutter, by mouse and by keyboard."""

import json
import re
import sys
from pathlib import Path

import pytest
from captured import HOSTILE
from playwright.sync_api import Page, expect

from leadline import demo
from leadline.web.visible import plain
from live import LEADLINE, Program, free_port, get, tool
from waiting import wait_for

AWAY = ["ERR_", "Failed to load"]
"""What the browser says of a server that is not there."""
SHOP = Path(demo.__file__).parent / "service"
HOSTILE_APP = '''\
import json, sys, time

texts = json.loads(open("texts.json").read())

def show(text, number):
    """<script>alert(1)</script> \u202e \u2066 </title><img src=x onerror=alert(1)>"""
    note = '" onmouseover="alert(1)' + "{{ 7 * 7 }}"
    password = "hunter2hunter2"
    return text  # <b>bold</b>

while True:
    for number, text in enumerate(texts):
        show(text, number)
        time.sleep(0.02)
'''


def line(page: Page, number: int):
    return page.locator(f"[id=L{number}]")


def gutter(page: Page, number: int):
    return line(page, number).locator(".gutter")


def form(page: Page):
    return page.get_by_role("form", name="New probe")


def chip(page: Page, number: int):
    return line(page, number).locator(".chip")


def lose_and_regain(site, page):
    """The page says that the server is away, and comes back with it by itself."""
    site.kill()
    expect(page.locator("header connection-state")).to_have_text("reconnecting")
    site.up()
    expect(page.locator("header connection-state")).to_have_text("live")


def read(site, page, service, file, at=""):
    page.goto(f"{site.url}/services/{service}/source/{file}{at}")
    expect(page.locator(".line").first).to_be_visible()


@pytest.fixture(scope="module")
def shop(site, tmp_path_factory):
    """The shop of the demo, and customers."""
    folder, port = tmp_path_factory.mktemp("shop"), free_port()
    command = [LEADLINE, "run", "--service", "shop", "--", sys.executable, "-m", "shop"]
    options = ["--port", str(port), "--database", str(folder / "shop.db")]
    traffic = [sys.executable, "-m", "leadline.demo.traffic", "--url"]
    with (
        Program([*command, *options], SHOP).serving(port),
        Program([*traffic, f"http://127.0.0.1:{port}"], folder),
    ):
        wait_for(lambda: site.connected("shop"), 20, "the shop connects")
        yield


def shop_line(text: str, file: str = "pricing.py") -> int:
    lines = (SHOP / "shop" / file).read_text("utf-8").splitlines()
    return 1 + next(at for at, one in enumerate(lines) if text in one)


@pytest.mark.soak
def test_each_kind_in_the_demo_from_the_gutter_to_its_removal_by_mouse(site, watched, shop):
    watched.allowed += AWAY
    page = watched.page
    read(site, page, "shop", "shop/pricing.py")
    total = shop_line("total = goods + shipping")

    def place(number, kind, **said):
        gutter(page, number).click()
        form(page).get_by_text(kind, exact=True).click()
        for name, text in said.items():
            form(page).locator(f"[name={name}]").fill(text)
        form(page).get_by_role("button", name="Place").click()
        expect(form(page)).to_have_count(0)  # it closes once every process has armed it

    place(total, "log")
    expect(chip(page, total)).to_have_text(re.compile(r"log\s+[1-9]"))
    expect(line(page, total).locator(".values")).to_have_text(
        re.compile(r"goods \d+ shipping \d+")
    )
    goods = shop_line("goods = subtotal")
    place(goods, "metric", expression="subtotal")
    place(goods + 1, "snapshot", watches="subtotal, lines[0].name", condition="subtotal > 0")
    place(goods + 2, "counter")
    place(goods - 2, "timer")
    place(shop_line("rate = worth / base"), "exception", raises="ZeroDivisionError")
    body = shop_line("subtotal = sum")
    expect(chip(page, body)).to_have_text(re.compile(r"timer\s+[1-9]"))
    expect(line(page, body).locator(".values")).to_contain_text("median")
    expect(chip(page, goods)).to_have_text(re.compile(r"metric\s+[1-9]"))
    expect(line(page, goods + 1).locator(".values")).to_contain_text("subtotal=")
    expect(chip(page, goods + 2)).to_have_text(re.compile(r"counter\s+[1-9]"))
    expect(chip(page, shop_line("base = sum"))).to_contain_text("exception")
    kinds = {one["kind"]: one for one in site.json("probes")["probes"]}
    assert len(kinds) == 6
    assert kinds["log"]["anchor"]["text"] == "total = goods + shipping"
    assert kinds["timer"]["target"] == "shop/pricing.py:quote"
    chip(page, goods).hover()
    seen = page.get_by_role("complementary")
    expect(seen.locator("svg.columns")).to_be_visible()
    expect(seen).to_contain_text("median")
    expect(seen.get_by_role("link")).to_have_attribute("href", re.compile("^/probes/p"))
    page.mouse.move(0, 0)
    line(page, total).get_by_role("button", name="Remove").click()
    expect(chip(page, total)).to_have_count(0)

    page.get_by_role("link", name="Hits", exact=True).click()
    snapshots = page.locator("table.hits tbody tr").filter(has_text="snapshot")
    snapshots.first.get_by_role("link").click()
    expect(page.locator("hit-code .here")).to_contain_text("grams = sum")
    expect(page.get_by_role("region", name="Values")).to_contain_text(
        re.compile(r"subtotal \d")
    )
    expect(page.get_by_role("region", name="Stack")).to_contain_text("price_basket")

    page.get_by_role("link", name="shop/pricing.py", exact=True).click()
    expect(gutter(page, goods + 1)).to_be_focused()
    lose_and_regain(site, page)
    before = site.json("probes")["probes"]
    assert len(before) == 5
    expect(chip(page, goods)).to_have_text(re.compile(r"metric\s+[1-9]"))

    page.get_by_role("link", name="Probes", exact=True).click()
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="No probes yet")).to_be_visible()
    assert site.json("probes")["probes"] == []


@pytest.mark.soak
def test_all_by_keyboard(site, page, shop):
    page.goto(f"{site.url}/services/shop/source")
    expect(page.get_by_role("link", name="shop.pricing", exact=True)).to_be_visible()
    page.keyboard.type("sv")
    expect(page.get_by_role("option", name="spread_voucher")).to_be_visible()
    page.keyboard.press("Enter")
    first = shop_line("def spread_voucher")
    expect(gutter(page, first)).to_be_focused()
    expect(page).to_have_url(re.compile(rf"/source/shop/pricing\.py#L{first}$"))
    page.keyboard.press("Enter")  # the head of a function offers its entry and its exit
    expect(form(page).locator("[name=at] option")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(gutter(page, first)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("p")
    expect(page.get_by_text(f"Line {first + 1} is in a docstring")).to_be_visible()
    page.keyboard.press("p")
    worth = shop_line("worth = voucher.worth(base)")
    for _ in range(worth - first - 1):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("of {vou")
    expect(page.get_by_role("option", name="voucher", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(form(page).get_by_label("template")).to_have_value("of {voucher}")
    page.keyboard.press("Enter")
    expect(form(page)).to_have_count(0)
    expect(chip(page, worth)).to_contain_text("log")
    page.keyboard.press("v")
    expect(page.get_by_role("complementary")).to_contain_text("armed")
    page.keyboard.press("x")
    expect(chip(page, worth)).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Place a probe on the line")


@pytest.mark.soak
def test_an_address_that_was_cut_off_leaves_the_keys_working(site, page, shop):
    read(site, page, "shop", "shop/pricing.py", "#pr%C3")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(r"#L\d+$"))
    expect(page.locator(".line.current .gutter")).to_be_focused()


@pytest.mark.soak
def test_what_cannot_be_placed_says_why(site, watched, shop):
    watched.allowed.append("status of 400")
    page = watched.page
    total = shop_line("total = goods + shipping")
    read(site, page, "shop", "shop/pricing.py", f"#L{total}")
    gutter(page, total).click()
    form(page).get_by_label("template").fill("{goods +* 2}")
    form(page).get_by_role("button", name="Place").click()
    told = form(page).locator(".told[role=alert]")
    expect(told).to_contain_text("{goods +* 2}\n        ^")
    form(page).get_by_label("template").fill("{goods}")
    expect(told).to_have_text("")
    page.keyboard.press("Escape")
    gutter(page, shop_line('"""The price')).click()
    page.get_by_role("link", name=f"line {shop_line('subtotal = sum')}").click()
    expect(gutter(page, shop_line("subtotal = sum"))).to_be_focused()
    site.place("shop", f"shop/pricing.py:{total}", "x", anchor={"text": "other = code()"})
    expect(line(page, total).locator(".problems")).to_contain_text("expected other = code()")
    site.cli("rm", "--service", "shop")


@pytest.mark.soak  # the demo is there each time
def test_each_kind_in_datasette_from_the_gutter_to_its_removal_by_keyboard(
    site, watched, tmp_path
):
    watched.allowed += AWAY
    page, port = watched.page, free_port()
    keys = page.keyboard
    command = [LEADLINE, "run", "--service", "sette", "--", tool("datasette")]
    with Program([*command, "serve", "--memory", "-p", str(port)], tmp_path).serving(port):
        wait_for(lambda: site.connected("sette"), 20, "datasette connects")
        page.goto(f"{site.url}/services/sette/source")
        keys.type("DatasetteRouter.route_path")
        expect(page.get_by_role("option").first).to_contain_text("route_path")
        keys.press("Enter")
        expect(page.locator(".line.current")).to_contain_text("def route_path")
        while "request = " not in page.locator(".line.current").inner_text():
            keys.press("j")
        kinds = ["log", "snapshot", "counter", "metric", "timer", "exception"]
        for number, kind in enumerate(kinds):
            while not page.locator(".line.current.can:not(.probed)").count():
                keys.press("j")
            keys.press("p")
            if kind == "log":
                keys.type("{path}")
            else:
                keys.press("Shift+Tab")  # where to look
                keys.press("Shift+Tab")
                for _ in range(number):
                    keys.press("ArrowRight")
            if kind == "metric":
                keys.press("Tab")
                keys.press("Tab")
                keys.type("len(path)")
            keys.press("Enter")
            expect(form(page)).to_have_count(0)
        assert {one["kind"] for one in site.json("probes")["probes"]} == set(kinds)
        assert get(port, "/-/versions.json")[0] == 200
        for kind in kinds[:-1]:  # no exception leaves it
            seen = page.locator(".code .chip").filter(has_text=kind)
            expect(seen).to_have_text(re.compile(r"\s[1-9]"))
        values = page.locator(".code .values")
        expect(values.filter(has_text="/-/versions.json").first).to_be_visible()

        keys.press("g")
        keys.press("h")
        page.wait_for_url(f"{site.url}/hits")
        keys.press("/")
        keys.type("route_path")
        keys.press("Enter")
        page.wait_for_url(re.compile("text=route_path"))
        keys.press("j")
        keys.press("Enter")
        page.wait_for_url(re.compile(r"/hits/\d+$"))
        expect(page.get_by_role("region", name="Stack")).to_contain_text("__call__")
        expect(page.get_by_role("region", name="Values")).to_contain_text("/-/versions.json")
        lose_and_regain(site, page)

        keys.press("g")
        keys.press("p")
        page.wait_for_url(f"{site.url}/probes")
        page.get_by_role("button", name="Remove all").press("Enter")
        keys.press("Tab")
        keys.press("Enter")
        expect(page.get_by_role("heading", name="No probes yet")).to_be_visible()
        assert site.json("probes")["probes"] == []


def test_hostile_source_and_values_are_text(site, page, tmp_path):
    (tmp_path / "hostile.py").write_text(HOSTILE_APP, "utf-8")
    (tmp_path / "texts.json").write_text(json.dumps(HOSTILE))
    command = [LEADLINE, "run", "--service", "bad", "--", sys.executable, "hostile.py"]
    with Program(command, tmp_path):
        wait_for(lambda: site.connected("bad"), 20, "it connects")
        read(site, page, "bad", "hostile.py", "#show")
        expect(line(page, 6)).to_contain_text("<script>alert(1)</script> ⟨U+202E⟩ ⟨U+2066⟩")
        expect(line(page, 8)).not_to_contain_text("hunter2")
        site.place("bad", "hostile.py:9", "{text}", limits={"rate_per_s": 100, "hits": 1000})
        seen = set()
        wanted = {plain(one) for one in HOSTILE if "\ud800" not in one}

        def all_seen():
            seen.add(line(page, 9).locator(".values").inner_text())
            page.wait_for_timeout(50)
            return any(one.strip() in seen for one in wanted)

        wait_for(all_seen, 20, "a hostile value is shown")
        chip(page, 9).hover()
        expect(page.get_by_role("complementary").locator(".value")).to_have_count(6)
        assert page.evaluate("document.querySelectorAll('.code img, .code script').length") == 0


@pytest.mark.soak
def test_a_strict_service_shows_code_and_no_text(site, page, service):
    service("strictly", LEADLINE_STRICT="1")
    read(site, page, "strictly", "app.py")
    expect(line(page, 4)).to_have_text(re.compile("if country == '…'|if country == \"…\""))


@pytest.mark.soak
def test_a_process_that_goes_and_comes_back(site, watched, service):
    watched.allowed += AWAY
    page = watched.page
    page.goto(f"{site.url}/services/comes/source/app.py")
    expect(page.get_by_text("No process of comes is connected")).to_be_visible()
    service("comes")
    expect(line(page, 5)).to_be_visible()
    gutter(page, 5).click()
    form(page).get_by_role("button", name="Place").click()
    expect(chip(page, 5)).to_have_text(re.compile(r"log\s+[1-9]"))
    site.kill()
    expect(page.locator("header connection-state")).to_have_text("reconnecting")
    expect(line(page, 5)).to_be_visible()
    site.up()
    expect(page.locator("header connection-state")).to_have_text("live")
    expect(chip(page, 5)).to_contain_text("log")
    line(page, 5).get_by_role("button", name="Remove").click()
    expect(chip(page, 5)).to_have_count(0)
