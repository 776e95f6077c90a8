"""Any way through any code, in any order of commands, ends where the live call ended."""

import asyncio
import os
import random

import pytest
from sessions import Session
from twins import shown

from leadline.wire.stepping import Reason

TEXTS = {
    "print": [
        "1",
        "found",
        "1 / 0",
        "[*range(3)]",
        "(lambda: found)()",
        "await asyncio.sleep(0)",
    ],
    "run": ["own = 1", "import os", "def own(): return 1", "for own in range(3): pass"],
    "complete": ["", "found.", "o", "os.path.s"],
    "until": ["", "1"],
}
COMMANDS = """
    next next step step step return until up down where locals args print run complete list
""".split()


def counts(n):
    for i in range(n):  # noqa: UP028 - stepped
        yield i


class Swallows:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return True

    def __getattr__(self, name):
        raise AttributeError(name)


def mixed():
    found = [i for i in range(3)]  # noqa: C416 - stepped
    found += counts(2)
    with Swallows() as nothing:
        raise ValueError(3)
    found.append(getattr(nothing, "there", 5))
    try:
        with open(os.devnull) as empty:
            found.append(empty.read())
            raise KeyError(1)  # noqa: TRY301 - stepped
    except* KeyError as group:
        found.append(len(group.exceptions))
    finally:
        found.append(sum(one for one in range(4)))
    return (lambda more: [*found, more])(len(found))  # noqa: PLC3002 - stepped


def doubled(n):
    return 1 if n == 0 else doubled(n - 1) + doubled(n - 1)


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def fails():
    await asyncio.sleep(0)
    raise ValueError


async def parts(n):
    found = [i async for i in ticks(n)]
    async with asyncio.timeout(5):
        found += await asyncio.gather(asyncio.to_thread(len, "ab"), asyncio.sleep(0, 7))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
    except* ValueError as failed:
        found.append(len(failed.exceptions))
    return found


CALLS = [
    (mixed, mixed),
    (doubled, lambda: doubled(3)),
    (parts, lambda: asyncio.run(parts(2))),
]


@pytest.mark.parametrize("number", range(30))
def test_any_walk_ends_where_the_live_call_ended(number) -> None:
    chosen = random.Random(number)
    function, live = CALLS[number % len(CALLS)]
    with Session(function, live) as session:
        reply, told = session.ask("where"), []
        for _ in range(chosen.randint(5, 60)):
            command = chosen.choice(COMMANDS)
            text = chosen.choice(TEXTS.get(command, [""]))
            told.append(f"{command} {text}")
            reply = session.ask(command, text)
            if reply.reason is Reason.FINISHED:
                break
        if reply.reason is not Reason.FINISHED:
            session.ask("down", "0")
            while session.ask("down").reason is not Reason.ERROR:
                pass
            reply = session.ask("continue")
        assert reply.reason is Reason.FINISHED, told
        assert reply.value == shown(session.result), told
        session.ask("quit")
        assert session.end() == 0
