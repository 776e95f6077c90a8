"""A sealed copy of the live process: see the headers in `native/twin`, one noun each."""

from types import FrameType, FunctionType

STRICT: int
"""Nothing is opened."""
READONLY: int
"""Regular files are opened for reading, where the caller of `clone` says."""
THREADS: int
"""As READONLY, and threads are started (at most 64 at a time)."""
GRANDCHILDREN: int
"""The twin may be cloned in its turn, by `grandchild` only."""

def landlock() -> int:
    """The version of the kernel's fence around files; 0 without, and then nothing is opened."""

def missing() -> str:
    """What this kernel lacks of what a twin needs, in words; empty if nothing."""

def clone(
    policy: int,
    life_s: float,
    cpu_s: int,
    memory: int,
    keep: tuple[int, ...],
    readable: tuple[bytes, ...],
    files: tuple[bytes, ...] = (),
) -> int:
    """Make a twin: returns its process id here, 0 in the twin, which is sealed by then.

    `keep` are descriptors that it shares with us. It may read beneath the folders `readable`,
    the single `files`, and what regular files the process has open. `memory` is in bytes beyond
    the present size. Raises OSError where there can be none now (BlockingIOError: another
    thread holds the import lock; ask again); nothing has happened then.
    """

def inside() -> bool:
    """Whether this process is a twin, or a grandchild of one."""

def grandchild(life_s: float) -> int:
    """In a twin with GRANDCHILDREN: make a clone of it, sealed as it is; as `clone` returns."""

def refusals() -> list[tuple[str, str, int]]:
    """In a twin: what it tried in vain, with a detail and how often, oldest first (64, and
    "others")."""

def reap(pid: int) -> int | None:
    """The status of a twin that has ended, None while it lives; ChildProcessError if `pid` is
    not a child of ours, or was reaped before."""

def pidfd(pid: int) -> int:
    """A descriptor that becomes readable when the process ends; closed on exec."""

def channel() -> tuple[int, int]:
    """A stream for a twin to speak through: our end, which never waits, and the twin's."""

def end(pid: int) -> None:
    """End a twin that was not reaped yet."""

def why(status: int) -> str:
    """What a twin ended by, in words, from what `reap` returned."""

def facts() -> dict[str, int | str]:
    """In a twin: how long it took to make, and what was done."""

def function_of(frame: FrameType) -> FunctionType | None:
    """The function object that a running frame is of."""

def shared_writable(limit: int) -> int:
    """Bytes of memory that this process can write and shares with others, counted up to about
    `limit`."""
