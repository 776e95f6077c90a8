"""Why nothing arrives: each reason leads to where something would."""

import importlib
import warnings

import pytest

from leadline.agent.locate.files import nearest, nearest_names
from leadline.agent.locate.reasons import syntax_error
from leadline.wire.probe import CounterProbe, Status

LINES = '''\
"""What this is."""
import os

level = os.sep


def work(
    first,
    second,
):
    """Work.

    Really.
    """
    total = sum(
        [
            first,

            # one more
        ]
    )
    if first:
        pass
    else:
        total = 2
    try:
        global level
        level = total
    finally:
        total = """
        text
        """

    # the end
    return total


@property
class Strange:
    x = 1
'''


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (5, "Line 5 is blank."),
        (18, "Line 18 is part of the statement that begins at line 15."),
        (19, "Line 19 is part of the statement that begins at line 15."),
        (24, "Line 24 is only `else:`, which has no code of its own."),
        (27, "Line 27 is `global`, which leaves no code behind."),
        (29, "Line 29 is only `finally:`, which has no code of its own."),
        (31, "Line 31 is part of the statement that begins at line 30."),
        (34, "Line 34 is a comment."),
        (4, "Line 4 is in no function that is loaded; code at a module's own level runs once"),
        (41, "Line 41 is beyond the end: the file has 40 lines."),
        (900, "Line 900 is beyond the end: the file has 40 lines."),
    ],
)
def test_a_line_without_code_says_what_it_is(soundings, make_module, line, said) -> None:
    make_module("lined", LINES)
    state = soundings.state(soundings.log(f"lined.py:{line}"))
    assert state.status is Status.ERROR
    assert said in state.reason
    assert state.reason.endswith("[line-not-executable]")


@pytest.mark.parametrize("line", [18, 31])
def test_the_same_is_said_when_the_module_comes_later(soundings, make_module, line) -> None:
    make_module("lined", LINES, load=False)
    probe = soundings.log(f"lined.py:{line}")
    importlib.import_module("lined")
    soundings.tick()
    assert "is part of the statement" in soundings.state(probe).reason


def test_the_file_has_changed_is_said_of_a_line(soundings, make_module, tmp_path) -> None:
    make_module("older", "def work(x):\n    y = (\n        x\n    )\n\n    return y\n")
    (tmp_path / "older.py").write_text(
        "def work(x):\n    y = 1\n    z = 2\n    a = 3\n    b = 4\n"
    )
    state = soundings.state(soundings.log("older.py:5"))
    assert state.status is Status.ERROR
    assert "the file on disk has changed since it was loaded" in state.reason


BROKEN = "import os\n\n\ndef fine():\n    return '\\d'\n\n\ndef work(:\n    return 1\n"


def test_a_file_that_cannot_be_imported_is_said_with_its_line(
    soundings, make_module, tmp_path
) -> None:
    make_module("broken_file", BROKEN, load=False)
    state = soundings.state(soundings.log("broken_file.py:9"))
    assert state.status is Status.PENDING
    assert "cannot be imported: line 8 is not Python (" in state.reason
    named = soundings.state(soundings.place(CounterProbe, "broken_file:work"))
    assert "cannot be imported: line 8 is not Python (" in named.reason


def test_looking_for_syntax_errors_warns_of_nothing() -> None:
    """A warning would be printed in the application's name, or raise in its filters."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("argparse", "typing", "asyncio.tasks", "datetime", "decimal"):
            assert syntax_error(importlib.import_module(name).__file__) == ""
    assert caught == []


@pytest.mark.parametrize(
    "source",
    [
        'x = "\\d"\n',
        "x = b'\\N'\n",
        "if 1if 2else 3: pass\n",
        "x = 0x1for y in z\n",
        "x is 1\n",
    ],
)
def test_source_that_python_warns_of_is_read_in_silence(tmp_path, source) -> None:
    path = tmp_path / "warned.py"
    path.write_text(source)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        syntax_error(str(path))
    assert caught == []


def test_a_file_that_does_not_exist_names_what_is_beside_it(soundings, tmp_path) -> None:
    (tmp_path / "pricing.py").write_text("x = 1\n")
    state = soundings.state(soundings.log(f"{tmp_path}/pricings.py:1"))
    assert state.status is Status.PENDING
    assert f"there is no file {tmp_path}/pricings.py" in state.reason
    assert f"nearest: {tmp_path}/pricing.py" in state.reason


def test_the_nearest_file_is_one_that_could_be_imported(
    soundings, tmp_path, monkeypatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "voucher.py").write_text("x = 1\n")
    state = soundings.state(soundings.log("shop/vouchers.py:1"))
    assert "shop/voucher.py" in state.reason


def test_the_nearest_of_many_goes_by_the_folders_too() -> None:
    known = [f"/srv/app{number}/models.py" for number in range(100)]
    assert nearest("srv/app42/model.py", known)[0] == "/srv/app42/models.py"


def test_a_file_known_by_two_paths_is_named_once(tmp_path) -> None:
    for name in ("order.py", "border.py"):
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "link").symlink_to(tmp_path)
    known = [f"{tmp_path}/order.py", f"{tmp_path}/border.py"]
    twice = [*known, *known, f"{tmp_path}/./order.py", f"{tmp_path}/link/order.py"]
    assert nearest("ordr.py", twice) == known


def test_one_slip_of_the_finger_leaves_a_name_near() -> None:
    for slip in ("plaec", "lpace", "plac", "placce", "plave"):
        assert nearest_names(slip, ["remove", "place", "count"]) == ["place"]
        assert nearest(f"{slip}.py", ["/a/remove.py", "/a/place.py"]) == ["/a/place.py"]
    assert nearest_names("set", ["get", "sat"]) == []  # too short for a slip


@pytest.mark.soak
def test_many_probes_that_wait_are_explained_in_the_end(soundings, make_module) -> None:
    probes = [soundings.log(f"nowhere/at/all{number}.py:1") for number in range(80)]
    for _ in range(400):
        soundings.tick(1.0)
        if not any(soundings.registry.standing(probe).unexplained for probe in probes):
            break
    for probe in probes:
        assert "no loaded file ends with nowhere/at/all" in soundings.state(probe).reason
