"""What the variables of a call hold comes to its end with the call, before the state is looked
at: finalizers, generators that were left, locks that these hold."""

import pytest

from leadline.verify.verdict import Candidate
from verify.test_verdict_second_eyes import became, only

STATE = """
S = {"n": 0}
LOCK = threading.Lock()

class Ends:
    def __init__(self, n):
        self.n = n
    def __del__(self):
        S["n"] = self.n

def left(n):
    try:
        yield n
        yield n
    finally:
        S["n"] = n

def locked(n):
    with LOCK:
        yield n

def done(n):
    S["n"] = n

def fails(n):
    held = Ends(n)
    raise My(n)

async def waits(n):
    held = Ends(n)
    await asyncio.sleep(0)
    return 1

async def breaks(n):
    held = Ends(n)
    await asyncio.sleep(0)
    raise My
"""
OTHER = {
    "a finalizer": ("e = Ends(1)\nreturn 1", "e = Ends(2)\nreturn 1"),
    "a generator": (
        "g = left(1)\nreturn 1 + 0 * next(g)",
        "g = left(2)\nreturn 1 + 0 * next(g)",
    ),
    "a weak reference": (
        "f = lambda: 1\nweakref.finalize(f, done, 1)\nreturn 1",
        "f = lambda: 1\nweakref.finalize(f, done, 2)\nreturn 1",
    ),
    "of one that raises": ("e = Ends(1)\nraise My", "e = Ends(2)\nraise My"),
    "of what it calls": (
        "fails(1)",
        "try:\n    fails(2)\nexcept My:\n    raise My(1) from None",
    ),
    "of a cause": (
        "try:\n    fails(1)\nexcept My:\n    raise KeyError(1)",
        "try:\n    fails(2)\nexcept My:\n    raise KeyError(1)",
    ),
    "of a coroutine": ("return asyncio.run(waits(1))", "return asyncio.run(waits(2))"),
}
SAME = {
    "before its end": ("e = Ends(1)\nreturn 1", "e = Ends(1)\ne = None\nreturn 1"),
    "a generator": ("for n in left(1):\n    return n", "g = left(1)\nreturn next(g)"),
    "a lock": ("for n in locked(1):\n    return n", "g = locked(1)\nreturn next(g)"),
    "of one that raises": (
        "e = Ends(1)\nraise My",
        "e = Ends(1)\ne = None\nraise My",
    ),
}


def named(bodies):
    return {name.replace(" ", "_"): bodies for name, bodies in bodies.items()}


@pytest.mark.parametrize(
    ("bodies", "candidate"),
    [(named(OTHER), Candidate.DIFFERS), (named(SAME), Candidate.SAME)],
    ids=["another", "the same"],
)
def test_what_ends_with_a_call_has_ended_when_its_state_is_looked_at(
    tmp_path, bodies, candidate
):
    assert became(tmp_path, bodies, STATE) == only(candidate, bodies)
