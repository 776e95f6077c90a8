"""Runs the user's program so that nobody notices the process in between.

The program gets our terminal, our signals and its own exit status back. Signals are held and
read one by one, because only then the kernel tells where each came from: Ctrl-C on a terminal
reaches the program by itself, a `kill` of our process does not.
"""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

from leadline.wire.errors import UsageError

_FORWARDED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
    signal.SIGTTIN,
    signal.SIGTTOU,
)
"""Everything that servers are steered by; TTIN and TTOU add and remove gunicorn's workers."""
_HELD = {*_FORWARDED, signal.SIGCHLD}
_FROM_KERNEL = 128
"""`si_code` of a signal that a terminal sent to its whole foreground group."""
_LOOK_S = 1.0


@contextmanager
def hold_signals() -> Iterator[None]:
    """Hold signals in this thread and in all threads that it starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def supervise(command: list[str], environ: dict[str, str]) -> int:
    """Run `command` to its end; return its exit status, or the negative number of the signal
    that ended it.

    Call inside `hold_signals`. Raises `UsageError` (slug `program-not-found`).
    """
    child = _spawn(command, environ)
    while True:
        received = signal.sigtimedwait(_HELD, _LOOK_S)
        if received is not None and _to_be_forwarded(received):
            os.kill(child, received.si_signo)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)


def _to_be_forwarded(received: signal.struct_siginfo) -> bool:
    return received.si_signo in _FORWARDED and received.si_code != _FROM_KERNEL


def pass_on(code: int) -> int:
    """Return an exit status as it is; end by the signal if it was one, as the program did."""
    if code >= 0:
        return code
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core dump of it is enough
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
    os.kill(os.getpid(), -code)
    return 128 - code  # a signal that does not end us either


def replace_process(command: list[str], environ: dict[str, str]) -> Never:
    """Become `command`. Raises `UsageError` (slug `program-not-found`)."""
    try:
        os.execvpe(command[0], command, environ)
    except OSError as error:
        raise _not_found(command[0], error) from error


def _spawn(command: list[str], environ: dict[str, str]) -> int:
    try:
        return os.posix_spawnp(
            command[0],
            command,
            environ,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them for itself
        )
    except OSError as error:
        raise _not_found(command[0], error) from error


def _not_found(program: str, error: OSError) -> UsageError:
    return UsageError("program-not-found", f"{program} cannot be started: {error.strerror}.")
