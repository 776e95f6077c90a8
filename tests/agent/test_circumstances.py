"""What a hit says of where it happened: trace and span, task and who waits for it, context.

Real asyncio, uvloop and the real OpenTelemetry SDK; the readers are called where a hit would.
"""

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import hostile
from leadline.agent.capture.contexts import MAX_VARIABLES, REST, context_variables
from leadline.agent.capture.suspension import standing_of
from leadline.agent.capture.task import MAX_TASKS, task_chain, task_name
from leadline.agent.capture.trace import NO_TRACE, trace_of
from leadline.agent.capture.tree import MAX_VALUE_BYTES, Room
from leadline.wire.hit import TaskView
from leadline.wire.limits import CaptureLimits
from leadline.wire.value import Omission

type Run = Callable[[Coroutine[Any, Any, Any]], Any]

HERE = Path(__file__).read_text("utf-8").splitlines()


def line_with(text: str) -> int:
    """Return the number of the one line of this file that ends with the comment `text`."""
    (number,) = [at for at, line in enumerate(HERE, 1) if line.endswith(f"# {text}")]
    return number


def run_pure(main: Coroutine[Any, Any, Any]) -> Any:
    """Run on the tasks that asyncio has in Python."""

    async def outer() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(
            lambda at, made, **more: asyncio.tasks._PyTask(made, loop=at, **more)
        )
        return await loop.create_task(main, name="main")

    return asyncio.run(outer())


def run_named(run: Run) -> Run:
    async def outer(main: Coroutine[Any, Any, Any]) -> Any:
        asyncio.current_task().set_name("main")
        return await main

    return lambda main: run(outer(main))


@pytest.fixture(
    params=[run_named(asyncio.run), run_named(uvloop.run), run_pure],
    ids=["asyncio", "uvloop", "pure tasks"],
)
def run(request: pytest.FixtureRequest) -> Run:
    return request.param


def names(chain: list[TaskView]) -> list[str]:
    return [task.name for task in chain]


def test_no_task_no_name() -> None:
    assert (task_name(), task_chain()) == ("", [])

    async def off_loop() -> tuple[str, list[TaskView]]:
        return await asyncio.to_thread(lambda: (task_name(), task_chain()))

    assert asyncio.run(off_loop()) == ("", [])


def test_the_name_is_the_task_s(run) -> None:
    async def main() -> tuple[str, str]:
        async def named() -> str:
            await asyncio.sleep(0)
            return task_name()

        given = await asyncio.create_task(named(), name="checkout")
        assert await asyncio.create_task(named())
        return task_name(), given

    assert run(main()) == ("main", "checkout")


async def waited_for() -> list[TaskView]:
    await asyncio.sleep(0)
    return task_chain()  # running


async def by_await() -> list[TaskView]:
    task = asyncio.create_task(waited_for(), name="inner")
    return await task  # suspended in await


async def by_gather() -> list[TaskView]:
    inner = asyncio.create_task(waited_for(), name="inner")
    return (await asyncio.gather(inner, asyncio.sleep(0)))[0]  # suspended in gather


async def by_group() -> list[TaskView]:
    async with asyncio.TaskGroup() as group:  # suspended in group
        inner = group.create_task(waited_for(), name="inner")
    return inner.result()


async def by_wait_for() -> list[TaskView]:
    inner = asyncio.create_task(waited_for(), name="inner")
    return await asyncio.wait_for(inner, 10)  # suspended in wait_for


async def by_timeout() -> list[TaskView]:
    async with asyncio.timeout(10):
        return await asyncio.create_task(waited_for(), name="inner")  # suspended in timeout


async def by_shield() -> list[TaskView]:
    inner = asyncio.create_task(waited_for(), name="inner")
    return await asyncio.shield(inner)  # suspended in shield


async def by_wait() -> list[TaskView]:
    inner = asyncio.create_task(waited_for(), name="inner")
    await asyncio.wait([inner])  # suspended in wait
    return inner.result()


WAYS = (by_await, by_gather, by_group, by_wait_for, by_timeout, by_shield, by_wait)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_chain_leads_to_the_task_that_waits(run, way) -> None:
    async def main() -> list[TaskView]:
        return await asyncio.create_task(way(), name="outer")  # suspended in main

    chain = run(main())
    assert names(chain)[:3] == ["inner", "outer", "main"]
    inner, outer, _ = chain[:3]
    assert inner == TaskView("inner", "waited_for", __file__, line_with("running"))
    kind = way.__name__.removeprefix("by_")
    assert outer == TaskView("outer", way.__name__, __file__, line_with(f"suspended in {kind}"))


