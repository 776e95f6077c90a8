"""A candidate tried on captured calls in copies of one twin, and what it may try there."""

import contextlib
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadline import native
from leadline.cli.verify_runs import compare
from leadline.trial import candidate
from leadline.verify.calls import CapturedCall, of_view
from leadline.verify.comparison import Compared
from leadline.verify.left import left_behind
from leadline.verify.verdict import Candidate, Control
from leadline.wire.capture_file import call_of
from leadline.wire.sample import call_digest
from leadline.wire.twin import AGAIN, CANDIDATE, CONTROLS
from live import LEADLINE, Leadline, Program
from services.watched import Api
from sites import TWINS
from waiting import wait_for

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())

OUTSIDE = Path("/dev/shm/leadline-sample-never")
PRICE = '        return {"each": amount'
RETURN = '        return {"each": amount * rate("piece") // parts, "first": first}\n'
MANY = 6


class Watched:
    """A desk that runs, with the agent in it."""

    def __init__(self, shore: Leadline, folder: Path, name: str) -> None:
        self.api, self.name, self.file = Api(shore), name, folder / "desk.py"
        for file in (self.file, folder / "tariff.py"):
            shutil.copy(Path(__file__).with_name(file.name), file)
        self.text = self.file.read_text("utf-8")
        command = [LEADLINE, "run", "--service", name, "--", sys.executable, "desk.py", "0.03"]
        self.program = Program(command, folder, TWINS)

    @contextlib.contextmanager
    def running(self) -> Iterator["Watched"]:
        with self.program:
            wait_for(lambda: self.api.instances(self.name), 20, "the desk connects")
            yield self

    @property
    def pid(self) -> int:
        (instance,) = self.api.instances(self.name)
        return int(instance["info"]["pid"])

    def capture(self, entry: str, many: int = MANY, **more: Any) -> list[dict[str, Any]]:
        order = {"kind": "capture", "target": entry, "limits": {"hits": many}, **more}
        status, answer = self.api.ask("POST", f"/v1/services/{self.name}/probes", order)
        assert status == 201, answer
        probe = answer["probe"]["id"]
        hits: list[dict[str, Any]] = wait_for(
            lambda: (found := self.api.hits(probe)) and len(found) >= many and found, 20
        )
        self.api.ask("DELETE", f"/v1/probes/{probe}")
        return hits

    def changed(self, old: str, new: str) -> candidate.Candidate:
        assert self.text.count(old) == 1
        texts = candidate.of_texts(str(self.file), self.text, self.text.replace(old, new))
        return candidate.make("a change", [texts])

    def tariff(self, old: str, new: str) -> candidate.Candidate:
        file = self.file.with_name("tariff.py")
        text = file.read_text("utf-8")
        texts = candidate.of_texts(str(file), text, text.replace(old, new))
        return candidate.make("another tariff", [texts])

    def order(
        self, entry: str, tried: candidate.Candidate, hits: list[dict[str, Any]], **more: Any
    ) -> str:
        calls = [
            [
                hit["id"],
                call_digest(hit["call"]["kept"], hit["call"].get("turns", ())),
                10,
                hit["call"].get("depth", 0),
            ]
            for hit in hits
        ]
        said = {"calls": calls, "fails": "raises ZeroDivisionError", "within_s": 2.0, **more}
        body = {
            "use": "sample", "target": entry, "ttl_s": 60.0, "life_s": 30.0,
            "code": [json.dumps(candidate.encode(tried) | said)],
        }  # fmt: skip
        status, answer = self.api.ask("POST", f"/v1/services/{self.name}/twins", body)
        assert status == 201, answer
        return str(answer["probe"]["id"])

    def answers(self, probe: str) -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
        """Return what is said of each call, and of all of them together."""

        def all_told() -> list[dict[str, Any]]:
            told = [hit["twin"] for hit in self.api.hits(probe)]
            return told if any(not one["tried"]["number"] for one in told) else []

        told = wait_for(all_told, 40)
        self.api.ask("DELETE", f"/v1/probes/{probe}")
        return {one["tried"]["number"]: one["tried"] for one in told[:-1]}, told[-1]

    def tried(
        self, entry: str, change: candidate.Candidate, hits: list[dict[str, Any]], **more: Any
    ) -> tuple[list[Compared], dict[str, Any]]:
        found, end = self.answers(self.order(entry, change, hits, **more))
        assert sorted(found) == list(range(1, len(hits) + 1)), end
        files = {one.file for one in change.changes}
        return [
            compare(_call(number, hit), found[number], files)
            for number, hit in enumerate(hits, 1)
        ], end


