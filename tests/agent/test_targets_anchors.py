"""What ties a probe to its line: the same function is followed, another one is refused."""

import importlib
from dataclasses import replace

import pytest

from leadline.agent.locate.anchor import SourceMismatchError, anchor_of, follow
from leadline.agent.locate.lines import nested
from leadline.agent.locate.place import place
from leadline.agent.locate.running import is_source_of
from leadline.agent.locate.text import Text
from leadline.wire.probe import Anchor, CounterProbe, LogProbe, Status, TimerProbe
from leadline.wire.target import Target

FIRST = """\
import math


def other(x):
    return x


@math.cos.__class__ and (lambda f: f)
def quote(price, count):
    # how many
    total = price * count

    total = total + 1
    return total


class Basket:
    def total(self):
        return 1
"""


def moved(source: str, lines: int = 3) -> str:
    return "'''new'''\n" * lines + source


def anchor_at(soundings, line: int, file: str = "first") -> Anchor:
    state = soundings.state(soundings.log(f"{file}.py:{line}"))
    assert state.anchor is not None, state.reason
    return state.anchor


def placed(soundings, target: str, anchor: Anchor, **options):
    return soundings.state(
        soundings.place(LogProbe, target, template="x", anchor=anchor, **options)
    )


def test_an_anchor_is_the_text_the_function_and_what_it_is_made_of(
    soundings, make_module
) -> None:
    make_module("first", FIRST)
    anchor = anchor_at(soundings, 13)
    assert (anchor.text, anchor.function) == ("total = total + 1", "quote")
    digest, _, place_in_it = anchor.digest.partition(":")
    assert len(digest) == 16
    assert place_in_it == "3"  # decorator, def, one statement: comments and blanks do not count


def test_the_same_function_is_followed_to_another_line(soundings, make_module) -> None:
    make_module("first", FIRST)
    anchor = anchor_at(soundings, 13)
    module = make_module(
        "second", moved(FIRST.replace("# how many", "# how many\n\n    # new"))
    )
    state = placed(soundings, "second.py:13", anchor)
    assert state.status is Status.ARMED, state.reason
    assert state.line == 18
    assert "followed from line 13 to 18: the function is the same" in state.reason
    module.quote(1, 2)
    assert soundings.messages() == ["x"]


def test_a_function_that_is_indented_otherwise_is_the_same(soundings, make_module) -> None:
    make_module(
        "first",
        "if True:\n    def work(x):\n        if x:\n            x = 1\n        return x\n",
    )
    anchor = anchor_at(soundings, 4)
    make_module("second", "def work(x):\n    if x:\n        x = 1\n    return x\n")
    assert placed(soundings, "second.py:4", anchor).line == 3


def test_of_lines_that_read_the_same_the_same_one_is_followed(soundings, make_module) -> None:
    source = "def work(x):\n    x += 1\n    x += 1\n    x += 1\n    return x\n"
    make_module("first", source)
    anchor = anchor_at(soundings, 3)
    make_module("second", moved(source, 1))
    assert placed(soundings, "second.py:3", anchor).line == 4


def test_a_changed_function_whose_line_stands_where_it_stood_is_armed_and_said(
    soundings, make_module
) -> None:
    make_module("first", FIRST)
    anchor = anchor_at(soundings, 13)
    make_module("second", FIRST.replace("return total", "return 2 * total"))
    state = placed(soundings, "second.py:13", anchor)
    assert (state.status, state.line) == (Status.ARMED, 13)
    assert "quote has changed, but not this line" in state.reason


def test_a_changed_function_whose_line_has_moved_is_refused_with_both_texts(
    soundings, make_module
) -> None:
    make_module("first", FIRST)
    anchor = anchor_at(soundings, 13)
    module = make_module("second", moved(FIRST, 1).replace("return total", "return 2 * total"))
    state = placed(soundings, "second.py:12", replace(anchor))
    assert state.status is Status.MISMATCH
    assert state.expected == "total = total + 1"
    assert state.source == "total = price * count"
    assert "is not the same function as then" in state.reason
    assert "nearest line that reads 'total = total + 1' is 14" in state.reason
    assert state.reason.endswith("[source-mismatch]")
    module.quote(1, 2)
    assert soundings.messages() == []


