"""Tries at processes and threads: to make some, to become another, to reach others."""

import ctypes
import os
import resource
import subprocess
import threading
from pathlib import Path

from sealed import GRANDCHILDREN, READONLY, THREADS, native, tries
from tries_files import Telling, call

seal = native.twin()


def nothing_made(place: Path) -> None:
    assert not (place / "made").exists(), "a program ran"


def touch(place: Path) -> list[str]:
    return ["touch", str(place / "made")]


@tries(refused="execve")
def become_another_program(place: Path) -> Telling:
    yield lambda: os.execvp("touch", touch(place))
    nothing_made(place)


@tries(refused="execveat")
def become_a_program_that_is_open(place: Path) -> Telling:
    program = os.open("/usr/bin/touch", os.O_RDONLY)
    words = (ctypes.c_char_p * 3)(b"touch", bytes(place / "made"), None)
    yield lambda: call(322, program, b"", words, None, 0x1000)
    os.close(program)
    nothing_made(place)


@tries(refused="memfd_create", error="PermissionError")
def become_a_program_in_memory(place: Path) -> Telling:
    program = Path("/usr/bin/touch").read_bytes()

    def code() -> None:
        memory = os.memfd_create("program")
        os.write(memory, program)
        os.execve(memory, touch(place), {})

    yield code
    nothing_made(place)


@tries(refused="clone", error="PermissionError")
def fork(place: Path) -> Telling:
    def code() -> None:
        if os.fork() == 0:
            (place / "made").touch()
            os._exit(0)
        os.wait()

    outcome = yield code
    if outcome.facts:
        assert ("clone", "process", 1) in outcome.refused, outcome.refused
    nothing_made(place)


@tries(refused="clone", error="PermissionError", policy=THREADS | GRANDCHILDREN)
def fork_where_there_may_be_grandchildren(place: Path) -> Telling:
    def code() -> None:
        if os.fork() == 0:
            (place / "made").touch()
            os._exit(0)
        os.wait()

    yield code
    nothing_made(place)


@tries(refused="vfork", error="PermissionError|BlockingIOError")
def start_a_program(place: Path) -> Telling:
    yield lambda: subprocess.run(touch(place), check=True)
    nothing_made(place)


@tries(refused="clone|vfork", error="PermissionError|BlockingIOError")
def spawn_a_program(place: Path) -> Telling:
    yield lambda: os.waitpid(os.posix_spawnp("touch", touch(place), {}), 0)
    nothing_made(place)


@tries(error="OSError|PermissionError", harms=False)
def clone_the_new_way(place: Path) -> Telling:
    """Unknown to it, so that libc uses the other one."""
    outcome = yield lambda: call(435, ctypes.create_string_buffer(88), 88)
    assert "not implemented" in outcome.said, outcome


@tries(refused="clone", error="PermissionError", harms=False, policy=THREADS)
def clone_with_a_name_space(place: Path) -> Telling:
    yield lambda: call(56, 0x10000000 | 0x3D0F00, 0, 0, 0, 0)


@tries(refused="clone", error="RuntimeError", harms=False)
def start_a_thread_without_leave(place: Path) -> Telling:
    outcome = yield lambda: threading.Thread(target=int).start()
    assert ("clone", "thread", 1) in outcome.refused, outcome.refused


@tries(harms=False, policy=THREADS, more={"memory": lambda place: 1 << 30})
def start_threads(place: Path) -> Telling:
    def code() -> list[int]:
        done: list[int] = []
        for _ in range(3):
            threads = [threading.Thread(target=done.append, args=(n,)) for n in range(40)]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
        return [len(done), sum(done)]

    outcome = yield code
    assert outcome.said == "[120, 2340]", outcome
    assert not outcome.refused, outcome.refused


@tries(harms=False, policy=THREADS, error="RuntimeError", refused="clone",
       more={"memory": lambda place: 4 << 30})  # fmt: skip
def a_bomb_of_threads(place: Path) -> Telling:
    started = []

    def code() -> None:
        stop = threading.Event()
        try:
            while True:
                one = threading.Thread(target=stop.wait, daemon=True)
                one.start()
                started.append(one)
        except RuntimeError as error:
            raise RuntimeError(f"{len(started)} were started") from error

    outcome = yield code
    assert outcome.said == "63 were started", outcome


