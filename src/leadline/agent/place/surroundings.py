"""What a process, or the thread of a call, has one of: its environment, folder, contexts,
handlers of signals, levels of logging, standard streams."""

import _locale
import _socket
import atexit
import builtins
import contextvars
import gc
import logging
import os
import signal
import sys
import time
from typing import Any

VARIABLE = "contextvars."
_HOOKS = ("stdin", "stdout", "stderr", "excepthook", "displayhook", "unraisablehook")


def values() -> dict[str, list[object]]:
    """Return what is told by its value, by the name of what asks for it: of context variables
    some may have one name."""
    found: dict[str, object] = {
        "os.environ": dict(os.environ),
        "os.getcwd()": os.getcwd(),
        "os.umask()": _umask(),
        "sys.path": list(sys.path),
        "sys.getrecursionlimit()": sys.getrecursionlimit(),
        "sys.getswitchinterval()": sys.getswitchinterval(),
        "sys.get_int_max_str_digits()": sys.get_int_max_str_digits(),
        "sys.tracebacklimit": getattr(sys, "tracebacklimit", None),
        "sys.meta_path": [named(one) for one in sys.meta_path],
        "sys.path_hooks": [named(one) for one in sys.path_hooks],
        "gc.isenabled()": gc.isenabled(),
        "time.tzname": list(time.tzname),
        "locale.setlocale()": _locale.setlocale(_locale.LC_ALL, None),
        "socket.getdefaulttimeout()": _socket.getdefaulttimeout(),
        "functions of atexit": atexit._ncallbacks(),  # noqa: SLF001 - nothing else tells
        **_logging(),
    }
    csv: Any = sys.modules.get("_csv")
    if csv is not None:
        found["csv.field_size_limit()"] = csv.field_size_limit()
    decimal: Any = sys.modules.get("decimal")
    if decimal is not None:
        context = decimal.getcontext()  # but for what reckoning itself leaves there: its flags
        traps = sorted(one.__name__ for one, on in context.traps.items() if on)
        found["decimal.getcontext()"] = [context.prec, context.rounding, context.Emin,
                                         context.Emax, *traps]  # fmt: skip
    warnings: Any = sys.modules.get("warnings")
    if warnings is not None:
        found["warnings.filters"] = [repr(one) for one in warnings.filters]
    each = {name: [value] for name, value in found.items()}
    for variable, value in contextvars.copy_context().items():
        if type(value).__module__ != "decimal":  # made whenever a number is reckoned with
            each.setdefault(f"{VARIABLE}{variable.name}", []).append(value)
    return each


def objects() -> dict[str, object]:
    """Return what is told by its name where it is another one than before."""
    found: dict[str, object] = {f"sys.{name}": getattr(sys, name, None) for name in _HOOKS}
    found |= {f"builtins.{name}": one for name, one in vars(builtins).items() if name != "_"}
    found |= {"sys.getprofile()": sys.getprofile(), "sys.gettrace()": sys.gettrace()}
    threading: Any = sys.modules.get("threading")
    if threading is not None:
        found["threading.excepthook"] = threading.excepthook
    for number in signal.valid_signals():
        name = signal.Signals(number).name if number in _SIGNALS else str(int(number))
        found[f"signal.getsignal({name})"] = signal.getsignal(number)
    return found


_SIGNALS = frozenset(signal.Signals)


def named(value: object) -> str:
    """Return what tells an object from others by its name, wherever it lies."""
    if isinstance(value, signal.Handlers):
        return value.name
    name = getattr(value, "__qualname__", None) or f"a {type(value).__qualname__}"
    return f"{getattr(value, '__module__', '')}.{name}".removeprefix("builtins.")


def _umask() -> int:
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def _logging() -> dict[str, object]:
    loggers: dict[str, Any] = {"root": logging.root, **logging.root.manager.loggerDict}
    return {
        "logging levels": {
            name: (one.level, one.disabled)
            for name, one in loggers.items()
            if getattr(one, "level", 0) or getattr(one, "disabled", False)
        },
        "logging.disable()": logging.root.manager.disable,
        "names of levels": dict(logging._levelToName),  # noqa: SLF001 - nothing else tells
        "filters of loggers": {
            name: [named(each) for each in one.filters]
            for name, one in loggers.items()
            if getattr(one, "filters", None)
        },
        "loggers that do not propagate": sorted(
            name for name, one in loggers.items() if not getattr(one, "propagate", True)
        ),
        "handlers of loggers": {
            name: [type(each).__qualname__ for each in one.handlers]
            for name, one in loggers.items()
            if getattr(one, "handlers", None)
        },
    }
