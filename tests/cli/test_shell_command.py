"""`leadline shell`, piped and on a terminal, on a real server; the twin is spoken for."""

import contextlib
import json
import os
import pty
import queue
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from leadline.cli.client import Client
from leadline.cli.shell_words import Typed, typed
from leadline.wire.errors import UsageError
from leadline.wire.shell import GONE
from leadline.wire.stepping import Do
from leadline.wire.twin import TwinEnd, TwinPolicy, TwinUse, TwinView, is_signed, line_text
from live import LEADLINE, Leadline
from spoken_for import SpokenFor
from waiting import wait_for

STOP = {"file": "/srv/shop/pricing.py", "line": 88, "function": "Basket.quote",
        "source": "total = goods + shipping", "is_selected": True,
        "is_above": False}  # fmt: skip
CALLER = STOP | {"line": 7, "function": "view", "source": "quote(1)", "is_selected": False,
                 "is_above": True}  # fmt: skip
ANSWERS = {
    "where": {"frames": [STOP, CALLER]},
    "next": {"stop": STOP | {"line": 89, "source": "return total"}, "printed": "a\x1b[2J\n",
             "refused": [{"what": "write", "detail": "/srv/x.log", "count": 1}]},
    "print": {"has_value": True, "value": 5},
    "pp": {"text": "{'a': 1}\n", "has_value": True, "value": None},
    "list": {"lines": [{"number": 87, "text": "\tgoods = 1"}, {"number": 88, "text": "    x"}]},
    "locals": {"variables": {"goods": 1000, "country": "DE"}},
    "args": {"variables": {}},
    "run": {"reason": "error", "text": "NameError: name 'x' is not defined\n  line 1"},
    "return": {"reason": "return", "has_value": True, "value": 7},
    "continue": {"reason": "finished", "has_value": True, "value": 9},
    "up": {"stop": CALLER | {"is_selected": True}},
    "complete": {"completions": ["goods.real", "goods.to_bytes"]},
    "quit": {},
}  # fmt: skip


class Twin:
    """Answers for the twin of the shell that was ordered last."""

    def __init__(self, leadline, *, life_s=57.4):
        self.asked: list[str] = []
        self.life_s = life_s
        self.agent = SpokenFor(leadline.home, leadline.port, "shop", self._ordered)
        self.go_on = threading.Event()

    def __enter__(self):
        self.agent.__enter__()
        return self

    def __exit__(self, *_):
        self.go_on.set()
        self.agent.__exit__()

    def _ordered(self, agent, probe):
        agent.arm(probe.id)
        threading.Thread(target=self._live, args=(probe,), daemon=True).start()

    def _live(self, probe):
        deadline = time.monotonic() + 20
        while self.agent.say(probe.id) != 204:  # until somebody listens
            assert time.monotonic() < deadline
            time.sleep(0.02)
        while True:
            try:
                told = self.agent.told.get(timeout=20)
            except queue.Empty:  # a test has ended it from outside
                return
            if told.number == GONE:
                return
            key = os.environ.get("TEST_TWIN_KEY", "")
            text = line_text(probe.nonce, told.number, told.text)
            assert not key or is_signed(key, text, told.signature)
            request = json.loads(told.text)
            assert request["number"] == told.number
            self.asked.append(f"{request['do']} {request['text']}".strip())
            if request["text"] == "slow":
                assert self.go_on.wait(20)
            if request["text"] == "die":
                self.end(probe, TwinEnd.CUT_OFF, "its life of 60 s was over")
                return
            reply = {"number": told.number, "reason": "line", "stop": STOP,
                     "alive_s": self.life_s} | ANSWERS[request["do"]]  # fmt: skip
            self.agent.say(probe.id, (told.number, json.dumps(reply)))
            if request["do"] == "quit":
                self.end(probe)
                return

    def end(self, probe, end=TwinEnd.DONE, reason=""):
        self.agent.say(probe.id, ended="the twin has ended")
        view = TwinView(TwinUse.SHELL, TwinPolicy.READONLY, end, reason, 1.5, 3.2)
        self.agent.hit(probe.id, view)


@pytest.fixture
def leadline(harbour: Leadline) -> Iterator[Leadline]:
    """The server of this file, with nothing left of the test before."""
    yield harbour
    with closing(Client()) as client:
        client.delete("/v1/services/shop/probes")


