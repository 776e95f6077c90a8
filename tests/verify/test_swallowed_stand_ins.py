"""What was withheld, and refused by code in C, whose error the service has caught."""

from pathlib import Path

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
from leadline.verify.verifying import Request, verify

OLD = """\
def answered(environ, n):
    try:
        said = %s
        return {"status": 200, "q": 10 // (n %% 3), "said": said}
    except Exception:
        return {"status": 500}
"""
FAILS, EXPECT = 'result["status"] == 500', 'result["status"] == 200'


@pytest.mark.parametrize(
    "asks",
    [
        'len(";".join([environ["password"]]))',
        'len(str.encode(environ["password"]))',
        'bool(environ["password"].partition("=")[0])',
    ],
)
def test_a_run_that_hands_it_to_code_in_c_is_unknown_also_where_that_was_caught(
    tmp_path: Path, asks: str
) -> None:
    """The 500 of a control is then not that of the live call, though the two look alike."""
    old = OLD % asks
    new = old.replace("10 // (n % 3)", "10 // (n % 3) if n % 3 else 0")
    file = tmp_path / "held_of_it.py"
    file.write_text(old, "utf-8")
    given = [({"password": "winter"}, n) for n in range(8)]
    with imported(tmp_path, "held_of_it"):
        calls = captured("held_of_it:answered", given, FAILS)
    tried = make("other", [of_texts(str(file), old, new)])
    request = Request("x", "held_of_it:answered", calls, home(tmp_path), tried, FAILS, EXPECT)
    found = verify(request).report
    assert found.verdict in ("unknown", "not exercised"), found.sentence
    assert found.shares.agreed == 0
    assert any("looked at it" in str(case) for case in found.cases), found
