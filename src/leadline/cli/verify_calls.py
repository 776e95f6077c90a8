"""Where the calls of a verification come from: a service that runs, or a file."""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from leadline.cli.capture import Capture
from leadline.cli.client import Client
from leadline.cli.duration import duration
from leadline.cli.known import check_known
from leadline.cli.placing import login
from leadline.cli.show import err, harmless
from leadline.cli.standing import here
from leadline.trial.predicate import compile_predicate
from leadline.verify.calls import CapturedCall, Home, chosen, joined_code, of_view
from leadline.wire.call import MAX_CALLS, RESERVED, CallView, Origin
from leadline.wire.capture_file import call_of, lines_of, read_capture_file
from leadline.wire.errors import UnavailableError, UsageError
from leadline.wire.gateway import ASKED
from leadline.wire.limits import Limits
from leadline.wire.probe import DEFAULTS, CaptureProbe, ProbeKind
from leadline.wire.service import check_service
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.target import parse_place

_ENOUGH = 0.75
"""A quarter of a capture is kept for calls that fail: to have `-n` calls when few fail, so
much more is asked for."""
_FOR_FAILING_S = 5.0
"""How long it goes on at least for calls that fail, once there are enough calls."""
_VERSIONS = (
    "the instances run {} versions of {}: calls of others than the one that is tried prove "
    "nothing"
)
_ASK = "import json, sys; print(json.dumps([sys.version.split()[0], sys.path]))"
_ASK_S = 20.0


@dataclass(frozen=True, slots=True)
class Captured:
    """Calls, and what they are of."""

    service: str
    entry: str
    fails: str
    home: Home
    calls: list[CapturedCall]
    notes: list[str] = field(default_factory=list)
    stopped: bool = False
    """Whether the user has ended the capture."""
    doubt: str = ""
    """As in `Asked`."""


def from_file(args: argparse.Namespace) -> Captured:
    """Read what `leadline capture` has kept."""
    try:
        with Path(args.captured).open(encoding="ascii", errors="surrogateescape") as lines:
            found = read_capture_file(lines_of(lines))
    except OSError as error:
        raise UsageError(
            "bad-capture-file", f"{args.captured} cannot be read: {error.strerror}."
        ) from None
    header = found.header
    fails = args.fails or header.fails or ""
    if args.fails and header.fails and args.fails != header.fails:
        raise UsageError(
            "no-predicate",
            f"The calls were captured with --fails {header.fails!r}, and which of them "
            "fail was found out then.",
            "Leave --fails out, or capture again.",
        )
    if header.home is None:
        raise UsageError("bad-capture-file", f"{args.captured} does not say where it is from.")
    if args.entry and args.entry != header.entry:
        raise UsageError(
            "bad-capture-file",
            f"{args.captured} has calls of {header.entry}, not of {args.entry}.",
            "Leave --entry out, or capture calls of the other function.",
        )
    named = {name for view in found.calls for name in view.arguments}
    known = {name for name in named if name.isidentifier()}  # what came of a call has others
    for predicate in filter(None, (fails, args.expect)):
        _check_names(predicate, known)
    is_late = bool(fails and not header.fails)
    return _captured(
        args, header.service, header.entry, fails, header.home, found.calls, is_late=is_late
    )


def _check_names(predicate: str, known: set[str]) -> None:
    """Say before anything runs what no call can answer. `known` are the parameters, none where
    the calls were too large to keep what they were given."""
    asked = compile_predicate(predicate).names - {ASKED}
    if known and (missing := sorted(asked - known)):
        raise UsageError(
            "no-predicate",
            f"The calls have no {missing[0]}, which {predicate!r} asks for: "
            f"they have {', '.join(sorted(known))}.",
            "A predicate reads the parameters, result, exception and duration.",
        )


def from_service(
    args: argparse.Namespace, target: str, *, first_s: float = math.inf
) -> Captured:
    """Capture calls of the service that runs, at `target`; the first of them has to come within
    `first_s`. Raises `UnavailableError` (`no-calls`) where none comes."""
    service = check_service(args.service)
    seconds = duration(args.seconds)
    asked = min(int(args.many / _ENOUGH) + 1, MAX_CALLS) if args.fails else args.many
    rate = DEFAULTS[ProbeKind.CAPTURE].rate_per_s
    probe = CaptureProbe(
        id="",
        target=parse_place(target),
        fails=args.fails or None,
        limits=Limits(asked, seconds + 5.0, rate),
        owner=login(),
    )
    err(f"leadline: capturing calls of {harmless(target)}")
    waiting = argparse.Namespace(wait=seconds, instance="")
    client = Client()
    check_known(client, service)
    capture = Capture(client, service, probe, waiting, args.many, first_s)
    stopped = False
    try:
        _collect(capture, args)
    except KeyboardInterrupt:
        if not capture.calls:
            raise
        stopped = True
        err("leadline: stopped; what came is used")
    finally:
        capture.remove()
    if not capture.calls:
        why = "; ".join(capture.reasons())
        raise UnavailableError(
            "no-calls",
            f"No call of {target} was captured: {why}.",
            "Wait longer with --for, or name another --entry.",
        )
    header = capture.header()
    if header.home is None:
        raise UnavailableError("no-calls", "The service has not said where its code is.")
    calls = [call_of(one) for one in capture.calls]
    found = _captured(args, service, header.entry, args.fails, header.home, calls)
    there = [
        replace(call, hit=said["hit"], instance=said["instance"])
        for call in found.calls
        for said in (capture.calls[call.number - 1],)
    ]
    notes = found.notes
    if capture.cut_off:
        notes = [*notes, f"the capture ended early: {capture.cut_off}"]
    elif not here(capture.probe):
        notes = [*notes, "no instance was connected any more when the capture ended"]
    return replace(found, calls=there, notes=notes, stopped=stopped)