def _call(number: int, hit: dict[str, Any]) -> CapturedCall:
    names = ("hit", "time", "instance")
    return of_view(
        number, call_of({k: v for k, v in hit["call"].items() if k not in names}), True
    )


@pytest.fixture(scope="module")
def desk(shore: Leadline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    OUTSIDE.unlink(missing_ok=True)
    with Watched(shore, tmp_path_factory.mktemp("desk"), "desk").running() as made:
        yield made
        (instance,) = wait_for(lambda: made.api.instances("desk"), 20)
        assert (instance["faults"], instance["dropped"]) == ({}, {})
        assert not OUTSIDE.exists()


@pytest.fixture(scope="module")
def prices(desk: Watched) -> list[dict[str, Any]]:
    fails = {"fails": "raises ZeroDivisionError"}
    return desk.capture("desk:Desk.price", **fails)


def left_of(pid: int) -> tuple[set[int], int, int]:
    """Return the children of a process, its descriptors and its threads."""
    children: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended
            children |= {int(one) for one in (task / "children").read_text().split()}
    return children, len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


def test_calls_meet_what_was_around_them_and_a_fix_is_seen(desk, prices):
    fix = desk.changed("// parts", "// (parts or 1)")
    found, end = desk.tried("desk:Desk.price", fix, prices, expect="result['each'] > 0")
    assert (end["end"], end["tried"]["obstacle"], end["lost"]) == ("done", "", 0)
    assert 0 < end["pause_ms"] < end["life_s"] * 1e3
    assert {one.case.control for one in found} == {Control.AGREES}, [one.case for one in found]
    assert all(one.case.reached for one in found)
    failing = [one for one in found if one.case.failed]
    assert failing
    assert [(one.case.still_fails, one.case.expected) for one in failing] == [
        (False, True)
    ] * len(failing)
    others = [one.case.candidate for one in found if not one.case.failed]
    assert set(others) == {Candidate.SAME}


def test_a_call_is_as_deep_on_the_stack_as_it_was(desk, prices):
    down = "(lambda f: f(f, 60))(lambda f, k: f(f, k - 1) if k else 1)"
    fix = desk.changed("// parts", f"// (parts or 1) * {down}")
    good = [hit for hit in prices if not hit["call"]["fails"]][:1]
    deep = [hit | {"call": hit["call"] | {"depth": 950}} for hit in good]
    (one, other), _ = desk.tried("desk:Desk.price", fix, good + deep)
    assert (one.case.candidate, other.case.candidate) == (Candidate.SAME, Candidate.DIFFERS)
    assert "RecursionError" in other.differences[0].rerun


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('        SEEN["calls"] += 1\n', "", "desk.SEEN"),
        ('        SEEN["calls"] += 1\n', '        SEEN["calls"] += 2\n', "desk.SEEN"),
        ('"first": first}', '"first": first + "x"}', "first"),
        ('    return RATES[name]', '    return RATES[name] + 1', "each"),
        ("        first = self.file.read(self.width)\n",
         "        self.more = 1\n        first = self.file.read(self.width)\n",
         "argument self.more"),
    ],
)  # fmt: skip
def test_what_is_changed_beside_the_outcome_is_a_difference(desk, prices, old, new, where):
    found, _ = desk.tried("desk:Desk.price", desk.changed(old, new), prices)
    seen = [one for one in found if one.case.agreed and not one.case.failed]
    assert seen
    for one in seen:
        assert one.case.candidate is Candidate.DIFFERS
        assert where in one.differences[0].where


def test_a_good_call_that_differs_is_made_once_more(desk, prices):
    change = desk.changed('"first": first}', '"first": first + "x"}')
    order = desk.order("desk:Desk.price", change, prices, fails="raises ZeroDivisionError")
    found, _ = desk.answers(order)
    for tried in found.values():
        again = set() if tried["fails"] else set(AGAIN)
        assert {run["what"] for run in tried["runs"]} == {*CONTROLS, CANDIDATE, *again}


