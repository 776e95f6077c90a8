"""A diff whose files have it already: it is verified where the service still runs what was
before, and nowhere else."""

import difflib

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.agent.loaded_code import loaded_code
from leadline.agent.state import held_by_modules
from leadline.trial.candidate import from_diff
from leadline.verify.calls import joined_code
from leadline.verify.sources import finder
from leadline.verify.verifying import Request, verify
from leadline.wire.call import NOT_LOOKED_AT
from leadline.wire.errors import RefusedError
from leadline.wire.struct import replace

OLD = """\
import functools

RATE = 2

@functools.cache
def rated(n):
    return n * RATE

class Share:
    def of(self, n):
        return 10 // (n % 3) if n else 0

def f(n):
    return {"q": Share().of(n), "r": rated(n), "all": sorted(n for n in range(3))}
"""
FIX = ("10 // (n % 3)", "10 // (n % 3 or 1)")
EARLIER = ("return n * RATE", "return RATE * n * 1")


@pytest.fixture(autouse=True)
def nothing_compiled_is_kept(monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)  # texts as long of the same second


def diff_of(old, new, name="mended.py"):
    lines = (text.splitlines(keepends=True) for text in (old, new))
    return "".join(difflib.unified_diff(*lines, f"a/{name}", f"b/{name}"))


def verified(folder, loaded, diff, disk, at_capture=None, **more):
    """Return the report where a service has `loaded` that text, with another on the disk when
    its calls were captured, and then `disk`."""
    file = folder / "mended.py"
    file.write_text(loaded)
    with imported(folder, "mended"):
        calls = captured("mended:f", [(n,) for n in range(1, 13)], "raises ZeroDivisionError")
        file.write_text(at_capture or loaded)
        known = {"code": loaded_code(str(file)), "state": held_by_modules(str(file))}
    file.write_text(disk)
    where = replace(home(folder), **known | more)
    candidate = from_diff(diff, finder(where.path, where.cwd), folder=str(folder))
    asked = ("raises ZeroDivisionError", "'q' in result")
    return verify(Request("s", "mended:f", calls, where, candidate, *asked, least=1)).report


@pytest.mark.soak
@pytest.mark.parametrize("edited_first", [False, True], ids=["before", "after"])
def test_where_the_service_runs_what_was_before_it_is_verified(tmp_path, edited_first):
    new = OLD.replace(*FIX)
    report = verified(tmp_path, OLD, diff_of(OLD, new), new, new if edited_first else OLD)
    assert report.verdict == "fixed", report.sentence
    (said,) = (note for note in report.notes if "mended.py" in note)
    assert said.endswith("already: what the service has loaded is the text before it")


@pytest.mark.soak
def test_a_value_of_a_module_tells_as_well(tmp_path):
    new = OLD.replace("RATE = 2", "RATE = 3")
    report = verified(tmp_path, OLD, diff_of(OLD, new), new)
    assert report.verdict == "not fixed", report.sentence
    with pytest.raises(RefusedError, match="nothing tells which one the service has loaded"):
        verified(tmp_path, OLD, diff_of(OLD, new), new, state={})
    with pytest.raises(RefusedError, match="nothing tells which one the service has loaded"):
        verified(tmp_path, new, diff_of(OLD, new), new)


REFUSED = {
    "the new one": ({"loaded": OLD.replace(*FIX)}, "the service has loaded the file with it"),
    "an earlier one": ({"loaded": OLD.replace(*EARLIER)}, "without it the file is not what"),
    "not told": ({"loaded": OLD, "code": {}}, "it is not known what the service has loaded"),
    "not looked at": ({"loaded": OLD, "code": None}, "it is not known what the service has"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_where_it_is_not_sure_that_it_does_nothing_is_verified(tmp_path, which):
    more, why = REFUSED[which]
    if more.get("code", {}) is None:
        more = {**more, "code": {str(tmp_path / "mended.py"): [NOT_LOOKED_AT]}}
    new = OLD.replace(*FIX)
    with pytest.raises(RefusedError, match=why):
        verified(tmp_path, diff=diff_of(OLD, new), disk=new, **more)


@pytest.mark.soak
def test_of_processes_that_run_different_versions_nothing_is_sure(tmp_path):
    new = OLD.replace(*FIX)
    ran = []
    for number, text in enumerate((OLD, new)):
        (tmp_path / str(number)).mkdir()
        file = tmp_path / str(number) / "mended.py"
        file.write_text(text)
        with imported(file.parent, "mended"):
            ran.append({str(tmp_path / "mended.py"): loaded_code(str(file))[str(file)]})
    diff = diff_of(OLD, new)
    report = verified(tmp_path, OLD, diff, new, code=joined_code(ran[:1]))
    assert report.verdict == "fixed", report.sentence
    with pytest.raises(RefusedError, match="without it the file is not what"):
        verified(tmp_path, OLD, diff, new, code=joined_code(ran))


def test_a_file_that_was_made_is_one_where_the_service_has_not_loaded_it(tmp_path):
    new = "import extra\n" + OLD.replace("10 // (n % 3)", "extra.share(n)")
    made = "def share(n):\n    return 10 // (n % 3 or 1)\n"
    (tmp_path / "extra.py").write_text(made)
    diff = f"{diff_of(OLD, new)}--- /dev/null\n+++ b/extra.py\n@@ -0,0 +1,2 @@\n"
    diff += "".join(f"+{line}\n" for line in made.splitlines())
    report = verified(tmp_path, OLD, diff, new)
    assert report.verdict == "fixed", report.sentence
    assert any("extra.py is there already" in note for note in report.notes)
    known = {str(tmp_path / "mended.py"): [], str(tmp_path / "extra.py"): []}
    with pytest.raises(RefusedError, match=r"extra.py has the change already, and the service"):
        verified(tmp_path, OLD, diff, new, code=known)


@pytest.mark.soak
def test_that_a_file_was_edited_otherwise_is_noted(tmp_path):
    edited = OLD.replace(*EARLIER)
    diff = diff_of(edited, edited.replace(*FIX))
    report = verified(tmp_path, OLD, diff, edited)
    assert report.verdict == "fixed", report.sentence
    assert any("mended.py is not what the service has loaded" in note for note in report.notes)
    report = verified(tmp_path, OLD, diff_of(OLD, OLD.replace(*FIX)), OLD)
    assert not any("not what the service has loaded" in note for note in report.notes)
