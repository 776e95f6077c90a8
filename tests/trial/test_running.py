"""A call made again in a twin: what it came to, beside what really happened."""

import asyncio
import contextlib
import contextvars
import datetime
import functools
import inspect
import logging
import os
import queue
import random
import secrets
import sys
import threading
import time
import types
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from twins import Twin, shower, twin_of

from leadline.trial import chance
from leadline.trial.calls import call_of, parameters
from leadline.trial.revival import revive
from leadline.trial.running import run
from leadline.trial.vigil import keep_vigil
from leadline.wire.errors import RefusedError
from leadline.wire.value import render


def rerun(frame):
    return run(call_of(frame), shower(), 2.0)


def came_to(function, live) -> tuple[object, str]:
    """Return the live result, and that of the rerun as text."""
    result, answer = twin_of(function, rerun, live)
    assert answer["cut"] == ""
    assert answer["raised"] == ""
    return result, render(answer["outcome"]["value"])


# --- which calls ---


def plain(a, b=2):
    return a + b


def posonly(a, /, b, *c, d=4, e, **f):
    return [a, b, c, d, e, f]


def celled(a, *b, c, **d):
    read = lambda: (a, b, c, d)  # noqa: E731
    return read()


def everything(*args, **kwargs):
    return args, kwargs


def closing(x):
    y = [x]

    def inner(z):
        return x + z + len(y) + (later if z > 99 else 0)

    if x < 0:
        later = 1
    return inner


class Base:
    def __init__(self, n) -> None:
        self.n = n

    def total(self, m):
        return self.n + m


class Derived(Base):
    def total(self, m):
        return super().total(m) * 2

    @classmethod
    def made(cls, n):
        return cls(n).n

    @staticmethod
    def static(n):
        return n + 1

    @property
    def double(self):
        return self.n * 2

    @functools.wraps(plain)
    def __call__(self, *args):
        return args


async def coroutine(a, *, b):
    await asyncio.sleep(0.001)
    return a + b


def recursive(n):
    return 1 if n == 0 else n * recursive(n - 1)


@pytest.mark.parametrize(
    ("function", "live"),
    [
        (plain, lambda: plain(1)),
        (posonly, lambda: posonly(1, 2, 3, 4, e=5, g=6)),
        (celled, lambda: celled(1, 2, c=3, d=4)),
        (everything, lambda: everything(1, x=2)),
        (Derived.total, lambda: Derived(3).total(4)),
        (Derived.made.__func__, lambda: Derived.made(3)),
        (Derived.static, lambda: Derived.static(3)),
        (Derived.double.fget, lambda: Derived(3).double),
        (recursive, lambda: recursive(5)),
        (inner := closing(5), lambda: inner(2)),
        (lam := lambda x, y=2: [x, y], lambda: lam(1)),
        (coroutine, lambda: asyncio.run(coroutine(1, b=2))),
        (Base.__init__, lambda: Base(1).__init__(2)),
    ],
)
def test_a_call_is_made_again(function, live) -> None:
    result, again = came_to(function, live)
    assert again == render(shower()(result))


def test_the_real_function_is_called_where_it_is_known() -> None:
    def counting():
        counting.count = getattr(counting, "count", 0) + 1
        return counting.count

    def inside(frame):
        known, rebuilt = call_of(frame, lambda _: counting), call_of(frame)
        other = call_of(frame, lambda _: plain)
        assert known.function is counting
        assert (known.rebuilt, rebuilt.rebuilt, other.rebuilt) == (False, True, True)
        return run(known, shower(), 1.0)

    result, answer = twin_of(counting, inside, counting)
    assert result == answer["outcome"]["value"] == 1


def test_another_function_takes_the_same_arguments() -> None:
    def candidate(a, b):
        return a * b

    def inside(frame):
        return run(call_of(frame).of(candidate, candidate.__code__), shower(), 1.0)

    result, answer = twin_of(plain, inside, lambda: plain(5, 7))
    assert (result, answer["outcome"]["value"]) == (12, 35)


def generator():
    yield 1


async def async_generator():
    yield 1


@types.coroutine
def old_coroutine():
    yield


async def drained():
    return [one async for one in async_generator()]


async def awaited():
    task = asyncio.ensure_future(waits_for())
    await task


