"""What a twin answered, and why there is none, in words: the same for a terminal and the page.

Each takes the plain data that travels. What the application had a part in is in the words: they
are escaped for wherever they are shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from leadline.wire.probe import Fate, Status
from leadline.wire.twin import TwinEnd, TwinPolicy

MAKES_NONE = (Status.ERROR, Status.MISMATCH, Status.EXPIRED, Status.REMOVED)
"""Where an instance makes no twin any more for an order."""
_APART = (Fate.CAPTURED, Fate.CONDITION_FALSE)
"""Fates of passages that made a twin, or were not to."""
_POLICY: dict[str, str] = {
    TwinPolicy.STRICT: "no files",
    TwinPolicy.READONLY: "files read-only",
    TwinPolicy.THREADS: "files read-only, threads allowed",
}


def policy_words(policy: str) -> str:
    """Return what a policy allows a twin."""
    return _POLICY.get(policy, policy)


def cost_words(twin: Mapping[str, Any]) -> list[str]:
    """Return what the twin cost, how long it lived, and under which policy."""
    words = [
        f"pause {twin['pause_ms']:.1f} ms",
        f"the twin lived {_seconds(twin['life_s'])}",
        policy_words(twin["policy"]),
    ]
    if twin["lost"]:
        words.append(f"{twin['lost']:,} bytes of its answer found no room")
    return words


def end_words(twin: Mapping[str, Any]) -> str:
    """Return how a twin ended before it was done; nothing of one that was."""
    if twin["end"] == TwinEnd.DONE:
        return ""
    what = "it was cut off" if twin["end"] == TwinEnd.CUT_OFF else "it died"
    return f"{what}: {twin['reason']}" if twin["reason"] else what


def agreement_words(twin: Mapping[str, Any]) -> str:
    """Return whether a rerun came to what really happened, without the outcome itself."""
    found = twin.get("agreement")
    if ended := end_words(twin):
        return f"unknown: {ended}"
    return _agreement(found) if found else "unknown: the twin did not say"


def _agreement(found: Mapping[str, Any]) -> str:
    if found["agrees"] is None:
        return f"unknown: {found['reason']}"
    if found["agrees"]:
        unseen = f", {found['unseen']:,} beyond the limits" if found["unseen"] else ""
        many = f"{found['compared']:,} value{'' if found['compared'] == 1 else 's'}"
        return f"agrees: {many} compared{unseen}"
    where = ", ".join(one["where"] for one in found["differences"]) or "the outcome"
    why = f"; explained: {found['reason']}" if found["reason"] else ""
    return f"differs: {where}{why}"


def tried_words(twin: Mapping[str, Any]) -> list[str]:
    """Return what became of a candidate, and of the controls beside it; nothing where none was
    tried."""
    found = twin.get("tried")
    if not found:
        return []
    words = [f"candidate {found['title']}, digest {found['digest'][:12]}"]
    words += [
        f"control {number} {_agreement(one)}" for number, one in enumerate(found["controls"], 1)
    ]
    if found["candidate"] is None:
        words.append(f"the candidate was not tried: {found['obstacle']}")
    else:
        words.append(f"the candidate, beside control 1, {_agreement(found['candidate'])}")
    if found["live"]:
        words.append(f"the live call came to {found['live']}")
    reached = {one["what"]: one["reached"] for one in found["runs"] if one["what"] != "live"}
    words += [f"changed lines reached by {what}: {_lines(reached[what])}" for what in reached]
    for name, what in (("fails", "it is a failing call"), ("expect", "it is as expected")):
        if found[name] is not None:
            words.append(f"{what}: {'yes' if found[name] else 'no'}")
    return words


def _lines(reached: list[str] | None) -> str:
    return "unknown" if reached is None else ", ".join(reached) or "none"


def outcome_words(twin: Mapping[str, Any]) -> str:
    """Return what both came to, where a rerun agrees."""
    found = twin.get("agreement")
    if found is None or not found["agrees"] or end_words(twin):
        return ""
    return str(found["live"])


def obstacle_words(unknown: Iterable[str]) -> str:
    """Return why the last hit had no twin, in the first instance that says so."""
    return next(filter(None, unknown), "").removeprefix("no twin: ")


def missed_words(fates: Iterable[Mapping[Any, int]], why: str) -> str:
    """Return how many passages could have made a twin and made none; nothing if all did."""
    count = sum(many for one in fates for fate, many in one.items() if fate not in _APART)
    if not count:
        return ""
    told = f"{count:,} hit{'' if count == 1 else 's'} went by without a twin"
    return f"{told}: {why}" if why else told


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
