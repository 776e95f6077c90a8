"""`leadline demo`: starts everything in a folder of its own, shows hits, and ends it all.

Each step is an ordinary `leadline` command that is shown before it is run, so that the reader
can do the same with a service of theirs.
"""

import argparse
import contextlib
import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from leadline.demo.children import Child, Children, StartError, Stopped
from leadline.demo.probes import (
    FIRST_PROBES,
    NEXT_COMMANDS,
    TWIN_COMMANDS,
    VERIFY_COMMANDS,
)

SERVICE = Path(__file__).parent / "service"
FIXES = Path(__file__).parent / "fixes"
_LEADLINE = (sys.executable, "-m", "leadline")
_BUSY = ("--rate", "24")
"""Requests a second: two hundred quotes come within half a minute, for 3 % of a core."""
_TWINS = {
    "LEADLINE_TWIN": "threads",
    "LEADLINE_TWIN_LOAD": "100",
    "LEADLINE_TWIN_PAUSE": "1000",
}
"""On a slow machine the pause of a twin is longer than a service accepts by itself, which then
waits a minute before it measures again; whoever tries the demo has no customers to lose."""
_READY_S = 30.0
"""A slow machine compiles the server's and the shop's modules on the first start."""


def main(argv: Sequence[str]) -> int:
    """Run the demo until Ctrl-C, SIGTERM or `--seconds`; returns the exit status."""
    parser = argparse.ArgumentParser("leadline demo", description=__doc__)
    parser.add_argument("--seconds", type=float, help="end by itself after so many seconds")
    parser.add_argument("--state", type=Path, help="where the server notes its address")
    options = parser.parse_args(argv)
    with contextlib.suppress(Stopped, BrokenPipeError), _signals():
        folder = tempfile.TemporaryDirectory(prefix="leadline-demo-")
        with folder as path, Children() as children:
            try:
                return _play(children, Path(path), options)
            except StartError as error:
                _say(f"leadline demo: {error}")
                return 70
    return 0


def _play(children: Children, folder: Path, options: argparse.Namespace) -> int:
    _say("Starting a server, a shop with the agent in it, and customers.")
    keys = folder / "config" / "leadline" / "keys.json"
    keys.parent.mkdir(parents=True, mode=0o700)
    state = options.state or folder / "server.json"
    server = children.start("server", _server(folder, keys, state), _environ())
    url = server.ready("listening on ", _READY_S)
    environ = _environ() | {"LEADLINE_URL": url, "XDG_CONFIG_HOME": str(folder / "config")}
    shop_command = ["-m", "shop", "--port", "0", "--database", str(folder / "shop.db")]
    shop = children.start(
        "shop",
        [*_LEADLINE, "run", "--service", "shop", "--", sys.executable, *shop_command],
        environ | _TWINS,
        cwd=SERVICE,
    )
    shop_url = shop.ready("shop listening on ", _READY_S)
    traffic = [sys.executable, "-m", "leadline.demo.traffic", "--url", shop_url, *_BUSY]
    children.start("traffic", traffic, environ)
    _say(f"The shop answers at {shop_url}, the server listens at {url}.")
    for probe in FIRST_PROBES:
        _say(f"\n{probe.why}\n$ leadline {shlex.join(probe.command)}")
        status = children.run([*_LEADLINE, *probe.command], environ)
        if status:
            return status
    _say_next(environ, shared=options.state is not None)
    tail = children.start("tail", [*_LEADLINE, "tail", "shop"], environ, shown=True)
    return _watch(children, tail, options.seconds)


def _watch(children: Children, tail: Child, seconds: float | None) -> int:
    """Wait while everything lives; say which part ended if one does by itself."""
    deadline = time.monotonic() + seconds if seconds else None
    while deadline is None or time.monotonic() < deadline:
        for child in children.ended():
            _say(f"leadline demo: the {child.name} has ended by itself\n{child.last_words()}")
            return 70
        time.sleep(0.1)
    tail.stop()
    return 0


def _say_next(environ: dict[str, str], *, shared: bool) -> None:
    """Suggest commands; without a shared state file they need to be told where to ask."""
    _say("\nIn another terminal, try next:")
    if not shared:
        told = ("LEADLINE_URL", "XDG_CONFIG_HOME")
        _say("  export " + " ".join(f"{name}={environ[name]}" for name in told))
    _say(f"  {_shown_program()} open      the page, in your browser")
    for command in NEXT_COMMANDS:
        _say(f"  {_shown_program()} {command}")
    _say("Run code in a sealed copy of the shop, while the shop goes on:")
    for command in TWIN_COMMANDS:
        _say(f"  {_shown_program()} {command}")
    _say("Does a fix work? Four candidates, run on real quotes before anything is deployed:")
    for command in VERIFY_COMMANDS:
        _say(f"  {_shown_program()} {command.format(_shown_path(FIXES))}")
    _say("\nLive hits, until Ctrl-C ends everything:\n")


def _server(folder: Path, keys: Path, state: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "leadline.server", "--port", "0", "--state", str(state)),
        *("--database", str(folder / "leadline.db"), "--keys", str(keys)),
    ]


def _environ() -> dict[str, str]:
    """The environment for the parts: nothing of another Leadline in it."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("LEADLINE_")
    }
    return clean | {"PYTHONUNBUFFERED": "1"}


def _shown_program() -> str:
    """How the reader can type it: the script beside our interpreter."""
    return _shown_path(Path(sys.executable).with_name("leadline"))


def _shown_path(path: Path) -> str:
    """As it is from here, where that is shorter."""
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Turn the first signal to end into `Stopped`, also where it was inherited as ignored."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)  # the way out must not be cut short
        raise Stopped

    for number in _ENDING:
        signal.signal(number, stop)
    yield


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