def test_a_long_chain_is_cut_and_a_ring_ends() -> None:
    async def deep(levels: int) -> list[TaskView]:
        if levels == 0:
            await asyncio.sleep(0)
            return task_chain()
        return await asyncio.create_task(deep(levels - 1), name=f"level {levels}")

    chain = asyncio.run(deep(50))
    assert len(chain) == MAX_TASKS
    assert names(chain)[:2] == ["level 1", "level 2"]

    async def ring() -> list[TaskView]:
        """`a` waits for `b`, and `b` for whichever of `a` and `inner` is done first."""
        tasks: dict[str, asyncio.Task[Any]] = {}

        async def a() -> None:
            await tasks["b"]

        async def b() -> None:
            await asyncio.wait([tasks["inner"], tasks["a"]], return_when="FIRST_COMPLETED")

        tasks["inner"] = asyncio.create_task(waited_for(), name="inner")
        tasks |= {one.__name__: asyncio.create_task(one(), name=one.__name__) for one in (a, b)}
        await tasks["a"]
        return tasks["inner"].result()

    assert names(asyncio.run(ring()))[:3] == ["inner", "b", "a"]


def test_other_callbacks_lead_nowhere_and_none_of_their_code_runs() -> None:
    ran: list[str] = []

    class Hostile:
        def __call__(self, _task: object) -> None: ...

        def __getattr__(self, name: str) -> Any:
            ran.append(name)
            raise AttributeError(name)

        @property
        def _parent_task(self) -> None:
            ran.append("_parent_task")

        def method(self, _task: object) -> None: ...

    async def main() -> list[TaskView]:
        task = asyncio.create_task(waited_for(), name="inner")
        hostile = Hostile()
        for callback in (hostile, hostile.method, ran.append, lambda _: None):
            task.add_done_callback(callback)
        await asyncio.sleep(0.01)
        ran.clear()
        return task.result()

    assert names(asyncio.run(main())) == ["inner"]
    assert ran == []


def test_hostile_names_and_loops() -> None:
    class Name(str):
        __slots__ = ()

        def __getitem__(self, _key: object) -> str:
            raise AssertionError("asked")

        __len__ = __iter__ = __hash__ = __eq__ = __getitem__  # type: ignore[assignment]

        def __str__(self) -> str:
            return self

    class Loop(asyncio.SelectorEventLoop):
        asked = False

        def __hash__(self) -> int:
            assert not self.asked, "hashed by us"
            return 1

        def __eq__(self, other: object) -> bool:
            assert not self.asked, "compared by us"
            return self is other

    async def main() -> tuple[str, list[TaskView]]:
        asyncio.current_task().set_name(Name("evil"))
        Loop.asked = True
        try:
            return task_name(), task_chain()
        finally:
            Loop.asked = False

    with asyncio.Runner(loop_factory=Loop) as runner:
        name, chain = runner.run(main())
    assert (name, type(name), names(chain)) == ("evil", str, ["evil"])


def test_a_coroutine_that_is_not_suspended() -> None:
    async def never() -> None: ...

    coroutine = never()
    standing = standing_of(coroutine)
    assert standing == (never.__qualname__, __file__, never.__code__.co_firstlineno)
    coroutine.close()
    assert standing_of(object()) == ("", "", 0)


def test_reading_tells_no_audit_hook(tmp_path) -> None:
    """A hook is code of the application: it must not run because a hit looks around."""
    script = tmp_path / "audited.py"
    script.write_text(
        "import asyncio, sys\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from leadline.agent.capture.contexts import context_variables\n"
        "from leadline.agent.capture.task import task_chain, task_name\n"
        "from leadline.agent.capture.trace import trace_of\n"
        "from leadline.agent.capture.tree import Room\n"
        "from leadline.wire.limits import CaptureLimits\n"
        "from leadline.wire.struct import prepare\n"
        "prepare()\n"  # as the agent does before anything is armed
        "heard, listening = [], False\n"
        "def hear(event, args):\n"
        "    if listening: heard.append(event)\n"
        "sys.addaudithook(hear)\n"
        "async def inner():\n"
        "    global listening\n"
        "    await asyncio.sleep(0)\n"
        "    listening = True\n"
        "    chain = task_chain()\n"
        "    name, ids = task_name(), trace_of()\n"
        "    context_variables(CaptureLimits(), Room(10_000))\n"
        "    listening = False\n"
        "    assert len(chain) == 2 and chain[1].line and name and ids[0], (chain, name, ids)\n"
        "async def main():\n"
        "    with TracerProvider().get_tracer('t').start_as_current_span('s'):\n"
        "        await asyncio.gather(asyncio.create_task(inner()))\n"
        "asyncio.run(main())\n"
        "listening = True\n"
        "id(heard)\n"
        "assert heard == ['builtins.id'], heard\n"
    )
    subprocess.run([sys.executable, script], check=True, timeout=60)


