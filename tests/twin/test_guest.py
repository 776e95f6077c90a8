"""What the process that is copied notices of it: nothing."""

import pytest

from leadline import native
from program import USERS, run

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())


@pytest.mark.parametrize("user", USERS)
def test_it_gets_no_signal_and_no_child(user: str) -> None:
    told = run(
        """\
        came, found, left = [], [], []
        signal.signal(signal.SIGCHLD, lambda number, frame: came.append(number))

        def look():
            try:
                found.append(os.waitpid(-1, os.WNOHANG))
            except ChildProcessError:
                pass

        before = descriptors()
        for _ in range(20):
            reading, writing = os.pipe()
            pid = seal.clone(0, 5.0, 1, 1 << 28, (reading,), ())
            if pid == 0:
                os.read(reading, 1)
                os._exit(0)
            look()
            os.close(reading)
            os.close(writing)
            select.select([ended := seal.pidfd(pid)], [], [], 5)
            os.close(ended)
            look()
            state = open(f"/proc/{pid}/stat").read().split()[2]
            status = seal.reap(pid)
            left.append((state, status, os.path.exists(f"/proc/{pid}")))
            look()
        time.sleep(0.01)
        tell(came=came, found=found, left=left, before=before, after=descriptors())
        """,
        user,
    )
    assert told["came"] == []
    assert told["found"] == []
    assert told["left"] == [["Z", 0, False]] * 20
    assert told["before"] == told["after"]


def test_its_hooks_of_a_fork_run_in_the_twin_only_and_sealed() -> None:
    told = run(
        """\
        ran = []
        os.register_at_fork(
            before=lambda: ran.append("before"),
            after_in_parent=lambda: ran.append("parent"),
            after_in_child=lambda: ran.append(("child", seal.inside(), try_to_write())),
        )

        def try_to_write():
            try:
                open("/dev/shm/never", "w")
            except PermissionError:
                return "sealed"

        outcome = twin(lambda: ran)
        first = list(ran)
        child = os.fork()
        if child == 0:
            os._exit(seal.inside())
        status = os.waitpid(child, 0)[1]
        tell(said=outcome.said, first=first, then=ran, status=status, inside=seal.inside())
        """
    )
    assert told["said"] == "[('child', True, 'sealed')]"
    assert told["first"] == []
    assert told["then"] == ["before", "parent"], "the ordinary fork has its hooks"
    assert told["status"] == 0
    assert told["inside"] is False


def test_it_does_not_wait_for_the_import_lock() -> None:
    told = run(
        """\
        import _imp
        held, done = threading.Event(), threading.Event()

        def hold():
            _imp.acquire_lock()
            held.set()
            done.wait(20)
            _imp.release_lock()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(20)
        try:
            seal.clone(0, 1.0, 1, 1 << 28, (), ())
        except BlockingIOError as error:
            refused = str(error)
        done.set()
        thread.join()
        _imp.acquire_lock()
        own = twin(lambda: (_imp.lock_held(), _imp.release_lock(), _imp.lock_held()))
        still = _imp.lock_held()
        _imp.release_lock()
        after = twin(_imp.lock_held)
        tell(refused=refused, own=own.said, still=still, after=after.said)
        tell(left=_imp.lock_held())
        """
    )
    assert told["refused"] == "[Errno 11] another thread holds the import lock"
    assert told["own"] == "(True, None, False)"
    assert told["still"] is True
    assert told["after"] == "False"
    assert told["left"] is False


def test_it_is_refused_where_it_cannot_be() -> None:
    told = run(
        """\
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        other = interpreters.create()
        try:
            seal.clone(0, 1.0, 1, 1 << 28, (), ())
        except OSError as error:
            refused = str(error)
        interpreters.destroy(other)
        after = twin(lambda: 1)
        wrong = []
        for given in [(8, 1.0, 1, 0), (0, 0.0, 1, 0), (0, float("nan"), 1, 0), (0, 1.0, 0, 0),
                      (0, 1e9, 1, 0), (0, 1.0, 1, -1)]:
            try:
                seal.clone(*given, (), ())
            except ValueError:
                wrong.append(given[0])
        tell(refused=refused, after=after.said, wrong=len(wrong))
        """
    )
    assert "there are subinterpreters" in told["refused"]
    assert told["after"] == "1"
    assert told["wrong"] == 6


