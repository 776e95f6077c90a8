"""What a captured outcome does not show: what lazy results would give out, what closures hold,
the code of functions that are handed out, where an exception comes from.

The run is over and its process about to end, so iterators are asked for what they have.
"""

import contextvars
import io
import itertools
import logging
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    CodeType,
    CoroutineType,
    FunctionType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any

from leadline.agent.capture.resources import is_resource
from leadline.agent.place.dark import is_dark, read_of, shows_all
from leadline.agent.place.digests import digest
from leadline.agent.place.mappings import mapping_of
from leadline.agent.place.parts import of_c, parts
from leadline.agent.place.whole import is_of_a_library, stored, whole_of
from leadline.expression.layout import layout_of
from leadline.trial.outcome import UNSHOWN
from leadline.trial.place import UNCOMPARED, UNSEEN
from leadline.trial.withheld import Withheld, WithheldTouched, times_touched

MAX_LOOKED = 500_000
"""Objects of one outcome that are looked at; that there are more is told."""
LARGE = "is too large to be compared"
MAX_GIVEN_OUT = 1_000
"""Of one iterator: it may have no end."""
_MAX_DEPTH = 60
_OF_C = frozenset(
    """
    _operator operator _struct _hashlib _sha2 _md5 _sha1 _blake2 xml.etree.ElementTree types
    """.split()
)
"""Modules of objects that C code keeps, and can tell what is in."""
_HANDED_OUT = ("result", "exception", "yield ")
"""How the names of roots begin that the caller is given."""
_at_work: dict[int, CodeType] = {}
_PLAIN = frozenset((int, float, str, bytes, bytearray, bool, type(None), complex, Withheld))


def inside(
    roots: Mapping[str, object],
    but: object = None,
    still: bool = False,
    kinds: dict[int, type] | None = None,
    entry: CodeType | None = None,
    known: Callable[[object], bool] = lambda _: False,
) -> dict[str, object]:
    """Return, by path, what values hold beyond what a capture of them shows, `but` for what is
    within that one. `still` asks no iterator for its next value: the service goes on with it,
    or it waits for something. `kinds` gets the classes of what is handed out, by their ids: of
    all objects that are met on the way from there. `entry` is told by its name where it is not
    handed out: a request that knows its view is the same one, whichever version that has. So is
    each function that is `known`: it is compared where modules hold it."""
    look = _Look(still, known)
    look.leave(but)
    for name, one in roots.items():
        handed_out = name.startswith(_HANDED_OUT)
        look.kinds = kinds if handed_out else None
        look.entry = None if handed_out else entry
        look.at(name, one, 0)
    return look.found


