"""Which function's calls are run: the one that is changed, or the smallest caller of it whose
calls can be made again."""

import argparse
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from leadline.cli.client import Client
from leadline.cli.instance import instance_ids
from leadline.expression import compile_predicate
from leadline.trial.candidate import Candidate, EntryPoint, entry_points
from leadline.trial.place import FURTHER_OUT, IN_TWIN
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared
from leadline.verify.report import Report
from leadline.verify.signature import HINT
from leadline.verify.verdict import Verdict
from leadline.wire.errors import LeadlineError, UsageError

ENOUGH = 0.95
"""The share of calls whose control has to agree before an entry is good enough."""
_MAX_ASKED = 8
"""Instances that are asked for their modules: a main process often imports nothing of what its
workers run."""
_NOT_THERE = "<not there>"
_CLASS = re.compile(r"^class\s+(\w+)", re.MULTILINE)
_TELL = {Verdict.NOT_EXERCISED: 0, Verdict.UNKNOWN: 1}
_MAKING = frozenset(("__init__", "__new__", "__post_init__", "__init_subclass__"))
MAX_STEPS = 4
"""Callers that are tried, one further out than the other."""


def local_roots(args: argparse.Namespace) -> list[str]:
    """Return where the service's files may be, as far as they are on this machine."""
    here = Path.cwd()
    roots = [str(Path(one).resolve()) for one in args.path]
    roots += [str(here), str(here / "src")]
    if args.service:
        roots += _loaded_from(args.service)
    return list(dict.fromkeys(root for root in roots if Path(root).is_dir()))


def _loaded_from(service: str) -> list[str]:
    """Ask instances of a service from which folders they have imported their modules."""
    roots: list[str] = []
    with suppress(LeadlineError):
        client = Client()
        for instance in instance_ids(client, service)[:_MAX_ASKED]:
            with suppress(LeadlineError):  # it has ended since
                loaded = client.get(f"/v1/instances/{instance}/modules")["modules"]["modules"]
                loaded.sort(key=lambda one: one["name"] != "__main__")  # it is nobody's library
                roots += [_root_of(one["name"], one["file"]) for one in loaded if one["source"]]
    return [root for root in dict.fromkeys(roots) if root]


def _root_of(module: str, file: str) -> str:
    """Return the folder beneath which a module lies by its name; empty where it does not."""
    path = Path(file)
    if module == "__main__":
        return str(path.parent)
    parts = path.parent.parts if path.stem == "__init__" else path.with_suffix("").parts
    names = module.split(".")
    return str(Path(*parts[: -len(names)])) if list(parts[-len(names) :]) == names else ""


def entries(candidate: Candidate, roots: Sequence[str]) -> dict[str, bool]:
    """Return the changed functions, and after them those that read what is changed, as targets
    of a capture, with whether they are changed themselves. Of the changed ones those that make
    an object come last: what they set shows in what uses it. Beside them, what only hands on
    such an object tells no more. Raises `UsageError` where there is none."""
    points = sorted(entry_points(candidate), key=lambda one: (not one.changed, _makes(one)))
    if points and points[0].changed:
        classes = {name for one in candidate.changes for name in _CLASS.findall(one.old or "")}
        points = [one for one in points if one.why.removeprefix("reads ") not in classes]
    found: dict[str, bool] = {}
    for point in points:
        inside = next((root for root in roots if point.file.startswith(root + "/")), "")
        name = point.file[len(inside) + 1 :] if inside else point.file.lstrip("/")
        found[f"{name}:{point.function}"] = point.changed
    if not found:
        raise UsageError(
            "no-entry",
            "The candidate changes no function that could be called.",
            "Say whose calls are to be run: --entry MODULE:FUNCTION.",
        )
    return found


def _makes(point: EntryPoint) -> bool:
    return is_making(point.function)


def is_making(entry: str) -> bool:
    """Tell whether a function makes an object: what it does is what is set in that one."""
    return entry.rpartition(".")[2] in _MAKING


def is_good(report: Report) -> bool:
    """Tell whether the control agrees often enough, and the calls show what is changed."""
    is_outside = any(one in report.reason for one in (HINT, FURTHER_OUT))
    return not is_outside and report.shares.agreed >= ENOUGH * report.shares.calls > 0


def worth(report: Report) -> tuple[int, bool, float]:
    """Return what an entry is chosen by: how much its calls tell, whether it does more than to
    make an object, and how often the control agrees."""
    tells = _TELL.get(Verdict(report.verdict), len(_TELL))
    share = report.shares.agreed / max(1, report.shares.calls)
    return tells, not is_making(report.entry), share


def wants_twin(report: Report) -> bool:
    """Tell whether a twin may know more than fresh processes do."""
    return not is_good(report) or IN_TWIN in report.reason


def speaks_of_one(fails: str, expect: str) -> str:
    """Return which of what was stated is about the result or the arguments of one function, so
    that it says nothing of a caller; empty where neither is."""
    for option, text in (("--expect", expect), ("--fails", fails)):
        if text and not compile_predicate(text).is_of_any_call:
            return option
    return ""


def adds_only(verdict: str, compared: Sequence[Compared]) -> bool:
    """Tell whether what differs is nothing but what an object has in addition: who uses it may
    see nothing of that."""
    found = [one for call in compared for one in call.differences]
    if verdict != Verdict.CHANGES_BEHAVIOUR or not found:
        return False
    return all(one.live == _NOT_THERE and "." in one.where for one in found)


def wider(calls: Sequence[CapturedCall], tried: Sequence[str], report: Report) -> str:
    """Return the caller that most of the calls have come from, one step further out; empty
    where there is none that was not tried.

    Where what stands in the way is the object whose method is called, other methods of its
    class are left out: they are given the same one.
    """
    owner = report.entry.rpartition(".")[0] if _is_of_self(report) else ""
    inside = f"{owner}." if ":" in owner else None
    for without in dict.fromkeys((inside, None)):
        counted: Counter[str] = Counter()
        for call in calls:
            outer = next((one for one in call.callers if _is_outer(one, tried, without)), "")
            if outer:
                counted[outer] += 1
        if counted:
            return counted.most_common(1)[0][0]
    return ""


def makers_of(calls: Sequence[CapturedCall]) -> list[str]:
    """Return the nearest callers that do more than to make an object, most frequent first."""
    counted: Counter[str] = Counter()
    for call in calls:
        named = (one for one in call.callers if "<" not in one and not is_making(one))
        counted.update(itertools.islice(named, 1))
    return [name for name, _ in counted.most_common()]


def _is_of_self(report: Report) -> bool:
    said = (report.reason, *report.unknown)
    return any(FURTHER_OUT in one or "self." in one for one in said)


def _is_outer(caller: str, tried: Sequence[str], without: str | None) -> bool:
    is_named = "<" not in caller
    return is_named and caller not in tried and not (without and caller.startswith(without))
