"""Hits as text: a line of each, the stack of one, and nothing that steers a terminal."""

import unicodedata

import pytest

from leadline.cli.hit_view import hit_line, hit_text
from leadline.cli.twin_view import twin_lines
from leadline.cli.value_tree import MAX_LINES
from leadline.wire.struct import asdict
from leadline.wire.twin import (
    Agreement,
    Difference,
    Ran,
    Tried,
    TwinEnd,
    TwinPolicy,
    TwinUse,
    TwinView,
)

EVIL = "\x1b[2J\r\n\u202eevil\ud800\u2028"
FRAME = {
    "file": "/srv/shop/pricing.py",
    "line": 51,
    "function": "quote",
    "source": "    return total",
    "locals": {"goods": 1000, "country": "DE"},
    "omitted": "",
}


def snapshot(**detail):
    return {
        "id": 11,
        "service": "shop",
        "pid": 42,
        "probe": "p7",
        "instance": "a",
        "time": 0.0,
        "thread": "MainThread",
        "task": "handle-3",
        "trace": "4b" * 16,
        "span": "00" * 8,
        "file": "/srv/shop/pricing.py",
        "line": 51,
        "function": "quote",
        "message": "quote returned 1450 after 1.2 ms",
        "values": {},
        "detail": {
            "moment": "exit",
            "frames": [FRAME],
            "omitted": 3,
            "returned": True,
            "result": 1450,
            "exception": None,
            "duration_s": 0.0012,
            "tasks": [{"name": "handle-3", "function": "run", "file": "w.py", "line": 4}],
            "context": {"request_id": "abc"},
        }
        | detail,
    }


def test_one_line_names_the_place_the_variables_and_the_hit():
    line = hit_line(snapshot())
    assert "shop/42  shop/pricing.py:51  quote returned 1450 after 1.2 ms" in line
    assert line.endswith("goods=1000 country='DE'  [hit 11]")


def test_watches_stand_in_the_message_and_not_once_more():
    line = hit_line(snapshot() | {"values": {"goods": 1000}})
    assert "country" not in line


def test_an_exception_is_at_the_line_that_it_came_through():
    inner = FRAME | {"function": "worth", "line": 9}
    hit = snapshot(exception={"type": "ValueError"}, frames=[inner, FRAME]) | {"line": 44}
    assert "shop/pricing.py:51  " in hit_line(hit)
    assert "/srv/shop/pricing.py:51 in quote" in hit_text(hit)
    assert "shop/pricing.py:44  " in hit_line(snapshot() | {"line": 44})


def test_the_whole_of_a_hit():
    text = hit_text(snapshot())
    for part in (
        "hit 11  p7",
        "thread MainThread   task handle-3   trace 4b4b",
        "  result = 1450",
        "    shop/pricing.py:51 in quote   return total",
        "      goods = 1000",
        "… 3 calls further out",
        "handle-3  w.py:4 in run",
        "  context variables",
        "    request_id = 'abc'",
    ):
        assert part in text, text


def test_a_long_value_becomes_a_tree_of_at_most_a_screen():
    long = {"type": "list", "length": 99, "items": ["x" * 50 for _ in range(99)]}
    order = {"type": "Order", "fields": {"lines": long, "number": 7, "note": "n" * 90}}
    text = hit_text(snapshot(result=order))
    lines = text[text.index("result = Order") : text.index("stack")].splitlines()
    assert lines[1] == "    .lines = list of 99"
    assert lines[2].startswith("      [0] = 'xxx")
    assert len(lines) == MAX_LINES + 1 + 1
    assert "more lines (all of it: --json)" in text


@pytest.mark.parametrize("show", [hit_line, hit_text])
def test_captured_text_cannot_steer_the_terminal(show):
    evil = {"type": EVIL, "fields": {EVIL: EVIL, "b": {"type": "?", "omitted": EVIL}}}
    frame = dict.fromkeys(FRAME, EVIL) | {"line": 1, "locals": {EVIL: evil}}
    hit = snapshot(
        frames=[frame],
        result=evil,
        exception=evil,
        tasks=[{"name": EVIL, "function": EVIL, "file": EVIL, "line": 1}],
        context={EVIL: {"type": "dict", "entries": [[evil, EVIL]], "length": 1}},
    )
    for name in ("thread", "task", "trace", "span", "file", "function", "message", "service"):
        hit[name] = EVIL
    text = show(hit | {"values": {EVIL: evil}})
    assert "evil" in text
    for letter in text:
        assert letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl")
    assert "\\x1b[2J" in text


def shown(tried: Tried) -> str:
    view = TwinView(TwinUse.VERIFY, TwinPolicy.THREADS, TwinEnd.DONE, tried=tried)
    return "\n".join(twin_lines(asdict(view), 100))


def test_what_became_of_a_candidate():
    same, differs = Agreement(True, compared=9), Difference("result['total']", "1450", "1000")
    runs = [Ran("live", True, 1), Ran("control 1", True, reached=["/srv/shop.py:3"])]
    runs += [Ran("control 2", True, reached=[]), Ran("candidate", True)]
    found = Agreement(False, differences=[differs])
    text = shown(Tried("a fix", "ab" * 32, [same, same], found, "1450", fails=True, runs=runs))
    for part in (
        "candidate a fix, digest abababababab",
        "control 1 agrees: 9 values compared",
        "the candidate, beside control 1, differs: result['total']",
        "the live call came to 1450",
        "changed lines reached by control 1: /srv/shop.py:3\n",
        "changed lines reached by control 2: none\n",
        "changed lines reached by candidate: unknown\n",
        "it is a failing call: yes",
        "      control    1450\n      candidate  1000\n",
    ):
        assert part in text, part
    text = shown(Tried("a fix", "ab" * 32, [same, same], None, obstacle="line 3 calls f"))
    assert "the candidate was not tried: line 3 calls f" in text
    assert "\x1b" not in shown(Tried(EVIL, EVIL, [Agreement(None, EVIL)], None, EVIL))
