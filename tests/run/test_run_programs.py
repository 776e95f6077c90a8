"""`leadline run --probe` on real programs: their output untouched, hits beside it."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from live import LEADLINE, Program, free_port, get, tool
from waiting import wait_for

APP = """\
import sys
def work(t, q):
    s = t + q
    return s
for i in range(3):
    print("out", work(i, i * 2))
print("err", sys.argv[1:], file=sys.stderr)
sys.exit(3)
"""
HIT = re.compile(r"^\d\d:\d\d:\d\d\.\d{3}  \S+/\d+  \S+:\d+  ", re.MULTILINE)


@pytest.fixture
def write(tmp_path, home):
    """Write a file into the working folder."""

    def to(name: str, source: str) -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source), "utf-8")
        return path

    return to


def run(cwd: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program, which writes whole lines, as it does unless it is told otherwise."""
    env = {name: one for name, one in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, input=stdin, timeout=60, check=False,
        env=env,
    )  # fmt: skip


def with_probe(cwd: Path, probe: str, *words: str, stdin: str = ""):
    return run(cwd, LEADLINE, "run", "--probe", probe, "--", *words, stdin=stdin)


def own_lines(stderr: str) -> list[str]:
    """The lines of stderr that are the program's."""
    return [one for one in stderr.splitlines() if not HIT.match(one) and "leadline:" not in one]


def messages(stderr: str) -> list[str]:
    return [HIT.sub("", one) for one in stderr.splitlines() if HIT.match(one)]


def test_a_script(write, tmp_path) -> None:
    write("app.py", APP)
    plain = run(tmp_path, sys.executable, "app.py", "a", "b")
    probed = with_probe(
        tmp_path, 'log app.py:3 "t={t} q={q}"', sys.executable, "app.py", "a", "b"
    )
    assert (
        (probed.stdout, probed.returncode)
        == (plain.stdout, plain.returncode)
        == (
            "out 0\nout 3\nout 6\n",
            3,
        )
    )
    assert own_lines(probed.stderr) == plain.stderr.splitlines()
    assert messages(probed.stderr) == ["t=0 q=0", "t=1 q=2", "t=2 q=4"]


def test_hits_as_json(write, tmp_path) -> None:
    write("app.py", APP)
    done = run(
        tmp_path, LEADLINE, "run", "--json", "--probe", "log app.py:3 {t} --if 't > 1'", "--",
        sys.executable, "app.py",
    )  # fmt: skip
    (hit,) = [json.loads(one)["hit"] for one in done.stderr.splitlines() if one.startswith("{")]
    assert (hit["message"], hit["values"], hit["line"]) == ("2", {"t": 2}, 3)


def test_module_level_lines_of_the_main_script(write, tmp_path) -> None:
    write("app.py", APP)
    done = with_probe(tmp_path, "log app.py:7 'i={i}'", sys.executable, "app.py")
    assert messages(done.stderr) == ["i=2"]


def test_a_module_run_with_m(write, tmp_path) -> None:
    write("tool.py", APP)
    done = with_probe(tmp_path, "log tool.py:3 {t}", sys.executable, "-m", "tool")
    assert messages(done.stderr) == ["0", "1", "2"]
    assert done.returncode == 3


def test_standard_input_is_the_programs(write, tmp_path) -> None:
    write("app.py", "import sys\ntext = sys.stdin.read()\nprint(text.upper())\n")
    done = with_probe(tmp_path, "log app.py:3 {text}", sys.executable, "app.py", stdin="hello")
    assert done.stdout == "HELLO\n"
    assert messages(done.stderr) == ["hello"]


def test_captured_text_cannot_steer_the_terminal(write, tmp_path) -> None:
    write("app.py", "def f(x):\n    return x\nf('\\x1b[2J\\r\\n\\u202eevil\\ud800')\n")
    done = with_probe(tmp_path, "log app.py:2 {x}", sys.executable, "app.py")
    assert messages(done.stderr) == ["\\x1b[2J\\r\\n\\u202eevil\\ud800"]


def test_the_reason_for_silence_is_said(write, tmp_path) -> None:
    write("app.py", APP)
    write("never.py", "def f():\n    return 1\n")
    for probe, reason in [
        ("log never.py:2 x", "is not imported yet"),
        ("log nowhere/at/all.py:2 x", "no loaded file ends with nowhere/at/all.py"),
        ("log app.py:3 x --if 't > 99'", "condition false 3 times"),
        ("log app.py:3 x --if 't.real > 1'", "condition unknown 3 times"),
    ]:
        done = with_probe(tmp_path, probe, sys.executable, "app.py")
        assert messages(done.stderr) == []
        assert reason in done.stderr
        assert done.returncode == 3


