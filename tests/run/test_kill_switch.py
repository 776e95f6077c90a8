"""The kill switch in real processes: after `off` no event of ours is left, until `on`."""

import json
import sys
import textwrap
import urllib.request
from pathlib import Path

import pytest

from live import LEADLINE, Program
from waiting import wait_for

SERVICE = """\
import json, os, sys, time

def work(n):
    total = n * 2
    return total

def events():
    tools = [sys.monitoring.get_tool(tool) for tool in range(6)]
    held = [tool for tool, name in enumerate(tools) if name]
    return {
        "tools": [name for name in tools if name],
        "global": sum(sys.monitoring.get_events(tool) for tool in held),
        "local": sum(sys.monitoring.get_local_events(tool, work.__code__) for tool in held),
    }

if __name__ == "__main__":
    n = 0
    while True:
        n += 1
        assert work(n) == 2 * n
        with open(f"draft-{os.getpid()}", "w") as file:
            json.dump({"n": n, **events()}, file)
        os.replace(f"draft-{os.getpid()}", f"seen-{os.getpid()}.json")
        time.sleep(0.01)
"""
LINE = SERVICE.splitlines().index("    return total") + 1


@pytest.fixture
def service(leadline, tmp_path):
    """Start the service; as many times as asked, each a process of its own."""
    (tmp_path / "app.py").write_text(textwrap.dedent(SERVICE))
    started = []

    def start():
        command = [LEADLINE, "run", "--service", "shop", "--", sys.executable, "app.py"]
        program = Program(command, tmp_path)
        started.append(program)
        wait_for(lambda: len(leadline.connected("shop")) == len(started), 20)
        return Seen(tmp_path / f"seen-{program.process.pid}.json")

    yield start
    for program in started:
        program.stop()


class Seen:
    """What the process sees of itself."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self):
        """Return what it saw in a round that began after this was asked."""
        wait_for(self._path.exists, 20)
        first = self._read()["n"]
        return wait_for(lambda: (seen := self._read())["n"] > first + 1 and seen, 20)

    def _read(self):
        return json.loads(self._path.read_text())


def ask(leadline, path, reason=None):
    """Turn a switch over HTTP, as any script would."""
    key = json.loads((leadline.home / "config" / "leadline" / "keys.json").read_text())["user"]
    url = f"http://127.0.0.1:{leadline.port}{path}"
    body = json.dumps({"reason": reason}).encode() if reason else b"{}"
    headers = {"Authorization": f"Bearer {key}"}
    request = urllib.request.Request(url, body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_after_off_nothing_is_left_and_after_on_the_probe_hits_again(leadline, service):
    seen = service()
    probe = leadline.log("shop", f"app.py:{LINE}", "total={total}", "--hits", "1000000")["id"]
    leadline.wait_hits(probe, 3)
    before = seen.now()
    assert before["tools"] == ["leadline"]
    assert before["local"] != 0
    ask(leadline, "/v1/services/shop/off", "incident 7")
    wait_for(lambda: seen.now()["tools"] == [], 10, "the tool id is free")
    after = seen.now()
    assert (after["global"], after["local"]) == (0, 0)
    standing = leadline.probe(probe)
    assert (standing["status"], standing["reason"]) == (
        "suspended",
        "switched off by user: incident 7",
    )
    wait_for(lambda: leadline.probe(probe)["instances"][0]["status"] != "armed", 10)
    last = leadline.hits(probe)[-1]["id"]
    still = leadline.json("hits", "--probe", probe, "--limit", "1")["hits"][0]["id"]
    assert still >= last
    assert len(leadline.connected("shop")) == 1  # it goes on listening
    late = service()  # one that is started meanwhile, and is told when it connects
    wait_for(lambda: late.now()["tools"] == [], 10)
    ask(leadline, "/v1/services/shop/on")
    newest = wait_for(
        lambda: {
            hit["instance"]
            for hit in leadline.ask("/v1/hits", probe=probe, limit=50)["hits"]
            if hit["id"] > still
        },
        20,
    )
    wait_for(lambda: late.now()["tools"] == ["leadline"], 10)
    assert newest
    wait_for(lambda: leadline.probe(probe)["status"] == "armed", 10)


def test_it_stays_off_over_a_crash_of_the_server(leadline, service):
    seen = service()
    leadline.log("shop", f"app.py:{LINE}", "total={total}", "--hits", "1000000")
    ask(leadline, "/v1/off")
    wait_for(lambda: seen.now()["tools"] == [], 10)
    leadline.kill()
    leadline.up()
    wait_for(lambda: leadline.connected("shop"), 20)
    assert seen.now()["tools"] == []
    ask(leadline, "/v1/on")
    wait_for(lambda: seen.now()["local"] != 0, 10)
