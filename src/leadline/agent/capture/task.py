"""Which asyncio task a hit happened in, and which tasks wait for that one.

The way outward leads through what is called when a task is done: the task that awaits it, or
the future that a `gather`, a `shield` or a `wait` made of it, or its task group. Everything is
read by the descriptors of asyncio's own classes; asyncio is neither imported nor called.
"""

import sys
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CellType, FunctionType, MethodType
from typing import Any, NamedTuple

from leadline.agent.capture.held import held, in_module
from leadline.agent.capture.suspension import standing_of
from leadline.expression.layout import exact, identity, layout_of
from leadline.wire.hit import TaskView

MAX_TASKS = 10
"""Tasks of one chain; deeper nesting than this says nothing new."""
MAX_CALLBACKS = 20
"""Callbacks of one future that are looked at."""
MAX_FUTURES = 50
"""Futures and tasks that are looked at for one chain."""
MAX_LOOPS = 1_000
"""Event loops that run at the same time in one process, each in a thread of its own."""

_BRIDGES = frozenset(("_done_callback", "_inner_done_callback", "_on_completion"))
"""Functions of `asyncio.tasks` that pass on a result: of gather, shield and wait."""
_WAKEUP = "task_wakeup"
"""What the C class of tasks has itself called by when the awaited future is done."""

_self_of_builtin: Any = vars(BuiltinFunctionType)["__self__"].__get__
_cell_contents: Any = vars(CellType)["cell_contents"].__get__


_modules = sys.modules


class _Asyncio(NamedTuple):
    """What of asyncio is written in C, as it was before anybody replaced it."""

    module: object
    running_loop: Callable[[], object]
    tasks: dict[object, object]
    """By event loop, the task that runs on it."""
    task: type
    future: type
    name: Callable[[object], object]
    coroutine: Callable[[object], object]
    callbacks: Callable[[object], object]


_known: _Asyncio | None = None
"""Learnt at the first hit in a process that has loaded asyncio."""


def task_name() -> str:
    """Return the name of the asyncio task that runs on this thread, or nothing."""
    asyncio = _asyncio()
    task = _current(asyncio) if asyncio is not None else None
    return _name(asyncio, task) if asyncio is not None and task is not None else ""


def task_chain() -> list[TaskView]:
    """Return the running task, the task that waits for it, and so on outward."""
    asyncio = _asyncio()
    if asyncio is None:
        return []
    chain: list[TaskView] = []
    seen: set[int] = set()
    task = _current(asyncio)
    while task is not None and len(chain) < MAX_TASKS and len(seen) < MAX_FUTURES:
        function, file, line = standing_of(_coroutine(asyncio, task))
        chain.append(TaskView(_name(asyncio, task), function, file, line))
        task = _waiting_for(asyncio, task, seen)
    return chain


def _asyncio() -> _Asyncio | None:
    """Return what we know of asyncio, if this process has loaded it."""
    global _known  # noqa: PLW0603 - one process, one asyncio
    module = _modules.get("_asyncio")
    if module is None:
        return None
    if _known is None or _known.module is not module:
        _known = _learnt(module)
    return _known


def _learnt(module: object) -> _Asyncio | None:
    running, tasks, task, future = (
        in_module("_asyncio", name)
        for name in ("_get_running_loop", "_current_tasks", "Task", "Future")
    )
    if type(running) is not BuiltinFunctionType or type(tasks) is not dict:
        return None  # half loaded, or an interpreter that keeps its tasks elsewhere
    if type(task) is not type or type(future) is not type:
        return None
    name, coroutine = vars(task)["get_name"], vars(task)["get_coro"]
    callbacks = vars(future)["_callbacks"].__get__
    return _Asyncio(module, running, tasks, task, future, name, coroutine, callbacks)


def _current(asyncio: _Asyncio) -> object:
    """Return the task that runs on this thread, or None."""
    loop = asyncio.running_loop()
    if loop is None:
        return None
    for at, task in _items(asyncio.tasks)[:MAX_LOOPS]:
        if at is loop:  # not by its hash, which can be code of its own
            return task
    return None


def _items(tasks: dict[object, object]) -> list[tuple[object, object]]:
    """Return a copy, made in C at one go."""
    return list(dict.items(tasks))


def _waiting_for(asyncio: _Asyncio, task: object, seen: set[int]) -> object:
    """Return the nearest task that waits for `task`, or None."""
    futures = [task]
    while futures and len(seen) < MAX_FUTURES:
        future = futures.pop(0)
        if identity(future) in seen:
            continue
        seen.add(identity(future))
        for callback in _callbacks(asyncio, future):
            found = _led_to(asyncio, callback)
            if found is None or identity(found) in seen:
                continue
            if _is_task(asyncio, found):
                return found
            futures.append(found)
    return None


def _led_to(asyncio: _Asyncio, callback: object) -> object:
    """Return the task or the future that a callback passes the result on to, or None."""
    if type(callback) is BuiltinFunctionType:
        return _self_of_builtin(callback) if callback.__name__ == _WAKEUP else None
    if type(callback) is MethodType:
        owner = callback.__self__
        return owner if _is_task(asyncio, owner) else _parent(asyncio, owner)
    if type(callback) is FunctionType:
        return next(_futures_in(asyncio, callback), None)
    return None


def _parent(asyncio: _Asyncio, owner: object) -> object:
    """Return the task that a task group belongs to."""
    if layout_of(type(owner)).names[:1] != ("asyncio.taskgroups.TaskGroup",):
        return None
    parent = held(owner, "_parent_task")
    return parent if _is_task(asyncio, parent) else None


def _futures_in(asyncio: _Asyncio, function: FunctionType) -> Iterator[object]:
    """Yield the futures that a function of asyncio's own has in its closure."""
    name, module = function.__name__, function.__module__
    if type(module) is not str or module != "asyncio.tasks" or exact(name) not in _BRIDGES:
        return
    for cell in function.__closure__ or ():
        try:
            inner = _cell_contents(cell)
        except ValueError:  # not filled yet
            continue
        if _is_future(asyncio, inner):
            yield inner


def _callbacks(asyncio: _Asyncio, future: object) -> Iterator[object]:
    """Yield what is called when a future is done, first come first."""
    native = _native(future, asyncio.future)
    found = asyncio.callbacks(future) if native else held(future, "_callbacks")
    if type(found) is list:
        for entry in found[:MAX_CALLBACKS]:
            if type(entry) is tuple and entry:
                yield entry[0]


def _name(asyncio: _Asyncio, task: object) -> str:
    native = _native(task, asyncio.task)
    return exact(asyncio.name(task) if native else held(task, "_name"))


def _coroutine(asyncio: _Asyncio, task: object) -> object:
    native = _native(task, asyncio.task)
    return asyncio.coroutine(task) if native else held(task, "_coro")


def _is_task(asyncio: _Asyncio, value: object) -> bool:
    return _native(value, asyncio.task) or _pure(value, "asyncio.tasks.Task")


def _is_future(asyncio: _Asyncio, value: object) -> bool:
    return _native(value, asyncio.future) or _pure(value, "asyncio.futures.Future")


def _native(value: object, kind: type) -> bool:
    """Whether `value` is laid out as asyncio's class written in C."""
    cls = type(value)
    return cls is kind or any(one is kind for one in layout_of(cls).order)


def _pure(value: object, name: str) -> bool:
    """Whether `value` is an instance of the class of asyncio that is written in Python."""
    return name in layout_of(type(value)).names