def test_an_environment_without_the_agent_is_said(write, tmp_path) -> None:
    write("app.py", APP)
    done = with_probe(tmp_path, "log app.py:3 {t}", sys.executable, "-S", "app.py")
    assert done.returncode == 3
    assert "is Leadline installed in the environment of the program?" in done.stderr


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ((), "no-program"),
        (("--probe", "log app.py:3 {t}"), "no-program"),
        (("--", "no-such-program-here"), "program-not-found"),
        (("--probe", "log app.py:3 {t}", "--", "no-such-program-here"), "program-not-found"),
        (("--probe", "log app.py {t}", "--", "true"), "bad-target"),
        (("--probe", "log app.py:3", "--", "true"), "bad-probe"),
        (("--probe", "log app.py:3 'x", "--", "true"), "bad-probe"),
        (("--probe", "trace app.py:3 x", "--", "true"), "bad-probe"),
        (("--probe", "log app.py:3 {t()}", "--", "true"), "expression-forbidden"),
        (("--probe", "log app.py:3 x --hits 0", "--", "true"), "bad-limit"),
        (("--probe", "log a:1 x", "--service", "s", "--", "true"), "probe-and-service"),
        (("--service", "a/b", "--", "true"), "bad-service-name"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(tmp_path, home, words, slug) -> None:
    done = run(tmp_path, LEADLINE, "run", *words)
    assert done.returncode == 64
    assert f"docs/errors/{slug}.md" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_that_dies_by_a_signal(write, tmp_path) -> None:
    write("app.py", "import os, signal\nx = 1\nos.kill(os.getpid(), signal.SIGKILL)\n")
    done = with_probe(tmp_path, "log app.py:3 {x}", sys.executable, "app.py")
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_signals_reach_the_program(write, tmp_path, number) -> None:
    write(
        "app.py",
        f"""\
        import signal, sys, time
        def stop(number, frame):
            print("got", number, flush=True)
            sys.exit(5)
        signal.signal({int(number)}, stop)
        print("ready", flush=True)
        time.sleep(30)
        """,
    )
    command = [
        LEADLINE,
        "run",
        "--probe",
        "log app.py:3 {number}",
        "--",
        sys.executable,
        "app.py",
    ]
    with Program(command, tmp_path) as program:
        program.wait_for("ready")
        program.process.send_signal(number)
        assert program.end() == 5
        assert f"got {int(number)}" in program.out
        assert messages(program.err) == [str(int(number))]


def test_workers_that_outlive_the_main_thread(write, tmp_path) -> None:
    """Leaving when the main thread ends would blind the probe for the rest of the run."""
    write(
        "app.py",
        """\
        import threading, time
        def work():
            for n in range(5):
                time.sleep(0.1)
                last = n
        threading.Thread(target=work).start()
        """,
    )
    done = with_probe(tmp_path, "log app.py:5 {n}", sys.executable, "app.py")
    assert messages(done.stderr) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing(write, tmp_path, method) -> None:
    write(
        "app.py",
        f"""\
        import multiprocessing
        def work(n):
            return n * n
        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            children = [context.Process(target=work, args=(n,)) for n in range(3)]
            for one in children: one.start()
            for one in children: one.join()
            print([one.exitcode for one in children])
        """,
    )
    done = with_probe(tmp_path, "log app.py:3 {n}", sys.executable, "app.py")
    assert done.stdout == "[0, 0, 0]\n"
    assert sorted(messages(done.stderr)) == ["0", "1", "2"]


def test_a_fork_shows_no_warning_and_the_child_reports_for_itself(write, tmp_path) -> None:
    """CPython warns when a process with threads forks; those threads are only ours."""
    write(
        "app.py",
        """\
        import os, sys, time, warnings
        def work(who):
            return who
        for _ in range(3):
            child = os.fork()
            if child == 0:
                work("child")
                time.sleep(0.3)
                os._exit(0)
            os.waitpid(child, 0)
        work("parent")
        time.sleep(0.3)
        print(len([one for one in warnings.filters if "fork" in str(one[1])]))
        """,
    )
    for flags in ((), ("-W", "error"), ("-W", "always")):
        plain = run(tmp_path, sys.executable, *flags, "app.py")
        done = with_probe(tmp_path, "log app.py:3 {who}", sys.executable, *flags, "app.py")
        assert (done.stdout, done.returncode) == (plain.stdout, plain.returncode) == ("0\n", 0)
        assert own_lines(done.stderr) == plain.stderr.splitlines() == []
        assert sorted(messages(done.stderr)) == ["child", "child", "child", "parent"]


def test_a_fork_that_takes_its_time_shows_no_warning(write, tmp_path) -> None:
    """3.13 warns when the last hook has run; until then nobody may take the filter away."""
    write(
        "app.py",
        """\
        import os, time, warnings
        def work(who):
            return who
        def hook():
            time.sleep(1)
        os.register_at_fork(before=hook, after_in_parent=hook)
        for _ in range(1):
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        work("parent")
        time.sleep(0.3)
        print(len([one for one in warnings.filters if "fork" in str(one[1])]))
        """,
    )
    done = with_probe(tmp_path, "log app.py:3 {who}", sys.executable, "-W", "always", "app.py")
    assert (done.stdout, done.returncode) == ("0\n", 0)
    assert own_lines(done.stderr) == []
    assert messages(done.stderr) == ["parent"]


def test_threads_and_modules_look_as_without_us(write, tmp_path) -> None:
    """S2: what the application can ask about itself."""
    write(
        "app.py",
        """\
        import gc, signal, sys, threading, warnings
        def seen():
            return [threading.active_count(), [t.name for t in threading.enumerate()],
                    sys.gettrace(), sys.getprofile(), threading.gettrace(), len(sys.meta_path),
                    [str(p) for p in sys.path_hooks].__len__(), gc.isenabled(),
                    signal.getsignal(signal.SIGINT).__name__, sys.getswitchinterval(),
                    sys.excepthook is sys.__excepthook__, len(warnings.filters),
                    sys.getrecursionlimit(), sys.argv, sys.flags.dev_mode]
        print(seen())
        """,
    )
    plain = run(tmp_path, sys.executable, "app.py")
    done = with_probe(tmp_path, "log app.py:3 x", sys.executable, "app.py")
    assert done.stdout == plain.stdout
    assert messages(done.stderr) == ["x"]


@pytest.mark.soak
def test_pytest(write, tmp_path) -> None:
    write(
        "test_sums.py",
        "def add(a, b):\n    return a + b\ndef test_add():\n    assert add(1, 2) == 3\n",
    )
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    plain = run(tmp_path, *words)
    done = with_probe(tmp_path, "log test_sums.py:2 '{a} {b}'", *words)
    timing = re.compile(r"in [0-9.]+s")
    assert timing.sub("", done.stdout) == timing.sub("", plain.stdout)
    assert done.returncode == 0
    assert messages(done.stderr) == ["1 2"]


FLASK = """\
import os
from flask import Flask, jsonify
app = Flask(__name__)
@app.route("/sum/<int:a>/<int:b>")
def add(a, b):
    total = a + b
    return jsonify(total=total, pid=os.getpid())
@app.route("/")
def index():
    return "ready"
"""


def test_gunicorn_with_two_workers(write, tmp_path) -> None:
    write("app.py", FLASK)
    port = free_port()
    command = [
        LEADLINE, "run", "--probe", "log app.py:7 '{a}+{b}={total}'", "--",
        tool("gunicorn"), "-w", "2", "-b", f"127.0.0.1:{port}", "app:app",
    ]  # fmt: skip
    with Program(command, tmp_path) as program:
        program.serving(port)
        pids = {json.loads(get(port, f"/sum/{n}/1")[2])["pid"] for n in range(30)}
        wait_for(lambda: len(messages(program.err)) >= 30, why=program.err)
        shown = {int(match) for match in re.findall(r" gunicorn/(\d+) ", program.err)}
        assert shown == pids
        program.process.send_signal(signal.SIGTERM)
        assert program.end() == 0


def test_uvicorn(write, tmp_path) -> None:
    write(
        "app.py",
        """\
        async def app(scope, receive, send):
            if scope["type"] != "http":
                return
            path = scope["path"]
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": path.encode()})
        """,
    )
    port = free_port()
    command = [
        LEADLINE, "run", "--probe", "log app.py:5 'path={path}'", "--",
        tool("uvicorn"), "--port", str(port), "--lifespan", "off", "app:app",
    ]  # fmt: skip
    with Program(command, tmp_path) as program:
        program.serving(port)
        assert get(port, "/here")[2] == b"/here"
        wait_for(lambda: "path=/here" in messages(program.err))


@pytest.mark.soak
def test_celery(write, tmp_path) -> None:
    write(
        "tasks.py",
        """\
        from celery import Celery
        app = Celery("tasks", broker="filesystem://")
        app.conf.broker_transport_options = {
            "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}
        @app.task
        def add(a, b):
            total = a + b
            return total
        """,
    )
    for folder in ("queue", "control"):
        (tmp_path / folder).mkdir()
    celery = [tool("celery"), "-A", "tasks", "worker", "-P", "prefork", "-c", "2", "-l", "INFO"]
    command = [LEADLINE, "run", "--probe", "log tasks.py:8 '{a}+{b}={total}'", "--", *celery]
    with Program(command, tmp_path) as program:
        program.wait_for("ready.")
        sent = run(tmp_path, sys.executable, "-c", "import tasks; tasks.add.delay(20, 22)")
        assert sent.returncode == 0, sent.stderr
        wait_for(lambda: "20+22=42" in messages(program.err), 30, why=program.err)


def test_nested_runs_do_not_inherit_probes(write, tmp_path) -> None:
    write("inner.py", "def f(x):\n    return x\nf('inner')\n")
    write(
        "outer.py",
        f"""\
        import subprocess, sys
        subprocess.run([{LEADLINE!r}, "run", "--probe", "log inner.py:2 {{x}}", "--",
                        sys.executable, "inner.py"], check=True)
        """,
    )
    done = with_probe(tmp_path, "log outer.py:2 'outer'", sys.executable, "outer.py")
    assert messages(done.stderr) == ["outer", "inner"]


def test_the_kill_switch(write, tmp_path) -> None:
    write("app.py", APP)
    os.environ["LEADLINE_OFF"] = "1"
    try:
        done = with_probe(tmp_path, "log app.py:3 {t}", sys.executable, "app.py")
    finally:
        del os.environ["LEADLINE_OFF"]
    assert messages(done.stderr) == []
    assert done.returncode == 3
