"""Services, as somebody sees them who looks at the page."""

import re

import pytest
from captured import HOSTILE
from playwright.sync_api import expect

from leadline.web.visible import plain


@pytest.fixture
def page(site, page):
    """A page that shows the services."""
    page.goto(f"{site.url}/")
    return page


def block(page, service):
    return page.get_by_role("region", name=f"Service {service}")


def row(page, service):
    return block(page, service).locator("tbody tr")


def test_an_empty_page_says_what_to_do_and_fills_by_itself(site, page, service):
    expect(page.get_by_role("heading", name="No service is here yet")).to_be_visible()
    expect(page.get_by_text("leadline run --service shop -- python app.py")).to_be_visible()
    service("first")
    expect(row(page, "first")).to_have_count(1)
    expect(page.get_by_text("No service is here yet")).to_have_count(0)


@pytest.mark.soak
def test_a_process_is_shown_with_what_it_is_and_how_busy_it_is(site, page, service):
    environment = {"VERSION": "1.4.2", "ENVIRONMENT": "staging", "TAGS": "zone=eu"}
    program = service(
        "busy", **{f"LEADLINE_{key}": value for key, value in environment.items()}
    )
    (connected,) = site.connected("busy")
    core = connected["info"]["core"]
    shown = row(page, "busy")
    for text in ("1.4.2", "staging", "zone=eu", "well", core):
        expect(shown).to_contain_text(text)
    site.place("busy", "app.py:5", "{goods}", limits={"hits": 1000})
    expect(shown.locator("td.number").nth(1)).to_have_text("1")  # armed
    expect(shown.locator("td.number").nth(0)).not_to_have_text("0")  # hits a second
    expect(shown.locator("td.budget")).not_to_have_text(re.compile(r"^\s*0 %"))
    expect(block(page, "busy").locator("svg.sparkline").first).to_be_visible()
    expect(shown.locator("local-time time")).to_have_text(re.compile(r"now|\d+ (s|min) ago"))
    program.stop()
    expect(block(page, "busy").get_by_text("1 gone")).to_be_visible()
    expect(block(page, "busy").get_by_text("No process is connected")).to_be_visible()


@pytest.mark.soak
def test_what_needs_attention_is_first_with_its_reason(site, page, service):
    service("odd")
    site.place("odd", "app.py:5", "{goods}", anchor={"text": "nothing like it"})
    first = page.get_by_role("region", name="Needs attention").get_by_role("listitem")
    expect(first).to_contain_text("mismatch")
    expect(first).to_contain_text("app.py:5")
    expect(first).to_contain_text("No line of the file reads 'nothing like it'")
    first.get_by_role("link", name="odd").click()
    expect(page).to_have_url(f"{site.url}/services/odd")
    expect(row(page, "odd")).to_have_count(1)
    site.cli("rm", "--service", "odd")
    expect(page.get_by_role("region", name="Needs attention")).to_have_count(0)


@pytest.mark.soak
def test_a_service_is_switched_off_and_on_by_keyboard(site, page, service):
    service("quiet")
    site.place("quiet", "app.py:5", "{goods}", limits={"rate_per_s": 1.0})
    button = block(page, "quiet").get_by_role("button", name="Switch off")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("<b>incident</b> 7 \u202e")
    page.keyboard.press("Enter")
    banner = page.get_by_text("quiet is off.").locator("..")
    expect(banner).to_contain_text("<b>incident</b> 7 ⟨U+202E⟩")
    expect(block(page, "quiet").get_by_text("off", exact=True)).to_be_visible()
    expect(row(page, "quiet").locator("td.number").nth(1)).to_have_text("0")
    banner.get_by_role("button", name="Switch on").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch on").press("Enter")
    expect(page.get_by_text("quiet is off.")).to_have_count(0)
    expect(row(page, "quiet").locator("td.number").nth(1)).to_have_text("1")


@pytest.mark.soak
def test_what_one_is_doing_outlives_what_arrives(site, page, service):
    service("still").stop()
    gone = block(page, "still").locator("details")
    gone.locator("summary").click()
    link = block(page, "still").get_by_role("link", name="still")
    link.focus()
    page.evaluate("document.querySelector('main live-part').refresh()")
    service("still")
    expect(row(page, "still")).to_have_count(1)
    expect(gone).to_have_attribute("open", "")
    expect(link).to_be_focused()


def test_the_browser_shows_the_same(page):
    texts = [text for text in HOSTILE if "\ud800" not in text]  # no browser's text has those
    module = page.locator("script[type=module]").first.get_attribute("src")
    shown = page.evaluate(
        """async ([module, texts]) => {
            const { visible } = await import(module);
            return texts.map((text) => visible(text).textContent);
        }""",
        [module.replace("page", "visible"), texts],
    )
    assert shown == [plain(text) for text in texts]


def test_keys(site, page):
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("Go to Services")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    page.goto(f"{site.url}/services/elsewhere")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url(f"{site.url}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()


@pytest.mark.soak
def test_light_and_dark_are_remembered(site, signed_in):
    page = signed_in(color_scheme="dark").page
    page.goto(f"{site.url}/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light").click()
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    assert page.evaluate(ground) == light
