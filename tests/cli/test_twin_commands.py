"""`leadline ask` and `leadline rerun`, on a real server; the agent is spoken for."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from leadline.cli.client import Client
from leadline.wire.probe import Status, TwinProbe
from leadline.wire.twin import (
    Agreement,
    Difference,
    Refusal,
    Said,
    TwinEnd,
    TwinPolicy,
    TwinUse,
    TwinView,
    is_signed,
    order_text,
)
from live import LEADLINE, Leadline
from spoken_for import SpokenFor
from waiting import wait_for


@pytest.fixture
def leadline(harbour: Leadline) -> Iterator[Leadline]:
    """The server of this file, with nothing left of the test before."""
    yield harbour
    with closing(Client()) as client:
        client.delete("/v1/services/shop/probes")


def run(*words, status=0, env=None):
    done = subprocess.run(
        [LEADLINE, *words],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done


def view(*said, end=TwinEnd.DONE, **more):
    return TwinView(
        TwinUse.ASK, TwinPolicy.THREADS, end, pause_ms=2.13, life_s=0.034, said=[*said], **more
    )


def answering(answer):
    def on_probe(agent: SpokenFor, probe: TwinProbe) -> None:
        agent.arm(probe.id)
        agent.hit(probe.id, answer)

    return on_probe


def spoken(leadline, on_probe):
    return SpokenFor(leadline.home, leadline.port, "shop", on_probe)


def test_an_answer_is_shown_whole(leadline):
    answer = view(
        Said("order.total()", returned=True, value=42),
        Said("self.cache", returned=True, value={"type": "dict", "length": 1,
             "entries": [["k" * 60, "v" * 60]]}),
        Said("print('a\x1b[2J')", printed="a\x1b[2J\nb\n"),
        Said("open('/srv/x', 'w')", raised="PermissionError: /srv/x",
             refused=[Refusal("openat", "/srv/x", 2)]),
        refused=[Refusal("openat", "/srv/x", 2), Refusal("connect", "AF_INET 10.0.0.1:80")],
        notes=["3 thread pools revived"],
    )  # fmt: skip
    with spoken(leadline, answering(answer)):
        words = ("ask", "shop", "shop/pricing.py:88", "order.total()", "self.cache")
        done = run(*words, status=1)
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"\S+  shop/4711  shop/pricing\.py:88 in quote", lines[0])
    assert lines[1:3] == ["  order.total() = 42", "  self.cache = dict of 1"]
    assert "\x1b" not in done.stdout
    assert sum("/srv/x: refused" in line for line in lines) == 1
    for line in (
        "    | a\\x1b[2J",
        "    | b",
        "    raised PermissionError: /srv/x",
        "    tried to open /srv/x: refused, 2 times",
        "  tried to connect to 10.0.0.1:80: refused",
        "  3 thread pools revived",
        "  pause 2.1 ms   the twin lived 34 ms   files read-only, threads allowed",
    ):
        assert line in lines, line
    assert "leadline: armed in 1 instance" in done.stderr or done.stderr == ""


def test_an_answer_as_json(leadline):
    with spoken(leadline, answering(view(Said("1 + 1", returned=True, value=2)))):
        found = json.loads(run("ask", "shop", "a.py:3", "1 + 1", "--json").stdout)
    assert found["schema_version"] == 1
    assert found["hit"]["twin"]["said"][0]["value"] == 2
    assert found["probe"]["code"] == ["1 + 1"]


@pytest.mark.parametrize("end", [TwinEnd.CUT_OFF, TwinEnd.DIED])
def test_a_twin_that_was_cut_off_proves_nothing(leadline, end):
    answer = view(Said("f()", returned=True, value=1), end=end, reason="its life is over")
    with spoken(leadline, answering(answer)):
        done = run("ask", "shop", "a.py:3", "f()", status=1)
    assert "its life is over, and proves nothing" in done.stdout


def test_no_hit_is_explained_and_the_order_removed(leadline):
    def on_probe(agent, probe):
        agent.arm(
            probe.id,
            fates={"condition_unknown": 3, "condition_false": 9},
            unknown="no twin: it is busy",
        )

    with spoken(leadline, on_probe) as agent:
        done = run("ask", "shop", "a.py:3", "1", "--wait", "1500ms", status=69)
        assert agent.removed.get(timeout=20) == agent.orders[-1].id
    assert "armed in 1 instance; 3 hits went by without a twin: it is busy" in done.stderr
    assert "armed; condition false 9 times, no twin was made 3 times: it is busy" in done.stderr
    assert leadline.json("probes")["probes"] == []


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("LEADLINE_TWIN is off here. [twins-off]", 77),
        ("No twin can be made on this platform. [twins-unavailable]", 69),
        ("Line 3 holds no code. [line-not-executable]", 69),
    ],
)
def test_a_refusal_everywhere_is_not_waited_for(leadline, reason, status):
    def on_probe(agent, probe):
        agent.arm(probe.id, Status.ERROR, reason)

    with spoken(leadline, on_probe):
        done = run("ask", "shop", "a.py:3", "1", "--wait", "50s", status=status)
    assert reason in done.stderr


def test_what_was_asked_wrongly_is_said(leadline):
    done = run("ask", "shop", "a.py:3", "f(:", status=64)
    assert "f(:\n" in done.stderr
    assert "bad-code" in done.stderr
    assert "bad-limit" in run("ask", "shop", "a.py:3", "1", "--life", "1h", status=64).stderr
    assert "bad-target" in run("ask", "shop", "nowhere", "1", status=64).stderr
    assert "bad-service-name" in run("ask", "*", "a.py:3", "1", status=64).stderr
    assert run("ask", "nobody", "a.py:3", "1", "--wait", "200ms", status=69)


def test_ctrl_c_removes_the_order(leadline):
    with spoken(leadline, lambda agent, probe: agent.arm(probe.id)) as agent:
        asking = subprocess.Popen(
            [LEADLINE, "ask", "shop", "a.py:3", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with asking:
            assert asking.stderr.readline().startswith("leadline: armed in 1 instance")
            assert "ask" in run("probes").stdout
            assert "twin" not in run("apply", "--export", "shop").stdout
            asking.send_signal(signal.SIGINT)
            assert asking.wait(20) == 130
        assert agent.removed.get(timeout=20) == agent.orders[-1].id


def test_an_order_is_signed_where_there_is_a_key_and_the_server_never_has_it(leadline):
    def on_probe(agent, probe):
        agent.hit(probe.id, view(Said("1", returned=True, value=1)))

    with spoken(leadline, on_probe) as agent:
        env = {"LEADLINE_TWIN_KEY": "a key of the service\n"}
        run("ask", "shop", "a.py:3", "1", "--instance", "4711", "--if", "x > 1", env=env)
        run("ask", "shop", "a.py:3", "1")
        run("ask", "shop", "a.py:3", "1", env={"LEADLINE_TWIN_KEY": ""})
        signed, bare, empty = agent.orders
        assert signed.instance == agent.info.id
        assert is_signed("a key of the service", order_text("shop", signed), signed.signature)
        assert not is_signed("another", order_text("shop", signed), signed.signature)
        assert (bare.signature, empty.signature) == ("", "")
        assert bare.nonce != empty.nonce
    server = leadline.server
    assert "a key of the service" not in server.out + server.err
    assert b"a key of the service" not in b"".join(
        file.read_bytes() for file in leadline.home.rglob("*") if file.is_file()
    )


def test_a_key_without_the_right_is_refused(leadline, tmp_path):
    run("keys", "add", "ada", "--to", str(tmp_path / "ada"))
    run("keys", "add", "bob", "--may", "twin", "--to", str(tmp_path / "bob"))
    listed = run("keys", "list").stdout
    assert re.search(r"named +bob .* twin", listed)
    env = {"LEADLINE_KEY": (tmp_path / "ada").read_text()}
    done = run("ask", "shop", "a.py:3", "1", status=77, env=env)
    assert "no-twin-right" in done.stderr
    with spoken(leadline, answering(view(Said("1", returned=True, value=1)))):
        env = {"LEADLINE_KEY": (tmp_path / "bob").read_text()}
        assert "1 = 1" in run("ask", "shop", "a.py:3", "1", env=env).stdout


def rerun_view(agrees, reason="", *, end=TwinEnd.DONE, marks=(), differences=()):
    found = Agreement(
        agrees, reason, "{'total': 5}", "{'total': 6}", list(differences), 3, 0, list(marks)
    )
    return TwinView(
        TwinUse.RERUN, TwinPolicy.READONLY, end, agreement=found, pause_ms=1.0, life_s=0.1
    )


AGREES = rerun_view(True, marks=["time.time ×3"])
DIFFERS = rerun_view(False, differences=[Difference("result['total']", "5", "6")])
EXPLAINED = rerun_view(
    False, "it reads the clock: time.time", differences=[Difference("result", "5", "6")]
)
UNKNOWN = rerun_view(None, "its life is over")


@pytest.mark.parametrize(
    ("views", "status", "last"),
    [
        ([AGREES] * 3, 0, "3 of 3 agree; files read-only; marks: time.time in 3"),
        ([AGREES] * 2 + [DIFFERS], 1, "2 of 3 agree; 1 differs, unexplained; files read-only"),
        ([AGREES] * 20 + [EXPLAINED], 0, "20 of 21 agree; 1 differs, explained"),
        ([AGREES] * 2 + [EXPLAINED], 1, "2 of 3 agree; 1 differs, explained"),
        ([AGREES, UNKNOWN], 3, "1 of 2 agree; 1 unknown; files read-only"),
        ([UNKNOWN], 3, "0 of 1 agree; 1 unknown; files read-only"),
    ],
)
def test_a_rerun_says_of_each_call_and_of_all_whether_they_agree(leadline, views, status, last):
    def on_probe(agent, probe):
        assert (probe.use, probe.limits.hits) == (TwinUse.RERUN, len(views))
        assert probe.limits.rate_per_s == 100
        agent.arm(probe.id)
        for one in views:
            agent.hit(probe.id, one)

    with spoken(leadline, on_probe):
        many = str(len(views))
        done = run("rerun", "shop", "shop:quote", "-n", many, "--rate", "100", status=status)
    lines = done.stdout.splitlines()
    assert lines[-1].startswith(last)
    words = [line for line in lines if "  shop/4711  " in line]
    assert len(words) == len(views)
    if DIFFERS in views:
        at = lines.index(words[-1])
        assert "differs: result['total']" in words[-1]
        assert lines[at + 1 : at + 4] == ["    result['total']", "      live   5",
                                          "      rerun  6"]  # fmt: skip


def test_a_rerun_as_json_and_one_that_nothing_hits(leadline):
    def on_probe(agent, probe):
        agent.arm(probe.id)
        if probe.limits.hits == 2:
            agent.hit(probe.id, AGREES)

    with spoken(leadline, on_probe) as agent:
        words = ("rerun", "shop", "shop:quote", "--json", "--wait", "1200ms", "-n")
        *hits, summary = map(json.loads, run(*words, "2").stdout.splitlines())
        assert [one["hit"]["twin"]["agreement"]["agrees"] for one in hits] == [True]
        assert (summary["agree"], summary["of"], summary["asked"]) == (1, 1, 2)
        assert run(*words, "3", status=69)
        text = run("rerun", "shop", "shop:quote", "-n", "2", "--wait", "1200ms").stdout
        assert text.endswith("; 1 more did not come in 1.2 s\n")
        assert wait_for(lambda: agent.removed.qsize() == 3, 20)
