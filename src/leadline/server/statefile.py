"""The file that tells commands on this machine where the server is."""

import contextlib
import json
import os
from pathlib import Path

from leadline.control.context import say
from leadline.wire.errors import UnavailableError
from leadline.wire.regular_file import read_regular

_MAX_BYTES = 20_000
"""Of the file: an address, a process id and a path, which has 4,096 bytes at most."""


class StateFile:
    """Written once connections are accepted, removed at the end if it is still ours."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = ""

    def write(self, url: str, keys: Path) -> None:
        """Say where the server is and which keys it takes, all at once.

        Raises slug `state-file-unwritable`.
        """
        content = (
            json.dumps({"url": url, "pid": os.getpid(), "keys": str(keys.absolute())}) + "\n"
        )
        if other := self._other():
            say(f"the commands go on to use your other server at {other}; for this one set "
                f"LEADLINE_URL={url}")  # fmt: skip
            return
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(content)
            draft.replace(self._path)
        except OSError as error:
            raise UnavailableError(
                "state-file-unwritable",
                f"The file {self._path} cannot be written: {error.strerror}.",
                "Set XDG_STATE_HOME to a folder that you can write.",
            ) from error
        self._content = content

    def _other(self) -> str:
        """Return the address of another server that is noted there and is alive."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(self._found())
            if int(found["pid"]) != os.getpid():
                os.kill(int(found["pid"]), 0)
                return str(found["url"])
        return ""

    def remove(self) -> None:
        """Remove the file unless another server has written its own since."""
        with contextlib.suppress(OSError, ValueError):
            if self._content and self._found() == self._content.encode("ascii"):
                self._path.unlink()

    def _found(self) -> bytes:
        return read_regular(self._path, _MAX_BYTES)
