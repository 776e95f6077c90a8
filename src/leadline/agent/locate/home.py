"""Which file, and which loaded modules, a target means: `shop/pricing.py` or `shop.pricing`.

A module is meant by its name in `sys.modules`, a script by the stem of its file, and a module
that is not there yet by the file that an import of it would read.
"""

import os
import sys
import time
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

from leadline.agent.locate.files import File, file_of
from leadline.agent.locate.modules import (
    code_of_module,
    code_on_stacks,
    module_file,
    module_namespace,
    modules_of,
)
from leadline.wire.target import FunctionTarget, Place, Target

MAX_SEARCH_S = 0.1
"""Processor time spent on our own thread to find code that belongs to no module's file."""
_LIBRARIES = ("site-packages", "dist-packages", os.path.dirname(os.__file__))
"""Folders of modules that seldom hold what a person has executed."""


def module_file_suffixes(module: str) -> tuple[str, ...]:
    """Return the ends of the paths that a module's source can have: `shop/pricing.py` and
    `shop/pricing/__init__.py` for `shop.pricing`. A path stays what it is."""
    if "/" in module or module.endswith(".py"):
        return (module,)
    path = module.replace(".", "/")
    return (f"{path}.py", f"{path}/__init__.py")


def file_for(target: Place) -> File:
    """Return the file that a target means; one that is loaded goes before one that could be."""
    if isinstance(target, Target):
        return file_of(target.file)
    name = target.module
    suffixes = module_file_suffixes(name)
    if len(suffixes) == 1:
        return file_of(name)
    if loaded := _loaded(name):
        return file_of(os.path.abspath(loaded))
    for suffix in suffixes:
        if (file := file_of(suffix)).path:
            return file
    return File(suffixes[0], other=suffixes[1], top="." not in name)


def modules_for(target: Place, file: File) -> list[ModuleType]:
    """Return the loaded modules that a target means; those without a file by their name."""
    found = modules_of(file)
    if isinstance(target, FunctionTarget) and not found:
        module = sys.modules.get(target.module)
        if module is not None and module_namespace(module) is not None:
            found.append(module)
    return found


def code_elsewhere(file: File) -> list[CodeType]:
    """Return code that was compiled under the name of `file` and belongs to no module's file:
    a notebook's cells, plugins that were executed. What the program's own modules hold is
    looked through, for a limited time."""
    found = {id(code): code for code in code_on_stacks(file)}
    began = time.thread_time()
    for module in _likely():
        codes = code_of_module(module, file)
        found.update((id(code), code) for code in codes)
        if time.thread_time() - began > MAX_SEARCH_S:
            break
    return list(found.values())


def _likely() -> list[ModuleType]:
    """Return modules of the program's own: the main one, those without a file, the newest."""
    known = [
        (module_file(module), module)
        for module in reversed(list(sys.modules.values()))
        if module_namespace(module) is not None
    ]
    main = sys.modules.get("__main__")
    own = [
        (module is not main, path != "", module)
        for path, module in known
        if not is_library(path)
    ]
    return [module for *_, module in sorted(own, key=lambda one: one[:2])]


def is_library(path: str) -> bool:
    """Whether a file is of the interpreter, or of what is installed beside it."""
    return any(folder in path for folder in _LIBRARIES)


def is_unfinished(module: ModuleType) -> bool:
    """Whether more functions may still come into a module: its own code is running."""
    namespace = module_namespace(module) or {}
    spec = namespace.get("__spec__")
    if module is sys.modules.get("__main__"):
        return True
    return type(spec) is ModuleSpec and spec.__dict__.get("_initializing") is True


def _loaded(name: str) -> str:
    """Return the file of the module of this name, or of the main script with this stem."""
    main = module_file(sys.modules.get("__main__"))
    if name == "__main__" or os.path.basename(main) == f"{name}.py":
        return main
    if loaded := module_file(sys.modules.get(name)):
        return loaded
    if main.endswith(f"/{name.replace('.', '/')}.py"):  # python -m shop: shop/__main__.py
        return main
    for word in sys.orig_argv[1:]:  # the main script, before it has begun
        if os.path.basename(word) == f"{name}.py" and os.path.isfile(word):
            return word
    return ""