class _Look:
    """One walk over live objects. What cannot be read is left out."""

    def __init__(self, still: bool, known: Callable[[object], bool]) -> None:
        self._known = known
        self.found: dict[str, object] = {}
        self._still = still
        self._met: dict[int, object] = {}
        self.kinds: dict[int, type] | None = None
        self.entry: CodeType | None = None

    def leave(self, value: object) -> None:
        """Do not look into a value."""
        self._met[id(value)] = value

    def at(self, path: str, value: object, depth: int) -> None:
        kind = type(value)
        if kind is complex:
            self.found[path] = repr(value)  # there is a -0j
        if kind in _PLAIN or id(value) in self._met or mapping_of(value):
            return
        if depth > _MAX_DEPTH or len(self._met) >= MAX_LOOKED:
            self.found[f"{UNCOMPARED}{path.partition('[')[0]}"] = LARGE
            return
        self._met[id(value)] = value  # kept, or another may have its id
        if self.kinds is not None:
            self.kinds[id(kind)] = kind
        try:
            self._into(path, value, depth + 1)
        except (Exception, WithheldTouched) as error:  # noqa: BLE001 - what it makes of a look
            self.found[f"{path} as it is looked into"] = type(error).__name__

    def _into(self, path: str, value: Any, depth: int) -> None:
        if issubclass(type(value), BaseException):
            self._error(path, value, depth)
        elif issubclass(type(value), FunctionType):
            self._function(path, value, depth)
        elif issubclass(type(value), MethodType):
            self.at(f"{path}.__func__", value.__func__, depth)
            self._shown(f"{path}.__self__", value.__self__, depth)
        elif issubclass(type(value), BuiltinFunctionType | MethodWrapperType):
            if not isinstance(value.__self__, ModuleType):
                self.found[path] = value.__name__
                self._shown(f"{path}.__self__", value.__self__, depth)
        elif issubclass(type(value), CodeType):
            self.found[f"{UNSHOWN}code of {path}"] = _digest(value)
        elif issubclass(type(value), CellType):
            self._shown(f"{path}.cell_contents", value.cell_contents, depth)
        elif issubclass(type(value), type):
            if "<locals>" in value.__qualname__:
                self._class(path, value, depth)
        elif not issubclass(type(value), ModuleType | logging.Logger):
            self._object(path, value, depth)

    def _object(self, path: str, value: Any, depth: int) -> None:
        if is_of_a_library(type(value)):
            if not whole_of(value):  # else its digest stands beside what is shown of it
                self._unseen(path, value)
            return
        if issubclass(type(value), Mapping):
            for key in list(value):
                name = repr(key) if type(key) in _PLAIN else type(key).__name__
                self.at(f"{path}[{name}]", value[key], depth)
                self.at(f"key {name} of {path}", key, depth)
        elif issubclass(type(value), set | frozenset):
            for one in value:
                self.at(f"{path}{{{type(one).__name__}}}", one, depth)
        elif issubclass(type(value), list | tuple):
            for index, one in enumerate(value):
                self.at(f"{path}[{index}]", one, depth)
        else:
            self._single(path, value, depth)
        self._attributes(path, value, depth)

    def _single(self, path: str, value: Any, depth: int) -> None:
        """What is no container, but may come to something: lazy, read from, or kept by C."""
        if issubclass(type(value), CoroutineType | AsyncGeneratorType):
            self.found[f"{UNSHOWN}code of {path}"] = code_of(value)
            held = [one for _, one in parts(value) or ()]
            self._shown(f"{UNSHOWN}variables of {path}", held, depth)
            if issubclass(type(value), CoroutineType) and not self._still:
                value.close()
        elif issubclass(type(value), staticmethod | classmethod):
            self.at(f"{path}.__func__", value.__func__, depth)
        elif hasattr(type(value), "getvalue") and hasattr(type(value), "tell"):
            self.found[path] = (value.getvalue(), value.tell())
        elif _is_stream(type(value)):
            self._stream(path, value, depth)
        elif hasattr(type(value), "__next__"):
            self._iterator(path, value, depth)
        elif type(value) is slice:
            self._shown(path, (value.start, value.stop, value.step), depth)
        elif read := read_of(value):
            for name, one in read.items():
                self._shown(f"{path}.{name}", one, depth)
        elif not shows_all(type(value)):
            self._kept_by_c(path, value, depth)

    def _stream(self, path: str, value: Any, depth: int) -> None:
        self.found[path] = value.tell()
        if issubclass(type(value), io.TextIOWrapper):
            self.at(f"{path}.buffer", value.buffer, depth)
        elif isinstance(getattr(value, "raw", None), io.BytesIO):
            self.at(f"{path}.raw", value.raw, depth)

    def _kept_by_c(self, path: str, value: Any, depth: int) -> None:
        """What a capture shows nothing of: what can be read of it, or that nothing can."""
        module = type(value).__module__
        if is_resource(layout_of(type(value))):
            self._shared(path, value, depth)
        elif hasattr(type(value), "__buffer__"):
            self.found[f"bytes of {path}"] = of_c(value)
        elif module in _OF_C:
            self._of_c(path, value, depth)
        elif is_dark(value):
            self._whole(path, value)

    def _whole(self, path: str, value: object) -> None:
        """An object of a library, as it is when it is stored; else nothing can be said."""
        if whole := stored(value):
            self.found[f"{UNSHOWN}whole of {path}"] = whole
        else:
            self._unseen(path, value)

    def _unseen(self, path: str, value: object) -> None:
        what = f"{type(value).__module__}.{type(value).__qualname__}"
        self.found[f"{UNCOMPARED}{path}"] = f"cannot be seen ({what})"

    def _shared(self, path: str, value: Any, depth: int) -> None:
        """What belongs to its process and leads to something: by the moment, in part, so that
        nothing follows from a difference."""
        if issubclass(type(value), weakref.ReferenceType):
            self.found[f"{UNSHOWN}target of {path}"] = _briefly(value())
        elif issubclass(type(value), contextvars.Context):
            for variable, one in value.items():
                if type(one).__module__ != "decimal":  # made whenever one reckons with numbers
                    self._shown(f"{path}[{variable.name}]", one, depth)
        elif hasattr(type(value), "set_result") and value.done() and not value.cancelled():
            error = value.exception()
            name = f"{UNSHOWN}result of {path}"
            self._shown(name, value.result() if error is None else error, depth)

    def _of_c(self, path: str, value: Any, depth: int) -> None:
        """What C code keeps is told by how it is copied, or by what it has reckoned."""
        if hasattr(type(value), "hexdigest"):
            self.found[path] = digest(value.hexdigest())
            return
        if hasattr(type(value), "format") and hasattr(type(value), "size"):
            self.found[path] = (value.format, value.size)
            return
        try:
            _, *made_of = value.__reduce_ex__(4)
        except TypeError:
            made_of = [value.__getstate__()] if hasattr(type(value), "tag") else []
        self._shown(f"copy({path})", made_of, depth)

    def _attributes(self, path: str, value: Any, depth: int) -> None:
        cls = type(value)
        if "<locals>" in cls.__qualname__:
            self.at(f"type({path})", cls, depth)
        held = getattr(value, "__dict__", None)
        if type(held) is dict:
            self._members(path, held, depth)
        slots = [name for base in cls.__mro__ for name in _slots(base)]
        for name in slots:
            if hasattr(value, name):
                self.at(f"{path}.{name}", getattr(value, name), depth)
        if hasattr(cls, "__pydantic_fields_set__"):
            named = getattr(value, "__pydantic_fields_set__", ())
            self.found[f"{path}.__pydantic_fields_set__"] = sorted(named)
        if hasattr(cls, "getstate"):
            self.found[f"{path}.getstate()"] = digest(repr(value.getstate()))
        if cls.__module__ == "functools" and hasattr(value, "func"):
            for name in ("func", "args", "keywords"):
                self.at(f"{path}.{name}", getattr(value, name), depth)

    def _class(self, path: str, value: type, depth: int) -> None:
        """One that the call has made: any other is compared by its name."""
        held = {name: one for name, one in vars(value).items() if not name.startswith("__")}
        plain = {name: one for name, one in held.items() if not hasattr(type(one), "__get__")}
        self.found[f"{path} has"] = plain
        self._members(path, vars(value), depth)

    def _members(self, path: str, held: Mapping[str, Any], depth: int) -> None:
        for name, one in list(held.items()):
            if type(one) is Withheld:  # which is not even asked for its class
                continue
            beneath = one.fget if isinstance(one, property) else getattr(one, "__func__", one)
            if isinstance(beneath, FunctionType) or not name.startswith("__"):
                self.at(f"{path}.{name}", beneath, depth)

    def _iterator(self, path: str, value: Any, depth: int) -> None:
        if self._still:
            self._stands(path, value, depth)
            return
        given: list[object] = []
        end, before = "", times_touched()
        try:
            taken = itertools.islice(value, MAX_GIVEN_OUT)
            if issubclass(type(value), itertools.groupby):  # a group is gone with the next one
                given.extend((key, list(group)) for key, group in taken)
            given.extend(taken)
        except Exception as error:  # noqa: BLE001 - what it comes to is what is asked
            end = repr(error)
        except WithheldTouched as touched:
            end = str(touched)
        if times_touched() > before:  # not by the call, but by whoever it is handed out to
            self.found[f"{UNSEEN}{path}"] = end
        self.found[f"list({path})"] = given
        if end:
            self.found[f"list({path}) raises"] = end
        self.at(f"list({path})", given, depth)

    def _stands(self, path: str, value: Any, depth: int) -> None:
        """Where an iterator has come to, and what it goes over."""
        if code := code_of(value):
            self.found[f"{UNSHOWN}code of {path}"] = code
            self.found[f"{UNSHOWN}place of {path}"] = of_c(value)
        else:
            self.found[path] = of_c(value)
        for step, one in parts(value) or ():
            self._shown(f"{path}{step}", one, depth)

    def _function(self, path: str, value: FunctionType, depth: int) -> None:
        code = value.__code__
        by_name = code is self.entry or self._known(value)
        told = _named(code) if by_name else _digest(code)
        self.found[f"{UNSHOWN}code of {path}"] = told
        for name, cell in zip(
            value.__code__.co_freevars, value.__closure__ or (), strict=False
        ):
            try:
                self._shown(f"{path}.closure.{name}", cell.cell_contents, depth)
            except ValueError:
                continue  # it has no value yet
        defaults = (value.__defaults__ or (), value.__kwdefaults__ or {})
        if any(defaults):
            self._shown(f"{path}.defaults", defaults, depth)
        self._members(path, vars(value), depth)

    def _error(self, path: str, value: BaseException, depth: int) -> None:
        for name in ("__cause__", "__notes__"):
            one = getattr(value, name, None)
            if one is not None:
                self._shown(f"{path}.{name}", one, depth)
        self.at(f"{path}.args", value.args, depth)
        if isinstance(value, BaseExceptionGroup):
            self.at(f"{path}.exceptions", value.exceptions, depth)
        self._members(path, vars(value), depth)

    def _shown(self, path: str, value: object, depth: int) -> None:
        self.found[path] = value
        self.at(path, value, depth)


