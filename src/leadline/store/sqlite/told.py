"""What the audit log keeps of a probe that is placed."""

import json
from collections.abc import Iterator
from difflib import SequenceMatcher

from leadline.wire.probe import Probe, TwinProbe
from leadline.wire.struct import asdict
from leadline.wire.twin import TRIES, carried, code_digest

_MAX_LINES = 5_000
"""Between the first line that differs and the last: of more, all are kept."""


def told(probe: Probe) -> dict[str, object]:
    """Return what is kept: of a twin the whole code with its digest, of a candidate what it
    changes, and not the signature, with which others who read the log could order it again."""
    said: dict[str, object] = asdict(probe)
    if isinstance(probe, TwinProbe):
        said["digest"] = code_digest(probe.code)
        if probe.use in TRIES:
            title, digest = carried(probe.code)
            said["candidate"] = {"title": title, "digest": digest}
            said["code"] = [*_changes(probe.code[0]), *probe.code[1:]]
        said["signed"] = bool(said.pop("signature"))
        del said["nonce"], said["signed_until"]
    return said


def _changes(code: str) -> list[str]:
    """Return the lines that a candidate changes, and none of the others of its files: who reads
    the log may not read all that is in them; and the rest of the order, such as its calls."""
    try:
        order = json.loads(code)
        sides = [
            (str(one["file"]), (one["old"] or "").split("\n"), (one["new"] or "").split("\n"))
            for one in order.pop("changes")
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return [code]  # it is no candidate, and no place will run it
    changed = (line for file, old, new in sides for line in _diff(file, old, new))
    return ["\n".join(changed), json.dumps(order)]


def _diff(file: str, old: list[str], new: list[str]) -> Iterator[str]:
    head, shorter = 0, min(len(old), len(new))
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    yield from (f"--- {file}", f"+++ {file}")
    blocks = [("replace", 0, len(before), 0, len(after))]
    if max(len(before), len(after)) <= _MAX_LINES:
        blocks = list(SequenceMatcher(None, before, after).get_opcodes())
    for what, i, i_end, j, j_end in blocks:
        if what != "equal":
            yield f"@@ -{head + i + 1},{i_end - i} +{head + j + 1},{j_end - j} @@"
            yield from (f"-{line}" for line in before[i:i_end])
            yield from (f"+{line}" for line in after[j:j_end])
