"""Where things are kept on this machine (XDG folders), and which server is meant."""

import json
import os
from pathlib import Path

from leadline.wire.errors import UnavailableError
from leadline.wire.regular_file import read_regular

DEFAULT_PORT = 7357
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
_MAX_STATE_BYTES = 20_000
"""Of a server's note: an address, a process id and a path, which has 4,096 bytes at most."""


def keys_file() -> Path:
    """The key file of this user, mode 0600."""
    return _folder("XDG_CONFIG_HOME", ".config") / "keys.json"


def server_keys_file() -> Path:
    """The key file of the server that is meant: it notes its own when it starts."""
    keys = _running("keys") if not os.environ.get("LEADLINE_URL") else ""
    return Path(keys) if keys else keys_file()


def database_file() -> Path:
    """The server's database."""
    return _folder("XDG_DATA_HOME", ".local/share") / "leadline.db"


def state_file() -> Path:
    """Where a running server notes its address."""
    return _folder("XDG_STATE_HOME", ".local/state") / "server.json"


def server_url() -> str:
    """Return `LEADLINE_URL`, else the address of the server last started here."""
    if url := os.environ.get("LEADLINE_URL"):
        return url.rstrip("/")
    return _running("url") or DEFAULT_URL


def _running(what: str) -> str:
    """Return what the running server has noted of itself; empty when none has."""
    try:
        state = json.loads(read_regular(state_file(), _MAX_STATE_BYTES))
        return str(state[what]) if isinstance(state, dict) else ""
    except (OSError, ValueError, KeyError):
        return ""


def server_is_running() -> bool:
    """Whether the server noted in the state file is a living process."""
    pid = _running("pid")
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def make_folder(path: Path) -> None:
    """Make the folder that holds `path`, readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UnavailableError(
            "folder-unwritable",
            f"The folder {path.parent} cannot be made: {error.strerror}.",
            "Set XDG_CONFIG_HOME, XDG_DATA_HOME and XDG_STATE_HOME to places you can write.",
        ) from error


def _folder(variable: str, default: str) -> Path:
    root = os.environ.get(variable)
    base = Path(root) if root and Path(root).is_absolute() else Path.home() / default
    return base / "leadline"