async def waits_for():
    await old_coroutine()


def refused(frame):
    with pytest.raises(RefusedError) as caught:
        call_of(frame)
    assert caught.value.slug == "not-repeatable"
    return caught.value.message


@pytest.mark.parametrize(
    ("function", "live", "kind"),
    [
        (generator, lambda: list(generator()), "is a generator"),
        (async_generator, lambda: asyncio.run(drained()), "is a generator"),
        (old_coroutine, lambda: asyncio.run(awaited()), "is a generator"),
    ],
)
def test_what_cannot_be_made_again_says_why(function, live, kind) -> None:
    _, reason = twin_of(function, refused, live)
    assert kind in reason
    assert function.__qualname__ in reason


def test_the_body_of_a_module_or_a_class_is_refused() -> None:
    for text, name in (("x = 1", "<module>"), ("class A:\n    x = 1", "A")):
        code = compile(text, "there.py", "exec")
        body = next((one for one in code.co_consts if inspect.iscode(one)), code)
        holder = types.SimpleNamespace(__code__=body)
        _, reason = twin_of(holder, refused, lambda code=code: exec(code, {}))
        assert (
            reason
            == f"{name} is no function: the body of a class or a module is not run again."
        )


def test_a_call_that_has_begun_is_refused() -> None:
    def begun():
        return refused(sys._getframe())

    assert "has begun already" in begun()


def test_parameters_in_their_order() -> None:
    assert parameters(posonly.__code__) == ("a", "b", "d", "e", "c", "f")


# --- outcomes ---


def test_an_exception_is_an_outcome() -> None:
    def failing(x):
        raise ValueError("no", x)

    def live():
        with pytest.raises(ValueError, match="no"):
            failing(3)

    _, answer = twin_of(failing, rerun, live)
    assert answer["outcome"]["returned"] is False
    assert render(answer["outcome"]["value"]) == "ValueError('no', 3)"
    assert answer["raised"].startswith("ValueError: ('no', 3)\n  ")


def test_parameters_are_captured_at_the_end() -> None:
    def changing(items, n, gone):
        items.append(n)
        n = n + 1
        del gone
        return n

    items = [1]
    result, answer = twin_of(changing, rerun, lambda: changing(items, 2, 3))
    assert result == 3
    assert list(answer["outcome"]["arguments"]) == ["items", "n"]
    assert render(answer["outcome"]["arguments"]["items"]) == "[1, 2]"
    assert answer["outcome"]["arguments"]["n"] == 3
    assert items == [1, 2]


class Ends:
    def __del__(self):
        print("ended")


def holds(fails):
    held = Ends()
    return {held: 1}[fails] if fails else 1


async def waits(fails):
    held = Ends()
    await asyncio.sleep(0)
    return {held: 1}[fails] if fails else 1


async def waits_for_one(fails):
    return await waits(fails)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("function", [holds, waits, waits_for_one])
def test_what_its_variables_hold_ends_with_a_call(function, fails) -> None:
    def live():
        with contextlib.suppress(KeyError):
            made = function(fails)
            if made is not None and made != 1:
                asyncio.run(made)

    _, answer = twin_of(function, rerun, live)
    assert answer["outcome"]["returned"] is not fails
    held = fails and function is waits_for_one  # a coroutine may go on, and is left alone
    assert answer["printed"] == ("" if held else "ended\n")


def test_what_ends_the_process_is_an_outcome_as_well() -> None:
    def leaving():
        print("bye")
        raise SystemExit(3)

    def live():
        with pytest.raises(SystemExit):
            leaving()

    _, answer = twin_of(leaving, rerun, live)
    assert render(answer["outcome"]["value"]) == "SystemExit(3, code=3)" or answer["raised"]
    assert answer["printed"] == "bye\n"


def test_a_recursion_ends_where_it_ended() -> None:
    def down(n):
        try:
            return down(n + 1)
        except RecursionError:
            return n

    limit = sys.getrecursionlimit()
    try:
        result, again = came_to(down, lambda: down(0))
    finally:
        sys.setrecursionlimit(limit)
    assert again == str(result)


# --- loops, pools, chance ---


async def stuck_on_lock(lock):
    async with lock:
        return 1


async def stuck_on_future(future):
    return await future


async def stuck_for_long():
    await asyncio.sleep(60)


