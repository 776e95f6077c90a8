"""Private copies of SQLite files: what a run writes to a database stays in its own memory, and
is there for all that it reads afterwards.

A copy is as the file is when it is first asked for. All connections of the process that name
the file share it, and it is gone with the process. Nothing is written, nothing is locked.
"""

import os
import sys
from _thread import allocate_lock
from collections.abc import Sequence
from contextlib import closing, suppress
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from leadline.agent.place.digests import digest
from leadline.agent.twin import database_file
from leadline.wire.struct import dataclass
from leadline.wire.twin import Refusal
from leadline.wire.value import Value

_PLACES = (
    "database",
    "timeout",
    "detect_types",
    "isolation_level",
    "check_same_thread",
    "factory",
    "cached_statements",
    "uri",
)
"""The parameters of `sqlite3.connect`, in their order."""
type _Given = tuple[Sequence[Any], dict[str, Any]]
_OLDEST = (3, 36, 0)
"""Before, no two connections could share a database in memory without sharing a cache."""
PATIENCE_S = 0.2
"""How long we wait for a lock that a run has left on a copy."""
_PAGE = slice(16, 18)
_FIXED = "immutable"
"""How a file is opened that nobody writes, whatever its log says."""


@dataclass(slots=True, eq=False)
class Copy:
    """A database in memory. `keeper` keeps it there; `start` is what it held before the run,
    as bytes, None where that could not be read, and `version` tells whether anything was
    committed since. `is_new` says that there is no such file yet."""

    path: str
    name: str
    keeper: Any
    start: bytes | None
    version: object
    is_new: bool = False

    def committed(self) -> object:
        """Return what is another once another connection has committed something."""
        return self.keeper.execute("PRAGMA data_version").fetchone()

    def began(self) -> str:
        """Return what tells two starts apart."""
        return digest(self.start or b"") + (" new" if self.is_new else "")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a caller of `connect` wants: a file, and how it is to be opened."""

    path: str
    mode: str


class Databases:
    """The copies of this process."""

    def __init__(self) -> None:
        self.copies: dict[str, Copy] = {}
        self._left: set[str] = set()
        """Files that are opened as ever: of those no copy was to be had."""
        self._names: dict[tuple[int, int], str] = {}
        self._lock = allocate_lock()
        self._really: Any = None
        self._world: Any = None
        self.unaltered = ""
        """Why a copy holds what it did, where the run was to be in another world."""
        self._has_chance = False
        """Whether SQLite has asked for random numbers, which it does once in a process: that a
        device is refused to it then is nothing that a run has done."""

    def take_over(self, sqlite: ModuleType) -> None:
        """Be what is called to connect, in whatever module that is named. Does nothing where
        this SQLite cannot share what is in memory."""
        if self._really is not None or sqlite.sqlite_version_info < _OLDEST:
            return
        if not hasattr(sqlite.Connection, "deserialize"):
            return
        self._really = really = sqlite.connect
        for module in list(sys.modules.values()):
            names = getattr(module, "__dict__", None)
            if type(names) is not dict or names.get("__name__") == "_sqlite3":
                continue
            for name, value in list(names.items()):
                if value is really:
                    names[name] = connect

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        """As `sqlite3.connect`: of a file there is a copy."""
        try:
            made = self._private(args, kwargs)
        except Exception:  # noqa: BLE001 - then it is opened, and refused, as it was ever
            made = None
        given, named = made or (args, kwargs)
        return self._really(*given, **named)

    def prepare(self) -> None:
        """Import what will be needed, if anything, before copies of this process are made."""
        if self._really is not None:
            from leadline.agent.place import altered, written  # noqa: F401 - as above

    def be_in(self, world: Any) -> None:
        """Have all copies hold what they do in another world (`world.World`). Raises
        `altered.UnalteredError`."""
        self._world = world
        for copy in self.copies.values():
            self._alter(copy.keeper)

    def _alter(self, keeper: Any) -> bool:
        if self._world is None:
            return False
        from leadline.agent.place.altered import alter

        try:
            alter(keeper, self._world)
        except Exception as error:
            self.unaltered = str(error)
            raise
        return True

    def begin(self) -> None:
        """Take all as it is now for what was there before the run."""
        if self._really is not None and not self._has_chance:
            self._has_chance = True
            with closing(self._really(":memory:")) as empty:
                empty.execute("SELECT random()")
        for copy in self.copies.values():
            with suppress(Exception):
                version = copy.committed()
                if version != copy.version:
                    copy.start, copy.version = copy.keeper.serialize(), version
                copy.is_new = False
        for record in self.records():
            record.begin()

    def written(self) -> tuple[dict[str, Value], list[Refusal]]:
        """Return what the run has written, by path, and what was tried that no copy can do.
        What is under way is ended."""
        if not self.copies:
            return {}, []
        from leadline.agent.place.written import Written

        look = Written(self)
        asked = look.refused()
        return look.tell(), asked

    def records(self) -> list[Any]:
        """Return what each connection has done."""
        if self._really is None:
            return []
        from leadline.agent.place import connections

        return connections.records()

    def open(self, name: str) -> Any:
        """Open a database in memory by the name of a copy, or under a new one."""
        return self._really(
            name, timeout=PATIENCE_S, uri=True, isolation_level=None, check_same_thread=False
        )

    def filled(self, name: str, content: bytes) -> Any:
        """Return a connection to a new database in memory that holds `content`."""
        made = self.open(name)
        if content:
            source = self._really(":memory:")
            source.deserialize(content)
            size = int.from_bytes(content[_PAGE], "big")
            made.execute(f"PRAGMA page_size={65_536 if size == 1 else size}")
            source.backup(made)
            source.close()
        return made

    def _private(self, args: Sequence[Any], kwargs: dict[str, Any]) -> _Given | None:
        """Return what is to be given to `connect`; None where a file is to be opened as it is,
        or there is none."""
        from leadline.agent.place import connections

        given = dict(zip(_PLACES, args, strict=False)) | kwargs
        if len(args) > len(_PLACES) or len(given) != len(args) + len(kwargs):
            return None
        asked = _asked(given.get("database"), bool(given.get("uri")))
        factory = given.get("factory", connections.PLAIN)
        if asked is None or not isinstance(factory, type):
            return None
        with self._lock:
            copy = self._copy(asked)
        if copy is None:
            gone = not os.path.lexists(asked.path)
            return _with(args, kwargs, _gone(asked)) if gone else None
        name = f"{copy.name}&mode=ro" if asked.mode in ("ro", _FIXED) else copy.name
        connections.name_copy(name, copy.path)
        own = {"database": name, "uri": True, "factory": connections.noted(factory)}
        return _with(args, kwargs, own)

    def _same(self, path: str) -> str:
        """Return the path under which a file is known, whichever of its names this is."""
        try:
            status = os.stat(path)
        except OSError:
            return path
        return self._names.setdefault((status.st_dev, status.st_ino), path)

    def _copy(self, asked: _Asked) -> Copy | None:
        path = self._same(asked.path)
        if path in self.copies:
            return self.copies[path]
        if path in self._left or asked.mode == _FIXED:
            return None
        is_new = not os.path.lexists(path)
        if is_new and (asked.mode != "rwc" or not _may_be_made(path)):
            return None
        try:
            content = b"" if is_new else database_file.content(path)
            name = f"file:{quote(path)}?vfs=memdb"
            keeper = self.filled(name, content)
            if self._alter(keeper):
                content = keeper.serialize()
        except Exception:  # noqa: BLE001 - it is opened as it was ever
            self._left.add(path)
            return None
        self.copies[path] = made = Copy(path, name, keeper, content, None, is_new)
        made.version = made.committed()
        return made


HERE = Databases()
"""Those of this process. It is found here, since what stands for `sqlite3.connect` is reached
from the modules of the service, and nothing of ours is to be seen there."""


def connect(*args: Any, **kwargs: Any) -> Any:
    """Stands for `sqlite3.connect`."""
    return HERE.connect(*args, **kwargs)


def install() -> Databases:
    """Have connections go to private copies from now on, in this process, which is sealed."""
    sqlite = sys.modules.get("sqlite3")
    if isinstance(sqlite, ModuleType) and hasattr(sqlite, "connect"):
        HERE.take_over(sqlite)
    elif not any(isinstance(one, _Waiting) for one in sys.meta_path):
        sys.meta_path.insert(0, _Waiting())
    return HERE


class _Waiting:
    """A finder that is there until `sqlite3` is imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return where the module is that `sqlite3` takes all from."""
        if name != "sqlite3.dbapi2":
            return None
        sys.meta_path[:] = [one for one in sys.meta_path if one is not self]
        spec = PathFinder.find_spec(name, path, target)
        loader: Any = spec.loader if spec is not None else None
        if loader is not None:
            really = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                really(module)
                HERE.take_over(module)

            loader.exec_module = exec_module
        return spec


def _asked(database: Any, uri: bool) -> _Asked | None:
    """Return which file is meant; None where that is none, or one that is to be opened in a
    way of its own."""
    text = os.fsdecode(os.fspath(database))
    mode = "rwc"
    if uri and text.startswith("file:"):
        parts = urlsplit(text.partition("#")[0])
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        mode = asked.get("mode", mode)
        if parts.netloc not in ("", "localhost") or mode not in ("ro", "rw", "rwc"):
            return None
        if "vfs" in asked:
            return None
        if asked.get(_FIXED, "0") != "0":
            mode = _FIXED
        text = unquote(parts.path)
    elif text.startswith("file:"):
        return None  # it depends on how SQLite was built
    if text in ("", ":memory:") or "\0" in text:
        return None
    path = os.path.realpath(text)
    if (
        mode != _FIXED
        and os.path.exists(path)
        and os.geteuid()
        and not os.access(path, os.W_OK)
    ):
        mode = "ro"
    return _Asked(path, mode)


def _with(args: Sequence[Any], kwargs: dict[str, Any], own: dict[str, Any]) -> _Given:
    """Return arguments with some of ours in their places: a factory is called with them."""
    given, named = list(args), dict(kwargs)
    for name, value in own.items():
        place = _PLACES.index(name)
        if place < len(given):
            given[place] = value
        else:
            named[name] = value
    return given, named


def _gone(asked: _Asked) -> dict[str, Any]:
    """Return how a file is asked for that is not there, and cannot be made: nothing is to be
    refused where the service would find the same."""
    return {"database": f"file:{quote(asked.path)}?mode=ro", "uri": True}


def _may_be_made(path: str) -> bool:
    folder = os.path.dirname(path)
    return os.path.isdir(folder) and (not os.geteuid() or os.access(folder, os.W_OK))
