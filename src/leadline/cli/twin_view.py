"""What a twin answered, as text: values as trees; what was printed, raised, tried, refused."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.hit_view import who
from leadline.cli.show import clock, harmless, short_path
from leadline.cli.value_tree import tree
from leadline.wire.twin import TwinEnd, TwinPolicy

_WIDTH = 100
"""Of lines where the terminal does not say how wide it is."""
_MAX_PRINTED = 200
"""Lines of what one expression printed; all of it is in the JSON."""
_POLICY = {
    TwinPolicy.STRICT: "no files",
    TwinPolicy.READONLY: "files read-only",
    TwinPolicy.THREADS: "files read-only, threads revived",
}


def answer_text(hit: Mapping[str, Any]) -> str:
    """Return all that a twin answered, over as many lines as it takes."""
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    return "\n".join([place_line(hit), *twin_lines(hit["twin"], width)])


def place_line(hit: Mapping[str, Any]) -> str:
    """Return where the twin was made: when, in which process, at which line."""
    place = f"{short_path(str(hit['file']))}:{hit['line']} in {hit['function']}"
    return f"{clock(float(hit['time']))}  {harmless(who(hit))}  {harmless(place)}"


def twin_lines(twin: Mapping[str, Any], width: int = _WIDTH) -> Iterator[str]:
    """Yield what a twin answered, each line harmless on a terminal."""
    for said in twin["said"]:
        yield from _said(said, width)
    agreement = twin.get("agreement")
    if agreement is not None:
        yield f"  {harmless(agreement_words(twin))}"
        yield from difference_lines(agreement)
    for note in twin["notes"]:
        yield f"  {harmless(note)}"
    yield from refusal_lines(_beside(twin), 2)
    yield f"  {harmless(end_words(twin))}"


def _beside(twin: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what was refused beside what stands under the code that tried it."""
    told: Counter[tuple[str, str]] = Counter()
    for said in twin["said"]:
        for one in said["refused"]:
            told[one["what"], one["detail"]] += one["count"]
    left = [{**one, "count": one["count"] - told[one["what"], one["detail"]]}
            for one in twin["refused"]]  # fmt: skip
    return [one for one in left if one["count"] > 0]


def _said(said: Mapping[str, Any], width: int) -> Iterator[str]:
    code = said["code"].strip()
    if said["returned"]:
        yield from tree(code, said["value"], 2, width)
    elif said["raised"]:
        yield f"  {harmless(code)}"
        yield from raised_lines(said["raised"], 4)
    else:
        yield f"  {harmless(code)}   (done)"
    yield from printed_lines(said["printed"], 4)
    yield from refusal_lines(said["refused"], 4)


def printed_lines(printed: str, indent: int) -> Iterator[str]:
    """Yield what code printed, marked so that nobody takes it for an answer."""
    lines = printed.splitlines()
    for line in lines[:_MAX_PRINTED]:
        yield f"{' ' * indent}| {harmless(line)}"
    if len(lines) > _MAX_PRINTED:
        yield f"{' ' * indent}… {len(lines) - _MAX_PRINTED} more lines (all of it: --json)"


def raised_lines(raised: str, indent: int) -> Iterator[str]:
    """Yield an exception with where it came from."""
    first, *rest = raised.splitlines() or [""]
    yield harmless(f"{' ' * indent}raised {first}")
    for line in rest:
        yield harmless(f"{' ' * indent}{line}")


def refusal_lines(refused: list[Mapping[str, Any]], indent: int) -> Iterator[str]:
    """Yield what was tried and refused."""
    for one in refused:
        times = f", {one['count']} times" if one["count"] > 1 else ""
        detail = f" {one['detail']}" if one["detail"] else ""
        yield harmless(f"{' ' * indent}tried: {one['what']}{detail}: refused{times}")


def end_words(twin: Mapping[str, Any]) -> str:
    """Return what the twin cost, how long it lived, under which policy, how it ended."""
    words = [
        f"pause {twin['pause_ms']:.1f} ms",
        f"the twin lived {_seconds(twin['life_s'])}",
        policy_words(twin["policy"]),
    ]
    if twin["lost"]:
        words.append(f"{twin['lost']:,} bytes of its answer found no room")
    if twin["end"] != TwinEnd.DONE:
        what = "it was cut off" if twin["end"] == TwinEnd.CUT_OFF else "it died"
        reason = f": {twin['reason']}" if twin["reason"] else ""
        words.append(f"{what}{reason}, and proves nothing")
    return "   ".join(words)


def policy_words(policy: str) -> str:
    """Return what a policy allows a twin, as people say it."""
    return next((words for name, words in _POLICY.items() if name == policy), policy)


def agreement_words(twin: Mapping[str, Any]) -> str:
    """Return in a few words whether a rerun came to what really happened."""
    found = twin.get("agreement") or {"agrees": None, "reason": twin["reason"]}
    if twin["end"] != TwinEnd.DONE:
        what = "it was cut off" if twin["end"] == TwinEnd.CUT_OFF else "it died"
        return f"unknown: {what}" + (f": {twin['reason']}" if twin["reason"] else "")
    if found["agrees"] is None:
        return f"unknown: {found['reason'] or 'the twin did not say why'}"
    if found["agrees"]:
        unseen = f", {found['unseen']:,} beyond the limits" if found["unseen"] else ""
        return f"agrees   {found['live']}   {found['compared']:,} values compared{unseen}"
    where = ", ".join(one["where"] for one in found["differences"]) or "the outcome"
    why = f"; explained: {found['reason']}" if found["reason"] else ""
    return f"differs: {where}{why}"


def difference_lines(agreement: Mapping[str, Any]) -> Iterator[str]:
    """Yield both sides of each difference."""
    for one in agreement["differences"]:
        yield f"    {harmless(one['where'])}"
        yield f"      live   {harmless(one['live'])}"
        yield f"      rerun  {harmless(one['rerun'])}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
