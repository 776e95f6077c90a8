"""What is seen of twins from outside, in /proc."""

import contextlib
from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the processes that a process has made; a twin is in no list of children."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if int((folder / "stat").read_text("utf-8").rpartition(") ")[2].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(") ")[2][0]
    except OSError:
        return False
    return state != "Z"  # whoever has taken over an orphan may leave it so
