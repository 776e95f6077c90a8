"""The code objects of a loaded file: one module's namespace and what hangs on it, no heap walk.

Read without running code of the application: classes by their raw `__dict__`, functions by
their closure, wrappers by what they hold. What a namespace does not lead to (a function that
only some registry holds) is still found when it is on a thread's stack right now.
"""

import functools
import sys
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

from leadline.agent.locate.files import File
from leadline.agent.locate.lines import nested
from leadline.expression.layout import identity
from leadline.expression.reading import layout_of

MAX_OBJECTS = 20_000
"""Objects looked at in one module; a generated module with more answers in milliseconds yet."""
MAX_FRAMES = 500
"""Frames looked at on one thread's stack."""
MAX_ITEMS = 1_000
"""A container with more items holds data, not the plugins of an application."""
_WRAPPER_DEPTH = 6
"""How many decorators, one inside the other, are looked through."""

_OURS = ("leadline.agent", "leadline.expression", "leadline.wire")

_Cache = type(functools.cache(len))
_cache_dict: Any = vars(_Cache)["__dict__"].__get__
_module_dict: Any = vars(ModuleType)["__dict__"].__get__
_class_dict = type.__dict__["__dict__"].__get__
_ClassNamespace = type(_class_dict(type))


def loaded_files() -> dict[str, ModuleType]:
    """Return the source path of every loaded module but the agent's own. Reads each module's
    dictionary: an attribute would wake up a lazy module."""
    found: dict[str, ModuleType] = {}
    for name, module in list(sys.modules.items()):
        if not name.startswith(_OURS) and (file := module_file(module)):
            found.setdefault(file, module)
    return found


def module_file(module: object) -> str:
    """Return the path of a module's source, or nothing."""
    namespace = module_namespace(module)
    file = namespace.get("__file__") if namespace is not None else None
    if type(file) is not str:
        return ""
    return file[:-1] if file.endswith(".pyc") else file  # it was compiled from that


def module_namespace(module: object) -> dict[str, Any] | None:
    """Return the dictionary of `module`, or None for what only pretends to be a module."""
    try:
        namespace = _module_dict(module)
    except TypeError:
        return None
    return namespace if type(namespace) is dict else None


def modules_of(file: File) -> list[ModuleType]:
    """Return every loaded module whose source `file` is: it can be loaded as `__main__` and
    under its name as well."""
    found = []
    for name, module in list(sys.modules.items()):
        if not name.startswith(_OURS) and (path := module_file(module)) and file.matches(path):
            found.append(module)
    return found


def class_namespace(cls: type) -> list[Any]:
    """Return the dictionaries of a class and of all that it inherits from, in order."""
    return list(layout_of(cls).members)


def own_members(holder: Any) -> list[tuple[Any, Any]]:
    """Return a copy of what a module, or a class itself, holds by name; nothing of others."""
    namespace: Any = module_namespace(holder)
    if namespace is None and layout_of(type(holder)).base is type:
        namespace = _class_dict(holder)
    for _ in range(3):
        try:
            return list(namespace.items()) if namespace is not None else []
        except RuntimeError:  # another thread is changing it
            continue
    return []


def wrapped_in_cache(value: Any) -> Any:
    """Return the function in a `functools.lru_cache`, or None for anything else."""
    return _cache_dict(value).get("__wrapped__") if type(value) is _Cache else None


def code_of_module(module: ModuleType, file: File, *, thorough: bool = False) -> list[CodeType]:
    """Return every code object of `file` that the namespace of `module` leads to.

    The quick walk goes through functions, classes and the usual wrappers. The `thorough` one
    goes into every object on the way and what it holds, for functions that only a task queue
    or a plugin registry has kept.
    """
    return _Walk(file, thorough=thorough).through(module)


def code_on_stacks(file: File) -> list[CodeType]:
    """Return every code object of `file` that some thread is running now."""
    running = [code for code in _running() if file.matches(code.co_filename)]
    return [one for code in running for one in nested(code)]


