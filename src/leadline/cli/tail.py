"""`leadline tail`: hits as they happen."""

import argparse
import json
import re
import time
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration
from leadline.cli.processes import Processes
from leadline.cli.show import err, hit_line, out
from leadline.wire.errors import UnavailableError

_PROBE_ID = re.compile(r"p\d+")
_AGAIN_S = 0.5
_GIVE_UP_S = 60.0
"""How long a server may be away before watching it is given up."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="SERVICE|PROBE", help="default: everything")
    parser.add_argument("--hits", type=int, metavar="N", help="end after N hits")
    parser.add_argument("--for", dest="time", type=duration, metavar="TIME", help="end after")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    watching = _Watching(args)
    away_since = None
    while not watching.done():
        try:
            watching.follow()
            away_since = None
        except UnavailableError as error:
            now = time.monotonic()
            if error.slug != "no-server" or not watching.began:
                raise
            if away_since is None:
                away_since = now
                err("leadline: the server is away; watching for it")
            elif now - away_since > _GIVE_UP_S:
                raise
            time.sleep(_AGAIN_S)
    return 0


class _Watching:
    """What was seen so far, over all connections."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._json = args.json
        self._left = args.hits
        self._until = time.monotonic() + args.time if args.time else None
        is_probe = args.what is not None and _PROBE_ID.fullmatch(args.what)
        self._query = {("probe" if is_probe else "service"): args.what}
        self._last: int | None = None
        self._client = Client()
        self._processes = Processes(self._client)
        self.began = False

    def done(self) -> bool:
        late = self._until is not None and time.monotonic() >= self._until
        return late or (self._left is not None and self._left <= 0)

    def follow(self) -> None:
        """Print hits until the end, or until the connection is lost."""
        events = self._client.stream(
            "/v1/hits/stream", until=self._until, **self._query, after=self._last
        )
        for name, data in events:
            if name == "open" and not self.began:
                self.began = True
                err("leadline: watching (Ctrl-C ends)")
            elif name == "hit":
                self._take(json.loads(data))
            elif name == "lost":
                count = json.loads(data)["count"]
                err(f"leadline: {count} hits came too fast for this terminal")
            if self.done():
                return

    def _take(self, hit: dict[str, Any]) -> None:
        self._last = hit["id"]
        if self._left is not None:
            self._left -= 1
        if self._json:
            out(json.dumps({"schema_version": 1, "hit": hit}))
        else:
            out(hit_line(self._processes.name(hit)))


COMMAND = Command("tail", "show hits as they happen", "leadline tail ds", _configure, _run)
