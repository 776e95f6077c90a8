"""T13 for the readable forms: no subclass, look-alike or what hides inside gets to run."""

import array
import asyncio
import contextlib
import datetime
import json
import subprocess
import sys
import threading

import pytest

from hostile import calls, named_zoo
from leadline.agent.capture import tree
from leadline.agent.capture.tree import Walk, capture
from leadline.expression.layout import forget_layouts
from leadline.wire.limits import CaptureLimits
from leadline.wire.scrubbing import scrub_value
from leadline.wire.strictness import strict_value
from leadline.wire.value import render

LIMITS = CaptureLimits()
WIDE = CaptureLimits(depth=8, items=1_000)


@pytest.mark.parametrize("name", sorted(named_zoo()))
def test_no_subclass_of_a_readable_type_gets_to_run(name) -> None:
    value = named_zoo()[name]
    forget_layouts()
    calls.clear()
    shown = capture({"k": [value], "same": value}, WIDE)
    capture(value, LIMITS)
    assert calls == []
    text = json.dumps(shown, allow_nan=False)
    assert render(shown)
    scrub_value(json.loads(text))
    strict_value(json.loads(text))
    assert calls == []


def test_these_animals_do_bite() -> None:
    """What shows them the usual way runs their code: so the test above can fail."""
    # what hides something evil where repr() does not look, or where it has no say
    silent = {"keys", "view", "aware", "error with a context", "builtin of an evil class"}
    for name, value in named_zoo().items():
        calls.clear()
        with contextlib.suppress(Exception):
            repr(value)
            str(value)
        assert bool(calls) != (name in silent), name
    calls.clear()


def test_what_passes_for_a_library_is_shown_as_the_object_that_it_is() -> None:
    zoo = named_zoo()
    assert render(capture(zoo["passes for numpy"], LIMITS)) == "ndarray()"
    assert render(capture(zoo["passes for pandas"], LIMITS)) == "DataFrame()"


def test_nothing_is_imported_to_recognise_a_type() -> None:
    program = """
import sys
from leadline.agent.capture.tree import capture
from leadline.wire.limits import CaptureLimits
class ndarray: pass
ndarray.__module__ = "numpy"
class Model: pass
Model.__module__, Model.__qualname__ = "django.db.models.base", "Model"
before = set(sys.modules)
for value in (ndarray(), Model(), 1.5, ValueError(1), open, sys):
    capture([value], CaptureLimits())
print(sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_decimal_context_of_a_thread_stays_its_own() -> None:
    """Asking a Decimal for its text the usual way makes the thread a context, from the default
    of that moment: a default that the application sets later would not count."""
    program = """
import contextvars, decimal
from leadline.agent.capture.tree import capture
from leadline.wire.limits import CaptureLimits
number = contextvars.Context().run(decimal.Decimal, "1.5")
assert capture(number, CaptureLimits()) == {"type": "Decimal", "text": "1.5"}
print([variable.name for variable in contextvars.copy_context()])
str(number)
print([variable.name for variable in contextvars.copy_context()])
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["[]", "['decimal_context']"], done.stderr


def test_audit_hooks_hear_nothing_of_the_forms() -> None:
    program = """
import asyncio, sys, types, datetime, functools
from leadline.agent.capture.tree import capture
from leadline.wire.limits import CaptureLimits
async def work(): pass
coroutine = work()
values = [types.MappingProxyType({"a": 1}), {}.keys(), ValueError(1), sys, capture, coroutine,
          functools.partial(print, 1), datetime.datetime(2026, 1, 1), print, [].append]
capture(values, CaptureLimits())
heard = []
sys.addaudithook(lambda event, _: heard.append(event))
capture(values, CaptureLimits())
print(heard)
coroutine.close()
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "[]", done.stderr


class Counting(Walk):
    """Counts what is looked at."""

    __slots__ = ("visits",)

    def take(self, value: object, level: int) -> object:
        self.visits += 1
        return super().take(value, level)


def visits(value: object, limits: CaptureLimits = LIMITS) -> int:
    walk = Counting(limits, tree.Room(tree.MAX_VALUE_BYTES))
    walk.visits = 0
    walk.take(value, 0)
    return walk.visits


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def chained(errors: int) -> BaseException:
    first = last = ValueError(0)
    for number in range(1, errors):
        last.__context__ = ValueError(number)
        last = last.__context__
    return first


@pytest.mark.parametrize(
    ("value", "most"),
    [
        (list(range(1_000_000)), 101),
        (dict.fromkeys(range(1_000_000)), 201),
        ("x" * 10_000_000, 1),
        (deep(100), 4),
        (chained(1_000), 20),
        (ValueError(*range(1_000_000)), 101),
        ([[[datetime.date(2026, 1, 1)] * 1_000] * 1_000] * 1_000, 110),
        (memoryview(bytes(10_000_000)), 1),
    ],
    ids=lambda value: str(type(value)),
)
def test_the_work_of_a_capture_is_bounded(value, most) -> None:
    """T14, as objects looked at."""
    assert visits(value) <= most


def test_cycles_through_the_forms_end() -> None:
    error = ValueError()
    error.args = (error,)
    error.__cause__ = KeyError()
    error.__cause__.__context__ = error
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.set_result(future)
    loop.close()
    for value in (error, future):
        assert visits(value, WIDE) < 50
    assert "ValueError: cycle" in render(capture(error, WIDE))
    assert render(capture(future, WIDE)) == "Future(state='finished', result=<Future: cycle>)"


def test_an_array_that_another_thread_shortens_is_captured_anyway() -> None:
    shared = array.array("i", range(100))
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            del shared[:]
            shared.extend(range(100))

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(2_000):
            shown = capture(shared, LIMITS)
            assert shown.get("omitted") in (None, "changed")
            assert shown["items"] == list(range(len(shown["items"])))
    finally:
        stop.set()
        thread.join()
