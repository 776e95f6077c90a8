"""The call that a frame at its very start stands for, ready to be made again.

The frame holds every argument, and its function can be had or rebuilt; what cannot be made
again, because nothing runs when it is called, or because it has begun, says so in a sentence.
"""

import opcode
from collections.abc import Callable, Mapping
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any

from leadline.trial.depth import depth_of
from leadline.trial.gateway import Exchange
from leadline.wire.call import TurnKind
from leadline.wire.errors import RefusedError
from leadline.wire.struct import dataclass, field, replace

type FunctionOf = Callable[[FrameType], FunctionType | None]
"""Returns the function object that a frame runs, where that can be had."""

_CO_OPTIMIZED = 0x1
_CO_VARARGS = 0x4
_CO_VARKEYWORDS = 0x8
_CO_GENERATOR = 0x20
_CO_COROUTINE = 0x80
_CO_ITERABLE_COROUTINE = 0x100
_CO_ASYNC_GENERATOR = 0x200
_RESUME = opcode.opmap["RESUME"]
_AT_START = 0
"""The argument of `RESUME` at the beginning of a function; others are after a `yield`."""

_BODY = "{} is no function: the body of a class or a module is not run again"
_GENERATOR = "{} is a generator: nothing runs when it is called, and who drives it is not known"
_STARTED = "{} has begun already: only a call at its very start can be made again"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Call:
    """One call: what is called, with which arguments, and whether a coroutine comes of it.

    `rebuilt` says that the function is not the one that ran but one made of its code. `depth`
    is how deep on the stack it ran, 0 where that is not known: see `trial.depth`.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    code: CodeType
    is_coroutine: bool = False
    rebuilt: bool = False
    depth: int = 0
    most_yields: int = 0
    """Of a generator: how much of what it gives out is asked for."""
    turns: Mapping[int, tuple[TurnKind, Any]] = field(default_factory=dict)
    """Of a generator: after how much of it something is sent or thrown, and what; or after
    how much it is closed."""
    exchange: Exchange | None = None
    """Of a call that a web server makes: what stands for that server."""
    handled: BaseException | None = None
    """What is being handled while it is made."""

    def of(self, function: Callable[..., Any], code: CodeType) -> "Call":
        """Return the call of something else, such as a candidate, with the same arguments."""
        return replace(self, function=function, code=code, rebuilt=False)


def call_of(frame: FrameType, function_of: FunctionOf | None = None) -> Call:
    """Return the call that `frame`, which must be at its very start, stands for.

    Raises `RefusedError` (`not-repeatable`) with a sentence.
    """
    code = frame.f_code
    if reason := obstacle(code):
        raise _refused(reason)
    if not at_start(frame):
        raise _refused(_STARTED.format(code.co_qualname))
    found = function_of(frame) if function_of is not None else None
    usable = found is not None and found.__code__ is code
    args, kwargs = _arguments(frame, code)
    return Call(
        function=found if usable and found is not None else _rebuilt(frame, code),
        args=args,
        kwargs=kwargs,
        code=code,
        is_coroutine=bool(code.co_flags & _CO_COROUTINE),
        rebuilt=not usable,
        depth=depth_of(frame),
    )


def obstacle(code: CodeType) -> str:
    """Return why a call of `code` cannot be made again, as one sentence; empty if it can."""
    if not code.co_flags & _CO_OPTIMIZED:
        return _BODY.format(code.co_qualname)
    if code.co_flags & (_CO_GENERATOR | _CO_ITERABLE_COROUTINE | _CO_ASYNC_GENERATOR):
        return _GENERATOR.format(code.co_qualname)
    return ""


def is_generator(code: CodeType) -> bool:
    """Tell whether calling `code` gives an iterator, of the asynchronous kind or not."""
    return bool(code.co_flags & (_CO_GENERATOR | _CO_ASYNC_GENERATOR))


def at_start(frame: FrameType) -> bool:
    """Tell whether nothing of the function's own has run yet."""
    instructions = frame.f_code.co_code
    at = frame.f_lasti
    return (
        0 <= at < len(instructions)
        and instructions[at] == _RESUME
        and instructions[at + 1] == _AT_START
    )


def parameters(code: CodeType) -> tuple[str, ...]:
    """Return the names of the parameters of `code`, `*` and `**` included."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & _CO_VARARGS) + bool(code.co_flags & _CO_VARKEYWORDS)
    return code.co_varnames[:count]


def given_to(call: Call) -> dict[str, Any]:
    """Return what a call is made with, by the names of the parameters that hold one thing."""
    names = call.code.co_varnames[: call.code.co_argcount]
    return dict(zip(names, call.args, strict=False)) | dict(call.kwargs)


def _arguments(frame: FrameType, code: CodeType) -> tuple[tuple[Any, ...], dict[str, Any]]:
    local = frame.f_locals
    names = code.co_varnames
    positional, named = code.co_argcount, code.co_kwonlyargcount
    args = tuple(local[name] for name in names[:positional])
    end = positional + named
    kwargs = {name: local[name] for name in names[positional:end]}
    if code.co_flags & _CO_VARARGS:
        args += tuple(local[names[end]])
        end += 1
    if code.co_flags & _CO_VARKEYWORDS:
        kwargs.update(local[names[end]])
    return args, kwargs


def _rebuilt(frame: FrameType, code: CodeType) -> FunctionType:
    """Make a function of the code: its closure has what it had, in cells of its own."""
    local = frame.f_locals
    closure = tuple(
        CellType(local[name]) if name in local else CellType() for name in code.co_freevars
    )
    return FunctionType(code, frame.f_globals, code.co_name, None, closure or None)


def _refused(reason: str) -> RefusedError:
    return RefusedError("not-repeatable", f"{reason}.")