def _is_stream(kind: type) -> bool:
    """Tell whether instances are read from, and are no memory."""
    return hasattr(kind, "tell") and hasattr(kind, "read") and not hasattr(kind, "__buffer__")


def _briefly(value: object) -> object:
    """Return what class an object is of, and what it holds of plain data."""
    held = getattr(value, "__dict__", None)
    plain = {name: one for name, one in (held or {}).items() if type(one) in _PLAIN}
    return [type(value).__qualname__, plain if held is not None else value]


def _slots(cls: type) -> tuple[str, ...]:
    """Return the names of a class's slots, but for who refers to an object weakly: that is
    nothing of its own."""
    named = vars(cls).get("__slots__", ())
    every = (named,) if isinstance(named, str) else tuple(named)
    return tuple(name for name in every if name != "__weakref__")


def code_of(value: Any) -> str:
    """Return what tells the code of a function or generator; nothing for other objects."""
    for name in ("__code__", "gi_code", "cr_code", "ag_code"):
        code = getattr(value, name, None)
        if type(code) is CodeType:
            return _digest(code)
    return ""


@contextmanager
def at_work(codes: Iterable[CodeType]) -> Iterator[None]:
    """Meanwhile tell functions that the call itself has run by their names, in either version:
    what they do is among what the call came to."""
    _at_work.update((id(one), one) for one in codes)
    try:
        yield
    finally:
        _at_work.clear()


def _digest(code: CodeType) -> str:
    """What a function does, whatever line it stands on."""
    if id(code) in _at_work:
        return _named(code)
    return digest(repr(_parts(code)))


def _named(code: CodeType) -> str:
    return f"{code.co_filename}: {code.co_qualname}"


def _parts(code: CodeType) -> tuple[object, ...]:
    constants = [
        _parts(one) if isinstance(one, CodeType) else _constant(one) for one in code.co_consts
    ]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars


def _constant(one: object) -> str:
    return repr(sorted(map(repr, one)) if isinstance(one, frozenset) else one)