def run(text, *options, status=0, env=None):
    done = subprocess.run(
        [LEADLINE, "shell", "shop", "shop/pricing.py:88", *options],
        input=text, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_lines_from_a_pipe_are_answered_as_on_a_terminal(leadline):
    lines = "n\np goods\npp d\nl 80\nlocals\na\nx\nr\nup\n\nhelp\np\nc\nquit\n"
    with Twin(leadline) as twin:
        done = run(lines)
        assert twin.asked == [
            "where", "next", "print goods", "pp d", "list 80", "locals", "args", "run x",
            "return", "up", "up", "continue", "quit",
        ]  # fmt: skip
    shown = done.stdout
    assert "\x1b" not in shown
    expected = """\
a twin of shop/4711: its request goes on, and the twin stands still
it lives for 60s; help shows what can be typed
> shop/pricing.py:88 in Basket.quote   total = goods + shipping
  callers, which can be looked at and do not go on
  shop/pricing.py:7 in view   quote(1)
(quote:88, 57 s) n
  | a\\x1b[2J
  tried to write to /srv/x.log: refused
> shop/pricing.py:89 in Basket.quote   return total
(quote:89, 57 s) p goods
  goods = 5
(quote:88, 57 s) pp d
  {'a': 1}
(quote:88, 57 s) l 80
    87        goods = 1
    88 ->     x
(quote:88, 57 s) locals
  goods = 1000
  country = 'DE'
(quote:88, 57 s) a
  none
(quote:88, 57 s) x
  NameError: name 'x' is not defined
    line 1
(quote:88, 57 s) r
  returns = 7
> shop/pricing.py:88 in Basket.quote   total = goods + shipping
(quote:88, 57 s) up
> shop/pricing.py:7 in view   quote(1)
(view:7, 57 s)\x20
> shop/pricing.py:7 in view   quote(1)
(view:7, 57 s) help
"""
    for line, told in zip(expected.splitlines(), shown.splitlines(), strict=False):
        assert re.sub(r"\d+ s\)", "57 s)", told) == line
    assert "Write behind p what is to be shown." in shown
    assert "  the call that was hit has come to its end: it can still be looked at" in shown
    last = shown.splitlines()[-1]
    assert last == "the twin has ended   pause 1.5 ms   the twin lived 3.2 s   files read-only"


def test_the_end_of_the_input_ends_the_twin(leadline):
    with Twin(leadline) as twin:
        run("p goods\n")
        assert twin.asked == ["where", "print goods", "quit"]
        assert twin.agent.removed.get(timeout=20) == twin.agent.orders[-1].id


def test_a_twin_whose_life_is_over_says_so(leadline):
    with Twin(leadline):
        done = run("p goods\np die\np goods\n", status=1)
    assert "it was cut off: its life of 60 s was over, and proves nothing" in done.stdout


def test_each_line_is_signed_and_in_the_audit_log(leadline, monkeypatch):
    monkeypatch.setenv("TEST_TWIN_KEY", "the key")
    with Twin(leadline) as twin:
        run("p goods\nquit\n", env={"LEADLINE_TWIN_KEY": "the key"})
        assert len(twin.asked) == 3
    found = [one for one in leadline.json("audit")["entries"] if one["action"] == "shell"]
    mine = [one for one in found if one["probe"] == twin.agent.orders[-1].id]
    texts = [json.loads(one["detail"]["text"]) for one in mine]
    assert [one["do"] for one in texts] == ["where", "print", "quit"]


def test_a_shell_as_json(leadline):
    with Twin(leadline):
        done = run("n\np\nquit\n", "--json")
    first, second, problem, left, ended = map(json.loads, done.stdout.splitlines())
    assert (first["do"], second["do"], left["do"]) == ("where", "next", "quit")
    assert second["reply"]["stop"]["line"] == 89
    assert problem["error"] == "bad-option"
    assert ended["hit"]["twin"]["end"] == "done"


def test_no_hit_ends_the_waiting(leadline):
    with SpokenFor(leadline.home, leadline.port, "shop", lambda a, p: a.arm(p.id)) as agent:
        done = run("", "--wait", "1200ms", status=69)
        assert agent.removed.get(timeout=20) == agent.orders[-1].id
    assert "no twin within 1.2 s; the order is removed" in done.stderr


def _as_from_a_shell():
    """No signal is blocked or ignored there, whatever runs the tests."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self):
        self.process, self.ours, self._theirs = self._start()
        self.shown = ""

    def _start(self):
        ours, theirs = pty.openpty()
        # whoever leads a session and opens a terminal is controlled by it: Ctrl-C is a signal
        opened = 'exec "$@" <"$0" >"$0" 2>&1'
        words = [LEADLINE, "shell", "shop", "shop/pricing.py:88"]
        process = subprocess.Popen(
            ["/bin/sh", "-c", opened, os.ttyname(theirs), *words],
            stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "TERM": "dumb", "INPUTRC": "/dev/null"},
            preexec_fn=_as_from_a_shell,  # noqa: PLW1509 - two system calls
        )  # fmt: skip
        return process, ours, theirs

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        os.close(self.ours)
        os.close(self._theirs)

    def until(self, text):
        deadline = time.monotonic() + 20
        while text not in self.shown:
            ready, _, _ = select.select(
                [self.ours], [], [], max(0, deadline - time.monotonic())
            )
            assert ready, self.shown
            try:
                self.shown += os.read(self.ours, 65_536).decode()
            except OSError:
                raise AssertionError(self.shown) from None
        self.shown = self.shown.partition(text)[2]

    def type(self, text):
        os.write(self.ours, text.encode())


def test_a_terminal_has_completion_and_an_end(leadline):
    with Twin(leadline) as twin, Terminal() as terminal:
        terminal.until("(quote:88, ")
        terminal.type("p goods.to\t")
        terminal.until("goods.to_bytes")
        terminal.type("\n")
        terminal.until("goods.to_bytes = 5")
        assert "complete p goods.to" in twin.asked
        terminal.until("(quote:88, ")
        terminal.type("half a line")
        terminal.until("half a line")
        # a signal between two keys is lost to readline: nobody types as fast as this
        time.sleep(0.2)
        terminal.type("\x03")  # Ctrl-C leaves the line
        terminal.until("(quote:88, ")
        terminal.type("\x04")  # Ctrl-D
        terminal.until("the twin has ended")
        assert terminal.process.wait(20) == 0
        assert twin.asked[-1] == "quit"


def test_waiting_for_an_answer_can_be_given_up(leadline):
    with Twin(leadline) as twin, Terminal() as terminal:
        terminal.until("(quote:88, ")
        terminal.type("p slow\n")
        wait_for(lambda: "print slow" in twin.asked, 20)
        terminal.type("\x03")
        terminal.until("the twin goes on; its answer comes with your next line")
        twin.go_on.set()
        terminal.until("(quote:88, ")
        terminal.type("p goods\n")
        terminal.until("slow = 5")  # late, and under its own name
        terminal.until("goods = 5")


def test_the_end_of_the_twin_is_seen_at_once_at_the_prompt(leadline):
    with Twin(leadline) as twin, Terminal() as terminal:
        terminal.until("(quote:88, ")
        twin.end(twin.agent.orders[0], TwinEnd.CUT_OFF, "its life of 60 s was over")
        terminal.until("its life of 60 s was over, and proves nothing")
        assert terminal.process.wait(20) == 1


def test_whoever_is_killed_at_the_prompt_leaves_no_twin(leadline):
    with Twin(leadline) as twin, Terminal() as terminal:
        terminal.until("(quote:88, ")
        terminal.process.kill()
        assert twin.agent.removed.get(timeout=20) == twin.agent.orders[-1].id


@pytest.mark.parametrize(
    ("line", "do", "text"),
    [
        ("n", Do.NEXT, ""),
        ("n = 3", Do.RUN, "n = 3"),
        ("next", Do.NEXT, ""),
        ("list(x)", Do.RUN, "list(x)"),
        ("l 20", Do.LIST, "20"),
        ("list = 3", Do.RUN, "list = 3"),
        ("up 2", Do.UP, "2"),
        ("up x", Do.RUN, "up x"),
        ("p x", Do.PRINT, "x"),
        ("p = 4", Do.RUN, "p = 4"),
        ("p += 4", Do.RUN, "p += 4"),
        ("p **= 4", Do.RUN, "p **= 4"),
        ("p -x", Do.PRINT, "-x"),
        ("p ==x", Do.PRINT, "==x"),
        ("!n", Do.RUN, "n"),
        ("  w ", Do.WHERE, ""),
        ("q", Do.QUIT, ""),
        ("?", None, ""),
        ("until 90", Do.UNTIL, "90"),
        ("order.total()", Do.RUN, "order.total()"),
    ],
)
def test_words_of_the_debugger_are_told_from_python(line, do, text):
    assert typed(line) == Typed(do, text)


def test_p_needs_something():
    with pytest.raises(UsageError):
        typed("pp ")
