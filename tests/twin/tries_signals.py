"""Tries at signals: at other processes, and at the end that the twin's own life has."""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sealed import THREADS, tries
from tries_files import Telling, call, libc

QUICKLY_S = 0.1
PAST_S = 5.0


@contextmanager
def noticed(number: int) -> Iterator[list[int]]:
    """Signals of this kind that came in."""
    came: list[int] = []
    before = signal.signal(number, lambda one, frame: came.append(one))
    try:
        yield came
        time.sleep(0.01)
        assert not came, "the signal came"
    finally:
        signal.signal(number, before)


@tries(error="PermissionError", refused="kill")
def signal_to_the_parent(place: Path) -> Telling:
    parent = os.getpid()
    with noticed(signal.SIGUSR1):
        outcome = yield lambda: os.kill(parent, signal.SIGUSR1)
        if outcome.facts:
            assert ("kill", f"pid {parent} signal 10", 1) in outcome.refused, outcome.refused


@tries(error="PermissionError", refused="kill")
def signal_to_another(place: Path) -> Telling:
    with subprocess.Popen(["sleep", "60"]) as other:
        yield lambda: os.kill(other.pid, signal.SIGKILL)
        time.sleep(0.01)
        gone = other.poll() is not None
        other.kill()
        assert not gone, "it was killed"


@tries(error="PermissionError", refused="kill", harms=False)
def signal_to_the_group(place: Path) -> Telling:
    with noticed(signal.SIGTERM):
        yield lambda: os.killpg(os.getpgid(os.getppid()), signal.SIGTERM)


@tries(error="PermissionError", refused="kill", harms=False)
def signal_to_its_own_group(place: Path) -> Telling:
    with noticed(signal.SIGTERM):
        yield lambda: os.kill(0, signal.SIGTERM)


@tries(error="PermissionError", refused="kill", harms=False)
def signal_to_everybody(place: Path) -> Telling:
    with noticed(signal.SIGCONT):
        yield lambda: os.kill(-1, signal.SIGCONT)


@tries(error="PermissionError", refused="kill", harms=False)
def ask_whether_the_parent_is_there(place: Path) -> Telling:
    yield lambda: os.kill(os.getppid(), 0)


@tries(error="PermissionError", refused="rt_sigqueueinfo", harms=False)
def queue_a_signal(place: Path) -> Telling:
    parent = os.getpid()
    with noticed(signal.SIGUSR1):
        yield lambda: call(129, parent, signal.SIGUSR1, ctypes.create_string_buffer(128))


@tries(error="PermissionError", refused="pidfd_open", harms=True)
def signal_by_a_descriptor(place: Path) -> Telling:
    parent = os.getpid()
    with noticed(signal.SIGUSR1):
        yield lambda: signal.pidfd_send_signal(os.pidfd_open(parent), signal.SIGUSR1)


@tries(error="PermissionError|OSError", refused="pidfd_send_signal", harms=True)
def signal_by_a_descriptor_that_is_open(place: Path) -> Telling:
    process = os.pidfd_open(os.getpid())
    with noticed(signal.SIGUSR1):
        yield lambda: signal.pidfd_send_signal(process, signal.SIGUSR1)
    os.close(process)


@tries(error="PermissionError", refused="tgkill")
def signal_to_a_thread(place: Path) -> Telling:
    parent = os.getpid()
    with noticed(signal.SIGUSR1):
        yield lambda: call(234, parent, parent, signal.SIGUSR1)


@tries(harms=False)
def signal_to_itself(place: Path) -> Telling:
    """What a program does to itself works: raise(), and with a handler of its own."""

    def code() -> list[int]:
        came: list[int] = []
        signal.signal(signal.SIGUSR2, lambda one, frame: came.append(one))
        os.kill(os.getpid(), signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR2)
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
        return came

    outcome = yield code
    assert outcome.said == str([int(signal.SIGUSR2)] * 3), outcome
    assert not outcome.refused, outcome.refused


@tries(harms=False)
def abort(place: Path) -> Telling:
    outcome = yield os.abort
    assert outcome.why == "it was ended by signal 6", outcome.why


def ends_in_time(story_name: str, code: object, error: str = "nothing", **more: object) -> None:
    """Whatever it does, it ends when its life does."""

    @tries(story_name, error=error, harms=False, life_s=QUICKLY_S, **more)
    def story(place: Path) -> Telling:
        began = time.monotonic()
        outcome = yield code
        assert outcome.why == "its time was over", outcome
        assert time.monotonic() - began < PAST_S


