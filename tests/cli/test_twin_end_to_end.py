"""`ask`, `rerun` and `shell` from end to end: a real service, its twins, the commands."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from leadline import native
from live import LEADLINE, Leadline, Program
from waiting import wait_for

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())

SHOP = """\
import sys
import time


class Order:
    def __init__(self, goods):
        self.goods = goods

    def total(self):
        print("counting", file=sys.stdout)
        return self.goods + 450


def price(goods, country):
    order = Order(goods)
    shipping = 450 if country == "DE" else 390
    total = goods + shipping
    return total


def stamp():
    return time.time()


def log_in(user, password):
    password.append(time.time())
    return user


while True:
    price(1000, "DE")
    stamp()
    log_in("ann", ["hunt" + "er2"])
    time.sleep(0.05)
"""
LINE = "shop.py:17"
"""`total = goods + shipping`."""
KEY = {"LEADLINE_TWIN_KEY": "the service's own"}


def run(
    *words: str, status: int | None = 0, said: str = "", env: dict[str, str] | None = None
) -> str:
    done = subprocess.run(
        [LEADLINE, *words],
        input=said, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert status in (None, done.returncode), done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def leadline(harbour: Leadline) -> Leadline:
    """One server for all of these."""
    (harbour.cwd / "shop.py").write_text(SHOP)
    return harbour


@pytest.fixture(scope="module")
def shop(leadline: Leadline) -> Iterator[Program]:
    """A service that allows twins, many a second."""
    with start(leadline, "shop", LEADLINE_TWIN="threads", LEADLINE_TWIN_RATE="1000") as program:
        yield program


def start(leadline: Leadline, service: str, **env: str) -> Program:
    command = [LEADLINE, "run", "--service", service, "--", sys.executable, "shop.py"]
    program = Program(
        command,
        leadline.cwd,
        {"LEADLINE_TWIN_LOAD": "1000", "LEADLINE_TWIN_PAUSE": "10000", **env},
    )
    wait_for(lambda: leadline.connected(service), 20)
    return program


def test_any_python_runs_in_the_twin_and_nothing_gets_out(leadline, shop):
    never = leadline.cwd / "never"
    told = run("ask", "shop", LINE, "order.total()", f"open({str(never)!r}, 'w')",
               "[n for n in range(3)]", status=1)  # fmt: skip
    for part in (
        "  order.total() = 1450\n    | counting\n",
        "    raised PermissionError",
        f"    tried to open {never}: refused",
        "  [n for n in range(3)] = [0, 1, 2]",
    ):
        assert part in told
    assert re.search(r"pause [\d.]+ ms   the twin lived \d+ ms   files read-only", told)
    assert not never.exists()
    assert "counting" not in shop.out


def test_only_where_the_condition_holds(leadline, shop):
    assert "goods = 1000" in run("ask", "shop", LINE, "goods", "--if", "goods == 1000")
    told = run(
        "ask", "shop", LINE, "goods", "--if", "goods == 7", "--wait", "2500ms", status=69
    )
    assert re.search(r"shop/\d+: armed; condition false \d+ times", told)


def test_a_call_comes_to_the_same_again_or_its_clock_explains_why_not(leadline, shop):
    rate = ("--rate", "100")
    told = run("rerun", "shop", "shop:price", "-n", "3", *rate)
    assert len(re.findall(r"  agrees: \d+ values? compared   1450\n", told)) == 3
    assert "3 of 3 agree; files read-only, threads allowed" in told
    told = run("rerun", "shop", "shop:stamp", "-n", "2", *rate, status=1)
    assert "explained: it reads the clock" in told
    assert "0 of 2 agree; 2 differ, explained; " in told
    assert "marks: time.time in 2" in told


def test_the_real_frame_steps_on_at_the_prompt(leadline, shop):
    lines = "n\np total\ntotal = 7\nopen('/tmp/never', 'w')\nr\nwhere\nq\n"
    told = run("shell", "shop", LINE, said=lines)
    for part in (
        "shop.py:17 in price   total = goods + shipping",
        "shop.py:18 in price   return total",
        "  total = 1450",
        "  tried to open /tmp/never: refused",
        "  returns = 7",
        "the twin has ended   pause ",
    ):
        assert part in told
    assert "proves nothing" not in told


def test_a_twin_ends_with_its_life_and_with_its_reader(leadline, shop):
    command = [LEADLINE, "shell", "shop", LINE, "--life"]
    with subprocess.Popen(
        [*command, "1s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.wait(30) == 1
        assert "its life of 1 s was over, and proves nothing" in waiting.stdout.read()
    with subprocess.Popen(
        [*command, "60s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as left:
        assert left.stdout.readline().startswith("a twin of shop/")
        left.kill()
    deadline = time.monotonic() + 20
    while "goods = 1000" not in run("ask", "shop", LINE, "goods"):  # one lives at a time
        assert time.monotonic() < deadline


@pytest.fixture(scope="module")
def signing(leadline: Leadline) -> Iterator[Program]:
    """A service that runs only what is signed."""
    more = {"LEADLINE_TWIN": "readonly", "LEADLINE_TWIN_RATE": "1000", **KEY}
    with start(leadline, "signing", **more) as program:
        yield program


def test_only_what_is_signed_runs_where_the_service_wants_that(leadline, signing):
    for env in ({}, {"LEADLINE_TWIN_KEY": "another"}):
        told = run("ask", "signing", LINE, "goods", status=77, env=env)
        assert "[twin-unsigned]" in told
    assert "goods = 1000" in run("ask", "signing", LINE, "goods", env=KEY)
    told = run("shell", "signing", LINE, said="p goods\nq\n", env=KEY)
    assert "  goods = 1000" in told


def test_a_service_that_wants_no_twins_makes_none(leadline):
    with start(leadline, "without"):
        run("ask", "without", LINE, "goods", "--wait", "50s", status=77)
        loaded = run("inventory", "without", "--modules")
        assert "leadline.agent.twin.terms" in loaded
        for one in ("leadline.agent.twin.nursery", "leadline.native._twin", "leadline.trial"):
            assert one not in loaded
        told = run("ask", "without", LINE, "goods", "--wait", "50s", status=77)
    assert "no instance makes a twin; the order is removed" in told
    assert "This service makes no twins." in told


SAYS = """\
def say(*messages):
    import os, stat
    sockets = [n for n in range(3, 100) if is_socket(n)]
    for number in sockets:
        for message in messages:
            try:
                os.write(number, message.encode() + b"\\n")
            except OSError:
                pass