@pytest.mark.parametrize(
    ("new", "became"),
    [
        ("number * number * 1", Candidate.SAME),
        ("number * number + (number == 3)", Candidate.DIFFERS),
    ],
)
def test_a_lazy_result_is_compared(desk, new, became):
    hits = desk.capture("desk:squares", condition="count == 4", many=2)
    found, _ = desk.tried("desk:squares", desk.changed("number * number", new), hits)
    assert [one.case.candidate for one in found] == [became] * 2, found


@pytest.mark.soak
def test_a_generator_is_given_what_it_was_given(desk):
    hits = desk.capture("desk:told", many=4)
    for new, became in (("total * 1 + 0", Candidate.SAME), ("total * 2", Candidate.DIFFERS)):
        found, _ = desk.tried("desk:told", desk.changed("total * 1", new), hits)
        agreed = [one for one in found if one.case.agreed]
        assert agreed, [one.case for one in found]
        assert became in {one.case.candidate for one in agreed}


FORGED = """\
        import json, os
        line = json.dumps({"call": 1, "ran": "control 1", "run": {}, "over": True, "done": 1})
        for number in range(3, 256):
            try: os.write(number, line.encode() + b"\\n")
            except OSError: pass
        os._exit(0)
"""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (f"        open({str(OUTSIDE)!r}, 'w')\n", "tried"),
        (f"        import os; os.system('touch {OUTSIDE}')\n", "tried"),
        ("        import os; os.kill(os.getppid(), 9)\n", "tried"),
        ("        import os; os.kill(os.getpid(), 9)\n", "killed"),
        ("        import os; os.fork()\n", "tried"),
        ("        while True: pass\n", "still at|time was over|life was over"),
        ("        import socket; socket.create_connection(('127.0.0.1', 1))\n", "tried"),
        (FORGED, "cannot be read|it ended before"),
    ],
)
def test_whatever_a_candidate_tries_spoils_its_own_run_alone(desk, prices, body, why):
    before = left_of(desk.pid)[0]
    wild = desk.changed(RETURN, body + RETURN)
    found, end = desk.tried("desk:Desk.price", wild, prices[-2:], within_s=1.0)
    assert end["end"] == "done"
    for one in found:
        assert one.case.control is Control.AGREES, one.case
        assert one.case.candidate is Candidate.UNKNOWN
    assert re.search(why, found[0].case.reason), found[0].case.reason
    wait_for(lambda: left_of(desk.pid)[0] <= before, 10, "every copy has gone")


def test_a_candidate_that_takes_all_memory_has_its_own_outcome(desk, prices):
    large = desk.changed(
        RETURN, "        held = [bytes(50_000_000) for _ in range(99)]\n" + RETURN
    )
    found, _ = desk.tried("desk:Desk.price", large, prices[-2:])
    assert all(one.case.agreed for one in found)
    assert {one.case.candidate for one in found} <= {Candidate.DIFFERS, Candidate.UNKNOWN}


def test_nothing_is_left_in_the_live_process(desk, prices):
    same = desk.changed("// parts", "// (parts)")
    desk.tried("desk:Desk.price", same, prices[:2])

    def settled() -> tuple[set[int], int, int] | None:
        first = left_of(desk.pid)
        return first if not first[0] else None

    before = wait_for(settled, 10)
    for _ in range(3):
        desk.tried("desk:Desk.price", same, prices[:2])
    wait_for(lambda: left_of(desk.pid)[0] == set(), 10)
    wait_for(lambda: left_of(desk.pid)[1] <= before[1], 10, "no descriptor is left")
    wait_for(lambda: left_of(desk.pid)[2] <= before[2], 10, "no thread is left")


def test_what_was_not_ordered_is_not_run(desk, prices):
    same = desk.changed("// parts", "// (parts)")
    other = prices[1] | {"call": {"kept": {"another": 1}}}
    probe = desk.order("desk:Desk.price", same, [prices[0], other])
    found, _ = desk.answers(probe)
    assert found[1]["obstacle"] == ""
    assert "not there any more, or is another one" in found[2]["obstacle"]