def test_a_line_that_is_in_another_function_now_is_refused(soundings, make_module) -> None:
    make_module("first", "def one():\n    return 1\n")
    anchor = anchor_at(soundings, 2)
    make_module("second", "def two():\n    return 1\n")
    state = placed(soundings, "second.py:2", anchor)
    assert state.status is Status.MISMATCH
    assert "Line 2 is no longer in one." in state.reason


def test_an_anchor_of_a_persons_checkout_is_a_text_alone(soundings, make_module) -> None:
    make_module("second", moved(FIRST, 1))
    for text in ("total = total + 1", "  total  =  total + 1"):
        assert placed(soundings, "second.py:14", Anchor(text)).status is Status.ARMED
    wrong = placed(soundings, "second.py:13", Anchor("total = total + 1"))
    assert wrong.status is Status.MISMATCH
    assert wrong.source == ""
    assert "nearest line that reads 'total = total + 1' is 14" in wrong.reason
    gone = placed(soundings, "second.py:400", Anchor("total = 0"))
    assert "the file has" in gone.reason
    assert "No line of the file reads 'total = 0'." in gone.reason


def test_the_head_of_a_function_keeps_its_anchor(soundings, make_module) -> None:
    """A probe on `def` stands at the first statement, and nothing has moved."""
    make_module("first", FIRST)
    anchor = anchor_at(soundings, 9)
    assert anchor.text == "total = price * count"
    state = placed(soundings, "first.py:9", anchor)
    assert (state.status, state.line) == (Status.ARMED, 11)
    assert "followed" not in state.reason
    person = placed(soundings, "first.py:9", Anchor("def quote(price, count):"))
    assert (person.status, person.line) == (Status.ARMED, 11)


def test_secrets_in_lines_are_compared_and_digested_blank(soundings, make_module) -> None:
    source = 'def login():\n    token = "abc"  # mine\n    return token\n'
    make_module("first", source)
    anchor = anchor_at(soundings, 2)
    assert "abc" not in anchor.text
    assert "mine" not in anchor.text
    make_module("second", moved(source.replace("abc", "xyz")))
    assert placed(soundings, "second.py:2", anchor).line == 5
    person = Anchor('token = "abc"  # mine'.replace("  ", " "))
    assert placed(soundings, "first.py:2", person).status is Status.ARMED
    assert placed(soundings, "first.py:3", person).status is Status.MISMATCH


def test_both_lines_of_a_timer_are_followed(soundings, make_module) -> None:
    make_module("first", FIRST)
    timer = soundings.place(TimerProbe, "first.py:11", until=Target("first.py", 14))
    anchor = soundings.state(timer).anchor
    apart = FIRST.replace("\n\n    total", "\n\n\n\n    total")
    module = make_module("second", moved(apart, 5))
    other = soundings.place(
        TimerProbe, "second.py:11", until=Target("second.py", 14), anchor=anchor
    )
    assert "followed from line 11 to 16" in soundings.state(other).reason
    module.quote(1, 2)
    assert [point.count for point in soundings.points()] == [1]


def test_a_function_as_target_says_when_it_has_changed(soundings, make_module) -> None:
    make_module("first", FIRST)
    anchor = soundings.state(soundings.place(CounterProbe, "first:quote")).anchor
    make_module("second", FIRST.replace("+ 1", "+ 2"))
    same = soundings.state(soundings.place(CounterProbe, "first:quote", anchor=anchor))
    assert same.reason == ""
    changed = soundings.state(soundings.place(CounterProbe, "second:quote", anchor=anchor))
    assert changed.status is Status.ARMED
    assert "the function has changed since the probe was placed" in changed.reason