@pytest.mark.parametrize("uv", [False, True])
def test_what_is_of_the_live_loop_is_a_reason(uv) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def live(kind):
        if kind == "lock":
            lock = asyncio.Lock()
            async with lock:
                waiting = asyncio.ensure_future(stuck_on_lock(lock))
                await asyncio.sleep(0)
            return await waiting
        if kind == "future":
            future = asyncio.get_running_loop().create_future()
            waiting = asyncio.ensure_future(stuck_on_future(future))
            await asyncio.sleep(0)
            future.set_result(1)
            return await waiting
        waiting = asyncio.ensure_future(stuck_for_long())
        await asyncio.sleep(0.01)
        waiting.cancel()
        return None

    def soon(frame):
        return run(call_of(frame), shower(), 0.1)

    factory = uvloop.new_event_loop if uv else None
    reasons = []
    for function, kind in (
        (stuck_on_lock, "lock"),
        (stuck_on_future, "future"),
        (stuck_for_long, "sleep"),
    ):
        with Twin(function, soon) as twin, asyncio.Runner(loop_factory=factory) as runner:
            runner.run(live(kind))
            answer = twin.answer()
            assert answer["outcome"] is None
            reasons.append(answer["cut"])
    still, foreign = (
        "it was still waiting after 0.1 s",
        "it waits for something of the live event",
    )
    assert reasons[0].startswith(still)  # nobody has waited for it yet: it is of no loop
    assert reasons[1].startswith(foreign)
    assert reasons[2].startswith(still)


def test_context_variables_are_kept() -> None:
    tenant = contextvars.ContextVar("tenant")

    async def view():
        await asyncio.sleep(0)
        return tenant.get()

    async def live():
        tenant.set("acme")
        return await view()

    assert came_to(view, lambda: asyncio.run(live())) == ("acme", "acme")


def test_the_running_loop_is_still_known() -> None:
    def sync_part():
        return type(asyncio.get_running_loop()).__name__, asyncio.current_task().get_name()

    async def live():
        return sync_part()

    result, again = came_to(sync_part, lambda: asyncio.run(live()))
    assert again == render(shower()(result))


def test_sqlalchemys_greenlets_do_not_run_the_live_loop_on() -> None:
    concurrency = pytest.importorskip("sqlalchemy.util.concurrency")

    def session(n):
        try:
            return concurrency.await_only(waits(n))
        except Exception:  # noqa: BLE001 - as applications do
            return "swallowed"

    async def waits(n):
        await asyncio.sleep(0)
        return n

    def plain_part(n):
        return n + 1

    async def live(function):
        return await concurrency.greenlet_spawn(function, 3)

    assert came_to(plain_part, lambda: asyncio.run(live(plain_part))) == (4, "4")
    result, answer = twin_of(session, rerun, lambda: asyncio.run(live(session)))
    assert result == 3
    assert answer["outcome"] is None
    assert answer["cut"] == "it hands over to another greenlet, and those stand still in a twin"


def test_dead_thread_pools_are_revived() -> None:
    pool = ThreadPoolExecutor(2)

    class Own(ThreadPoolExecutor):
        pass

    own = Own(1)

    def work(n):
        return n * 2

    async def view(n):
        loop = asyncio.get_running_loop()
        one = await loop.run_in_executor(pool, work, n)
        two = await asyncio.to_thread(work, n)
        return [one, two, own.submit(work, n).result(1)]

    def inside(frame):
        notes = revive()
        return [notes, rerun(frame)]

    for one in (pool, own):
        list(one.map(work, range(9)))
    with pool, own:
        result, (notes, answer) = twin_of(view, inside, lambda: asyncio.run(view(3)))
    assert result == [6, 6, 6]
    assert answer["cut"] == ""
    assert render(answer["outcome"]["value"]) == "[6, 6, 6]"
    (note,) = notes
    assert int(note.split()[0]) >= 2
    assert note.endswith("thread pools revived")


def test_chance_is_that_of_before_the_fork() -> None:
    def throw():
        return [random.random(), random.gauss(0, 1), random.randrange(10**9)]

    random.gauss(0, 1)  # leaves half of a pair for the next
    result, again = came_to(throw, throw)
    assert again == render(shower()(result))