@pytest.fixture(scope="module")
def tracer() -> trace.Tracer:
    return TracerProvider().get_tracer("tests")


def ids_of(span: trace.Span) -> tuple[str, str]:
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


def test_the_current_span_is_read(tracer) -> None:
    assert trace_of() == NO_TRACE
    with tracer.start_as_current_span("outer") as outer:
        assert trace_of() == ids_of(outer)
        with tracer.start_as_current_span("inner") as inner:
            assert trace_of() == ids_of(inner)
            assert trace_of()[0] == ids_of(outer)[0]
        assert trace_of() == ids_of(outer)
        with trace.use_span(trace.NonRecordingSpan(inner.get_span_context())):
            assert trace_of() == ids_of(inner)
        with trace.use_span(trace.INVALID_SPAN):
            assert trace_of() == NO_TRACE
    assert trace_of() == NO_TRACE


def test_each_thread_and_each_task_has_its_own_span(tracer) -> None:
    seen: list[bool] = []
    gate = threading.Barrier(4, timeout=20)

    def in_thread() -> None:
        with tracer.start_as_current_span("thread") as span:
            gate.wait()
            seen.append(trace_of() == ids_of(span))

    threads = [threading.Thread(target=in_thread) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def in_task() -> bool:
        with tracer.start_as_current_span("task") as span:
            await asyncio.sleep(0.01)
            return trace_of() == ids_of(span)

    async def main() -> list[bool]:
        return await asyncio.gather(*(in_task() for _ in range(10)))

    seen += asyncio.run(main())
    seen += uvloop.run(main())
    assert seen == [True] * 24
    assert trace_of() == NO_TRACE


def test_a_span_of_somebody_else_s_class_is_not_asked() -> None:
    class Span(trace.NonRecordingSpan):
        def __init__(self) -> None: ...

        @property
        def _context(self) -> None:
            raise AssertionError("asked")

    with trace.use_span(Span(), record_exception=False):
        assert trace_of() == NO_TRACE


def test_without_opentelemetry_nothing_is_imported(tmp_path) -> None:
    script = tmp_path / "plain.py"
    script.write_text(
        "import sys\n"
        "from leadline.agent.capture.task import task_chain, task_name\n"
        "from leadline.agent.capture.trace import trace_of\n"
        "before = set(sys.modules)\n"
        "assert (trace_of(), task_name(), task_chain()) == (('', ''), '', [])\n"
        "assert set(sys.modules) == before\n"
        "assert not {'asyncio', '_asyncio', 'opentelemetry'} & before\n"
    )
    subprocess.run([sys.executable, script], check=True, timeout=60)


user = contextvars.ContextVar("user")
session_token = contextvars.ContextVar("session_token")
twice = contextvars.ContextVar("user")


def in_context(**more: Any) -> dict[str, Any]:
    """Return what a context with three variables shows; `more` are limits or room."""

    def shown() -> dict[str, Any]:
        user.set({"name": "ada", "password": "hunter2"})
        session_token.set("abc123")
        twice.set(7)
        limits, room = (
            more.get("limits", CaptureLimits()),
            Room(more.get("room", MAX_VALUE_BYTES)),
        )
        return context_variables(limits, room)

    return contextvars.Context().run(shown)


def test_context_variables_are_shown_and_secrets_are_not() -> None:
    found = in_context()
    assert set(found) == {"user", "user (2)", "session_token"}
    assert found["session_token"]["rule"] == "name:token"
    named = next(
        value for value in found.values() if isinstance(value, dict) and "entries" in value
    )
    assert ["name", "ada"] in named["entries"]
    assert "hunter2" not in str(found)
    assert "abc123" not in str(found)
    assert 7 in found.values()
    assert contextvars.Context().run(context_variables, CaptureLimits(), Room(1_000)) == {}


def test_context_variables_are_bounded() -> None:
    def many() -> dict[str, Any]:
        for number in range(MAX_VARIABLES + 30):
            contextvars.ContextVar(f"v{number}").set(number)
        return context_variables(CaptureLimits(), Room(MAX_VALUE_BYTES))

    found = contextvars.Context().run(many)
    assert len(found) == MAX_VARIABLES + 1
    assert found[REST] == {"type": "?", "length": 30, "omitted": Omission.ITEMS}
    assert in_context(room=10)[REST]["length"] >= 1


def test_hostile_values_in_the_context_run_nothing() -> None:
    def shown() -> dict[str, Any]:
        kept = list(hostile.zoo().items())
        for name, value in kept:
            contextvars.ContextVar(name).set(value)
        hostile.calls.clear()
        return context_variables(CaptureLimits(), Room(MAX_VALUE_BYTES))

    found = contextvars.Context().run(shown)
    assert hostile.calls == []
    assert len(found) > 5
