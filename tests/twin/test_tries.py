"""Nothing gets out of a twin: each story of the table, told as root and as an ordinary user."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sealed
from leadline import native

TABLE = sealed.load()
PROGRAM = Path(sealed.__file__)
NOBODY = 65534
USERS = {"root": 0, "user": NOBODY} if os.getuid() == 0 else {"user": os.getuid()}
CONTROL = ("open", next(iter(USERS.values())))
PATIENCE_S = 120
PARTS = 3
"""Processes that tell the stories of one user: most of their time goes to waiting."""

ALL = [
    (user, name)
    for user, number in USERS.items()
    for name, one in TABLE.items()
    if not one.root or number == 0
]
HARMFUL = [
    name for name, one in TABLE.items() if one.harms and (not one.root or "root" in USERS)
]

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())

type Told = dict[tuple[str, int], dict[str, Any]]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """Tell all stories, once for each user, and those that do harm in an ordinary fork."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        runs = []
        modes = [*(("sealed", number) for number in USERS.values()), CONTROL]
        for (mode, user), part in itertools.product(modes, range(PARTS)):
            place = Path(folder, f"{mode}-{user}-{part}")
            place.mkdir()
            place.chmod(0o777)
            errors = Path(folder, f"{mode}-{user}-{part}.err").open("w+")
            words = [sys.executable, "-W", "ignore", PROGRAM, mode, str(user), place]
            # twins give way to whoever else is busy; many kernels look at sessions one by one
            run = subprocess.Popen(
                [*words, str(part), str(PARTS)],
                stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            )  # fmt: skip
            runs.append(((mode, user), run, errors))
        stories: Told = {}
        for key, *run in runs:
            stories.setdefault(key, {}).update(_end(*run))
        yield stories


def _end(run: subprocess.Popen[bytes], errors: Any) -> dict[str, Any]:
    told = run.communicate(timeout=PATIENCE_S)[0]
    errors.seek(0)
    said = errors.read()
    errors.close()
    assert run.returncode == 0, said
    stories = [json.loads(line) for line in told.decode().splitlines()]
    return {story["name"]: story for story in stories}


@pytest.mark.parametrize(("user", "name"), ALL)
def test_nothing_gets_out(told: Told, user: str, name: str) -> None:
    one = TABLE[name]
    story = told["sealed", USERS[user]][name]
    assert not story["harm"], story
    outcome = story["outcome"]
    assert outcome["facts"] or outcome["error"] == sealed.SAID_NOTHING, "it was no twin"
    if one.error:
        assert outcome["error"] in one.error.split("|"), outcome
    if one.refused:
        names = {what for what, _, _ in outcome["refused"]}
        assert names & set(one.refused.split("|")), outcome


@pytest.mark.parametrize("name", HARMFUL)
def test_without_the_seal_the_harm_is_seen(told: Told, name: str) -> None:
    assert told[CONTROL][name]["harm"], "this check cannot fail"
