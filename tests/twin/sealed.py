"""Twins of a real process, each of which tries one thing, and what came of it outside.

A *story* is a generator. What stands before its `yield` is done by the process, what it yields
is called in a twin, and what stands after it looks, in the process again, whether anything was
changed: it raises AssertionError if so. It may yield more than once. This
file is also the program that tells all of them:

    python sealed.py sealed|open USER_ID FOLDER [PART PARTS]

prints one JSON object a story. `open` is the control: the same stories in an ordinary fork,
where every story that says so must see the harm; a check that cannot fail is worth nothing.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from leadline import native

MODULES = [
    "tries_descriptors",
    "tries_files",
    "tries_guests",
    "tries_kernel",
    "tries_memory",
    "tries_processes",
    "tries_reading",
    "tries_signals",
]
SAID_NOTHING = "nothing"
LIFE_S = 10.0
"""Of a twin that ends by itself: generous, for a busy machine."""
PATIENCE_S = 30.0
MEMORY = 256 << 20

STRICT, READONLY, THREADS, GRANDCHILDREN = 0, 1, 2, 4

type Story = Callable[[Path], Generator[Callable[[], object], "Outcome", None]]


@dataclass(frozen=True)
class Outcome:
    """What a twin came to."""

    error: str
    """The name of the exception that its code raised, if any; SAID_NOTHING if it died."""
    said: str
    refused: list[tuple[str, str, int]]
    facts: dict[str, Any]
    status: int
    why: str

    @property
    def names(self) -> set[str]:
        """What it was refused."""
        return {name for name, _, _ in self.refused}


@dataclass(frozen=True)
class Try:
    """One story, and what it is expected to come to in a twin."""

    name: str
    story: Story
    refused: str = ""
    """A system call that the twin must report as refused."""
    error: str = ""
    """The exception that must come of it; several by `|`."""
    harms: bool = True
    """Whether an ordinary fork does the harm that the story looks for."""
    root: bool = False
    policy: int = READONLY
    life_s: float = LIFE_S
    more: dict[str, Any] = field(default_factory=dict)


TRIES: dict[str, Try] = {}


def tries(name: str = "", **expected: Any) -> Callable[[Story], Story]:
    """Enter a story into the table."""

    def enter(story: Story) -> Story:
        own = name or story.__name__.strip("_")
        assert own not in TRIES, own
        TRIES[own] = Try(own, story, **expected)
        return story

    return enter


def load() -> dict[str, Try]:
    """Return all stories, by name."""
    for module in MODULES:
        importlib.import_module(module)
    return TRIES


def twin(
    code: Callable[[], object],
    *,
    policy: int = READONLY,
    life_s: float = LIFE_S,
    cpu_s: int = 5,
    memory: int = MEMORY,
    readable: tuple[bytes, ...] = (),
    files: tuple[bytes, ...] = (),
    keep: tuple[int, ...] = (),
    sealed: bool = True,
) -> Outcome:
    """Call `code` in a twin (in a plain fork if not `sealed`) and wait for what comes of it."""
    seal = native.twin()
    assert seal is not None, native.twin_reason()
    reading, writing = os.pipe()
    if sealed:
        pid = seal.clone(policy, life_s, cpu_s, memory, (writing, *keep), readable, files)
    else:
        pid = os.fork()
    if pid == 0:
        try:
            _tell(writing, code, seal if sealed else None)
        finally:
            os._exit(0)
    os.close(writing)
    told = _read(reading)
    os.close(reading)
    status = _reap(pid, seal)
    error, said, refused, facts = (
        json.loads(told) if told.endswith(b"\n") else (SAID_NOTHING, "", [], {})
    )
    refused = [tuple(one) for one in refused]
    return Outcome(error, said, refused, facts, status, seal.why(status))


def _tell(writing: int, code: Callable[[], object], seal: Any) -> None:
    error = ""
    try:
        said = repr(code())
    except BaseException as raised:
        error, said = type(raised).__name__, str(raised)
    refused = seal.refusals() if seal else []
    told = json.dumps([error, said[:2000], refused, seal.facts() if seal else {}]) + "\n"
    left = told.encode()
    while left:
        left = left[os.write(writing, left) :]


def _read(reading: int) -> bytes:
    told = b""
    deadline = time.monotonic() + PATIENCE_S
    while select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
        some = os.read(reading, 65536)
        if not some:
            break
        told += some
    return told


def _reap(pid: int, seal: Any) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while (status := seal.reap(pid)) is None:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.001)
    return int(status)


def tell(one: Try, place: Path, *, sealed: bool) -> dict[str, Any]:
    """Tell one story; returns its outcome, and what harm was seen if any."""
    place.mkdir()
    story = one.story(place)
    harm = ""
    outcome = None
    try:
        code = next(story)
        with contextlib.suppress(StopIteration):
            while True:
                outcome = twin(
                    code,
                    policy=one.policy,
                    life_s=one.life_s,
                    readable=(os.fsencode(place),),
                    sealed=sealed,
                    **{name: value(place) for name, value in one.more.items()},
                )
                code = story.send(outcome)
    except AssertionError as seen:
        harm = str(seen) or traceback.format_exc()
    except Exception:
        harm = traceback.format_exc()
    finally:
        story.close()
    return {"name": one.name, "harm": harm, "outcome": outcome and asdict(outcome)}


def main(mode: str, user: int, folder: Path, part: int = 0, parts: int = 1) -> None:
    """Tell all stories as this user, or one of several parts of them."""
    sealed = mode == "sealed"
    table = load()
    resource_tracker.ensure_running()  # another user may not be let start it
    if user != os.getuid():
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    for number, one in enumerate(table.values()):
        if number % parts != part:
            continue
        if (one.root and user != 0) or not (sealed or one.harms):
            continue
        print(json.dumps(tell(one, folder / one.name, sealed=sealed)), flush=True)


if __name__ == "__main__":
    sys.modules["sealed"] = sys.modules["__main__"]  # the stories enter themselves in this one
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *map(int, sys.argv[4:]))
