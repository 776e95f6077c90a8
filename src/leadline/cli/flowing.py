"""Sums as they flow by: one line a second for each probe that adds up, over all instances."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.points import Sum, said
from leadline.cli.show import clock, harmless, out
from leadline.wire.errors import LeadlineError

_EACH_S = 1.0


class Flowing:
    """Adds up points and prints them from a thread of its own, until it is left.

    `wanted` is asked for each line whether there may be one more. That a line could not be
    printed is raised by `check` and at the end.
    """

    def __init__(self, client: Client, wanted: Callable[[], bool]) -> None:
        self._client = client
        self._wanted = wanted
        self._lock = threading.Lock()
        self._sums: dict[str, Sum] = {}
        self._probes: dict[str, Mapping[str, Any]] = {}
        self._over = threading.Event()
        self._unprinted: OSError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Flowing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.check()
        self._tell()

    def check(self) -> None:
        """Raise the `OSError` with which a line could not be printed."""
        if self._unprinted is not None:
            raise self._unprinted

    def add(self, point: Mapping[str, Any]) -> None:
        """Take in a point."""
        with self._lock:
            self._sums.setdefault(str(point["probe"]), Sum()).add(point)

    def _run(self) -> None:
        while not self._over.wait(_EACH_S):
            try:
                self._tell()
            except OSError as error:  # said by the thread that runs the command
                self._unprinted = error
                return

    def _tell(self) -> None:
        with self._lock:
            sums, self._sums = self._sums, {}
        for probe, seen in sums.items():
            if not self._wanted():
                return
            about = self._about(probe)
            words = said(about["kind"], seen.summary(about["kind"]))
            out(
                f"{clock(time.time())}  {harmless(about['service'])}  {probe} "
                f"{harmless(about['target'])}  {words}"
            )

    def _about(self, probe: str) -> Mapping[str, Any]:
        if probe not in self._probes:
            try:
                self._probes[probe] = self._client.get(f"/v1/probes/{probe}")["probe"]
            except LeadlineError:  # it may be the server that is away
                return {"kind": "metric", "service": "", "target": ""}
        return self._probes[probe]