@tries(harms=False, policy=READONLY | GRANDCHILDREN)
def grandchildren(place: Path) -> Telling:
    """Sealed as it is, each with offsets and a list of refusals of its own."""
    (place / "text").write_text("abcdef", "utf-8")

    def code() -> list[str]:
        said = []
        with (place / "text").open("rb", buffering=0) as file:
            file.read(1)
            for _ in range(3):
                reading, writing = os.pipe()
                pid = seal.grandchild(5.0)
                if pid == 0:
                    try:
                        (place / "made").open("w")
                    except PermissionError:
                        pass
                    names = [name for name, _, _ in seal.refusals()]
                    told = f"{file.read(2)} {names} {seal.inside()}"
                    os.write(writing, told.encode())
                    os._exit(0)
                os.close(writing)
                said.append(os.read(reading, 999).decode())
                while seal.reap(pid) is None:
                    pass
        return said

    outcome = yield code
    assert outcome.said == repr(["b'bc' ['openat'] True"] * 3), outcome
    nothing_made(place)


@tries(harms=False, policy=READONLY | GRANDCHILDREN)
def a_bomb_of_grandchildren(place: Path) -> Telling:
    def code() -> str:
        made = 0
        try:
            while True:
                if seal.grandchild(9.0) == 0:
                    try:
                        seal.grandchild(9.0)
                    except PermissionError:
                        threading.Event().wait()
                    os._exit(0)
                made += 1
        except BlockingIOError as error:
            return f"{made} {error}"

    outcome = yield code
    assert outcome.said.startswith("'16 "), outcome


@tries(harms=False, policy=READONLY | GRANDCHILDREN)
def grandchildren_have_an_end(place: Path) -> Telling:
    def code() -> str:
        pid = seal.grandchild(0.1)
        if pid == 0:
            threading.Event().wait()
        while (status := seal.reap(pid)) is None:
            pass
        return str(seal.why(status))

    outcome = yield code
    assert outcome.said == "'its time was over'", outcome


@tries(harms=False, error="PermissionError")
def grandchild_without_leave(place: Path) -> Telling:
    yield lambda: seal.grandchild(1.0)


@tries(harms=False, error="PermissionError")
def a_twin_of_a_twin(place: Path) -> Telling:
    yield lambda: seal.clone(0, 1.0, 1, 0, (), ())


@tries(refused="ptrace", error="PermissionError", harms=False)
def trace_the_parent(place: Path) -> Telling:
    parent = os.getpid()
    yield lambda: call(101, 0x4206, parent, 0, 0)


@tries(refused="ptrace", error="PermissionError", harms=False)
def be_traced_by_the_parent(place: Path) -> Telling:
    yield lambda: call(101, 0, 0, 0, 0)


@tries(refused="pidfd_open", error="PermissionError", harms=False)
def take_a_descriptor_of_the_parent(place: Path) -> Telling:
    parent = os.getpid()
    yield lambda: call(438, call(434, parent, 0), 0, 0)


@tries(refused="pidfd_getfd", error="PermissionError", harms=False)
def take_a_descriptor_by_one_that_is_open(place: Path) -> Telling:
    parent = os.pidfd_open(os.getpid())
    yield lambda: call(438, parent, 0, 0)
    os.close(parent)


@tries(refused="prlimit64", error="PermissionError")
def limit_the_parent(place: Path) -> Telling:
    parent = os.getpid()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE, (64, before[1]))
    after = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert before == after, f"it is limited to {after}"


@tries(refused="prlimit64", error="ValueError|PermissionError|OSError", harms=False)
def lift_its_own_limits(place: Path) -> Telling:
    yield lambda: resource.setrlimit(resource.RLIMIT_CPU, (10_000, 10_000))


@tries(refused="setpriority", error="PermissionError", root=True)
def slow_the_parent(place: Path) -> Telling:
    parent = os.getpid()
    yield lambda: os.setpriority(os.PRIO_PROCESS, parent, 5)
    nice = os.getpriority(os.PRIO_PROCESS, parent)
    os.setpriority(os.PRIO_PROCESS, parent, 0)
    assert nice == 0, f"it is {nice} nice"


@tries(refused="sched_setaffinity", error="PermissionError")
def bind_the_parent_to_one_processor(place: Path) -> Telling:
    parent = os.getpid()
    before = os.sched_getaffinity(0)
    yield lambda: os.sched_setaffinity(parent, {0})
    after = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before)
    assert before == after or len(before) == 1, f"it has {after}"


@tries(refused="sched_setscheduler", error="PermissionError", harms=False)
def schedule_the_parent(place: Path) -> Telling:
    parent = os.getpid()
    yield lambda: os.sched_setscheduler(parent, os.SCHED_BATCH, os.sched_param(0))
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@tries(harms=False)
def take_a_child_of_the_parent(place: Path) -> Telling:
    with subprocess.Popen(["true"]) as child:

        def code() -> None:
            for options in (os.WNOHANG, os.WNOHANG | 0x40000000):
                try:
                    os.waitpid(-1, options)
                except ChildProcessError:
                    continue
                raise AssertionError("there was one")

        outcome = yield code
        assert not outcome.error, outcome.said
        assert child.wait(20) == 0
