"""A twin has an end, whatever it does, and takes little of the machine on the way."""

import pytest

from leadline import native
from program import USERS, run

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())


@pytest.mark.parametrize("user", USERS)
def test_what_is_seen_of_it_from_outside(user: str) -> None:
    told = run(
        """\
        reading, writing = os.pipe()
        pid = seal.clone(1, 5.0, 3, 1 << 28, (reading,), (b"/usr/lib",))
        if pid == 0:
            os.read(reading, 1)
            os._exit(0)
        os.close(reading)
        def of(what):
            return open(f"/proc/{pid}/{what}").read()
        while "Seccomp:\\t2" not in of("status"):
            time.sleep(0.001)
        status = dict(line.split(":", 1) for line in of("status").splitlines())
        lines = of("limits").splitlines()
        limits = {line[:25].strip(): line[26:].split()[:2] for line in lines}
        stat = of("stat").rpartition(")")[2].split()
        oom = of("oom_score_adj").strip()
        size = int(open("/proc/self/statm").read().split()[0]) * 4096
        os.close(writing)
        tell(status={name: status[name].strip() for name in ("Name", "NoNewPrivs", "CapEff",
             "CapPrm", "SigBlk")}, limits=limits, nice=stat[16], group=int(stat[2]) == pid,
             oom=oom, size=size, ended=end_of(pid))
        """,
        user,
    )
    assert told["status"]["Name"] == "leadline-twin"
    assert told["status"]["NoNewPrivs"] == "1"
    rights = "6" if user == "root" else "0"  # to read what root may read
    assert told["status"]["CapEff"].strip("0") == rights.strip("0")
    assert told["status"]["CapPrm"].strip("0") == rights.strip("0")
    assert int(told["status"]["SigBlk"], 16) == 0
    assert told["limits"]["Max cpu time"] == ["3", "3"]
    assert told["limits"]["Max file size"] == ["0", "0"]
    assert told["limits"]["Max core file size"] == ["1", "1"]
    room = int(told["limits"]["Max address space"][0]) - told["size"]
    assert 0 < room < 2 * (1 << 28)
    assert told["nice"] == "19"
    assert told["group"] is True
    if user == "root":
        assert told["oom"] == "1000"
    assert told["ended"] == 0


def test_whoever_takes_memory_gets_none() -> None:
    told = run(
        """\
        outcome = twin(lambda: len(bytearray(3 << 30)))
        after = twin(lambda: len(bytearray(100 << 20)))
        tell(error=outcome.error, after=after.said)
        """
    )
    assert told["error"] == "MemoryError"
    assert told["after"] == str(100 << 20)


def test_whoever_spins_is_killed() -> None:
    told = run(
        """\
        def spin():
            while True:
                pass
        began = time.monotonic()
        by_processor = twin(spin, cpu_s=1, life_s=30.0)
        took = time.monotonic() - began
        by_time = twin(spin, life_s=0.1)
        tell(first=by_processor.why, took=took, second=by_time.why, status=by_processor.status)
        """
    )
    assert told["status"] == 9
    assert told["first"].startswith("it was killed: by its limit of processor time")
    assert told["took"] < 25
    assert told["second"] == "its time was over"


def test_whoever_crashes_crashes_alone() -> None:
    told = run(
        """\
        def deep():
            return deep()
        def overflow():
            sys.setrecursionlimit(10**9)
            value = None
            for _ in range(10**6):
                value = [value]
            return repr(value)
        errors = [twin(deep).error]
        ends = [twin(code).why for code in (
            lambda: ctypes.string_at(1), overflow, lambda: os._exit(7), lambda: sys.exit(3),
            lambda: os.kill(os.getpid(), signal.SIGKILL))]
        tell(errors=errors, ends=ends)
        """
    )
    assert told["errors"] == ["RecursionError"]
    crash, overflow, left, unwound, killed = told["ends"]
    assert crash == "it crashed (SIGSEGV)"
    assert overflow in {crash, "it ended with 0"}
    assert left == "it ended with 7"
    assert unwound == "it ended with 0"
    assert killed.startswith("it was killed")


def test_it_ends_though_its_parent_is_gone() -> None:
    told = run(
        """\
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            pid = seal.clone(0, 0.3, 1, 1 << 28, (), ())
            if pid == 0:
                time.sleep(30)
            os.write(writing, str(pid).encode())
            os._exit(0)
        os.waitpid(child, 0)
        pid = int(os.read(reading, 20))
        began = time.monotonic()
        def lives():
            try:
                return open(f"/proc/{pid}/stat").read().split()[2] != "Z"
            except OSError:
                return False
        while lives() and time.monotonic() - began < 20:
            time.sleep(0.01)
        tell(lives=lives())
        """
    )
    assert told["lives"] is False
