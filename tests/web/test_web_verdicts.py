"""Verdicts on the page: the list, and one of them with its diff and its calls."""

import re

import pytest
from captured import HOSTILE
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from leadline.control.verdicts import VerdictView
from leadline.web import diff, verdict
from leadline.web.frame import Frame
from reported import DIFF, REPORT, report, said_everywhere

FILE = "/srv/shop/pricing.py"


def keep(site, service, **more):
    sent = report(service=service, **more)
    return site.client.post(f"/v1/services/{service}/verdicts", sent)["path"]


def rendered(found):
    return verdict.page(Frame(), verdict.view(VerdictView(1, 1.0, "ada", "shop", found)))


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_one_verdict_is_all_there(site, signed_in, accessible, scheme):
    path = keep(site, f"whole-{scheme}")
    page = signed_in(color_scheme=scheme).page
    page.goto(site.url + path)
    expect(page.get_by_role("heading", level=1)).to_contain_text("changes behaviour")
    main = page.locator("main")
    for text in (
        "1 of 6 good calls differ", "raises ZeroDivisionError", 'result["total"] > 0',
        "fresh sealed process, CPython 3.13.0; 30 runs in 3.2 s", "fix.diff",
        "at most 47 % of such calls could differ (95 %)", "3 different ways",
        "run with the code in /srv/other", "found 2 lines further down", "sent by user",
        "2 of 3 new lines reached; not reached: 13", "8 × result['at']",
        "1 × result was 7, and is 8 in the control",
    ):  # fmt: skip
        expect(main).to_contain_text(text)
    row = page.locator(".diff tr.new")
    expect(row).to_have_count(3)
    expect(row.nth(0)).to_contain_text("8 calls")
    expect(row.nth(1)).to_contain_text("not reached")
    expect(row.nth(1)).to_have_class(re.compile("missed"))
    expect(page.locator(".diff tr.old .number").first).to_have_text("12")
    expect(page.locator(".diff .k").first).to_be_visible()
    differing = page.get_by_role("region", name="Differences of call 4")
    expect(differing.get_by_role("row").nth(1)).to_contain_text("result['share']")
    expect(differing.get_by_role("row").nth(1)).to_contain_text("250.5")
    expect(page.locator(".cases.control")).to_contain_text("returned 8")
    expect(page.locator(".cases.failing .badge")).to_have_text("met")
    expect(page.locator(".cases.unknown")).to_contain_text("it took longer than 5 s")
    accessible(page)
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    accessible(page)


