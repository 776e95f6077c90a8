"""The program of a fresh place: it seals a copy of itself before anything of the service's is
imported, and waits for that copy to end.

    python -m leadline.agent.place CHANNEL

CHANNEL is the number of a socket that is inherited (protocol: `trial.place`). The program is
part of the agent because both sides of a comparison have to be seen by the same capture.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from leadline import native
from leadline.agent.place import sealed
from leadline.agent.place.lines import Lines
from leadline.agent.twin.readable import readable
from leadline.trial.place import Begin, Ready, read_begin, write
from leadline.wire.errors import LeadlineError

MEMORY_BYTES = 4_000_000_000
"""What a place may take beyond what its program has: imports and all runs, each by itself."""
_LOOK_S = 0.01


def main(argv: list[str]) -> int:
    """Serve until the socket is closed; returns the exit status."""
    channel = int(argv[0])
    lines = Lines(channel)
    try:
        first = lines.next()
        if first is None:
            return 0
        begin = read_begin(first)
        _stand(begin)
    except (LeadlineError, OSError) as error:
        lines.say(write(Ready(False, f"the place cannot be made: {error}")))
        return 1
    return _seal(begin, channel, lines)


def _stand(begin: Begin) -> None:
    """Be where the service is. Its import path is for the sealed copy alone: whatever lay in it
    under the name of a module that is imported late would run here, outside of the seal."""
    if Path(begin.cwd).is_dir():
        os.chdir(begin.cwd)
    sys.argv[:] = begin.argv or [begin.entry.partition(":")[0]]
    sys.dont_write_bytecode = True
    # which is found out by writing there, and many modules ask for it when they are imported
    tempfile.tempdir = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - nothing is written there


def _seal(begin: Begin, channel: int, lines: Lines) -> int:
    twin = native.twin()
    if twin is None or not twin.landlock():
        why = native.twin_reason() or "this kernel has no Landlock"
        lines.say(write(Ready(False, f"no sealed process can be made here: {why}")))
        return 1
    policy = int(twin.READONLY | twin.THREADS | twin.GRANDCHILDREN)
    life = begin.life_s
    folders = readable((*begin.path, *begin.readable, *begin.scope))
    try:
        pid = twin.clone(policy, life, int(life) + 1, MEMORY_BYTES, (channel,), folders)
    except OSError as error:
        why = error.strerror or str(error)
        lines.say(write(Ready(False, f"no sealed process can be made here: {why}")))
        return 1
    if pid == 0:
        sys.path[:] = begin.path
        sealed.live(begin, lines)
        os._exit(0)
    os.close(channel)  # or its end would never be seen
    while (status := twin.reap(pid)) is None:
        time.sleep(_LOOK_S)
    if status:
        sys.stderr.write(f"the sealed process ended: {twin.why(status)}\n")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
