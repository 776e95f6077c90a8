"""What a whole process may notice of the agent in it: nothing. Each was noticed once."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from leadline import native
from leadline.agent.link import native as threads
from live import LEADLINE


@pytest.fixture
def write(tmp_path, home):
    def to(name: str, source: str) -> None:
        (tmp_path / name).write_text(textwrap.dedent(source), "utf-8")

    return to


def probed(cwd, probe: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LEADLINE, "run", "--probe", probe, "--", sys.executable, *words],
        cwd=cwd, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_no_module_is_imported_on_our_threads(write, tmp_path) -> None:
    """A fork in the middle of one would leave its lock held for ever in the child."""
    write(
        "app.py",
        """\
        import sys, time
        before = set(sys.modules)
        def work(n):
            return n
        for n in range(20):
            work([n, "text", 1.5])
            time.sleep(0.05)
        print(sorted(set(sys.modules) - before))
        """,
    )
    done = probed(tmp_path, "log app.py:4 {n}", "app.py")
    assert done.stdout == "[]\n"
    assert done.stderr.count("app.py:4") == 20


@pytest.mark.parametrize("after_ms", range(5, 200, 15))
def test_ctrl_c_while_the_interpreter_starts_ends_it(write, tmp_path, after_ms) -> None:
    """Python's own import system has callbacks that swallow it, with or without us: seen once
    in 200 starts on a busy machine. A second Ctrl-C at the same moment must not be lost too."""
    write("app.py", "import time\ntime.sleep(30)\n")

    def ends() -> bool:
        program = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=tmp_path,
            env=os.environ | {"LEADLINE_URL": "http://127.0.0.1:1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(after_ms / 1e3)
        program.send_signal(signal.SIGINT)
        try:
            return program.wait(10) != 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            program.kill()
            program.wait()

    assert any(ends() for _ in range(3))


def test_our_threads_take_no_signal_from_their_first_moment_on(monkeypatch) -> None:
    """A signal that one of them took would not end the main thread's `sleep`."""
    begin, blocked, ended = threads._start_new_thread, [], threading.Event()

    def seen(*given) -> int:
        blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        return begin(*given)

    monkeypatch.setattr(threads, "_start_new_thread", seen)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    threads.start_thread("test", ended.set)
    assert ended.wait(10)
    unblockable = {signal.SIGKILL, signal.SIGSTOP}
    assert [signal.valid_signals() - mask for mask in blocked] == [unblockable]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def alone(cwd, program: str) -> None:
    """Run it in a process of its own: in that of the tests, threads of earlier ones end."""
    done = subprocess.run(
        [sys.executable, program], cwd=cwd, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_no_thread_is_left_to_start(write, tmp_path) -> None:
    write(
        "app.py",
        """\
        import signal
        from leadline.agent.link import native as threads

        def none_left(*_):
            raise RuntimeError("can't start new thread")

        def seen():
            return signal.pthread_sigmask(signal.SIG_BLOCK, []), threads.threads_of_others()

        threads._start_new_thread = none_left
        before = seen()
        try:
            threads.start_thread("test", print)
        except RuntimeError:
            assert seen() == before
        else:
            raise AssertionError("it said nothing")
        """,
    )
    alone(tmp_path, "app.py")


def test_threads_of_ours_are_told_from_others_while_they_start_and_end(write, tmp_path) -> None:
    write(
        "app.py",
        """\
        import threading, time
        from leadline.agent.link import native as threads

        others = threads.threads_of_others()
        assert others == 1
        for _ in range(200):
            threads.start_thread("test", lambda: None)
            assert threads.threads_of_others() <= others
        ends = threading.Event()
        other = threading.Thread(target=ends.wait, args=(10,))
        other.start()
        deadline = time.monotonic() + 10
        while threads.threads_of_others() != others + 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threads.threads_of_others() == others + 1
        ends.set()
        other.join()
        """,
    )
    alone(tmp_path, "app.py")


def test_audit_hooks_hear_nothing_of_a_hit(write, tmp_path) -> None:
    write(
        "app.py",
        """\
        import sys, threading
        heard, mine = [], threading.get_ident()
        def work(n):
            return n
        def hook(name, args):
            if threading.get_ident() == mine:
                heard.append(name)
        sys.addaudithook(hook)
        for n in range(3):
            work(n)
        print(heard)
        """,
    )
    done = probed(tmp_path, "log app.py:4 {n}", "app.py")
    assert done.stdout == "[]\n"
    assert done.stderr.count("app.py:4") == 3


def test_recursion_goes_as_deep_as_without_but_for_one_frame(write, tmp_path) -> None:
    write(
        "app.py",
        """\
        import sys
        def down(n):
            if n == 0:
                return 0
            return down(n - 1)
        sys.setrecursionlimit(1000)
        deepest = 0
        for n in range(900, 1000):
            try:
                down(n)
                deepest = n
            except RecursionError:
                break
        print(deepest)
        """,
    )
    plain = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    done = probed(tmp_path, "log app.py:4 {n} --rate 1000 --hits 1000", "app.py")
    if native.core() is not None:
        assert done.stdout == plain.stdout
        return
    # the very last frame has no room for the callback itself, which only C can do without
    assert int(plain.stdout) - int(done.stdout) <= 1
    assert "no room on the stack" in done.stderr


def test_warnings_that_were_shown_once_stay_shown_once(write, tmp_path) -> None:
    write(
        "app.py",
        """\
        import os, warnings
        def work():
            warnings.warn("once please", UserWarning)
        for _ in range(4):
            work()
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        """,
    )
    done = probed(tmp_path, "log app.py:3 x", "app.py")
    assert done.stderr.count("once please") == 2  # the message, and the line of source


def test_a_sub_interpreter_comes_and_goes(write, tmp_path) -> None:
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    write(
        "app.py",
        f"""\
        import {name} as interpreters
        def work(n):
            return n
        for n in range(3):
            one = interpreters.create()
            interpreters.destroy(one)
            work(n)
        print("done")
        """,
    )
    done = probed(tmp_path, "log app.py:3 {n}", "app.py")
    assert (done.stdout, done.returncode) == ("done\n", 0)
    assert done.stderr.count("app.py:3") == 3


def test_the_application_reads_its_own_socket(write, tmp_path) -> None:
    """Ours waits on a descriptor that the application closes and uses for its own."""
    write(
        "app.py",
        """\
        import os, socket, time
        time.sleep(0.5)
        os.closerange(3, 64)
        pairs = [socket.socketpair() for _ in range(8)]
        for one, other in pairs:
            one.sendall(b"hello")
            other.sendall(b"hello")
        def work(n):
            return n
        for n in range(30):
            work(n)
            time.sleep(0.05)
        print({side.recv(10) for pair in pairs for side in pair})
        """,
    )
    done = probed(tmp_path, "log app.py:9 {n}", "app.py")
    assert done.stdout == "{b'hello'}\n"


def test_the_main_script_under_a_profiler(write, tmp_path) -> None:
    write("app.py", "def work(n):\n    return n\nwork(1)\nx = 2\n")
    done = probed(tmp_path, "log app.py:4 'main'", "-m", "cProfile", "-o", "out.prof", "app.py")
    assert "app.py:4  main" in done.stderr


def test_with_stderr_closed_hits_do_not_go_to_stdout(write, tmp_path) -> None:
    write("app.py", "def work(n):\n    return n\nwork(1)\nprint('out')\n")
    command = f"'{LEADLINE}' run --probe 'log app.py:2 {{n}}' -- '{sys.executable}' app.py 2>&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stdout == "out\n"