def test_an_anchored_probe_is_armed_before_the_first_line_of_its_module(
    soundings, make_module
) -> None:
    """Where its line will be is found out while the module is not there yet."""
    make_module("first", "def work(x):\n    return x\nwork(1)\n")
    anchor = anchor_at(soundings, 2)
    make_module("third", "# new\ndef work(x):\n    return x\nwork(2)\n", load=False)
    probe = soundings.place(LogProbe, "third.py:2", template="x={x}", anchor=anchor)
    importlib.import_module("third")
    assert soundings.messages() == ["x=2"]
    soundings.tick()
    state = soundings.state(probe)
    assert (state.status, state.line, state.source) == (Status.ARMED, 3, "return x")
    assert state.anchor == anchor


def test_a_module_that_comes_in_another_version_is_never_armed(soundings, make_module) -> None:
    make_module("first", "def work(x):\n    return x\n")
    anchor = anchor_at(soundings, 2)
    make_module("third", "def work(x):\n    return -x\nwork(2)\n", load=False)
    probe = soundings.place(LogProbe, "third.py:2", template="x={x}", anchor=anchor)
    importlib.import_module("third")
    soundings.tick()
    assert soundings.messages() == []
    state = soundings.state(probe)
    assert state.status is Status.MISMATCH
    assert (state.expected, state.source) == ("return x", "return -x")


def test_what_was_foreseen_and_is_not_so_is_taken_back(
    soundings, make_module, tmp_path
) -> None:
    """The file changes between the look at it and the import."""
    make_module("first", "def work(x):\n    return x\n")
    anchor = anchor_at(soundings, 2)
    make_module("third", "def work(x):\n    return x\n", load=False)
    probe = soundings.place(LogProbe, "third.py:2", template="x={x}", anchor=anchor)
    (tmp_path / "third.py").write_text("def work(x):\n    return 10 * x\n")
    module = importlib.import_module("third")
    soundings.tick()
    assert soundings.state(probe).status is Status.MISMATCH
    soundings.messages()
    module.work(1)
    assert soundings.messages() == []


def test_a_mismatch_ends_when_the_right_version_is_loaded(
    soundings, make_module, tmp_path
) -> None:
    make_module("first", "def work(x):\n    return x\n")
    anchor = anchor_at(soundings, 2)
    module = make_module("third", "def work(x):\n    return 10 * x  # longer\n")
    probe = soundings.place(LogProbe, "third.py:2", template="x={x}", anchor=anchor)
    assert soundings.state(probe).status is Status.MISMATCH
    (tmp_path / "third.py").write_text("# new\ndef work(x):\n    return x\n")
    importlib.reload(module)
    soundings.tick()
    assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
    module.work(5)
    assert soundings.messages() == ["x=5"]


def test_a_module_that_is_reloaded_changed_is_followed(
    soundings, make_module, tmp_path
) -> None:
    module = make_module("again", "def work(x):\n    return x\n")
    probe = soundings.log("again.py:2", "x={x}")
    (tmp_path / "again.py").write_text("# one\n# two\ndef work(x):\n    return x\n")
    importlib.reload(module)
    soundings.tick()
    state = soundings.state(probe)
    assert (state.status, state.line) == (Status.ARMED, 4), state.reason
    module.work(7)
    assert soundings.messages() == ["x=7"]


def test_a_file_that_was_changed_after_it_was_loaded_is_no_anchor(
    soundings, make_module, tmp_path
) -> None:
    make_module("first", FIRST)
    (tmp_path / "first.py").write_text(moved(FIRST))
    state = soundings.state(soundings.log("first.py:13"))
    assert state.status is Status.ARMED
    assert state.anchor is None
    assert "the file on disk has changed since it was loaded" in state.reason
    anchored = placed(soundings, "first.py:13", Anchor("total = total + 1", "quote"))
    assert anchored.status is Status.MISMATCH
    assert "the file on disk has changed since it was loaded" in anchored.reason