def is_socket(number):
    import os, stat
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False
"""
"""A twin's own channel is open in it: what runs there can write to it."""


@pytest.mark.parametrize(
    "message",
    [
        '{"said": [1]}',
        '{"said": {"code": 7, "returned": true, "refused": 3}}',
        '{"said": {"code": "x", "returned": true, "value": {"entries": [5]}}}',
        '{"said": {"code": "x", "returned": true, "value": ' + "[" * 900 + "]" * 900 + "}}",
        '{"failed": 7}',
        '{"notes": [{}]}',
        '{"notes": 7}',
    ],
)  # fmt: skip
def test_what_runs_in_a_twin_spoils_its_own_answer_alone(leadline, shop, message):
    run("ask", "shop", LINE, SAYS, f"say({message!r})", "--wait", "20s", status=None)
    assert "goods = 1000" in run("ask", "shop", LINE, "goods")


@pytest.mark.parametrize(
    "message",
    [
        '{"number": 3, "reason": "line", "value": ' + "[" * 900 + "]" * 900 + "}",
        '{"number": [3], "reason": 7}',
        '{"number": 3, "reason": 7, "stop": 7, "printed": {}, "refused": 1, "alive_s": "x"}',
    ],
)  # fmt: skip
def test_what_runs_in_a_shell_spoils_its_own_shell_alone(leadline, shop, message):
    code = SAYS.replace("\n", "\\n").replace('"', "'")
    lines = f'exec("{code}")\nsay({message!r})\np goods\nq\n'
    told = run("shell", "shop", LINE, said=lines, status=None)
    assert "Traceback" not in told
    assert "goods = 1000" in run("ask", "shop", LINE, "goods")


def test_what_is_printed_and_raised_is_redacted_as_values_are(leadline, shop):
    told = run(
        "ask", "shop", LINE, "print({'password': 'hunt' + 'er2', 'a': 1})",
        "1 / 0 if not goods else int('password=hunt' + 'er2')", status=1,
    )  # fmt: skip
    assert "hunter2" not in told
    assert "| {'password': '<redacted pattern:named>', 'a': 1}" in told
    told = run("shell", "shop", LINE, said="pp {'password': 'hunt' + 'er2'}\nq\n")
    assert "hunter2" not in told


def test_what_is_called_a_secret_is_not_shown(leadline, shop):
    told = run(
        "ask", "shop", LINE, "token = {'a': 'hunt' + 'er2'}", "token", "token['a']",
        "(order := type('O', (), {'password': 'hunt' + 'er2'})).password",
        "{'x': {'api_key': 'hunt' + 'er2'}}['x']['api_key']", "len(token)",
    )  # fmt: skip
    assert "hunter2" not in told
    assert told.count("<redacted name:") == 4
    assert "len(token) = 1" in told
    lines = "country = 'hunt' + 'er2'\ntoken = country\np token\npp token\ntoken\nq\n"
    told = run("shell", "shop", LINE, said=lines)
    assert "hunter2" not in told
    assert told.count("<redacted name:token>") == 3
    told = run("shell", "shop", "shop:log_in", said="args\nlocals\nq\n")
    assert "hunter2" not in told
    assert told.count("password = <redacted name:password>") == 2
    assert told.count("user = 'ann'") == 2


def test_a_rerun_does_not_tell_an_argument_that_is_called_a_secret(leadline, shop):
    told = run("rerun", "shop", "shop:log_in", "-n", "2", "--rate", "100", status=None)
    assert "hunter2" not in told
    assert "2 of 2 agree" in told


def test_a_shell_that_cannot_step_ends_and_says_so(leadline, shop):
    told = run("shell", "shop", LINE, said="import sys; sys.settrace = None\nn\nq\n", status=1)
    assert "it died: it failed: TypeError" in told


@pytest.mark.parametrize("many", ["0", "10001"])
def test_a_number_of_calls_that_cannot_be_is_named_as_it_was_said(leadline, many):
    told = run("rerun", "shop", "shop:price", "-n", many, status=64)
    assert "--calls must be from 1 to 10,000, not" in told


@pytest.mark.soak
def test_a_shell_can_be_left_while_its_twin_runs_on(leadline, shop):
    command = [LEADLINE, "shell", "shop", LINE, "--life", "60s"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as left:
        left.stdin.write("while True: pass\nq\n")
        left.stdin.flush()
        while "while True" not in (line := left.stdout.readline()):
            assert line
        time.sleep(0.5)
        left.send_signal(signal.SIGINT)
        said, _ = left.communicate(timeout=20)
    assert "the twin goes on" in said
    assert "the twin has ended" in said or "the twin is gone: removed" in said
    assert left.returncode == 0
