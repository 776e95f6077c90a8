"""`leadline tail`: hits, and sums by the second, as they happen."""

import argparse
import json
import re
import time
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration
from leadline.cli.flowing import Flowing
from leadline.cli.hit_options import add_filters, filters_of
from leadline.cli.hit_view import hit_line
from leadline.cli.known import check_known
from leadline.cli.processes import Processes
from leadline.cli.show import err, out
from leadline.wire.errors import UnavailableError
from leadline.wire.service import check_service

_PROBE_ID = re.compile(r"p\d+")
_AGAIN_S = 0.5
_GIVE_UP_S = 60.0
"""How long a server may be away before watching it is given up."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="SERVICE|PROBE", help="default: everything")
    add_filters(parser)
    parser.add_argument("--hits", type=int, metavar="N", help="end after N hits, or sums")
    parser.add_argument("--for", dest="time", type=duration, metavar="TIME", help="end after")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    query = _query(client, args)
    watching = _Watching(client, args, query)
    with watching.flowing:
        _watch(watching)
    return 0


def _watch(watching: "_Watching") -> None:
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


def _query(client: Client, args: argparse.Namespace) -> dict[str, Any]:
    """Return what is watched; says so when nobody knows of it yet."""
    query = filters_of(client, args)
    sums = not any(value is not None for value in query.values())
    if args.what is not None and _PROBE_ID.fullmatch(args.what):
        client.get(f"/v1/probes/{args.what}")
        query["probe"] = args.what
    elif args.what is not None:
        query["service"] = check_service(args.what)
        _warn_unknown(client, args.what)
    return query | {"points": "true" if sums else None}


def _warn_unknown(client: Client, service: str) -> None:
    """A service may be watched before it is started, and its name may be mistyped."""
    try:
        check_known(client, service)
    except UnavailableError as error:
        if error.slug != "no-such-service":
            raise
        err(f"leadline: {error.message} Watching for it all the same.")


class _Watching:
    """What was seen so far, over all connections."""

    def __init__(self, client: Client, args: argparse.Namespace, query: dict[str, Any]) -> None:
        self._client, self._query = client, query
        self._json = args.json
        self._left: int | None = args.hits
        self._until = time.monotonic() + args.time if args.time else None
        self._last: int | None = None
        self._processes = Processes(client)
        self.flowing = Flowing(client, self._wanted)
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
            self.flowing.check()
            if name == "open" and not self.began:
                self.began = True
                err("leadline: watching (Ctrl-C ends)")
            elif name == "hit":
                self._take(json.loads(data))
            elif name == "point":
                self._add(json.loads(data))
            elif name == "lost":
                count = json.loads(data)["count"]
                err(f"leadline: {count} hits came too fast for this terminal")
            if self.done():
                return

    def _take(self, hit: dict[str, Any]) -> None:
        self._last = hit["id"]
        self._wanted()
        if self._json:
            out(json.dumps({"schema_version": 1, "hit": hit}))
        else:
            out(hit_line(self._processes.name(hit)))

    def _add(self, point: dict[str, Any]) -> None:
        if not self._json:
            self.flowing.add(point)
            return
        self._wanted()
        out(json.dumps({"schema_version": 1, "point": point}))

    def _wanted(self) -> bool:
        """Count one more; returns whether it is not beyond the number that was asked for."""
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0


COMMAND = Command(
    "tail", "show hits and sums as they happen", "leadline tail ds", _configure, _run
)
