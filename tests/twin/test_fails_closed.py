"""A step of the seal that fails ends the twin before it has run a line of Python."""

import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from leadline import native
from program import USERS, run

SOURCES = Path(__file__).parents[2] / "src" / "leadline"

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())

SANDBOX = """\
import ctypes, errno, struct

def refuse(*numbers, error=errno.EPERM, ends=False):
    # this process makes none of these calls from now on, as in somebody's sandbox
    answer = 0x80000000 if ends else 0x00050000 | error
    words = [(0x20, 0, 0, 0)]
    for number in numbers:
        words += [(0x15, 0, 1, number), (0x06, 0, 0, answer)]
    words.append((0x06, 0, 0, 0x7fff0000))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in words))
    program = struct.pack("HxxxxxxQ", len(words), ctypes.addressof(code))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0

"""

REFUSE = (
    SANDBOX
    + """\
def attempt(prepare, policy=READONLY):
    # in a process of its own, for it cannot be undone; tells whether a line ran
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            prepare()
            outcome = twin(lambda: os.write(writing, b"it ran"), keep=(writing,),
                           policy=policy, readable=(b"/usr/lib",))
            said = json.dumps([outcome.status, outcome.why, outcome.facts])
        except BaseException as error:
            said = json.dumps([repr(error), "", {}])
        os.write(writing, b"\\n" + said.encode())
        os._exit(0)
    os.close(writing)
    told = b""
    while some := os.read(reading, 65536):
        told += some
    os.close(reading)
    os.waitpid(child, 0)
    ran, _, said = told.partition(b"\\n")
    return [ran.decode(), *json.loads(said)]
"""
)

STEPS = {
    "rt_sigaction": (13, "its signals could not be reset"),
    "setitimer": (38, "its end could not be set"),
    "prlimit64": (302, "its limits could not be set"),
    "getdents64": (217, "its descriptors could not be read (is there no /proc?)"),
    "dup3": (292, "a descriptor could not be cut"),
    "capget": (125, "its rights could not be given up"),
    "capset": (126, "its rights could not be given up"),
    "prctl": (157, "its rights could not be given up"),
    "landlock_add_rule": (445, "the fence around files (Landlock) could not be put up"),
    "landlock_restrict_self": (446, "the fence around files (Landlock) could not be put up"),
    "getrandom": (318, "there was no random number"),
    "seccomp": (317, "the filter of system calls (seccomp) was refused"),
    "mremap": (25, "a shared memory map could not be replaced"),
}


@pytest.fixture(scope="module")
def without() -> dict[str, list[object]]:
    """What came of a twin in a process that may not make one of the calls."""
    return run(
        REFUSE
        + """\
import mmap
shared = mmap.mmap(-1, 4096)
for name, number in numbers.items():
    tell(**{name: attempt(lambda: refuse(number))})
""",
        numbers={name: number for name, (number, _) in STEPS.items()},
    )


@pytest.mark.parametrize("name", STEPS)
def test_no_step_is_left_out(without: dict[str, list[object]], name: str) -> None:
    ran, status, why, facts = without[name]
    assert ran == ""
    assert isinstance(status, int)
    assert why == f"it was not sealed and ended: {STEPS[name][1]}"
    assert not facts


@pytest.mark.parametrize("user", USERS)
def test_without_proc(user: str) -> None:
    told = run(
        REFUSE
        + """\
def without_proc():
    if os.getuid() != 0:
        os.unshare(os.CLONE_NEWUSER)
    os.chroot(empty)
    assert not os.path.exists("/proc")
with tempfile.TemporaryDirectory() as empty:
    tell(came=attempt(without_proc))
    def say():
        without_proc()
        raise RuntimeError(seal.missing())
    tell(missing=attempt(say)[1])
""",
        user,
    )
    ran, status, why, _ = told["came"]
    assert (ran, status) == ("", 203 << 8), told
    assert why.endswith("its descriptors could not be read (is there no /proc?)")
    assert told["missing"] == "RuntimeError('there is no /proc')"


def test_too_many_descriptors(needs: Callable[[str], str], tmp_path: Path) -> None:
    """A machine seldom lets a process have 65,537 of them, so here the seal goes up to 100."""
    sources = sorted((SOURCES / "native" / "twin").glob("*.c"))
    module = tmp_path / f"_twin{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = sysconfig.get_path("include")
    words = [needs("cc"), "-std=gnu11", "-O0", "-shared", "-fPIC", "-DFILES_MAX=100"]
    subprocess.run([*words, f"-I{include}", "-o", module, *sources], check=True, timeout=60)
    told = run(
        """\
        import importlib.util
        spec = importlib.util.spec_from_file_location("leadline.native._twin", module)
        seal = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(seal)
        native.twin = lambda: seal
        few = twin(lambda: 1)
        many = [os.dup(0) for _ in range(100)]
        outcome = twin(lambda: 1)
        tell(few=few.said, error=outcome.error, why=outcome.why)
        """,
        module=str(module),
    )
    assert told["few"] == "1"
    assert told["error"] == "nothing"
    assert told["why"].endswith("it has more descriptors than are gone through")


@pytest.mark.parametrize("ends", [False, True], ids=["refused", "ended"])
def test_without_a_fence_nothing_is_opened(ends: bool) -> None:
    """In a sandbox that ends whoever asks for it, the process is not ended for asking."""
    told = run(
        """\
        outcome = twin(lambda: open("/usr/lib/os-release"), readable=(b"/usr/lib",))
        tell(asked=seal.landlock(), had=outcome.facts["landlock"], error=outcome.error)
        """,
        first=f"{SANDBOX}refuse(444, 445, 446, ends={ends})\n",
    )
    assert told == {"asked": 0, "had": 0, "error": "PermissionError"}


@pytest.mark.parametrize("ends", [False, True], ids=["refused", "ended"])
@pytest.mark.parametrize(
    ("number", "why"),
    [
        (317, "the kernel has no seccomp filters, or a sandbox refuses them"),
        (
            434,
            "the kernel has no descriptors of processes (Linux 5.3), or a sandbox refuses them",
        ),
    ],
    ids=["seccomp", "pidfd_open"],
)
def test_what_a_sandbox_refuses_is_told_beforehand(number: int, why: str, ends: bool) -> None:
    told = run(
        "tell(twin=native.twin(), why=native.twin_reason())",
        first=f"{SANDBOX}refuse({number}, ends={ends})\n",
    )
    assert told == {"twin": None, "why": why}


def test_a_twin_that_a_sandbox_ends_is_told_so() -> None:
    told = run(REFUSE + "tell(came=attempt(lambda: refuse(310, 125, ends=True)))\n")
    ran, status, why, _ = told["came"]
    assert ran == ""
    assert status & 0x7F == 31, "SIGSYS"
    assert why.endswith("or one that a sandbox does not bear")


def test_where_the_kernel_refuses_the_copy_nothing_has_happened() -> None:
    told = run(
        REFUSE
        + """\
def look():
    before = descriptors()
    refuse(56, error=errno.EAGAIN)
    try:
        seal.clone(0, 1.0, 1, 1 << 28, (), ())
    except OSError as error:
        import _imp
        raise RuntimeError([str(error), _imp.lock_held(), before == descriptors(),
            sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))])
tell(came=attempt(look))
"""
    )
    assert told["came"][1] == (
        "RuntimeError(['[Errno 11] the kernel refused the copy', False, True, []])"
    )
