"""`leadline verify` keeps its report on the server, and `leadline verdicts` shows it again."""

import subprocess
from contextlib import closing

import pytest

from leadline.cli.client import Client
from live import LEADLINE, Program, tool
from reported import report, said_everywhere
from waiting import wait_for

APP = """\
import os, time

def share(total, people):
    return {"each": total // people, "people": people}

def main():
    print("ready", flush=True)
    step = 0
    while not os.path.exists("stop"):
        step += 1
        try:
            share(step, step % 5)
        except ZeroDivisionError:
            pass
        time.sleep(0.02)

if __name__ == "__main__":
    main()
"""
FIX = """\
--- a/app.py
+++ b/app.py
@@ -3,2 +3,4 @@
 def share(total, people):
+    if not people:
+        return {"each": 0, "people": 0}
     return {"each": total // people, "people": people}
"""
STATED = ("--expect", "result['each'] == 0", "--patch", "fix.diff")
FAILS = ("--fails", "raises ZeroDivisionError")


@pytest.fixture
def app(leadline):
    (leadline.cwd / "app.py").write_text(APP, "utf-8")
    (leadline.cwd / "fix.diff").write_text(FIX, "utf-8")
    command = [LEADLINE, "run", "--service", "shop", "--", tool("python"), "app.py"]
    with Program(command, leadline.cwd) as program:
        program.wait_for("ready")
        wait_for(lambda: leadline.connected("shop"))
        yield program


def ran(leadline, *words, env=None):
    return subprocess.run(
        [LEADLINE, *words], cwd=leadline.cwd, env=env, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


def test_a_verdict_is_kept_and_shown_again(leadline, app) -> None:
    asked = ("verify", "shop", "--entry", "app:share", *FAILS, *STATED)
    done = ran(leadline, *asked, "-n", "14", "--least", "3", "--for", "20s")
    assert done.returncode == 0, done.stderr
    link = f"leadline: kept as verdict 1: http://leadline.localhost:{leadline.port}/verdicts/1"
    assert done.stderr.splitlines()[-1] == link
    said = done.stdout.splitlines()
    assert said[0].startswith("fixed: ")
    assert leadline.cli("verdicts", "1").splitlines()[: len(said)] == said
    (row,) = leadline.json("verdicts", "--service", "shop")["verdicts"]
    assert (row["verdict"], row["candidate"], row["entry"]) == (
        "fixed",
        "fix.diff",
        "app:share",
    )
    assert row["digest"][:12] in leadline.cli("verdicts")
    whole = leadline.json("verdicts", "1")["verdict"]["report"]
    reached = {one["new"]: one["lines"] for one in whole["coverage"]}[True]
    assert reached["4"] == whole["shares"]["reached"] >= 10
    assert "candidate=fix.diff" in leadline.cli("audit")
    assert "no verdicts" in leadline.cli("verdicts", "--service", "other")
    assert leadline.cli("verdicts", "2", status=None).startswith(
        "leadline: There is no verdict"
    )


@pytest.mark.soak
def test_whether_it_is_kept_can_be_said(leadline, app) -> None:
    leadline.cli("capture", "shop", "app:share", *FAILS, "-n", "12", "-o", "calls.jsonl")
    asked = ("verify", "--captured", "calls.jsonl", *STATED, "--json")
    assert "verdict 1" not in ran(leadline, *asked).stderr
    assert leadline.json("verdicts")["verdicts"] == []
    kept = ran(leadline, *asked, "--report")
    assert "kept as verdict 1" in kept.stderr
    fresh = ("verify", "shop", "--entry", "app:share", *FAILS, *STATED, "-n", "12")
    assert "kept as" not in ran(leadline, *fresh, "--no-report").stderr
    assert len(leadline.json("verdicts")["verdicts"]) == 1
    away = ran(leadline, *asked, "--report", env={"LEADLINE_URL": "http://127.0.0.1:9"})
    assert away.returncode == kept.returncode
    assert "the report is not on the server: " in away.stderr


def test_captured_text_is_harmless_in_the_terminal(leadline) -> None:
    with_escapes = said_everywhere("a\x1b[31m\u202e\ud800\nb") | {"service": "shop"}
    with closing(Client()) as client:
        client.post("/v1/services/shop/verdicts", with_escapes)
    for words in (("verdicts",), ("verdicts", "1")):
        shown = leadline.cli(*words)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\\x1b[31m" in shown


def test_older_verdicts_are_named(leadline) -> None:
    with closing(Client()) as client:
        for _ in range(3):
            client.post("/v1/services/shop/verdicts", report())
    assert leadline.cli("verdicts", "-n", "2").splitlines()[-1] == (
        "older ones: leadline verdicts --before 2"
    )
    assert [one["id"] for one in leadline.json("verdicts", "--before", "2")["verdicts"]] == [1]
