"""Imports that find the new text of changed files, where nothing of them is imported yet.

It stands before all other finders and lets them find as they do; only what comes out is
served from the candidate, with the real file's name. Compiled files are neither read nor
written for it, so the disk says what it said.
"""

import importlib.abc
import importlib.machinery
import linecache
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType, TracebackType
from typing import Any, Self

_PACKAGE = "__init__.py"


class Overlay(importlib.abc.MetaPathFinder):
    """The new texts by absolute file; None for a file that goes.

    `served` are the modules that came from here, in the order of their imports.
    """

    def __init__(self, changes: Mapping[str, str | None]) -> None:
        self._texts = {os.path.realpath(file): text for file, text in changes.items()}
        self._tails = {_module_word(file) for file in self._texts}
        self._folders = {
            folder
            for file, text in self._texts.items()
            if text is not None
            for folder in _folders_above(file)
            if not os.path.isdir(folder)
        }
        self._tails |= {os.path.basename(folder) for folder in self._folders}
        self._gone = None in self._texts.values()
        self.served: list[str] = []

    def install(self) -> list[str]:
        """Stand before all finders; return the modules that are imported already, for which
        that is too late."""
        sys.meta_path.insert(0, self)
        called = {os.path.basename(file) for file in self._texts}
        return [
            name
            for name, module in list(sys.modules.items())
            if os.path.basename(file := _file_of(module)) in called
            and self.text(file) is not None
        ]

    def remove(self) -> None:
        """Undo `install`. What was imported meanwhile stays."""
        sys.meta_path[:] = [one for one in sys.meta_path if one is not self]

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        self.remove()

    def text(self, file: str) -> str | None:
        """Return the text that is served for a file, or None."""
        return self._texts.get(os.path.realpath(file)) if file else None

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find as all others do together; raises `ModuleNotFoundError` for a file that goes,
        which the next finder would still see."""
        near = fullname.rpartition(".")[2] in self._tails
        finders = list(sys.meta_path)
        if self in finders:  # those before it have been asked, and may ask it in turn
            del finders[: finders.index(self) + 1]
        for finder in finders:
            find = getattr(finder, "find_spec", None)
            if find is None:
                continue
            if near and finder is PathFinder:
                spec = self._on_path(fullname, sys.path if path is None else path, target)
            else:
                spec = find(fullname, path, target)
                spec = None if self._is_gone(spec) else self._substituted(fullname, spec)
            if spec is not None:
                return spec
        if near and self._gone:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None

    def invalidate_caches(self) -> None:
        """There are none."""

    def _on_path(
        self, fullname: str, path: Sequence[str], target: ModuleType | None
    ) -> ModuleSpec | None:
        """Find as the path does, one folder after the other, with the candidate's files in."""
        tail = fullname.rpartition(".")[2]
        portions: list[str] = []
        for entry in path:
            if not isinstance(entry, str):
                continue
            spec = PathFinder.find_spec(fullname, [entry], target)
            if self._is_gone(spec):
                spec = None
            folder = os.path.join(entry or os.getcwd(), tail)
            package, module = os.path.join(folder, _PACKAGE), f"{folder}.py"
            is_package = spec is not None and _is_regular_package(spec)
            if not is_package and self.text(package) is not None:
                return self._spec(fullname, package)
            if (spec is None or spec.loader is None) and self.text(module) is not None:
                return self._spec(fullname, module)
            if spec is not None and spec.loader is not None:
                return self._substituted(fullname, spec)
            if spec is not None:
                portions += spec.submodule_search_locations or ()
            elif os.path.realpath(folder) in self._folders:
                portions.append(folder)
        if not portions:
            return None
        real = PathFinder.find_spec(fullname, path, target)
        if real is not None and real.submodule_search_locations is not None:
            found = list(real.submodule_search_locations)
            if found == portions:
                return real
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = portions
        return spec

    def _is_gone(self, spec: ModuleSpec | None) -> bool:
        if spec is None or not spec.has_location or not spec.origin:
            return False
        file = os.path.realpath(spec.origin)
        return file in self._texts and self._texts[file] is None

    def _substituted(self, fullname: str, spec: ModuleSpec | None) -> ModuleSpec | None:
        if spec is None or not spec.has_location or not spec.origin:
            return spec
        if self.text(spec.origin) is None:
            return spec
        return self._spec(fullname, spec.origin, spec.submodule_search_locations)

    def _spec(
        self, fullname: str, file: str, locations: list[str] | None = None
    ) -> ModuleSpec | None:
        text = self.text(file)
        assert text is not None  # noqa: S101 - nobody asks without
        if locations is None and os.path.basename(file) == _PACKAGE:
            locations = [os.path.dirname(file)]
        return spec_from_file_location(
            fullname,
            file,
            loader=_Loader(fullname, file, text, self.served),
            submodule_search_locations=locations,
        )


def shadowed(files: Iterable[str], modules: Mapping[str, Any]) -> Iterator[str]:
    """Yield, of new files, which would be found under the name of a module that is loaded from
    elsewhere: after a start all that import it would get another."""
    for file in files:
        for entry in sys.path:
            root = os.path.realpath(entry or os.getcwd()) if isinstance(entry, str) else ""
            if not root or not file.startswith(root + os.sep):
                continue
            name = file[len(root) + 1 :].removesuffix(".py").removesuffix("/__init__")
            module = modules.get(name := name.replace(os.sep, "."))
            if module is not None and os.path.realpath(_file_of(module)) != file:
                yield f"{file} is new, and a module {name} is loaded from elsewhere"


class _Loader(SourceFileLoader):
    """Loads one module from a text. Of the real loader it keeps what reads files beside it."""

    def __init__(self, fullname: str, file: str, text: str, served: list[str]) -> None:
        super().__init__(fullname, file)
        self._text = text
        self._served = served

    def get_source(self, _fullname: str) -> str:
        return "\n".join(self._text.replace("\r\n", "\n").split("\r"))

    def get_data(self, path: str) -> bytes:
        return self._text.encode("utf-8") if path == self.path else super().get_data(path)

    def get_code(self, fullname: str) -> CodeType:
        with warnings.catch_warnings():  # of literals: a candidate's are no error of ours
            warnings.simplefilter("ignore")
            code: CodeType = compile(
                self._text, self.get_filename(fullname), "exec", dont_inherit=True
            )
            return code

    def exec_module(self, module: ModuleType) -> None:
        show(self.path, self._text)
        self._served.append(module.__name__)
        super().exec_module(module)

    def set_data(self, *_: Any, **__: Any) -> None:
        """Nothing is written."""


def show(file: str, text: str) -> None:
    """Have tracebacks and `inspect` show `text` for `file`, whatever is on the disk."""
    lines = [f"{line}\n" for line in text.replace("\r\n", "\n").split("\n")]
    if lines and lines[-1] == "\n":
        lines.pop()
    # without a time of change nobody compares it with the disk
    linecache.cache[file] = (len(text), None, lines, file)


def _module_word(file: str) -> str:
    folder, name = os.path.split(file)
    return os.path.basename(folder) if name == _PACKAGE else name.removesuffix(".py")


def _folders_above(file: str) -> list[str]:
    found = []
    folder = os.path.dirname(file)
    while folder != os.path.dirname(folder):
        found.append(folder)
        folder = os.path.dirname(folder)
    return found


def _is_regular_package(spec: ModuleSpec) -> bool:
    return spec.loader is not None and spec.submodule_search_locations is not None


def _file_of(module: object) -> str:
    spec = getattr(module, "__spec__", None)
    file = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    return file if isinstance(file, str) else ""
