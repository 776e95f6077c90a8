"""Candidates that crash, hang, flood, and try to get out: the verdict stays honest."""

from contextlib import suppress

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
from leadline.verify import places, verifying
from leadline.verify.verifying import Request, verify
from leadline.wire.errors import RefusedError, UnavailableError

SOURCE = """\
import os

def double(x):
    return x * 2
"""


SHUT = """
def _shut(n):
    try:
        os.fstat(n)
    except OSError:
        return True
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "doubling.py").write_text(SOURCE)
    with imported(tmp_path, "doubling"):
        yield tmp_path


def judged(folder, new, within_s=1.0, beside=()):
    changes = [of_texts(str(folder / "doubling.py"), SOURCE, new)]
    changes += [of_texts(str(folder / name), None, text) for name, text in dict(beside).items()]
    candidate = make("new", changes)
    calls = captured("doubling:double", [(1,), (2,)])
    request = Request("s", "doubling:double", calls, home(folder), candidate, within_s=within_s)
    return verify(request).report


def body(text):
    return SOURCE.replace(
        "    return x * 2\n", "".join(f"    {one}\n" for one in text.split("; "))
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("while True: pass", "it had not ended after 1 s"),
        ("os._exit(0)", "it ended before it had said"),
        ("os.kill(os.getpid(), 11)", "it crashed (SIGSEGV)"),
        ("open('OUT', 'w'); return x * 2", "Permission denied"),
        ("os.write(3, b'}{' * 99); return x * 2", "changes behaviour|unknown|no difference"),
        ("[os.write(n, b'no\\n') for n in range(3, 40) if not _shut(n)]; return 2", "unknown"),
    ],
)
def test_a_candidate_that_does_not_behave_proves_nothing_good(folder, text, reason):
    new = body(text.replace("OUT", str(folder / "out")))
    new += SHUT
    found = judged(folder, new)
    assert found.verdict not in ("fixed", "no longer fails")
    if "|" not in reason:
        assert found.verdict in ("unknown", "changes behaviour")
        said = found.reason + "".join(one.candidate for one in found.cases)
        assert reason in said + found.verdict
    assert not (folder / "out").exists()


def test_where_none_of_the_first_calls_ends_the_next_are_not_run(folder, monkeypatch):
    for module in (places, verifying):
        monkeypatch.setattr(module, "ENDLESS", 1)
    found = judged(folder, body("while True: pass"), 0.1)
    assert (found.verdict, found.runs, found.shares.calls) == ("unknown", 3, 2)
    assert found.notes[0].startswith("1 calls were not run: none of the first 1 had ended")
    assert "--within" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("open('/tmp/never', 'w')", "PermissionError"),
        ("raise ValueError('at import')", "ValueError: at import"),
        ("import os; os._exit(3)", "cannot be imported"),
        ("x = (", "cannot be compiled"),
        ("del double", "doubling has no function double"),
    ],
)
def test_a_candidate_that_cannot_be_imported_is_refused(folder, text, said):
    with pytest.raises(RefusedError) as refused:
        judged(folder, f"{SOURCE}\n{text}\n")
    assert refused.value.slug == "not-applicable"
    assert said in refused.value.message


def test_a_new_file_under_the_name_of_what_is_loaded_is_refused(folder):
    with pytest.raises(RefusedError, match=r"json is loaded from elsewhere"):
        judged(folder, SOURCE, beside={"json.py": "def ours():\n    return 1\n"})


def test_nothing_beside_the_code_runs_outside_of_the_seal(folder, monkeypatch):
    """Not in the folder of somebody's work, nor in that of the service, whatever its name."""
    mark = folder / "mark"
    text = f"""\
import os
try:
    os.close(os.open({str(mark)!r}, os.O_CREAT | os.O_WRONLY))
except OSError:
    pass
"""
    package = folder / "leadline"
    package.mkdir()
    (package / "__init__.py").write_text(text)
    names = ("ast", "difflib", "json", "random", "socket", "tempfile", "typing", "inspect",
             "dataclasses", "sitecustomize", "usercustomize", "signal", "pathlib")  # fmt: skip
    for name in names:
        (folder / f"{name}.py").write_text(text)
    monkeypatch.chdir(folder)
    with suppress(RefusedError, UnavailableError):  # such a service does not run anywhere
        judged(folder, SOURCE.replace("x * 2", "2 * x"))
    assert not mark.exists()
    (folder / "tempfile.py").rename(folder / "other.py")
    exec((folder / "other.py").read_text(), {})  # it would have been seen
    assert mark.exists()
