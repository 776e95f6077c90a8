"""What the loaded modules define, by name: what a page lets a person jump to.

Read from each module's own dictionary, and from those of its classes: nothing is asked of the
application, and what only a registry holds is not looked for.
"""

import time
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from leadline.agent.link.native import original
from leadline.agent.locate.home import is_library
from leadline.agent.locate.modules import loaded_files, module_namespace, own_members
from leadline.expression.layout import exact
from leadline.expression.reading import layout_of
from leadline.wire.inventory import (
    MAX_MODULES,
    MAX_NAMES,
    MAX_PATH_CHARS,
    ModuleNames,
    Names,
)

_sleep = original("time", "sleep", time.sleep)
_MODULES_AT_A_TIME = 20
"""After as many the other threads get their turn."""
_NAME_CHARS = 200
_CLASS_DEPTH = 4
"""Classes within classes that are looked into."""
_WRAPPERS = 4
"""Decorators, one inside the other, that are looked through."""
_class_name: Any = type.__dict__["__name__"].__get__


def names() -> Names:
    """Return the functions and classes of every loaded file, the application's own first."""
    files = sorted(
        (
            (is_library(file), file, module)
            for file, module in loaded_files().items()
            if file.endswith((".py", ".pyw")) and not _is_ours(module)
        ),
        key=lambda one: one[:2],
    )
    found: list[ModuleNames] = []
    left, omitted = MAX_NAMES, 0
    for number, (library, file, module) in enumerate(files[:MAX_MODULES], 1):
        if number % _MODULES_AT_A_TIME == 0:
            _sleep(0)
        defined = dict(_defined(module, module, "", 0))
        kept = dict(list(defined.items())[:left])
        left -= len(kept)
        omitted += len(defined) - len(kept)
        name = exact((module_namespace(module) or {}).get("__name__"))
        found.append(ModuleNames(name, file[:MAX_PATH_CHARS], not library, kept))
    return Names(found, omitted)


def _is_ours(module: ModuleType) -> bool:
    name = exact((module_namespace(module) or {}).get("__name__"))
    return name == "leadline" or name.startswith("leadline.")


def _defined(
    holder: Any, module: ModuleType, prefix: str, depth: int
) -> Iterator[tuple[str, int]]:
    """Yield what a module or a class defines itself, not what it has imported or inherits."""
    home = (module_namespace(module) or {}).get("__name__")
    for key, value in own_members(holder):
        name = f"{prefix}{exact(key)[:_NAME_CHARS]}"
        function = _function(value)
        if function is not None:
            code = function.__code__
            # the methods of a dataclass are in no file: nobody has written them
            written = not code.co_filename.startswith("<")
            if function.__globals__ is module_namespace(module) and written:
                yield f"{prefix}{code.co_name}", code.co_firstlineno
        elif depth < _CLASS_DEPTH and _is_class_of(value, home, key):
            yield name, 0
            yield from _defined(value, module, f"{name}.", depth + 1)


def _function(value: Any) -> FunctionType | None:
    """Return the function in what a class or a module holds, or None."""
    cls = type(value)
    if cls is staticmethod or cls is classmethod:
        value = value.__func__
    elif cls is property:
        value = value.fget
    for _ in range(_WRAPPERS):
        if type(value) is not FunctionType:
            return None
        inner = value.__dict__.get("__wrapped__")
        if inner is None:
            break
        value = inner
    return value if type(value) is FunctionType else None


def _is_class_of(value: Any, home: object, key: object) -> bool:
    """Whether a class was defined in the module `home`, under this name."""
    if type(home) is not str or layout_of(type(value)).base is not type:
        return False
    module = dict(own_members(value)).get("__module__")
    return type(module) is str and module == home and _class_name(value) == key
