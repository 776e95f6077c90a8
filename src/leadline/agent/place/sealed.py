"""Inside a fresh place: the service's modules are imported, once, and each call is run in a
copy of its own, so that no run meets what another has left."""

import gc
import importlib
import importlib.util
import inspect
import os
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType

from leadline import native
from leadline.agent.place import databases
from leadline.agent.place.digests import use_salt
from leadline.agent.place.entry import Entry, find_entry
from leadline.agent.place.globals import Globals
from leadline.agent.place.lines import Lines
from leadline.agent.place.loaded import as_loaded
from leadline.agent.place.made_before import MadeBefore
from leadline.agent.place.moved import Moved
from leadline.agent.place.one_run import OF_A_RUN, run_order
from leadline.agent.place.scope import own_code
from leadline.trial import revival, sessions
from leadline.trial.failure import told
from leadline.trial.guards import is_guarded
from leadline.trial.overlay import Overlay, shadowed
from leadline.trial.place import NOT_ENDED, Begin, Order, Ready, cut, read_order, write
from leadline.trial.questions import Questions
from leadline.wire.errors import LeadlineError, RefusedError
from leadline.wire.struct import prepare
from leadline.wire.twin import Refusal

_SPARE_S = 1.0
"""What a run may take beyond its time before it is ended from outside of it."""
_LOOK_S = 0.000_2
_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def live(begin: Begin, lines: Lines) -> None:
    """Import what is wanted, say so, and run one order after the other."""
    began = time.perf_counter()
    use_salt(begin.salt)
    try:
        random.seed(begin.seed)
        databases.install()
        _warn(begin)
        entry = _import(begin)
        if entry.function.__code__.co_flags & _ASYNC:
            importlib.import_module("asyncio")  # it reads files, which is nothing a call does
        for name in begin.later:
            with suppress(Exception):  # the calls that import it will tell
                importlib.import_module(name)
        sessions.map_classes()
        _limit(begin)
    except BaseException as error:  # noqa: BLE001 - whatever a module does when it is imported
        lines.say(write(Ready(False, _why(begin, error), refused=refusals())))
        return
    databases.HERE.prepare()
    notes = revival.revive()
    is_own, brought = own_code(begin), set[str]()
    made_before = MadeBefore(begin, is_own)
    state = Globals(is_own, begin.overlay)
    moved = Moved(begin.state, is_own)
    _rehearse(begin)
    gc.collect()
    gc.freeze()  # a copy that collects garbage would touch, and so copy, all of it
    ready = Ready(
        True,
        file=entry.file,
        line=entry.line,
        function=entry.function.__code__.co_qualname,
        parameters=list(entry.parameters),
        took_s=round(time.perf_counter() - began, 3),
        moved=moved.names,
        as_loaded=as_loaded(begin),
        notes=notes,
        refused=refusals(),
    )
    if not lines.say(write(ready)):
        return
    while (line := lines.next()) is not None:
        try:
            order = read_order(line)
        except LeadlineError as error:
            lines.say(write(cut(0, error.message)))
            continue
        _bring(order, is_own, brought)
        if said := made_before.says(order.document):
            lines.say(write(cut(order.number, said)))
            continue
        _apart(order, lines, partial(_run, order, entry, begin, state, moved))


def _warn(begin: Begin) -> None:
    """Have the options of `-W`, as the interpreter does at its start; one that names a class of
    a module imports it, so not outside of the seal."""
    if begin.warnings and begin.warnings != sys.warnoptions:
        sys.warnoptions[:] = begin.warnings
        warnings._processoptions(begin.warnings)  # type: ignore[attr-defined]  # noqa: SLF001


def _limit(begin: Begin) -> None:
    """Have the limits that the service has by now, whatever its modules have set."""
    if begin.recursion_limit is not None:
        sys.setrecursionlimit(begin.recursion_limit)
    if begin.max_str_digits is not None:
        sys.set_int_max_str_digits(begin.max_str_digits)


def _rehearse(begin: Begin) -> None:
    """Do once what the copy of each run would do anew: a third of what a short call takes."""
    with suppress(Exception):  # each run will tell
        Questions(begin.fails, begin.expect, {})
    prepare(*OF_A_RUN)


def _bring(order: Order, is_own: Callable[[str], bool], brought: set[str]) -> None:
    """Import what libraries a call names, once, and not in the copy of each run. Code of the
    service's own is left to the copies: it might do more when it is imported."""
    nodes = order.document.get("nodes", ())
    for name in {node["m"] for node in nodes if type(node.get("m")) is str} - brought:
        brought.add(name)
        if name in sys.modules:
            continue
        with suppress(Exception):  # the run will tell
            spec = importlib.util.find_spec(name)
            if spec is not None and spec.origin and not is_own(spec.origin):
                importlib.import_module(name)


