"""Which asyncio task a hit happened in, and which tasks wait for that one.

The way outward leads through what is called when a task is done: the task that awaits it, or
the future that a `gather`, a `shield` or a `wait` made of it, or its task group. Everything is
read by the descriptors of asyncio's own classes; asyncio is neither imported nor called.
"""

from collections.abc import Iterator
from types import BuiltinFunctionType, CellType, FunctionType, MethodType
from typing import Any

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


def task_name() -> str:
    """Return the name of the asyncio task that runs on this thread, or nothing."""
    task = _current()
    return _name(task) if task is not None else ""


def task_chain() -> list[TaskView]:
    """Return the running task, the task that waits for it, and so on outward."""
    chain: list[TaskView] = []
    seen: set[int] = set()
    task = _current()
    while task is not None and len(chain) < MAX_TASKS and len(seen) < MAX_FUTURES:
        function, file, line = standing_of(_coroutine(task))
        chain.append(TaskView(_name(task), function, file, line))
        task = _waiting_for(task, seen)
    return chain


def _current() -> object:
    """Return the task that runs on this thread, or None."""
    running = in_module("_asyncio", "_get_running_loop")
    if type(running) is not BuiltinFunctionType:  # asyncio is not loaded, or somebody's own
        return None
    loop = running()
    tasks = in_module("_asyncio", "_current_tasks")
    if loop is None or type(tasks) is not dict:
        return None
    for each in _items(tasks)[:MAX_LOOPS]:  # by identity: a loop's hash can be its own code
        if each[0] is loop:
            return each[1]
    return None


def _items(tasks: dict[object, object]) -> list[tuple[object, object]]:
    """Return a copy, made in C at one go."""
    return list(dict.items(tasks))


def _waiting_for(task: object, seen: set[int]) -> object:
    """Return the nearest task that waits for `task`, or None."""
    futures = [task]
    while futures and len(seen) < MAX_FUTURES:
        future = futures.pop(0)
        if identity(future) in seen:
            continue
        seen.add(identity(future))
        for callback in _callbacks(future):
            found = _led_to(callback)
            if found is None or identity(found) in seen:
                continue
            if _is_task(found):
                return found
            futures.append(found)
    return None


def _led_to(callback: object) -> object:
    """Return the task or the future that a callback passes the result on to, or None."""
    if type(callback) is BuiltinFunctionType:
        return _self_of_builtin(callback) if callback.__name__ == _WAKEUP else None
    if type(callback) is MethodType:
        owner = callback.__self__
        return owner if _is_task(owner) else _parent(owner)
    if type(callback) is FunctionType:
        return next(_futures_in(callback), None)
    return None


def _parent(owner: object) -> object:
    """Return the task that a task group belongs to."""
    if layout_of(type(owner)).names[:1] != ("asyncio.taskgroups.TaskGroup",):
        return None
    parent = held(owner, "_parent_task")
    return parent if _is_task(parent) else None


def _futures_in(function: FunctionType) -> Iterator[object]:
    """Yield the futures that a function of asyncio's own has in its closure."""
    name, module = function.__name__, function.__module__
    if type(module) is not str or module != "asyncio.tasks" or exact(name) not in _BRIDGES:
        return
    for cell in function.__closure__ or ():
        try:
            inner = _cell_contents(cell)
        except ValueError:  # not filled yet
            continue
        if _is_future(inner):
            yield inner


def _callbacks(future: object) -> Iterator[object]:
    """Yield what is called when a future is done, first come first."""
    base = _base(future, "Future")
    found = vars(base)["_callbacks"].__get__(future) if base else held(future, "_callbacks")
    if type(found) is list:
        for entry in found[:MAX_CALLBACKS]:
            if type(entry) is tuple and entry:
                yield entry[0]


def _name(task: object) -> str:
    base = _base(task, "Task")
    return exact(vars(base)["get_name"](task) if base else held(task, "_name"))


def _coroutine(task: object) -> object:
    base = _base(task, "Task")
    return vars(base)["get_coro"](task) if base else held(task, "_coro")


def _is_task(value: object) -> bool:
    return _base(value, "Task") is not None or _is_a(value, "asyncio.tasks.Task")


def _is_future(value: object) -> bool:
    return _base(value, "Future") is not None or _is_a(value, "asyncio.futures.Future")


def _base(value: object, name: str) -> Any:
    """Return the class of that name written in C, if `value` is an instance of it."""
    found = in_module("_asyncio", name)
    if type(found) is not type:
        return None
    return found if any(cls is found for cls in layout_of(type(value)).order) else None


def _is_a(value: object, name: str) -> bool:
    """Whether `value` is an instance of the class of asyncio that is written in Python."""
    return name in layout_of(type(value)).names
