"""Real libraries that do something of their own when a process forks, in a twin."""

import importlib.util

import pytest

from leadline import native
from program import run

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())


def needs_module(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed on this machine")


@pytest.mark.parametrize("policy", [0, 1, 2], ids=["strict", "readonly", "threads"])
def test_telemetry_is_not_sent_twice(policy: int) -> None:
    """Its hook starts the thread anew that sends; what waits to be sent would go out twice."""
    needs_module("opentelemetry.sdk")
    told = run(
        """\
        import socket
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
        ours, collector = socket.socketpair()
        collector.setblocking(False)

        class Sends(SpanExporter):
            def export(self, spans):
                ours.send(b"".join(span.name.encode() + b" " for span in spans))

        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(Sends(), schedule_delay_millis=1e6))
        tracer = provider.get_tracer("test")
        for name in ("one", "two"):
            tracer.start_span(name).end()

        def in_twin():
            tracer.start_span("twin").end()
            provider.force_flush(100)

        outcome = twin(in_twin, policy=policy, memory=1 << 30)
        try:
            early = collector.recv(999).decode()
        except BlockingIOError:
            early = ""
        provider.force_flush()
        late = collector.recv(999).decode()
        tell(early=early, late=late, ended=outcome.why)
        """,
        policy=policy,
    )
    assert told["early"] == ""
    assert told["late"] == "one two "
    assert told["ended"] == "it ended with 0"


def test_numbers_whose_threads_are_gone() -> None:
    """A twin is no fork to libc, so OpenBLAS is not told and waits for its threads; told to do
    without, it computes. The process is not touched either way."""
    needs_module("numpy")
    told = run(
        """\
        import numpy
        maps = open("/proc/self/maps").read().split()
        path = next(word for word in maps if "openblas" in word)
        numbers = numpy.arange(160_000.0).reshape(400, 400)
        right = float((numbers @ numbers).sum())

        def without_threads():
            ctypes.CDLL(path).scipy_openblas_set_num_threads64_(1)
            return float((numbers @ numbers).sum())

        waits = twin(lambda: float((numbers @ numbers).sum()), life_s=0.3)
        computes = twin(without_threads, readable=(os.fsencode(os.path.dirname(path)),))
        after = float((numbers @ numbers).sum())
        tell(waits=[waits.said, waits.why], computes=computes.said, after=after, right=right)
        """
    )
    assert told["waits"][0] in {"", str(told["right"])}, "cut off, or right"
    assert float(told["computes"]) == told["right"] == told["after"]


def test_a_loop_of_its_own_runs_inside_one_that_runs() -> None:
    needs_module("uvloop")
    told = run(
        """\
        import asyncio
        import uvloop
        said = []

        def own():
            asyncio._set_running_loop(None)
            loop = asyncio.SelectorEventLoop()
            async def work():
                await asyncio.sleep(0.001)
                return await asyncio.to_thread(lambda: 5)
            return loop.run_until_complete(work())

        async def main():
            await asyncio.sleep(0)
            said.append(twin(own, policy=THREADS, memory=1 << 30).said)
            await asyncio.sleep(0.001)
            said.append(await asyncio.to_thread(lambda: 7))

        asyncio.run(main())
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
        tell(said=said)
        """
    )
    assert told["said"] == ["5", 7, "5", 7]


def test_a_pool_of_processes_stays_whole() -> None:
    told = run(
        """\
        import multiprocessing
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(abs, [1])
            outcome = twin(lambda: pool.map(abs, [-3]), life_s=0.2)
            after = pool.map(abs, [-5])
        tell(error=outcome.error, after=after)
        """
    )
    assert told["error"] in {"OSError", "nothing"}
    assert told["after"] == [5]
