"""The six commands that place a probe, on a real server and a real service."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from live import LEADLINE, Leadline, Program


@pytest.fixture(scope="module")
def leadline(harbour: Leadline) -> Leadline:
    """One server for all of these."""
    return harbour


@pytest.fixture
def shop(leadline: Leadline, moored: Program) -> Iterator[Program]:
    """One service for all of these, without probes at the beginning of each."""
    yield moored
    leadline.cli("rm", "--service", "shop", status=None)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LEADLINE, *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.soak
def test_what_adds_up_shows_a_first_value_and_a_series(leadline, shop):
    for words, kind in (
        (("count", "shop", "shop.py:9"), "counter"),
        (("metric", "shop", "shop:quote", "result"), "metric"),
        (("time", "shop", "shop:quote"), "timer"),
        (("time", "shop", "shop.py:8", "--until", "10"), "timer"),
    ):
        placed = leadline.json(*words, "--wait", "20s")["probe"]
        assert (placed["kind"], placed["status"]) == (kind, "armed")
        assert placed["total"]["count"] > 0
        series = leadline.json("series", placed["id"], "--wait", "20s")["series"]
        assert sum(step["count"] for step in series["lines"][0]["steps"]) > 0
        text = leadline.cli("series", placed["id"], "--by", "instance")
        assert "  TIME" in text
        assert "instance " in text


def test_a_snapshot_of_a_running_task(leadline, shop):
    placed = leadline.json("snap", "shop", "shop:quote", "--hits", "1", "--watch", "goods * 2")
    assert placed["probe"]["moment"] == "exit"
    (hit,) = leadline.json("hits", "--probe", placed["probe"]["id"], "--wait", "20s")["hits"]
    text = leadline.cli("hit", str(hit["id"]))
    for part in ("goods * 2 = ", "shop.py:10 in quote   return total", "request_id = 'r"):
        assert part in text
    assert "    handle-" in text
    line = leadline.cli("hits", "--probe", placed["probe"]["id"])
    assert line.rstrip().endswith(f"[hit {hit['id']}]")


def test_an_exception_probe_names_what_was_raised(leadline, shop):
    placed = leadline.json("catch", "shop", "shop:fail", "--type", "ArithmeticError")["probe"]
    assert placed["raises"] == ["ArithmeticError"]
    text = leadline.cli("hits", "--probe", placed["id"], "--wait", "20s", "--full")
    assert "exception = ZeroDivisionError('division by zero')" in text
    assert "hunter2" not in text


def test_hits_are_chosen_by_what_they_are(leadline, shop):
    before = {one["probe"] for one in leadline.json("hits", "--kind", "exception")["hits"]}
    logged = leadline.log("shop", "shop.py:9", "goods={goods}")["id"]
    caught = leadline.json("catch", "shop", "shop:fail")["probe"]["id"]
    leadline.wait_hits(logged, 12)
    leadline.wait_hits(caught)
    pid = leadline.connected("shop")[0]["info"]["pid"]
    kinds = {hit["probe"] for hit in leadline.json("hits", "--kind", "exception")["hits"]}
    assert kinds - before == {caught}
    for options, count in (
        (("--text", "GOODS=300"), True),
        (("--text", "goods=1234"), False),
        (("--instance", str(pid)), True),
        (("--thread", "MainThread", "--since", "1m"), True),
        (("--task", "nobody"), False),
        (("--trace", "4b" * 16), False),
    ):
        assert bool(leadline.json("hits", "shop", *options)["hits"]) is count, options
    assert run("hits", "--instance", "no-such").returncode == 64
    assert run("hits", "--task", "nobody", "--wait", "100ms").returncode == 1


def test_tail_shows_hits_and_sums(leadline, shop):
    leadline.json("count", "shop", "shop.py:9")
    shown = leadline.cli("tail", "shop", "--hits", "2").splitlines()
    assert len(shown) == 2
    assert all("shop.py:9  count " in line for line in shown)
    lines = run("tail", "shop", "--hits", "1", "--json").stdout.splitlines()
    assert json.loads(lines[0])["point"]["count"] > 0


def test_only_where_it_was_asked_for(leadline, shop):
    (here,) = leadline.connected("shop")
    placed = leadline.json("count", "shop", "shop.py:9", "--instance", here["info"]["id"][:6])
    assert placed["probe"]["where"]["instance"] == here["info"]["id"]
    elsewhere = leadline.json("count", "shop", "shop.py:9", "--tag", "zone=moon")["probe"]
    assert (elsewhere["status"], elsewhere["instances"]) == ("pending", [])
    assert "zone=moon" in leadline.cli("probes", "shop")


def test_a_canary_goes_on(leadline, shop):
    placed = leadline.json("count", "shop", "shop.py:9", "--canary", "100ms")["probe"]
    assert placed["canary"]["seconds"] == 0.1


def test_the_owner_and_the_note(leadline, shop):
    placed = leadline.json("count", "shop", "shop.py:9", "--owner", "ada", "--note", "why")
    assert (placed["probe"]["owner"], placed["probe"]["note"]) == ("ada", "why")
    assert leadline.json("count", "shop", "shop.py:9")["probe"]["owner"]


@pytest.mark.parametrize("command", ["status", "probes", "hits"])
def test_a_service_that_nobody_knows_is_said(leadline, command):
    done = run(command, "nosuch")
    assert done.returncode == 69
    assert "knows no service 'nosuch'" in done.stderr


def test_watching_a_service_that_is_still_to_come_is_said(leadline):
    done = run("tail", "nosuch", "--for", "100ms")
    assert done.returncode == 0
    assert "knows no service 'nosuch'. Watching for it" in done.stderr


@pytest.mark.parametrize("command", ["tail", "series", "rm"])
def test_a_probe_that_nobody_knows_is_said(leadline, command):
    done = run(command, "p9999")
    assert done.returncode == 64
    assert "no-such-probe" in done.stderr


def test_a_hit_that_nobody_knows_is_said(leadline):
    done = run("hit", "999999")
    assert done.returncode == 64
    assert "no-such-hit" in done.stderr
