"""Any system call with any arguments: what nobody thought of when the tries were written."""

import pytest

from leadline import native
from program import USERS, run

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())

ANY = """\
import fcntl, mmap, random, socket
from pathlib import Path
from tries_kernel import outside
import tries_files

become(user)
place = Path(tempfile.mkdtemp())
for name in ("one", "other"):
    (place / name).mkdir()
    tries_files.kept(place / name)
file = (place / "one" / "kept.txt").open("r+b", buffering=0)
file.read(2)
fcntl.flock(file, fcntl.LOCK_EX)
folder = os.open(place, os.O_RDONLY)
shared = mmap.mmap(file.fileno(), 0)
nameless = mmap.mmap(-1, 4096)
nameless[:4] = b"ours"
ours, peer = socket.socketpair()
reading, writing = os.pipe()
event = os.eventfd(5, os.EFD_NONBLOCK)
signals = []
for number in signal.valid_signals() - {9, 19, 32, 33}:
    signal.signal(number, lambda number, frame: signals.append(number))

def world():
    tree = [(str(path), path.lstat().st_mode, path.lstat().st_size, path.lstat().st_mtime,
             path.read_bytes() if path.is_file() else sorted(os.listdir(path)))
            for path in sorted(place.rglob("*"))]
    flags = [fcntl.fcntl(one, fcntl.F_GETFL) for one in (file, folder, ours, reading, writing)]
    other = open(place / "one" / "kept.txt")
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock = "lost"
    except BlockingIOError:
        lock = "held"
    other.close()
    quiet = select.select([peer, ours, reading], [], [], 0)[0] == []
    return [outside(), tree, flags, lock, quiet, file.tell(), os.lseek(folder, 0, 1),
            shared[:], nameless[:8], os.eventfd_read(event), os.eventfd_write(event, 5),
            os.getcwd(), os.getpriority(0, 0), os.sched_getaffinity(0), signals[:]]

NOT = {15, 34, 60, 231}  # its own end, and waiting for nothing
WAYS = [0, 0, 0, 1, 2, 3, 4, 7, 16, 64, 4096, 0o100, 0o1101, 0x80000, -1, -100, 2**31, 2**63]

def any_call(seed):
    chance = random.Random(seed)
    room = ctypes.create_string_buffer(1 << 16)
    texts = [ctypes.create_string_buffer(os.fsencode(one)) for one in (
        place, place / "one" / "kept.txt", place / "new", "/proc/self/mem", "/dev/null", ".")]
    libc = ctypes.CDLL(None)
    pids = [parent, os.getpid(), -1, 0]
    places = [ctypes.addressof(one) for one in [*texts, room]]
    def argument():
        sort = chance.random()
        if sort < 0.35:
            return chance.choice(places) + chance.choice([0, 0, 0, 8, 4096])
        if sort < 0.65:
            return chance.choice(WAYS)
        if sort < 0.9:
            return chance.randrange(24)
        return chance.choice(pids)
    made = 0
    while True:
        made += 1
        if made % 20 == 0:
            names = " ".join({name for name, _, _ in seal.refusals()})
            os.write(telling, f"{made} {names};".encode())
        number = chance.randrange(470)
        if number not in NOT:
            chance.random() < 0.1 and ctypes.memset(room, chance.randrange(256), 4096)
            libc.syscall(ctypes.c_long(number), *[ctypes.c_long(argument()) for _ in range(6)])

heard, pipe = os.pipe()
telling = fcntl.fcntl(pipe, fcntl.F_DUPFD, 200)  # where no call by chance finds it
fcntl.fcntl(pipe, 1031, 1 << 20)
os.set_blocking(heard, False)
parent = os.getpid()
before = world()
ends, refused, harm, calls = {}, set(), [], 0
for seed in range(since, since + twins):
    policy = (READONLY, THREADS, STRICT, READONLY | GRANDCHILDREN)[seed % 4]
    outcome = twin(lambda: any_call(seed), life_s=seconds, policy=policy,
                   readable=(os.fsencode(place),), keep=(telling,))
    ends[outcome.why] = ends.get(outcome.why, 0) + 1
    try:
        told = os.read(heard, 1 << 20).decode().split(";")[:-1]
    except BlockingIOError:
        told = []
    calls += int(told[-1].split()[0]) if told else 0
    refused |= {name for line in told for name in line.split()[1:]}
    after = world()
    if after != before:
        harm.append([seed, [str(one)[:500] for one in zip(before, after) if one[0] != one[1]]])
        break
tell(ends=ends, refused=sorted(refused), harm=harm, calls=calls)
"""


@pytest.mark.parametrize("user", USERS)
def test_any_call_harms_nobody(user: str) -> None:
    told = run(ANY, user=USERS[user], twins=8, since=1, seconds=0.1)
    assert told["harm"] == []


@pytest.mark.soak
@pytest.mark.parametrize("user", USERS)
def test_very_many_calls_harm_nobody(user: str) -> None:
    told = run(ANY, user=USERS[user], twins=200, since=1_000, seconds=0.2)
    assert told["harm"] == []
    assert told["calls"] > 2_000, told
    assert len(told["refused"]) > 100, told
