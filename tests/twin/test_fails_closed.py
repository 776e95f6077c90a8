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

REFUSE = """\
def refuse(*numbers, error=errno.EPERM):
    # this process makes none of these calls from now on, as in somebody's sandbox
    words = [(0x20, 0, 0, 0)]
    for number in numbers:
        words += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | error)]
    words.append((0x06, 0, 0, 0x7fff0000))
    import struct
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in words))
    program = struct.pack("HxxxxxxQ", len(words), ctypes.addressof(code))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0

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


def test_without_a_fence_nothing_is_opened() -> None:
    told = run(
        REFUSE
        + """\
def look():
    refuse(444, error=errno.ENOSYS)
    outcome = twin(lambda: open("/usr/lib/os-release"), readable=(b"/usr/lib",))
    raise RuntimeError([seal.landlock(), outcome.facts["landlock"], outcome.error])
tell(came=attempt(look))
"""
    )
    assert told["came"][1] == "RuntimeError([0, 0, 'PermissionError'])"


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


def test_a_sandbox_without_filters_is_told_beforehand() -> None:
    told = run(
        REFUSE
        + """\
def look():
    refuse(317)
    raise RuntimeError([native.twin(), native.twin_reason()])
native._found.clear()
tell(came=attempt(look))
"""
    )
    assert told["came"][1] == (
        "RuntimeError([None, 'the kernel has no seccomp filters, or a sandbox refuses them'])"
    )