def test_a_candidate_that_cannot_be_put_in_is_said_once(desk, prices):
    effect = desk.changed("RATES = {}\n", "RATES = {}\nprint('imported')\n")
    found, end = desk.answers(desk.order("desk:Desk.price", effect, prices))
    assert found == {}
    assert "cannot be put into the running code" in end["tried"]["obstacle"]


def test_what_another_module_has_made_of_a_constant_is_said_once(desk, prices):
    dearer = desk.tariff("PIECE = 6", "PIECE = 600")
    found, end = desk.answers(desk.order("desk:Desk.price", dearer, prices))
    assert found == {}
    assert "desk.py:10: tariff.PIECE was read there at import" in end["tried"]["obstacle"]


def test_a_full_cache_does_not_hide_a_change_underneath(desk, prices):
    dearer = desk.tariff("return 0", "return 1")
    found, end = desk.tried("desk:Desk.price", dearer, prices)
    assert all(one.case.agreed for one in found)
    assert {one.case.candidate for one in found if not one.case.failed} == {Candidate.DIFFERS}
    assert any("the cache of desk.fee was emptied" in note for note in end["notes"])


def test_what_an_object_has_kept_of_a_property_does_not_hide_a_change(desk, prices):
    wider = desk.tariff("return 2 - 1", "return 2")
    found, end = desk.tried("desk:Desk.price", wider, prices)
    assert all(one.case.agreed for one in found)
    assert {one.case.candidate for one in found if not one.case.failed} == {Candidate.DIFFERS}
    assert any("desk.Desk.width was taken out of one object" in note for note in end["notes"])


SLOW = "        import time; time.sleep(0.4)\n"


def test_what_lives_on_and_no_call_makes_anew_is_said(desk, prices):
    filled = desk.changed("len(RATES) + 1", "len(RATES) + 2")
    found, _ = desk.tried("desk:Desk.price", filled, prices)
    line = desk.text[: desk.text.index("len(RATES) + 1")].count("\n") + 1
    assert {one.case.candidate for one in found} == {Candidate.SAME}
    assert f"{desk.file}:{line}: rate may have left RATES before" in left_behind(found)
    fix, _ = desk.tried(
        "desk:Desk.price", desk.changed("// parts,", "// max(parts, 1),"), prices
    )
    assert left_behind(fix) == ""


def test_a_twin_that_is_killed_says_so_and_the_rest_is_not_known(desk, prices):
    slow = desk.changed(RETURN, SLOW + RETURN)
    probe = desk.order("desk:Desk.price", slow, prices)
    (twin,) = wait_for(lambda: left_of(desk.pid)[0], 20)
    wait_for(lambda: desk.api.hits(probe), 20)
    os.kill(twin, signal.SIGKILL)
    found, end = desk.answers(probe)
    assert 0 < len(found) < len(prices)
    assert (end["end"], end["reason"]) == ("died", "it was killed")


def test_copies_end_with_the_live_process(shore, tmp_path):
    with Watched(shore, tmp_path, "brief").running() as brief:
        hits = brief.capture("desk:Desk.price", many=3)
        slow = brief.changed(RETURN, SLOW + RETURN)
        brief.order("desk:Desk.price", slow, hits)
        pid = brief.pid
        wait_for(lambda: left_of(pid)[0], 20)
        (twin,) = left_of(pid)[0]
        os.kill(pid, signal.SIGKILL)

        def gone() -> bool:
            return not Path(f"/proc/{twin}").exists() or "Z" in state_of(twin)

        wait_for(gone, 10, "the twin has ended")
        brief.program.end()


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.soak
def test_without_a_server_the_twin_ends_and_the_program_goes_on(shore, tmp_path):
    with Watched(shore, tmp_path, "alone").running() as alone:
        hits = alone.capture("desk:Desk.price", many=3)
        slow = alone.changed(RETURN, SLOW + RETURN)
        alone.order("desk:Desk.price", slow, hits, within_s=1.0)
        pid = alone.pid
        wait_for(lambda: left_of(pid)[0], 20)
        shore.kill()
        try:
            wait_for(lambda: left_of(pid)[0] == set(), 30, "the twin has ended")
            assert alone.program.process.poll() is None
        finally:
            shore.up()