def test_what_is_no_twin_of_ours() -> None:
    told = run(
        """\
        said = []
        for ask in (lambda: seal.reap(1), seal.facts, lambda: seal.grandchild(1.0),
                    lambda: seal.pidfd(2**22 + 1), lambda: seal.reap(-1)):
            try:
                ask()
            except Exception as error:
                said.append(type(error).__name__)
        pid = seal.clone(0, 1.0, 1, 1 << 28, (), ()) or os._exit(0)
        ended = end_of(pid)
        try:
            seal.reap(pid)
        except ChildProcessError:
            said.append("once")
        tell(said=said, ended=ended, why=seal.why(ended))
        """
    )
    assert told["said"] == [
        "ChildProcessError", "RuntimeError", "PermissionError", "ProcessLookupError",
        "ValueError", "once",
    ]  # fmt: skip
    assert told["why"] == "it ended with 0"


def test_it_belongs_to_the_process_and_not_to_the_thread() -> None:
    """Whose thread has ended meanwhile, and in a process that wants to know of no child."""
    told = run(
        """\
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        reading, writing = os.pipe()
        made = []

        def make():
            pid = seal.clone(0, 5.0, 1, 1 << 28, (reading,), ())
            if pid == 0:
                os.read(reading, 1)
                os._exit(7)
            made.append(pid)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        time.sleep(0.05)
        lives = seal.reap(made[0])
        os.close(reading)
        os.close(writing)
        tell(lives=lives, why=seal.why(end_of(made[0])))
        """
    )
    assert told["lives"] is None
    assert told["why"] == "it ended with 7"


def test_single_files_may_be_named() -> None:
    """Of /proc only what is named: most of it speaks of other processes."""
    told = run(
        """\
        place = tempfile.mkdtemp()
        for name in ("one", "other"):
            open(f"{place}/{name}", "w").write(name)

        def read(path):
            try:
                return open(path).read(3)
            except PermissionError:
                return "refused"

        def look():
            parent = os.getppid()
            return [read(path) for path in (f"{place}/one", f"{place}/other", "/proc/cpuinfo",
                    "/proc/meminfo", "/proc/self/stat", f"/proc/{parent}/status")]

        named = (f"{place}/one".encode(), b"/proc/cpuinfo", b"/dev/zero", b"/no/such/file")
        outcome = twin(look, files=named)
        everything = twin(look, readable=(b"/",))
        tell(said=outcome.said, everything=everything.said,
             missing=outcome.facts["readable_missing"])
        """
    )
    assert told["said"] == str(["one", "refused", "pro", "refused", "refused", "refused"])
    assert told["everything"] == str(["one", "oth", "refused", "refused", "refused", "refused"])
    assert told["missing"] == 2


def test_modules_are_imported_in_it() -> None:
    """Also those in C; and asking for the number of processors reads what libc reads."""
    told = run(
        """\
        import sysconfig
        folder = os.fsencode(sysconfig.get_path("stdlib"))

        def use():
            sys.dont_write_bytecode = True
            import _lsprof, email.mime.text, xml.etree.ElementTree
            tree = xml.etree.ElementTree.fromstring("<a/>")
            return _lsprof.__name__, tree.tag, os.cpu_count()

        outcome = twin(use, readable=(folder,))
        tell(said=outcome.said, refused=outcome.refused, processors=os.cpu_count())
        """
    )
    assert told["said"] == f"('_lsprof', 'a', {told['processors']})"
    assert told["refused"] == []


def test_one_that_is_killed_at_any_moment_harms_nobody() -> None:
    told = run(
        """\
        import random
        random.seed(7)
        before = descriptors()
        ends = []
        for number in range(60):
            pid = seal.clone(1, 5.0, 1, 1 << 28, (), (b"/usr/lib",))
            if pid == 0:
                while True:
                    [dict(a=1) for _ in range(100)]
            time.sleep(random.random() * 0.004)
            os.kill(pid, signal.SIGKILL)
            ends.append(end_of(pid))
        twins = twin(lambda: "fine")
        tell(ends=ends, before=before, after=descriptors(), said=twins.said)
        """
    )
    assert told["ends"] == [9] * 60
    assert told["before"] == told["after"]
    assert told["said"] == "'fine'"