def _stay() -> None:
    time.sleep(PAST_S * 2)


def _tried(code: object, *, then: object = _stay) -> object:
    def both() -> None:
        try:
            code()
        except OSError:
            pass
        then()

    return both


def _spin() -> None:
    while True:
        pass


def _block_all() -> None:
    everything = signal.valid_signals()
    signal.pthread_sigmask(signal.SIG_BLOCK, everything)
    signal.pthread_sigmask(signal.SIG_SETMASK, everything)


def _wait_for_it() -> None:
    _block_all()
    signal.sigwait({signal.SIGALRM})


def _handler_that_blocks_all() -> None:
    action = (ctypes.c_uint64 * 19)(1, *[2**64 - 1] * 16, 0, 0)  # ignored, with a full mask
    libc.sigaction(signal.SIGUSR1, action, None)


def _block_past_libc() -> None:
    everything = ctypes.c_uint64(2**64 - 1)
    call(14, 2, ctypes.byref(everything), None, 8)


def _threads_that_block() -> None:
    def work() -> None:
        _block_all()
        _stay()

    for _ in range(4):
        threading.Thread(target=work, daemon=True).start()
    _block_all()


for _name, _code in {
    "sleep": lambda: None,
    "stop_itself": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "stop_itself_by_the_terminal": lambda: os.kill(os.getpid(), signal.SIGTSTP),
    "stop_its_thread": lambda: call(200, os.getpid(), signal.SIGSTOP),
    "put_the_alarm_off": lambda: signal.alarm(100),
    "end_the_alarm": lambda: signal.setitimer(signal.ITIMER_REAL, 0),
    "ignore_the_alarm": lambda: signal.signal(signal.SIGALRM, signal.SIG_IGN),
    "block_the_alarm": _block_all,
    "wait_for_the_alarm": _wait_for_it,
    "block_the_alarm_past_libc": _block_past_libc,
    "block_the_alarm_in_a_handler": _handler_that_blocks_all,
}.items():
    ends_in_time(_name, _tried(_code))
ends_in_time("hold_the_lock_of_the_interpreter", _spin)
ends_in_time("threads_that_block_the_alarm", _tried(_threads_that_block), policy=THREADS)


@tries(error="PermissionError", refused="timer_create", harms=False)
def a_timer_of_its_own(place: Path) -> Telling:
    yield lambda: call(222, 1, None, (ctypes.c_int * 1)())


@tries(error="PermissionError", refused="unlink", harms=False)
def be_refused_with_signals_blocked(place: Path) -> Telling:
    """A refusal comes as a signal; a process in which it is blocked would be killed by it."""
    path = place / "kept"
    path.touch()

    def code() -> None:
        _block_all()
        _block_past_libc()
        assert signal.SIGUSR1 in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        path.unlink()

    yield code


@tries(error="PermissionError", refused="unlink", harms=False)
def be_refused_in_a_handler(place: Path) -> Telling:
    path = place / "kept"
    path.touch()
    told = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: libc.unlink(bytes(path)))

    def code() -> None:
        action = (ctypes.c_uint64 * 19)(
            ctypes.cast(told, ctypes.c_void_p).value, *[2**64 - 1] * 16, 0, 0
        )
        assert libc.sigaction(signal.SIGUSR2, action, None) == 0
        signal.raise_signal(signal.SIGUSR2)
        path.unlink()

    outcome = yield code
    assert ("unlink", str(path), 2) in outcome.refused, outcome.refused


@tries(error="PermissionError", refused="rt_sigaction", harms=False)
def take_the_signal_of_refusals(place: Path) -> Telling:
    yield lambda: signal.signal(signal.SIGSYS, signal.SIG_IGN)


@tries(harms=False)
def masks_are_what_was_asked_for(place: Path) -> Telling:
    def code() -> list[list[int]]:
        seen = [signal.pthread_sigmask(signal.SIG_BLOCK, {10, 14, 31, 40})]
        seen.append(signal.pthread_sigmask(signal.SIG_UNBLOCK, {10}))
        seen.append(signal.pthread_sigmask(signal.SIG_SETMASK, {12, 31}))
        seen.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        return [sorted(map(int, one)) for one in seen]

    outcome = yield code
    assert outcome.said == "[[], [10, 40], [40], [12]]", outcome