def test_verdicts_are_reached_by_keyboard(site, page, accessible):
    keep(site, "by-keyboard", verdict="fixed", exit_status=0)
    keep(site, "by-keyboard", verdict="unknown", exit_status=3)
    page.goto(f"{site.url}/")
    page.keyboard.press("g")
    page.keyboard.press("v")
    page.wait_for_url(f"{site.url}/verdicts")
    expect(page.locator("nav [aria-current=page]")).to_have_text("Verdicts")
    page.get_by_label("service").fill("by-keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("service=by-keyboard"))
    expect(page.locator("table.verdicts tbody tr")).to_have_count(2)
    accessible(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("a.verdict.well")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/verdicts/\d+$"))
    page.keyboard.press("j")
    first = page.locator("details.case").first
    expect(first.locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(first).not_to_have_attribute("open", "")
    page.keyboard.press("o")
    expect(first).to_have_attribute("open", "")
    page.keyboard.press("u")
    page.wait_for_url(f"{site.url}/verdicts")


@pytest.mark.soak
def test_a_verdict_that_comes_appears_in_the_list(site, page):
    page.goto(f"{site.url}/verdicts?service=comes")
    expect(page.get_by_text("No verdict is like that")).to_be_visible()
    path = keep(site, "comes")
    expect(page.locator(f'a[href="{path}"]')).to_be_visible()
    page.goto(f"{site.url}/audit?action=verdict&service=comes")
    page.locator(f'table.audit a[href="{path}"]').click()
    page.wait_for_url(f"{site.url}{path}")


@pytest.mark.parametrize("text", HOSTILE)
def test_captured_text_is_text_on_the_page(text):
    shown = rendered(said_everywhere(text))
    for bad in ("<script>alert", "<img", 'onmouseover="', "</title><img"):
        assert bad not in shown
    assert "\u202e" not in shown
    assert "\x00" not in shown


@pytest.mark.soak
def test_a_browser_takes_the_worst_of_it(site, signed_in, accessible):
    paths = []
    for text in (*HOSTILE[:3], HOSTILE[5]):
        sent = said_everywhere(text) | {"service": "worst"}
        paths.append(site.client.post("/v1/services/worst/verdicts", sent)["path"])
    page = signed_in().page
    page.on("dialog", lambda dialog: pytest.fail(f"it ran: {dialog.message}"))
    for path in (*paths, "/verdicts?service=worst"):
        page.goto(site.url + path)
        expect(page.locator("main .captured").first).to_be_visible()
        assert page.locator("main script, main img, main [onmouseover]").count() == 0
    accessible(page)


def test_a_diff_is_numbered_on_both_sides_and_says_what_reached_it():
    reached = {(FILE, False): {12: 8}, (FILE, True): {12: 8, 13: 0, 14: 6}}
    ((found,), cut) = diff.files(DIFF, reached)
    assert (found.name, found.loose, cut) == (FILE, [], 0)
    (hunk,) = found.hunks
    assert hunk.title == "def spread(total, lines):"
    assert [(one.sign, one.old, one.new, one.calls) for one in hunk.lines] == [
        (" ", 10, 10, None), (" ", 11, 11, None), ("-", 12, None, 8), ("+", None, 12, 8),
        ("+", None, 13, 0), ("+", None, 14, 6), (" ", 13, 15, None), (" ", 14, 16, None),
        (" ", 15, 17, None),
    ]  # fmt: skip


def test_lines_that_look_like_heads_are_lines():
    text = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n--- old\n+++ new\n x\n--- a/g\n+++ b/g\n"
    found, _ = diff.files(text, {})
    assert [one.name for one in found] == ["f", "g"]
    assert [str(one.code) for one in found[0].hunks[0].lines][2] == "x"


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_a_hunk_that_begins_in_a_text_has_its_code_in_colours(quotes):
    body = f" of cents.\n {quotes}\n-if base:\n+if not base:\n return 1\n"
    ((found,), _) = diff.files(f"--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n{body}", {})
    shown = [str(line.code) for line in found.hunks[0].lines]
    assert 'class="k"' not in shown[0] + shown[1]
    assert all('class="k"' in one for one in shown[2:])
    ends = f"@@ -1,3 +1,3 @@\n if base:\n-x = {quotes}one\n+x = {quotes}two\n more\n"
    ((found,), _) = diff.files(f"--- a/f\n+++ b/f\n{ends}", {})
    assert 'class="k"' in str(found.hunks[0].lines[0].code)


def test_files_are_named_by_as_much_as_tells_them_apart():
    files = ["/srv/a/shop/pricing.py", "/srv/b/shop/pricing.py", "/srv/a/x.py", "y.py"]
    assert list(verdict._short_names(files).values()) == [
        "a/shop/pricing.py", "b/shop/pricing.py", "a/x.py", "y.py",
    ]  # fmt: skip


def test_a_file_that_is_new_or_gone_has_its_name():
    text = "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x = 1\n"
    text += (
        "--- a/gone.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-y = 1\n\\ No newline at end of file\n"
    )
    found, _ = diff.files(text, {("gone.py", False): {1: 3}})
    assert [one.name for one in found] == ["new.py", "gone.py"]
    assert [one.calls for one in found[1].hunks[0].lines] == [3]
    assert found[1].loose == []


@given(st.text(st.sampled_from("-+@ \n\\ab/,1f"), max_size=200) | st.text(st.characters()))
def test_what_is_no_diff_is_shown_as_it_is(text):
    found, cut = diff.files(text, {})
    assert cut == 0
    for one in found:
        for hunk in one.hunks:
            assert all(line.sign in " +-" for line in hunk.lines)


@pytest.mark.parametrize(
    ("word", "first"),
    [("changes behaviour", "differing"), ("unknown", "unknown"), ("not fixed", "failing")],
)
def test_the_calls_that_decided_come_first(word, first):
    found = report(verdict=word)
    found["cases"] += [one | {"number": one["number"] + 10} for one in found["cases"]]
    groups = verdict.view(VerdictView(1, 1.0, "ada", "shop", found)).groups
    assert groups[0].sort == first
    assert {group.sort for group in groups} == {"differing", "failing", "unknown", "control"}
    assert [sum(case.open for case in group.cases) for group in groups] == [2, 1, 1, 1]


@pytest.mark.soak
def test_what_is_missing_is_said():
    empty = report(cases=[], coverage=[], noise={}, unknown={}, notes=[], fails="", expect="")
    empty["candidate"] |= {"diff": "", "notes": []}
    empty["shares"] |= dict.fromkeys(REPORT["shares"], 0)
    shown = rendered(empty)
    assert "The diff is too long to be shown" in shown
    assert "no call is evidence" in shown
    assert "nothing stated" in shown
