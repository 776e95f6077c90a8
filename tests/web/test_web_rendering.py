"""What is shown is what was captured, whatever it holds; no template leaves it to chance."""

import re
import unicodedata
from pathlib import Path

import pytest
from captured import HOSTILE
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from leadline import web
from leadline.agent.core import pure
from leadline.cli import open_page
from leadline.control import pulse
from leadline.server.access import PAGE_NAME
from leadline.web import figures, plots
from leadline.web.frame import Frame
from leadline.web.rendering import _environment, render
from leadline.web.visible import plain, visible
from leadline.wire.hit import InstanceInfo, ProbeState, Report
from leadline.wire.probe import Status

FOLDER = Path(web.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
MODULES = sorted((FOLDER / "static").rglob("*.js"))
STYLES = sorted((FOLDER / "static").rglob("*.css"))


@pytest.mark.parametrize("text", HOSTILE)
def test_captured_text_is_text(text):
    shown = visible(text)
    assert re.sub(r"</?(bdi|span)\b[^<>]*>", "", shown).count("<") == 0
    for page in (render("refused.html", frame=Frame(), slug="x", message=text, hint=text),):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'onmouseover="' not in page


@given(st.text(st.characters()))
def test_no_control_character_gets_into_a_page(text):
    for shown in (plain(text), Markup(visible(text)).striptags()):
        kinds = {unicodedata.category(one) for one in shown if one not in "\n\t"}
        assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_what_can_be_seen_stays_as_it_is():
    text = "שלום عربي 日本 é 😀 ~!\n\t"
    assert plain(text) == text
    assert visible("a<b") == Markup('<bdi class="captured">a&lt;b</bdi>')


def test_a_name_that_is_not_there_is_an_error():
    with pytest.raises(UndefinedError):
        render("refused.html", frame=Frame(), slug="x", message="y")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_can_be_read_and_has_nothing_inline(path):
    _environment().get_template(str(path.relative_to(FOLDER / "templates")))
    text = path.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:", text)
    assert "|safe" not in text
    assert "autoescape" not in text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_makes_no_markup_of_what_it_is_told(path):
    text = path.read_text("utf-8")
    assert not re.search(
        r"\beval\b|new Function|document\.write|outerHTML|insertAdjacentHTML", text
    )
    for made in re.findall(r"innerHTML = (`[^`]*`|\w+)", text):
        assert "${" not in made
    assert text.startswith("// "), "a module opens with why it is there"


def test_no_file_is_somebody_elses_or_a_page_too_heavy():
    files = [*MODULES, *STYLES]
    assert not any(
        "http://" in path.read_text() or "https://" in path.read_text() for path in files
    )
    assert sum(path.stat().st_size for path in files) < 150_000


def test_numbers_are_short():
    shown = [
        figures.short(number) for number in (0, 0.5, 7, 7.26, 99.96, 612, 999.9, 1234, 5e6)
    ]
    assert shown == ["0", "0.50", "7", "7.3", "100", "612", "1.0k", "1.2k", "5M"]
    assert figures.share(0.004) == "0.40 %"
    assert figures.exact(1234567) == "1,234,567"


def test_plots_stand_any_numbers():
    for values in ([], [0], [0, 0], [1e308, 0], [5] * 60):
        assert "nan" not in plots.sparkline(values, "x") + plots.columns(values, "x")
    assert 'class="plot bar full"' in plots.bar(7.0, "x")
    assert "&lt;" in plots.bar(0.1, "<x>")


def test_the_pages_name_and_the_budget_are_said_alike_on_both_sides():
    assert open_page._PAGE_NAME == PAGE_NAME
    assert pulse.BUDGET_SHARE * 1e9 == pure.BUDGET_NS


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://127.0.0.1:7357", f"http://{PAGE_NAME}:7357"),
        ("http://localhost:80/", f"http://{PAGE_NAME}:80"),
        ("http://[::1]:7357", f"http://{PAGE_NAME}:7357"),
        ("https://127.0.0.1:7357", "https://127.0.0.1:7357"),
        ("https://leadline.example/", "https://leadline.example"),
        ("http://10.0.0.7:7357", "http://10.0.0.7:7357"),
    ],
)
def test_the_page_has_a_name_of_its_own_on_this_machine(url, page):
    assert open_page.page_address(url) == page


def test_the_pulse_counts_seconds_and_forgets():
    now = [100.0]
    beats = pulse.Pulse(lambda: now[0])
    info = InstanceInfo("i1", "s", 1, "h", "p", "3.13", "0", "pure", 0.0)

    def report(cost_ns):
        return Report(info, states=[ProbeState("p1", Status.ARMED, cost_ns=cost_ns)])

    beats.reported(report(5_000_000_000), 10)  # what it cost before we were here is no news
    now[0] = 101.5
    assert beats.beat("i1").hits_per_s == 1.0
    assert beats.beat("i1").budget_used == 0.0
    beats.reported(report(5_050_000_000), 0)
    now[0] = 102.5
    assert beats.beat("i1").budget_used == pytest.approx(0.5)
    assert beats.beat("i1").recent[-2:] == (10, 0)
    now[0] = 200.0
    assert beats.beat("i1") == pulse.Beat()
    beats.reported(report(5_050_000_000), 1)
    assert list(beats._hits["i1"]) == [200]
    beats.left("i1")
    assert beats.beat("i1") is pulse.STILL