def _run(order: Order, entry: Entry, begin: Begin, state: Globals, moved: Moved) -> bytes:
    """Run a call of the entry, or of another function of its module."""
    if order.entry:
        module = begin.entry.partition(":")[0]
        try:
            entry = find_entry(sys.modules[module], module, order.entry)
        except LeadlineError as error:
            return write(cut(order.number, error.message.rstrip(".")))
    return run_order(order, entry, begin, refusals, state, moved)


def refusals() -> list[Refusal]:
    """Return what the seal has refused so far."""
    twin = native.twin()
    return [Refusal(*one) for one in twin.refusals()] if twin is not None else []


def _apart(order: Order, lines: Lines, run: Callable[[], bytes]) -> None:
    """Run in a copy of this process, and say it where that copy does not."""
    twin = native.twin()
    if twin is None:
        return
    receiving, sending = os.pipe()
    pid = twin.grandchild(order.within_s + _SPARE_S)
    if pid == 0:
        os.close(receiving)
        lines.close()  # what a run writes anywhere is no answer of the place
        try:
            said = run()
        except BaseException as error:  # noqa: BLE001 - the last frame of this process
            said = write(cut(order.number, f"the run failed: {told(error)}"))
        Lines(sending).say(said)
        os._exit(0)
    os.close(sending)
    parts: list[bytes] = []
    while piece := os.read(receiving, 1 << 20):
        parts.append(piece)
    os.close(receiving)
    while (status := twin.reap(pid)) is None:
        time.sleep(_LOOK_S)
    said = b"".join(parts)
    if status or not said.endswith(b"\n") or b"\n" in said[:-1]:
        said = write(cut(order.number, _end(status, order, twin)))
    lines.say(said)


def _end(status: int, order: Order, twin: ModuleType) -> str:
    number = status & 0x7F
    if number == signal.SIGALRM:
        return f"{NOT_ENDED} after {order.within_s:g} s"
    if number == signal.SIGKILL:
        return "it was killed, perhaps for the memory that it took"
    if number:
        return f"it crashed ({signal.Signals(number).name})"
    if status:
        return str(twin.why(status))
    return "it ended before it had said what it came to"


class FirstError(Exception):
    """A module of `Begin.first` could not be imported: its name, and what it has raised."""


def _import(begin: Begin) -> Entry:
    new = [file for file, text in begin.before.items() if text is None]
    for said in shadowed(map(os.path.realpath, new), sys.modules):
        raise RefusedError("not-applicable", f"{said}.")
    if begin.overlay:
        Overlay(begin.overlay).install()
    for name in begin.first:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise FirstError(name, error) from error
    module, _, qualname = begin.entry.partition(":")
    is_main = begin.main and module in ("__main__", begin.main)
    if begin.main and begin.has_main and not is_main:
        with suppress(Exception, SystemExit):  # calls may need nothing of it
            if is_guarded(_source_of(begin)):  # or it would begin its work
                _be_main(importlib.import_module(begin.main))
    found = importlib.import_module(begin.main if is_main else module)
    if is_main:
        _be_main(found)
    return find_entry(found, module, qualname)


def _source_of(begin: Begin) -> str:
    """Return the source of the program itself."""
    spec = importlib.util.find_spec(begin.main)
    file = spec.origin if spec is not None and spec.origin is not None else ""
    return begin.overlay.get(file) or Path(file).read_text("utf-8")


def _be_main(module: ModuleType) -> None:
    """What was the program itself is named so, as are its classes and functions; it was
    imported under another name so that it would not begin its work."""
    name, names = module.__name__, vars(module)
    for one in gc.get_objects():
        with suppress(Exception):  # a metaclass may think otherwise
            is_function = type(one) is FunctionType and one.__globals__ is names
            if is_function or (issubclass(type(one), type) and one.__module__ == name):
                one.__module__ = "__main__"
    sys.modules["__main__"] = module


def _why(begin: Begin, error: BaseException) -> str:
    if isinstance(error, LeadlineError):
        return error.message.rstrip(".")
    if isinstance(error, FirstError):
        return _unimportable(*error.args)
    module = begin.entry.partition(":")[0]
    return _unimportable(module, error)


def _unimportable(module: str, error: BaseException) -> str:
    return f"{module} cannot be imported in a sealed process: {told(error)}"
