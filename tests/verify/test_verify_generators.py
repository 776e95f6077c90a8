"""Generators of a running service: captured with what they gave out, and verified by it."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from leadline.wire.capture_file import read_capture_file
from live import LEADLINE, Leadline, Program
from verify.test_verify_services import fix
from waiting import wait_for

FEED = """\
import asyncio
import sys
import time


def batches(rows, size):
    total = 0
    for start in range(0, len(rows), max(1, size)):
        part = rows[start : start + size]
        total += len(part)
        yield {"part": part, "mean": sum(part) / len(part)}
    return total


async def stream(rows, size):
    for one in batches(rows, size):
        await asyncio.sleep(0)
        yield one["mean"]


def averaged(first):
    total, count, sent = first, 1, None
    while sent != "end":
        sent = yield total / count
        if isinstance(sent, int):
            total, count = total + sent, count + 1


async def collect(rows, size):
    return list(batches(rows, size))


async def consume(rows, size):
    return [mean async for mean in stream(rows, size)]


def serve():
    for number in range(10_000):
        rows, size = list(range(number % 9)), number % 5
        for call in (collect, consume):
            try:
                asyncio.run(call(rows, size))
            except ZeroDivisionError:
                pass
        for one in batches(rows, 2):  # and leaves it
            break
        average = averaged(number)
        next(average)
        for row in rows:
            average.send(row)
        average.close()
        time.sleep(0.01)


if __name__ == "__main__":
    import feed
    print("feeding", file=sys.stderr, flush=True)
    feed.serve()
"""
BAD = '"mean": sum(part) / len(part)}'
GOOD = '"mean": sum(part) / len(part) if part else 0.0}'
WRONG = '"mean": (sum(part) + (start > 0)) / (len(part) or 1)}'
MEANS = "sent = yield total / count"
ALIKE = "sent = yield (0 + total) / count"
LATE = "sent = yield total / (count + (count == 3))"
FAILS = ("--fails", "raises ZeroDivisionError")


@contextlib.contextmanager
def feeding(leadline: Leadline) -> Iterator[Path]:
    folder = leadline.cwd / "feeds"
    folder.mkdir()
    (folder / "feed.py").write_text(FEED, "utf-8")
    command = [LEADLINE, "run", "--service", "feed", "--", sys.executable, "feed.py"]
    # generators are most of what this program does, and the test does not wait for a budget
    with Program(command, folder, {"LEADLINE_BUDGET": "30"}) as program:
        program.wait_for("feeding")
        wait_for(lambda: leadline.connected("feed"))
        yield folder


def captured(leadline: Leadline, entry: str, count: int, *words: str) -> Path:
    file = leadline.cwd / f"{entry}.calls"
    leadline.cli(
        "capture", "feed", f"feed:{entry}", "-n", str(count), "--for", "60s", "-o", str(file),
        *words,
    )  # fmt: skip
    return file


def judged(leadline: Leadline, file: Path, new: str, *words: str) -> dict:
    old = BAD if new in (GOOD, WRONG) else MEANS
    patch = leadline.cwd / "candidate.diff"
    patch.write_text(fix("feed.py", FEED, old, new), "utf-8")
    command = [
        LEADLINE, "verify", "--captured", str(file), "--patch", str(patch), "--json",
        *words,
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=leadline.cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.soak
def test_candidates_are_judged_by_what_is_given_out_and_what_is_sent(leadline) -> None:
    with feeding(leadline) as folder, ThreadPoolExecutor() as side_by_side:
        batches, stream, averaged = side_by_side.map(
            lambda given: captured(leadline, *given),
            [("batches", 24, *FAILS), ("stream", 12, *FAILS), ("averaged", 6)],
        )
    words = ("--path", str(folder), "--least", "5")
    good = judged(leadline, batches, GOOD, *words, *FAILS)
    assert good["verdict"] in ("fixed", "no longer fails"), good["sentence"]
    wrong = judged(leadline, stream, WRONG, *words, *FAILS)
    assert wrong["verdict"] == "changes behaviour", wrong["sentence"]
    late = judged(leadline, averaged, LATE, *words)
    assert late["verdict"] == "changes behaviour", late["sentence"]
    for found in (good, wrong, late):
        assert found["shares"]["agreed"] == found["shares"]["calls"], found["unknown"]
    assert "yield 2" in json.dumps(wrong)
    assert "yield 3" in json.dumps(late)
    calls = read_capture_file(stream.read_text("utf-8").splitlines(keepends=True)).calls
    assert {call.kind for call in calls} == {"async generator"}
    assert any(len(call.yields) > 2 for call in calls)


@pytest.mark.soak
@pytest.mark.parametrize("entry", ["batches", "stream"])
def test_each_candidate_on_each_generator(leadline, entry) -> None:
    with feeding(leadline) as folder:
        file = captured(leadline, entry, 24, *FAILS)
    words = ("--path", str(folder), "--least", "5", *FAILS)
    for new, wanted in ((GOOD, "no longer fails"), (WRONG, "changes behaviour")):
        found = judged(leadline, file, new, *words)
        assert found["verdict"] == wanted, found["sentence"]
        assert found["shares"]["agreed"] == found["shares"]["calls"], found["unknown"]


@pytest.mark.soak
def test_a_candidate_that_is_sent_the_same_gives_out_the_same(leadline) -> None:
    with feeding(leadline) as folder:
        file = captured(leadline, "averaged", 12)
    same = judged(leadline, file, ALIKE, "--path", str(folder))
    assert same["verdict"] == "no difference seen", same["sentence"]
    assert same["shares"]["agreed"] == same["shares"]["calls"], same["unknown"]
