"""One life of the server: bind, open, serve, stop in time whatever is still connected."""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import uvicorn

from leadline.control.context import LEAST_BYTES, Context, Keep, say
from leadline.control.otlp.collector import collector
from leadline.server.app import create_app
from leadline.server.keyring import KeyRing
from leadline.server.listening import BACKLOG, bind, check_exposure, check_tls, url
from leadline.server.sign_ins import SignIns
from leadline.server.statefile import StateFile
from leadline.wire.errors import ExitCode, LeadlineError

GRACE_S = 1
"""Seconds for requests that are being answered when the end comes (uvicorn takes an int)."""
_MAX_PORT = 65_535
"""TCP has 16 bits for it."""
STOP_S = 2.8
"""After so long the process ends whatever still hangs; three seconds are promised."""
GARBAGE = (50_000, 20)
"""New objects before the collector looks for cycles, and such looks before it looks at older
ones: a long answer is hundreds of thousands of objects and no cycle, and with Python's own
numbers a third of its time goes into looking."""


def main(argv: Sequence[str]) -> int:
    """Run a server until it is told to stop; returns an exit code."""
    options = _options(argv)
    try:
        return _run(options)
    except LeadlineError as error:
        say(f"[{error.slug}] {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.OK  # before there was anything to stop


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"leadline: [bad-option] {message}\n")


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = _Parser("python -m leadline.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=7357, help="0 takes any free one")
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--insecure", action="store_true", help="allow clear text")
    parser.add_argument(
        "--name", action="append", default=[], help="a name that it is reached by; repeatable"
    )
    parser.add_argument("--keep", type=float, default=Keep().age_s, help="seconds")
    parser.add_argument("--keep-audit", type=float, default=Keep().audit_s, help="seconds")
    parser.add_argument("--keep-size", type=int, default=Keep().bytes, help="bytes")
    parser.add_argument("--otlp", metavar="URL", help="a collector")
    options = parser.parse_args(argv)
    if bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key belong together")
    return options


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else -1
    if not 0 <= port <= _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text[:100]!a} is no port: 0 to {_MAX_PORT}")
    return port


def _context(options: argparse.Namespace) -> Context:
    where = None
    if options.otlp:
        # from the environment only: arguments can be read by every user of the machine
        where = collector(options.otlp, os.environ.get("LEADLINE_OTLP_HEADERS", ""))
        if where.in_clear:
            say(f"hits and points travel readable to the collector at {where.url}")
    return Context(options.database, keep=_keep(options), collector=where)


def _keep(options: argparse.Namespace) -> Keep:
    return Keep(options.keep, options.keep_audit, max(options.keep_size, LEAST_BYTES))


def _sign_ins(options: argparse.Namespace, ring: KeyRing) -> SignIns:
    """Beside the database, which no two servers share."""
    database: Path = options.database
    return SignIns(database.with_name(f"{database.name}.sign-ins"), ring)


def _names(options: argparse.Namespace) -> set[str]:
    """Return what `Host` may say; "every address" is none that a request can be sent to."""
    return {options.host, *options.name} - {"0.0.0.0", "::"}  # noqa: S104 - compared only


def _run(options: argparse.Namespace) -> int:
    gc.set_threshold(*GARBAGE)
    os.umask(0o077)  # whatever is made from here on holds keys or hits
    tls = options.tls_cert is not None
    check_exposure(options.host, tls=tls, insecure=options.insecure)
    if tls:
        check_tls(options.tls_cert, options.tls_key)
    with contextlib.closing(bind(options.host, options.port)) as listener:
        ring = KeyRing(options.keys)
        with contextlib.closing(_context(options)) as context:
            config = uvicorn.Config(
                create_app(context, ring, _sign_ins(options, ring), _names(options)),
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # nobody's word is taken for where a request came from
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=GRACE_S,
                ssl_certfile=options.tls_cert,
                ssl_keyfile=options.tls_key,
            )
            # its own reports are tracebacks with whatever is in them; ours come from `app`
            logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
            server = _Server(
                config, context, StateFile(options.state), options.keys, url(listener, tls=tls)
            )
            asyncio.run(server.serve([listener]))
            if server.failure is not None:
                raise server.failure
    return ExitCode.OK


class _Server(uvicorn.Server):
    """uvicorn, with our signals, our streams' end, and the state file around it."""

    def __init__(
        self,
        config: uvicorn.Config,
        context: Context,
        state: StateFile,
        keys: Path,
        address: str,
    ) -> None:
        super().__init__(config)
        self._context = context
        self._state = state
        self._keys = keys
        self._address = address
        self.failure: LeadlineError | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM, also where SIGINT was inherited as ignored."""
        loop = asyncio.get_running_loop()
        signals = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` means it
            signals.append(signal.SIGHUP)
        for number in signals:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            self._state.remove()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and only then say so."""
        await super().startup(sockets)
        try:
            self._state.write(self._address, self._keys)
        except LeadlineError as error:
            self.failure = error
            self.should_exit = True
            return
        with contextlib.suppress(OSError):  # whoever started us may not be reading
            print(f"listening on {self._address}", flush=True)
            if sys.stdout.isatty():  # programs wait for the line above, a person reads on
                print("to look at it in a browser: leadline open", flush=True)

    def _stop(self) -> None:
        if self.should_exit:
            return
        say("stopping")
        self.should_exit = True
        self._context.stop()
        last = threading.Timer(STOP_S, self._give_up)
        last.daemon = True
        last.start()

    def _give_up(self) -> None:
        say("[slow-stop] something did not end in time; what was answered is stored")
        self._state.remove()
        os._exit(ExitCode.OK)