def test_without_a_source_nothing_is_compared_and_that_is_said(
    soundings, make_module, tmp_path
) -> None:
    module = make_module("first", FIRST)
    anchor = Anchor("total = 0", "quote", "0123456789abcdef:3")
    (tmp_path / "first.py").unlink()
    state = placed(soundings, "first.py:13", anchor)
    assert state.status is Status.ARMED, state.reason
    assert "its source cannot be read" in state.reason
    module.quote(1, 2)
    assert soundings.messages() == ["x"]


def test_what_the_server_says_back_changes_nothing_here(soundings, make_module) -> None:
    """The anchor that comes from here must not begin the probe anew."""
    module = make_module("first", FIRST)
    probe = soundings.log("first.py:13")
    module.quote(1, 2)
    known = soundings.registry.standing(probe)
    soundings.registry.add([replace(known.probe, anchor=known.state.anchor)])
    assert soundings.registry.standing(probe) is known
    assert known.probe.anchor is not None
    assert sum(known.now().fates.values()) == 1


EDITS = [
    ("x + 1", "x - 1"),
    ("x + 1", "x + 2"),
    ("x < 3", "x > 3"),
    ("work", "walk"),
    ("'north'", "'south'"),
    ("def", "\ndef"),
    ("    y", "    # one\n    y"),
    ("y = ", "z = "),
    ("True", "None"),
    ("value", "other"),
]


@pytest.mark.parametrize(("old", "new"), EDITS)
def test_an_edit_of_the_file_is_noticed(old, new) -> None:
    source = (
        "def work(x, value):\n    y = x + 1\n    if x < 3:\n        return True\n"
        "    return (value.name, 'north', y)\n"
    )
    code = next(one for one in nested(compile(source, "f", "exec")) if one.co_name == "work")
    assert is_source_of(code, Text("f", tuple(source.split("\n"))))
    edited = source.replace(old, new)
    assert not is_source_of(code, Text("f", tuple(edited.split("\n"))))


def test_the_sources_of_the_standard_library_are_recognised() -> None:
    """And no line of another place is taken for them."""
    checked = 0
    for name in ("argparse", "json.decoder", "asyncio.tasks", "dataclasses", "typing"):
        file = importlib.import_module(name).__file__
        with open(file, encoding="utf-8") as stream:
            source = stream.read()
        text = Text(file, tuple(source.split("\n")))
        shifted = Text(file, ("# one more", *text.lines))
        for code in nested(compile(source, file, "exec", dont_inherit=True)):
            assert is_source_of(code, text), (name, code.co_qualname)
            if code.co_name.isidentifier():
                assert not is_source_of(code, shifted), (name, code.co_qualname)
                checked += 1
    assert checked > 500


def test_following_is_the_inverse_of_anchoring(tmp_path) -> None:
    """Each line of each function of a real module, after ten lines were put above it."""
    with open(importlib.import_module("textwrap").__file__, encoding="utf-8") as stream:
        source = stream.read()
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    old.write_text(source, "utf-8")
    new.write_text("# new\n" * 10 + source, "utf-8")
    first, second = (
        [
            code
            for code in nested(compile(path.read_text("utf-8"), str(path), "exec"))
            if code.co_name.isidentifier() and code.co_flags & 1
        ]
        for path in (old, new)
    )
    followed = 0
    for code in first:
        for line in sorted({line for *_, line in code.co_lines() if line}):
            try:
                site = place([code], line, frozenset()).sites[0]
            except Exception:  # noqa: BLE001 - not every line can be probed
                continue
            anchor, why = anchor_of(site)
            assert anchor is not None, why
            there = follow(second, line, anchor).line
            assert place(second, there, frozenset()).sites[0].line == site.line + 10
            followed += 1
    assert followed > 100


def test_a_mismatch_is_an_error_with_both_texts() -> None:
    error = SourceMismatchError("message", "expected", "found")
    assert (error.slug, error.expected, error.found) == ("source-mismatch", "expected", "found")
