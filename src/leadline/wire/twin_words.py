"""What a twin answered, in words: the same for a terminal and for the page.

Each takes the plain data that travels. What the application had a part in is in the words: they
are escaped for wherever they are shown.
"""

from collections.abc import Mapping
from typing import Any

from leadline.wire.twin import TwinEnd, TwinPolicy

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
    """Return whether a rerun came to what really happened."""
    found = twin.get("agreement")
    if ended := end_words(twin):
        return f"unknown: {ended}"
    if found is None or found["agrees"] is None:
        return f"unknown: {found['reason'] if found else 'the twin did not say'}"
    if found["agrees"]:
        unseen = f", {found['unseen']:,} beyond the limits" if found["unseen"] else ""
        return f"agrees   {found['live']}   {found['compared']:,} values compared{unseen}"
    where = ", ".join(one["where"] for one in found["differences"]) or "the outcome"
    why = f"; explained: {found['reason']}" if found["reason"] else ""
    return f"differs: {where}{why}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
