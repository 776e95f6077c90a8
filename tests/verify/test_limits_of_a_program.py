"""What a program has set with functions of `sys` when it started holds in fresh places too, and
so do the options of its interpreter."""

import sys
from pathlib import Path

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline import native
from leadline.agent.capture.keeping import keep
from leadline.trial.candidate import make, of_texts
from leadline.trial.place import Begin, Order
from leadline.verify.places import Place
from leadline.verify.report import Report
from leadline.verify.verifying import Request, verify
from leadline.wire.struct import replace

OLD = """\
def many(n, k):
    total = 0
    for _ in range(k):
        total += 1
    return {"q": 10 // (n % 3), "v": total}
"""
NEW = """\
def deep(k):
    return 1 + deep(k - 1) if k else 0


def many(n, k):
    assert len(str(10**5000)) == 5001
    return {"q": 10 // (n % 3) if n % 3 else 0, "v": deep(k)}
"""
FAILS = "raises ZeroDivisionError"


SHOWN = """\
import sys
import warnings


def deep(k):
    return 1 + deep(k - 1) if k else sys.getrecursionlimit()


def plain(k):
    return deep(k)


async def later(k):
    return deep(k)


def each(k):
    yield deep(k)


def options(k):
    assert not k
    warnings.warn("this is old", DeprecationWarning)
    return k
"""


def verified(folder: Path, new: str, k: int, **limits: int) -> Report:
    """Verify a candidate on calls that were made where the program had these limits."""
    file = folder / "deep_of_it.py"
    file.write_text(OLD, "utf-8")
    with imported(folder, "deep_of_it"):
        calls = captured("deep_of_it:many", [(n, k) for n in range(10)], FAILS)
    tried = make("other", [of_texts(str(file), OLD, new)])
    place, expect = replace(home(folder), **limits), 'result["q"] == 0'
    request = Request("x", "deep_of_it:many", calls, place, tried, FAILS, expect, least=5)
    return verify(request).report


def test_limits_of_a_program_hold_in_fresh_places(tmp_path: Path) -> None:
    limits = {"recursion_limit": 20_000, "max_str_digits": 0}
    found = verified(tmp_path, NEW, 2_000, **limits)
    assert found.verdict == "fixed", found.sentence


@pytest.mark.parametrize("core", ["", "pure"])
def test_a_call_is_as_deep_on_the_stack_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, core: str
) -> None:
    """Within one call: what watches the run needs that at the very end of the stack."""
    monkeypatch.setenv(native.SETTING, core)
    (tmp_path / "shown_of_it.py").write_text(SHOWN, "utf-8")
    at, limit = home(tmp_path), 1_000
    begin = Begin(at.path, at.cwd, "shown_of_it:plain", salt="x", recursion_limit=limit)
    place = Place(begin, sys.executable, "1")
    try:
        assert place.ready().ok
        for entry in ("plain", "later", "each"):
            for depth, k, ends in ((304, 690, True), (304, 700, False), (5, 985, True)):
                document = keep([("k", k)]).document or {}
                ran = place.run(Order(1, document, 9, entry=entry, depth=depth))
                found = ran.rerun.outcome
                assert found is not None, ran.rerun.cut
                assert found.returned is ends, (entry, depth, k)
                value = found.yields[0] if found.yields else found.value
                if not ends:
                    assert value["type"] == "RecursionError"
                elif not core:
                    assert value == limit + k
                assert ran.state == {}
    finally:
        place.close()


def test_the_options_of_an_interpreter_hold_in_fresh_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")  # ours
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    (tmp_path / "shown_of_it.py").write_text(SHOWN, "utf-8")
    at = home(tmp_path)
    begin = Begin(at.path, at.cwd, "shown_of_it:options", salt="x")
    given = keep([("k", 3)]).document or {}
    for warnings, flags, ends in (
        ([], {}, "AssertionError"),
        ([], {"optimize": 1}, 3),
        (["error::DeprecationWarning"], {"optimize": 1, "dev_mode": 1}, "DeprecationWarning"),
    ):
        place = Place(replace(begin, warnings=warnings), sys.executable, "1", flags)
        try:
            assert place.ready().ok
            found = place.run(Order(1, given)).rerun.outcome
            assert found is not None
            assert (found.value if found.returned else found.value["type"]) == ends
        finally:
            place.close()
