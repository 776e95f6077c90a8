"""`leadline up`: the server, in the foreground."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

from leadline.cli.command import Command
from leadline.cli.duration import duration
from leadline.cli.places import (
    DEFAULT_PORT,
    database_file,
    keys_file,
    make_folder,
    state_file,
)
from leadline.cli.size import size
from leadline.wire.errors import UnavailableError, UsageError

_NEEDED = ("starlette", "msgspec", "uvicorn", "jinja2", "pygments")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        help="port; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--database", type=Path, metavar="FILE", help="where everything is stored"
    )
    parser.add_argument(
        "--keep",
        type=duration,
        metavar="TIME",
        help="delete what is older, such as 7d (default: LEADLINE_KEEP, else 30d)",
    )
    parser.add_argument(
        "--keep-size",
        type=size,
        metavar="SIZE",
        help="what the database may take: 500MB (default: LEADLINE_KEEP_SIZE, else 2GB)",
    )
    parser.add_argument(
        "--keep-audit",
        type=duration,
        metavar="TIME",
        help="the same as --keep, for the audit log (default: LEADLINE_KEEP_AUDIT, else 400d)",
    )
    parser.add_argument(
        "--otlp",
        metavar="URL",
        help="send hits and points on to this OpenTelemetry collector, such as "
        "http://127.0.0.1:4318 (default: LEADLINE_OTLP_URL, else none)",
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="certificate chain (PEM)")
    parser.add_argument("--tls-key", metavar="FILE", help="its private key (PEM)")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="another name that the server is reached by; may be repeated",
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="listen beyond this machine without TLS: keys and hits travel readable",
    )


def _run(args: argparse.Namespace) -> int:
    require_server()
    if args.database is not None and args.database.name in ("", ":memory:"):
        raise UsageError(
            "bad-option", "--database needs the name of a file.", "For example: leadline.db"
        )
    arguments = server_arguments(args.host, args.port, args.database or database_file())
    for name in ("tls_cert", "tls_key"):
        if value := getattr(args, name):
            arguments += [f"--{name.replace('_', '-')}", value]
    arguments += _settings(args)
    for name in args.name:
        arguments += ["--name", name]
    if args.insecure:
        arguments.append("--insecure")
    os.execv(sys.executable, [sys.executable, "-m", "leadline.server", *arguments])


def _settings(args: argparse.Namespace) -> list[str]:
    """Return what is said by option or by variable, as the server takes it."""
    environ = os.environ
    said = {
        "--keep": args.keep or _read(duration, environ.get("LEADLINE_KEEP")),
        "--keep-size": args.keep_size or _read(size, environ.get("LEADLINE_KEEP_SIZE")),
        "--keep-audit": args.keep_audit or _read(duration, environ.get("LEADLINE_KEEP_AUDIT")),
        "--otlp": args.otlp or environ.get("LEADLINE_OTLP_URL"),
    }
    return [word for name, value in said.items() if value for word in (name, f"{value}")]


def _read[T](read: Callable[[str], T], text: str | None) -> T | None:
    return read(text) if text else None


def require_server() -> None:
    """Raises `UnavailableError` (slug `server-not-installed`) on the base install."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UnavailableError(
            "server-not-installed",
            f"The server needs {', '.join(missing)}, which the base install does not bring.",
            "Install it with: pip install 'leadline[server]'",
        )


def server_arguments(host: str, port: int, database: Path) -> list[str]:
    """Return the server's own command line, with its folders made."""
    for path in (database, keys_file(), state_file()):
        make_folder(path)
    return [
        *("--host", host, "--port", str(port), "--database", str(database)),
        *("--keys", str(keys_file()), "--state", str(state_file())),
    ]


COMMAND = Command("up", "start the server", "leadline up", _configure, _run)
