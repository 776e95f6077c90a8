"""What a program has set with functions of `sys` when it started holds in fresh places too."""

from pathlib import Path

from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
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


def verified(folder: Path, new: str, k: int, **limits: int) -> Report:
    """Verify a candidate on calls that were made where the program had these limits."""
    file = folder / "deep_of_it.py"
    file.write_text(OLD, "utf-8")
    with imported(folder, "deep_of_it"):
        calls = captured("deep_of_it:many", [(n, k) for n in range(10)], FAILS)
    tried = make("other", [of_texts(str(file), OLD, new)])
    place, expect = replace(home(folder), **limits), 'result["q"] == 0'
    request = Request("x", "deep_of_it:many", calls, place, tried, FAILS, expect)
    return verify(request).report


def test_limits_of_a_program_hold_in_fresh_places(tmp_path: Path) -> None:
    limits = {"recursion_limit": 20_000, "max_str_digits": 0}
    found = verified(tmp_path, NEW, 2_000, **limits)
    assert found.verdict == "fixed", found.sentence