def _running() -> list[CodeType]:
    """Return the code of every frame, and let go of the frames at once: one that we hold when
    its function returns would have its variables destroyed on our thread."""
    found: dict[int, CodeType] = {}
    frames: list[FrameType | None] = [*sys._current_frames().values()]  # noqa: SLF001
    while frames:
        frame = frames.pop()
        for _ in range(MAX_FRAMES):
            if frame is None:
                break
            found[id(frame.f_code)] = frame.f_code
            frame = frame.f_back
    return list(found.values())


class _Walk:
    """One walk: what was seen, and the code found, by identity."""

    def __init__(self, file: File, *, thorough: bool) -> None:
        self.file = file
        self.thorough = thorough
        self.seen: set[int] = set()
        self.found: dict[int, CodeType] = {}

    def through(self, module: ModuleType) -> list[CodeType]:
        namespace = module_namespace(module)
        for value in _values(namespace):
            self.visit(value, 0)
        return list(self.found.values())

    def visit(self, value: Any, depth: int) -> None:
        if depth > _WRAPPER_DEPTH or len(self.seen) > MAX_OBJECTS or id(value) in self.seen:
            return
        self.seen.add(id(value))
        for inner in self.inside(value):
            self.visit(inner, depth + 1)

    def inside(self, value: Any) -> Iterator[Any]:
        """Yield what may hold functions inside `value`; note its code if it is one."""
        cls = type(value)
        if cls is FunctionType:
            self.note(value.__code__)
            for cell in value.__closure__ or ():
                try:
                    yield cell.cell_contents
                except ValueError:  # not filled yet
                    continue
        elif cls is MethodType or cls is classmethod or cls is staticmethod:
            yield value.__func__
        elif cls is _Cache:
            yield _cache_dict(value).get("__wrapped__")
        elif cls is property:
            yield from (value.fget, value.fset, value.fdel)
        elif self.thorough and (base := layout_of(cls).base) in _CONTAINERS:
            yield from _items(value, base)
        elif identity(cls) in _DATA or cls is ModuleType:
            return
        elif layout_of(cls).base is type:
            yield from _values(_class_dict(value))
            if self.thorough:  # a class that took the place of the one it inherits from
                yield from layout_of(value).order
        else:
            yield from self.held(value)

    def held(self, value: Any) -> Iterator[Any]:
        """Yield the functions that a wrapper object (a command, a task, a cache) holds; of a
        thorough walk all that it holds, and its class."""
        layout = layout_of(type(value))
        if self.thorough:
            yield type(value)
        for _, read in layout.slots:
            try:
                inner = read(value)
            except AttributeError:
                continue
            if self.thorough or identity(type(inner)) in _CALLABLES:
                yield inner
        if layout.namespace is not None:
            for inner in _values(layout.namespace(value)):
                if self.thorough or identity(type(inner)) in _CALLABLES:
                    yield inner

    def note(self, code: CodeType) -> None:
        if self.file.matches(code.co_filename):
            for one in nested(code):
                self.found[id(one)] = one


_DATA = frozenset(
    map(identity, (str, int, float, bool, bytes, type(None), list, dict, tuple, set, frozenset))
)
"""By identity: a class may have a hash of its own."""
_CONTAINERS = frozenset((list, tuple, dict))
_CALLABLES = frozenset(
    map(identity, (FunctionType, MethodType, classmethod, staticmethod, property))
)


def _items(container: Any, base: Any) -> list[Any]:
    """Return a copy of what a list, tuple or dict holds, if it is not a mass of data."""
    if base.__len__(container) > MAX_ITEMS:
        return []
    if base is not dict:
        return [*base.__iter__(container)]
    try:
        return [*dict.values(container)]
    except RuntimeError:  # another thread is filling it
        return []


def _values(namespace: Any) -> list[Any]:
    """Return a copy of the values of a namespace that another thread may be changing."""
    for _ in range(3):
        try:
            if type(namespace) is dict or type(namespace) is _ClassNamespace:
                return list(namespace.values())
        except RuntimeError:
            continue
    return []
