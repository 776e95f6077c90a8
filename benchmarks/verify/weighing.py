"""How many bytes a captured call takes: as JSON, and as the agent sends it, deflated.

A call is what a report has of it: its arguments by value and what it came to, without the file,
line and thread that every hit has. It travels as the agent has it travel (`wire.carriage`) and
is deflated as the agent does, alone and in reports of as many calls, in the order in which they
were captured; of a report each call has an equal share.
"""

import statistics
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from leadline.agent.link.sender import BATCH_HITS, CALLS_LEVEL, MAX_BATCH_CHARS
from leadline.wire.foreseen import folded
from leadline.wire.messages import encode
from leadline.wire.packing import packed


def weighed(calls: Sequence[dict[str, Any]]) -> dict[str, list[int]]:
    """Return median, the ninth tenth and the most bytes of the calls that were kept."""
    kept = [call for call in calls if call["document"] is not None]
    plain = [encode(_told(call)) for call in kept]
    texts = [encode(_carried(call)) for call in kept]
    return {
        "arguments": _spread([len(encode(call["document"])) for call in kept]),
        "json": _spread(list(map(len, plain))),
        "sent": _spread(list(map(len, texts))),
        "deflated": _spread([len(zlib.compress(text, CALLS_LEVEL)) for text in texts]),
        "in reports": _spread(list(_shares(texts, [*map(len, plain)]))),
    }


def _told(call: dict[str, Any]) -> dict[str, Any]:
    names = ("entry", "kind", "withheld", "obstacle", "size")
    live = {name: value for name, value in call["live"].items() if value}
    return {name: call[name] for name in names} | live | {"kept": call["document"]}


def _carried(call: dict[str, Any]) -> dict[str, Any]:
    arguments = folded(call["document"], call["live"].get("arguments", {}))
    return _told(call) | {"arguments": arguments, "kept": packed(call["document"])}


def _shares(texts: Sequence[bytes], sizes: Sequence[int]) -> Iterator[int]:
    """Yield of each call its share of the report that it is in."""
    for batch in _batches(texts, sizes):
        whole = b"[" + b",".join(batch) + b"]"
        share = len(zlib.compress(whole, CALLS_LEVEL)) / len(batch)
        yield from [round(share)] * len(batch)


def _batches(texts: Sequence[bytes], sizes: Sequence[int]) -> Iterator[list[bytes]]:
    """Yield the calls of each report, which the agent ends by how large its calls are before
    they travel."""
    batch: list[bytes] = []
    room = MAX_BATCH_CHARS
    for text, size in zip(texts, sizes, strict=True):
        batch.append(text)
        room -= size
        if len(batch) == BATCH_HITS or room <= 0:
            yield batch
            batch, room = [], MAX_BATCH_CHARS
    if batch:
        yield batch


def _spread(sizes: list[int]) -> list[int]:
    ordered = sorted(sizes) or [0]
    return [round(statistics.median(ordered)), ordered[len(ordered) * 9 // 10], ordered[-1]]


def words(weights: dict[str, list[int]]) -> str:
    """Return the figures as a line: kB, median, the ninth tenth and the most."""
    return "; ".join(
        f"{name} {'/'.join(f'{size / 1e3:.1f}' for size in sizes)}"
        for name, sizes in weights.items()
    )