def test_a_generator_that_is_not_the_librarys_is_not_read(monkeypatch) -> None:
    class Mine(random.Random):
        def getstate(self):
            raise AssertionError("code of the application")

    monkeypatch.setattr(random, "_inst", Mine())
    state = chance.remember()
    assert state == (None, None)
    chance.restore(state)


def test_numpys_chance_is_in_memory() -> None:
    numpy = pytest.importorskip("numpy.random")

    def throw():
        return numpy.randint(10**9)

    result, again = came_to(throw, throw)
    assert str(result) in again


# --- marks ---


def marked(function, live) -> list[str]:
    _, answer = twin_of(function, rerun, live)
    assert answer["raised"] == answer["cut"] == ""
    return [f"{one['chance']}: {one['name']} {one['count']}" for one in answer["marks"]]


def test_marks_of_what_no_rerun_repeats() -> None:
    class Own(datetime.datetime):
        pass

    def reading():
        for _ in range(3):
            time.time()
        time.perf_counter_ns()
        datetime.datetime.now()  # noqa: DTZ005 - it is read
        datetime.datetime.now(datetime.UTC)
        datetime.date.today()  # noqa: DTZ011 - as above
        Own.now(datetime.UTC)
        time.localtime(0)
        time.strftime("%Y", (2020,) + (1,) * 8)
        time.strftime("%Y")
        uuid.uuid4()
        secrets.token_hex(3)
        os.urandom(1)
        random.Random()
        random.Random(3)
        random.SystemRandom().random()
        random.random()
        os.getpid()
        id(object())

    assert sorted(marked(reading, reading)) == sorted(
        [
            "it reads the clock: time.time 3",
            "it reads the clock: time.perf_counter_ns 1",
            "it reads the clock: datetime.now 3",
            "it reads the clock: date.today 1",
            "it reads the clock: time.strftime 1",
            "it takes random bytes: uuid.uuid4 1",
            "it takes random bytes: secrets.token_hex 1",
            "it takes random bytes: os.urandom 1",
            "it takes random bytes: random.Random 1",
            "it takes random bytes: random.SystemRandom.random 1",
            "it reads what differs between processes: os.getpid 1",
        ]
    )


def test_plumbing_leaves_no_mark() -> None:
    lock = threading.Condition()

    def logs():
        logging.getLogger("of a test").warning("said")
        with lock:
            lock.wait(0.001)
        with pytest.raises(queue.Empty):
            queue.Queue().get(timeout=0.001)

    assert marked(logs, logs) == []


def reads_clock():
    return time.time()


def test_marks_on_revived_threads() -> None:
    pool = ThreadPoolExecutor(1)
    pool.submit(int).result()

    def asks_thread():
        return pool.submit(reads_clock).result(2)

    def inside(frame):
        revive()
        return rerun(frame)

    with pool:
        _, answer = twin_of(asks_thread, inside, asks_thread)
    assert [one["name"] for one in answer["marks"]] == ["time.time"]


def test_no_seat_for_a_tool_is_no_failure() -> None:
    def view(items):
        items.append(time.time())
        return len(items)

    def inside(frame):
        for seat in range(6):
            if sys.monitoring.get_tool(seat) is None:
                sys.monitoring.use_tool_id(seat, "somebody")
        return rerun(frame)

    items = []
    result, answer = twin_of(view, inside, lambda: view(items))
    assert answer["outcome"]["value"] == result == 1
    assert list(answer["outcome"]["arguments"]) == ["items"]
    assert answer["marks"] == []


def needs(lock):
    with lock:
        return 1


def test_where_it_waits_in_vain_is_told_in_time() -> None:
    lock = threading.Lock()
    ours, theirs = os.pipe()

    def tell(where: str) -> None:
        os.write(theirs, where.encode())
        os._exit(0)

    def inside(frame):
        keep_vigil(0.1, tell)
        return rerun(frame)

    lock.acquire()
    with Twin(needs, inside):
        threading.Timer(0.01, lock.release).start()
        assert needs(lock) == 1
        os.close(theirs)
        with open(ours, "rb") as told:
            line = needs.__code__.co_firstlineno + 1
            text = told.read().decode()
    assert text.startswith("after 0.1 s it was still at ")
    assert text.endswith(f"test_running.py:{line} needs")
