"""What runs in a twin runs in a sealed one: loops, threads and steps work, effects do not."""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sessions import Session
from twins import shower, shown, twin_of

from leadline import native
from leadline.trial.asking import ask
from leadline.trial.calls import call_of
from leadline.trial.revival import revive
from leadline.trial.running import run
from leadline.wire.stepping import Reason
from leadline.wire.twin import Refusal
from leadline.wire.value import render

seal: Any = native.twin()
lacks = seal.missing() if seal is not None else native.twin_reason()
pytestmark = pytest.mark.skipif(bool(lacks), reason=f"no twins here: {lacks}")
POLICIES = ["STRICT", "READONLY", "THREADS"]
EFFECT = Path(tempfile.gettempdir()) / "leadline-effect-of-a-twin"


def refusals() -> list[Refusal]:
    return [Refusal(*one) for one in seal.refusals()]


def inside(frame, code=()):
    notes = revive()
    said = ask(frame, code, shown, refusals)
    return {
        "notes": notes,
        "said": said,
        "rerun": run(call_of(frame, seal.function_of), shower(), 2.0),
    }


def again(function, live, policy, *code) -> tuple[Any, dict[str, Any]]:
    policy = getattr(seal, policy)
    return twin_of(function, lambda frame: inside(frame, code), live, policy)


def price(n):
    return n + 1


@pytest.mark.parametrize("policy", POLICIES)
def test_a_frame_is_asked(policy) -> None:
    code = [
        "n",
        "print(n)",
        f"open({str(EFFECT)!r}, 'w')",
        "import os; os.kill(1, 9)",
        "price(n)",
    ]
    result, answer = again(price, lambda: price(2), policy, *code)
    assert result == answer["rerun"]["outcome"]["value"] == 3
    value, printed, opened, killed, called = answer["said"]
    assert (value["value"], printed["printed"], called["value"]) == (2, "2\n", 3)
    assert opened["raised"].startswith("PermissionError: [Errno 13]")
    assert opened["refused"][0]["detail"] == str(EFFECT)
    assert killed["raised"].startswith("PermissionError: [Errno 1]")
    assert [one["what"] for one in killed["refused"]] == ["kill"]
    assert called["refused"] == []
    assert not EFFECT.exists()


async def view(n):
    await asyncio.sleep(0.001)
    return n


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("factory", [None, "uvloop"])
def test_a_coroutine_has_a_loop_of_its_own(policy, factory) -> None:
    loop = pytest.importorskip(factory).new_event_loop if factory else None

    def live():
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(view(3))

    result, answer = again(view, live, policy, "await view(4)")
    assert result == answer["rerun"]["outcome"]["value"] == 3
    assert answer["said"][0]["value"] == 4


pool = ThreadPoolExecutor(2)


def pooled(n):
    return pool.submit(price, n).result(1)


async def threaded(n):
    return await asyncio.to_thread(price, n)


@pytest.mark.parametrize("function", [pooled, threaded])
def test_pools_get_threads_where_the_policy_has_some(function) -> None:
    def live():
        return pooled(3) if function is pooled else asyncio.run(threaded(3))

    list(pool.map(price, range(4)))
    _, answer = again(function, live, "THREADS")
    assert answer["rerun"]["outcome"]["value"] == 4
    _, answer = again(function, live, "READONLY")
    assert answer["rerun"]["raised"].startswith("RuntimeError: can't start new thread")


def writes(path):
    answer = price(1)
    try:
        path.write_text("twice")
    except OSError as error:
        answer = error.errno
    return answer


@pytest.mark.parametrize("policy", POLICIES)
def test_the_frame_steps_on_and_its_effect_stops_it(policy, tmp_path) -> None:
    path = tmp_path / "effect"

    def live():
        path.unlink(missing_ok=True)
        return writes(path)

    with Session(writes, live, refusals=refusals, policy=getattr(seal, policy)) as session:
        assert session.result == 2
        path.unlink()
        assert session.ask("next").reason is Reason.LINE
        assert session.value("await view(path.name)") == "effect"
        reply = session.ask("continue")
        assert reply.reason is Reason.EXCEPTION
        assert [one.detail for one in reply.refused] == [str(path)]
        assert "pathlib" in reply.stop.file
        assert session.ask("continue").value == 13
        assert render(session.ask("args").variables["path"]) == f"PosixPath({str(path)!r})"
        session.ask("quit")
        assert session.end() == 0
    assert not path.exists()