FROZEN = """\
state, stop = {"count": 0}, threading.Event()

def change():
    while not stop.is_set():
        state["count"] += 1
        state[state["count"] % 50] = [state["count"]]

thread = threading.Thread(target=change)
thread.start()

def read_twice():
    first = repr(state)
    time.sleep(0.003)
    return first == repr(state)

before = descriptors()
said = [twin(read_twice).said for _ in range(times)]
moved = state["count"]
time.sleep(0.01)
moved = state["count"] > moved
stop.set()
thread.join()
tell(said=sorted(set(said)), moved=moved, before=before, after=descriptors())
"""


def test_it_is_frozen_while_the_process_goes_on() -> None:
    told = run(FROZEN, times=50)
    assert told["said"] == ["True"]
    assert told["moved"] is True
    assert told["before"] == told["after"]


@pytest.mark.soak
def test_five_hundred_in_a_row_leave_nothing() -> None:
    before = "import resource\nstart = resource.getrusage(0).ru_maxrss\n"
    after = "tell(grown=resource.getrusage(0).ru_maxrss - start)\n"
    told = run(before + FROZEN + after, times=500)
    assert told["said"] == ["True"]
    assert told["before"] == told["after"]
    assert told["grown"] < 8_000, "kilobytes"


def test_it_is_made_in_a_callback_of_any_thread() -> None:
    """As a probe makes it: with the frame of the function that is about to run."""
    told = run(
        """\
        monitoring = sys.monitoring
        monitoring.use_tool_id(4, "test")
        seen = []

        def outer(scale):
            def price(count):
                return count * scale
            return price

        def start(code, offset):
            frame = sys._getframe(1)
            function = seal.function_of(frame)
            outcome = twin(lambda: (function(10), frame.f_locals["count"]))
            seen.append([function is price, outcome.said, outcome.error])

        price = outer(3)
        monitoring.register_callback(4, monitoring.events.PY_START, start)
        monitoring.set_local_events(4, price.__code__, monitoring.events.PY_START)
        threads = [threading.Thread(target=price, args=(number,)) for number in (1, 2)]
        for thread in threads:
            thread.start()
            thread.join()
        result = price(5)
        monitoring.free_tool_id(4)
        outermost = seal.function_of(sys._getframe())
        tell(seen=seen, result=result, outermost=outermost.__name__)
        """
    )
    assert told["seen"] == [[True, f"(30, {count})", ""] for count in (1, 2, 5)]
    assert told["result"] == 15
    assert told["outermost"] == "<module>"


def test_all_shared_memory_is_found_among_much_other() -> None:
    """Whatever a file is called, and whoever has opened it."""
    told = run(
        """\
        import mmap
        folder = tempfile.mkdtemp()
        deep = os.path.join(folder, *["d" * 200] * 10)
        os.makedirs(deep)
        names = ["plain", "two words", "line\\nbreak", "rw-s 00000000", "(deleted)", "\\udcff"]
        kept, shared = [], []
        for number in range(3_000):
            prot = (1, 3)[number % 2]
            kept.append(mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=prot))
            if number % 50 == 0:
                name = names[number // 50 % len(names)] + str(number)
                path = os.path.join(deep if number % 100 else folder, name)
                file = os.open(path, os.O_RDWR | os.O_CREAT)
                os.ftruncate(file, 4096)
                shared.append(mmap.mmap(file, 4096))
                os.close(file)
        for number, memory in enumerate(shared):
            memory[:2] = number.to_bytes(2)

        def write():
            seen = [int.from_bytes(memory[:2]) for memory in shared]
            for memory in shared:
                memory[:2] = b"no"
            return seen == list(range(len(shared)))

        outcome = twin(write)
        left = [int.from_bytes(memory[:2]) for memory in shared]
        tell(said=outcome.said, left=left == list(range(60)), shared=len(shared),
             counted=seal.shared_writable(1 << 40) // 4096, facts=outcome.facts)
        """
    )
    assert told["said"] == "True"
    assert told["left"] is True
    assert told["counted"] == told["shared"] == 60
    assert told["facts"]["shared_copied"] == 60


def test_shared_memory_is_counted_beforehand() -> None:
    told = run(
        """\
        import mmap
        seen = [seal.shared_writable(1 << 40)]
        kept = mmap.mmap(-1, 10 << 20)
        seen.append(seal.shared_writable(1 << 40) - seen[0])
        tell(seen=seen, limited=seal.shared_writable(1))
        """
    )
    assert told["seen"] == [0, 10 << 20]
    assert told["limited"] == 10 << 20