def _collect(capture: Capture, args: argparse.Namespace) -> None:
    """Take calls until there are enough: where some fail, until a quarter of them does, or it
    has gone on for as long as it took to have the others."""
    began, failing, is_enough = time.monotonic(), 0, False
    for hit in capture.hits():
        call: dict[str, Any] = hit.get("call") or {}
        failing += call.get("fails") is True
        if len(capture.calls) < args.many or not (failing or not args.fails):
            continue
        if not args.fails or failing >= args.many // RESERVED:
            return
        if not is_enough:
            is_enough, took = True, time.monotonic() - began
            capture.end_in(max(_FOR_FAILING_S, took))


def _captured(
    args: argparse.Namespace,
    service: str,
    entry: str,
    fails: str,
    origin: Origin,
    views: Iterable[CallView],
    *,
    is_late: bool = False,
) -> Captured:
    views = list(views)
    calls = [
        of_view(number, view, bool(fails), is_asked_late=is_late)
        for number, view in enumerate(views, 1)
    ]
    told = [one.home.code for one in views if one.home is not None]  # one of each process
    home, notes = _home(args, replace(origin, code=joined_code([origin.code, *told])))
    versions = {one.home.digest for one in views if one.home is not None} - {""}
    if len(versions) > 1:
        notes.append(_VERSIONS.format(len(versions), Path(origin.file).name))
    return Captured(service, entry, fails, home, chosen(calls, args.many), notes)


def _home(args: argparse.Namespace, origin: Origin) -> tuple[Home, list[str]]:
    """Return where the calls are run, and what is different there."""
    given = [str(Path(one).resolve()) for one in args.path]
    there = [one for one in origin.path if Path(one).exists()]
    executable, python, own, notes = _interpreter(args, origin)
    if python != origin.python:
        notes.append(f"captured on CPython {origin.python}, run on {python}")
    if given:
        notes.append(f"run with the code in {', '.join(given)}")
    home = Home(
        path=list(dict.fromkeys([*given, *there, *own])),
        cwd=given[0] if given else origin.folder,
        executable=executable,
        python=python,
        file=origin.file,
        digest=origin.digest,
        main=origin.main,
        state=origin.state,
        code=origin.code if python == origin.python else {},  # else it is compiled otherwise
        recursion_limit=origin.recursion_limit,
        max_str_digits=origin.max_str_digits,
        flags=origin.flags,
        warnings=origin.warnings,
        hash_seed=origin.hash_seed if not origin.hash_randomization or origin.hash_seed else "",
    )
    return home, notes


def _interpreter(
    args: argparse.Namespace, origin: Origin
) -> tuple[str, str, list[str], list[str]]:
    """Return the interpreter, its version, its import path where it is another one than the
    service's, and notes.

    It runs before anything is sealed, and a file of calls may come from anywhere: what such a
    file names is not run unless it is ours, or was named with `--python`.
    """
    there = os.access(origin.executable, os.X_OK)
    trusted = origin.executable in (sys.executable, args.python) or not args.captured
    if args.python and args.python != origin.executable:
        version, path = _asked(args.python)
        return args.python, version, path, []
    if there and trusted:
        return origin.executable, origin.python, [], []
    notes = []
    if there:
        notes.append(
            f"run with {sys.executable}: the file names {origin.executable}, which runs only "
            "when it is given with --python"
        )
    version = ".".join(map(str, sys.version_info[:3]))
    return sys.executable, version, [one for one in sys.path if one], notes


def _asked(executable: str) -> tuple[str, list[str]]:
    """Ask an interpreter for its version and its import path."""
    command = [executable, "-P", "-c", _ASK]
    try:
        done = subprocess.run(  # noqa: S603 - the user has named it
            command, capture_output=True, timeout=_ASK_S, check=True, stdin=subprocess.DEVNULL
        )
        version, path = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UsageError(
            "bad-python", f"{executable} is no Python interpreter that runs: {error}."
        ) from None
    return str(version), [str(one) for one in path if one]
