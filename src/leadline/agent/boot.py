"""How the agent gets into a process: by environment at start, or by `leadline.start()`.

The start-up hook (`leadline.pth`) is run by every interpreter of the environment, sometimes
twice, so `at_startup` first makes sure that it is meant and wanted. Whatever goes wrong here,
the application starts as if we were not installed.
"""

import _signal  # type: ignore[import-not-found]
import os
import sys

_guest: object = None
"""The process' one guest; kept as `object` so that this module imports nothing of ours."""


def at_startup() -> None:
    """Start if the environment asks for it. Called from `leadline.pth`.

    Raises nothing of ours. Ctrl-C passes: it means the program, which has not begun yet. It is
    held until we are done, because the import system has callbacks in which it would be lost.
    """
    if not (os.environ.get("LEADLINE_URL") or os.environ.get("LEADLINE_PROBES")):
        return
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, {_signal.SIGINT})
    try:
        _begin(before_main=True)
    except Exception as error:  # noqa: BLE001 - an interpreter must start without us
        _complain(error)
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def start(service: str | None = None, url: str | None = None, key: str | None = None) -> bool:
    """Start now, in a process that is already running. See `leadline.start`."""
    try:
        return _begin(service, url, key, before_main=False)
    except Exception as error:  # noqa: BLE001 - a service must go on without us
        _complain(error)
        return False


def running() -> bool:
    """Whether the agent is in this process."""
    return _guest is not None


def _begin(
    service: str | None = None,
    url: str | None = None,
    key: str | None = None,
    *,
    before_main: bool,
) -> bool:
    global _guest  # noqa: PLW0603 - one guest a process is the point
    from leadline.agent import welcome

    if welcome.switched_off():
        return False
    if _guest is not None:
        return True
    if before_main and welcome.unwelcome():
        return False
    if not _is_main_interpreter():
        return False
    from leadline.agent import settings
    from leadline.agent.guest import Guest

    guest = Guest(settings.read(service, url, key))
    _guest = guest
    guest.enter(before_main=before_main)
    return True


def _is_main_interpreter() -> bool:
    """Threads of ours in a sub-interpreter would keep it from ending."""
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    try:
        interpreters = __import__(name)
    except ImportError:
        return True
    current, main = interpreters.get_current(), interpreters.get_main()
    return bool(current == main)


def _complain(error: BaseException) -> None:
    """Say why the agent is not in, if somebody asked to be told: a guest prints nothing."""
    if os.environ.get("LEADLINE_VERBOSE", "") not in ("", "0"):
        print(f"leadline: the agent is not in this process: {error}", file=sys.stderr)
