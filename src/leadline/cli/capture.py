"""`leadline capture`: whole calls of a function, to be made again elsewhere."""

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from leadline.cli.anchor import anchor_of
from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration, spoken
from leadline.cli.held_back import held_back
from leadline.cli.hit_view import hit_line
from leadline.cli.placing import login
from leadline.cli.processes import Processes, instance_id
from leadline.cli.show import err, harmless, out
from leadline.cli.standing import here, reasons
from leadline.wire.call import size_words
from leadline.wire.capture_file import Header, call_of, capture_lines
from leadline.wire.errors import ExitCode, LeadlineError, UnavailableError
from leadline.wire.limits import Limits
from leadline.wire.probe import DEFAULTS, CaptureProbe, ProbeKind, Status
from leadline.wire.service import check_service
from leadline.wire.struct import asdict
from leadline.wire.target import parse_place

_LOOK_S = 1.0
_MARGIN_S = 5.0
"""How much longer the probe may stand than its command waits, which removes it."""
_DEFAULT = DEFAULTS[ProbeKind.CAPTURE]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", help="the service whose calls are captured")
    parser.add_argument(
        "place", metavar="FUNCTION", help="MODULE:FUNCTION, e.g. shop.pricing:quote"
    )
    parser.add_argument(
        "--fails",
        metavar="PREDICATE",
        help="which calls matter: raises NAME, or an expression over the parameters, result "
        "and exception, of a web application also response.status; a quarter of the calls is "
        "kept for those",
    )
    parser.add_argument(
        "--if",
        dest="condition",
        metavar="EXPRESSION",
        help="only calls for which this holds at their beginning (see docs/expressions.md)",
    )
    parser.add_argument(
        "--calls",
        "-n",
        dest="many",
        type=int,
        default=_DEFAULT.hits,
        metavar="N",
        help="calls that are kept, over all instances (default: %(default)s)",
    )
    parser.add_argument(
        "--for",
        dest="wait",
        type=duration,
        default=_DEFAULT.ttl_s,
        metavar="TIME",
        help=f"go on so long; then the probe is removed (default: {spoken(_DEFAULT.ttl_s)})",
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=_DEFAULT.rate_per_s,
        metavar="N",
        help="at most N calls a second in each instance (default: %(default)g)",
    )
    parser.add_argument(
        "--instance",
        default="",
        metavar="ID",
        help="only in this instance: the beginning of its id, or its process id",
    )
    parser.add_argument(
        "--output", "-o", default="", metavar="FILE", help="write the calls to this file"
    )
    parser.add_argument(
        "--any-source",
        action="store_true",
        help="do not compare the function with the file of that name in the working directory",
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    service = check_service(args.service)
    probe = _probe_of(args)  # a mistake is shown before a server is asked
    if args.output:
        _check_writable(args.output)
    client = Client()
    capture = Capture(client, service, probe, args)
    try:
        for hit in capture.hits():
            if not args.json and not args.output:
                out(hit_line(capture.processes.name(hit)))
    except KeyboardInterrupt:
        err("leadline: stopped; what came is kept")
    finally:
        capture.remove()
    if args.output and capture.calls:
        _write(args.output, capture)
    if args.json:
        out(json.dumps({"schema_version": 1, "probe": capture.probe} | capture.summary()))
    else:
        _show(capture, args.output)
    if capture.cut_off:
        return ExitCode.UNAVAILABLE
    return ExitCode.OK if capture.calls else ExitCode.NO


def _probe_of(args: argparse.Namespace) -> CaptureProbe:
    target = parse_place(args.place)
    return CaptureProbe(
        id="",
        target=target,
        fails=args.fails,
        condition=args.condition,
        limits=Limits(args.many, args.wait + _MARGIN_S, args.rate),
        owner=login(),
        anchor=None if args.any_source else anchor_of(target),
    )


class Capture:
    """One capture under way: what came of it, and how its probe stood when last looked at.
    `wanted` is with how many calls whoever takes them will be content, 0 for all."""

    def __init__(
        self,
        client: Client,
        service: str,
        probe: CaptureProbe,
        args: argparse.Namespace,
        wanted: int = 0,
        first_s: float = math.inf,
    ) -> None:
        """`wanted` is how many calls are shown as all; for the first one it is not waited
        longer than `first_s`."""
        body = asdict(probe) | {"target": str(probe.target)}
        for name in ("id", "anchor"):
            body.pop(name)
        if probe.anchor is not None:
            body["anchor"] = asdict(probe.anchor)
        if args.instance:
            body["where"] = {"instance": instance_id(client, args.instance)}
        self._client, self._asked, self._wanted = client, probe, wanted
        self._until: float = time.monotonic() + args.wait
        self._first_until = time.monotonic() + first_s
        self.service = service
        self.processes = Processes(client)
        self.calls: list[dict[str, Any]] = []
        self.cut_off = ""
        """Why the server could not be asked to the end; what came until then is here."""
        self._last = 0
        self._said = ""
        with held_back() as pressed:  # or nobody would know which probe to take out
            self.probe = client.post(f"/v1/services/{service}/probes", body)["probe"]
        if pressed:
            self.remove()
            raise KeyboardInterrupt

    def hits(self) -> Iterator[dict[str, Any]]:
        """Yield the hits as they come, until there are enough, or none can come any more.

        Raises `LeadlineError` when the server goes away before the first call came. Later on
        what came is kept, and `cut_off` says why no more did.
        """
        try:
            yield from self._hits()
        except UnavailableError as error:
            if not self.calls:
                raise
            self.cut_off = error.message
            err(f"leadline: {harmless(error.message)} {len(self.calls)} calls came before.")

    def _hits(self) -> Iterator[dict[str, Any]]:
        while len(self.calls) < self._asked.limits.hits:
            look_at = min(time.monotonic() + _LOOK_S, self._ends_at)
            for name, data in self._client.stream(
                "/v1/hits/stream", until=look_at, probe=self.id, after=self._last
            ):
                if name == "hit":
                    yield self._taken(json.loads(data))
                    if len(self.calls) == self._asked.limits.hits:
                        return
            self._look()
            over = self.probe["ended_at"] is not None or self._hopeless()
            if over or time.monotonic() >= self._ends_at:
                yield from self._stored()
                return

    def _stored(self) -> Iterator[dict[str, Any]]:
        """Yield what came while it was looked at."""
        more = True
        while more and len(self.calls) < self._asked.limits.hits:
            query = {"probe": self.id, "after": self._last, "limit": 100}
            answer = self._client.get("/v1/hits", **query)
            more = answer["more"] and bool(answer["hits"])
            for hit in answer["hits"][: self._asked.limits.hits - len(self.calls)]:
                yield self._taken(hit)

    def _taken(self, hit: dict[str, Any]) -> dict[str, Any]:
        self._last = hit["id"]
        if hit.get("call"):
            more = {"hit": hit["id"], "time": hit["time"], "instance": hit["instance"]}
            self.calls.append(hit["call"] | more)
        return hit

    @property
    def _ends_at(self) -> float:
        return self._until if self.calls else min(self._until, self._first_until)

    def end_in(self, seconds: float) -> None:
        """Go on for so long at the most."""
        self._until = min(self._until, time.monotonic() + seconds)

    @property
    def id(self) -> str:
        """Return the probe's id."""
        return str(self.probe["id"])

    def remove(self) -> None:
        """Take the probe out if it is not over; a server that is away ends it in its time."""
        with suppress(LeadlineError):
            self._look()
            if self.probe["ended_at"] is None:
                self._client.delete(f"/v1/probes/{self.id}")

    def summary(self) -> dict[str, Any]:
        """Return what came, in numbers."""
        calls = self.calls
        return {
            "calls": len(calls),
            "failing": sum(call["fails"] is True for call in calls),
            "unknown": sum(bool(call["unknown"]) for call in calls),
            "raised": sum(not call["returned"] for call in calls),
            "repeatable": sum(call["kept"] is not None for call in calls),
            "withheld": sum(bool(call["kept"] and call["withheld"]) for call in calls),
            "bytes": sum(call["size"] for call in calls),
            "cut_off": self.cut_off,
        }

    def header(self) -> Header:
        """Return the first line of the file."""
        said = (call["home"] for call in self.calls if call["home"] is not None)
        home = call_of(self.calls[0] | {"home": next(said, None)}).home
        return Header(
            service=self.service,
            entry=self.calls[0]["entry"],
            fails=self._asked.fails,
            home=home,
            python=home.python if home is not None else "",
            asked=self._asked.limits.hits,
            saved_at=time.time(),
        )

    def obstacle(self) -> str:
        """Return what keeps most of the calls that cannot be made again from it."""
        counts: dict[str, int] = {}
        for call in self.calls:
            if call["kept"] is None:
                counts[call["obstacle"]] = counts.get(call["obstacle"], 0) + 1
        return max(counts, key=lambda one: counts[one], default="")

    def reasons(self) -> list[str]:
        """Return how the probe stands in the instances that are there."""
        return reasons(self.probe)

    def _look(self) -> None:
        self.probe = self._client.get(f"/v1/probes/{self.id}")["probe"]
        wanted = self._wanted or self._asked.limits.hits
        of = f" of {wanted}" if len(self.calls) <= wanted else ""
        said = f"{len(self.calls)}{of} calls"
        if self._asked.fails is not None:
            said += f", {self.summary()['failing']} failing"
        if not self.calls:
            said = "; ".join(self.reasons())
        elif not here(self.probe):
            said += "; no instance is connected"
        if said != self._said:
            self._said = said
            err(f"leadline: {harmless(said)}")

    def _hopeless(self) -> bool:
        """Whether every instance has said that it cannot carry the probe."""
        there = here(self.probe)
        return bool(there) and all(one["status"] == Status.ERROR for one in there)


def _show(capture: Capture, file: str) -> None:
    found = capture.summary()
    if not found["calls"]:
        err("leadline: no call was captured")
        for reason in capture.reasons():
            err(f"  {harmless(reason)}")
        return
    said = f"{found['calls']} calls, {found['raised']} raised"
    if capture.probe["fails"] is not None:
        said += f", {found['failing']} failing"
    if found["unknown"]:
        said += f", {found['unknown']} unknown"
    said += f"; {found['repeatable']} can be made again, {size_words(found['bytes'])} in all"
    out(said)
    if some := found["withheld"]:
        out(f"{some} of these lack what was withheld: only where that is not needed")
    if obstacle := capture.obstacle():
        out(harmless(f"not the others: {obstacle}"))
    if file:
        out(f"written to {harmless(file)}")


def _check_writable(file: str) -> None:
    path = Path(file)
    if path.is_dir():
        raise _unwritable(file, "it is a folder")
    if not path.absolute().parent.is_dir():
        raise _unwritable(file, "there is no such folder")


def _write(file: str, capture: Capture) -> None:
    """Write the file beside, and put it in place whole; there are values of real requests in
    it, so that nobody else may read it."""
    place = Path(os.path.realpath(file))
    is_made = not place.exists() or place.is_file()  # a pipe or a device is written into
    beside = Path(f"{place}.{os.getpid()}.new") if is_made else place
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="ascii") as whole:
            whole.writelines(capture_lines(capture.header(), capture.calls))
        if is_made:
            beside.replace(place)
    except OSError as error:
        if is_made:
            with suppress(OSError):
                beside.unlink()
        raise _unwritable(file, error.strerror or str(error)) from None


def _unwritable(file: str, why: str) -> UnavailableError:
    return UnavailableError(
        "capture-file-unwritable",
        f"The calls cannot be written to {file}: {why}.",
        "Choose another file with -o. What was captured is on the server: leadline hits.",
    )


COMMAND = Command(
    "capture",
    "keep whole calls of a function, to be made again elsewhere",
    "leadline capture shop shop.pricing:quote --fails 'raises KeyError' -o calls.jsonl",
    _configure,
    _run,
)
