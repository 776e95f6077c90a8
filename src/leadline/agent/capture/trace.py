"""Which OpenTelemetry span a hit happened in, if the application traces itself.

Read from the context variable that OpenTelemetry's API keeps the current span in. Nothing of it
is imported or called: a program without OpenTelemetry pays for one look into `sys.modules`.
"""

import sys
from contextvars import ContextVar
from typing import Any, NamedTuple

from leadline.agent.capture.held import among, held, in_module
from leadline.expression.layout import MISSING, layout_of

NO_TRACE = ("", "")

_CONTEXT = "opentelemetry.context"
_PROPAGATION = "opentelemetry.trace.propagation"
_TRACE_BITS, _SPAN_BITS = 128, 64

_current = ContextVar.get
_modules = sys.modules


class _Api(NamedTuple):
    """Where OpenTelemetry's API keeps the current span."""

    module: object
    variable: ContextVar[Any]
    key: str


_known: _Api | None = None
"""Learnt at the first hit in a process that has loaded the API."""


def trace_of() -> tuple[str, str]:
    """Return the ids of the current trace (32 hexadecimal digits) and span (16), or two empty
    texts."""
    global _known  # noqa: PLW0603 - one process, one API
    module = _modules.get(_CONTEXT)
    if module is None:
        return NO_TRACE
    if _known is None or _known.module is not module:
        _known = _learnt(module)
    if _known is None:
        return NO_TRACE
    context = _current(_known.variable, None)
    if context is None:
        return NO_TRACE
    span = among(context, _known.key)
    return _ids(held(span, "_context")) if span is not MISSING else NO_TRACE


def _learnt(module: object) -> _Api | None:
    variable = held(in_module(_CONTEXT, "_RUNTIME_CONTEXT"), "_current_context")
    key = in_module(_PROPAGATION, "_SPAN_KEY")
    if type(variable) is not ContextVar or type(key) is not str:
        return None  # half loaded, or a context of somebody's own
    return _Api(module, variable, key)


def _ids(span_context: Any) -> tuple[str, str]:
    """Return the ids that a `SpanContext` holds, which is a tuple that begins with them."""
    if layout_of(type(span_context)).base is not tuple or tuple.__len__(span_context) < 2:
        return NO_TRACE
    trace, span = tuple.__getitem__(span_context, 0), tuple.__getitem__(span_context, 1)
    if type(trace) is not int or type(span) is not int:
        return NO_TRACE
    if not (0 < trace < 1 << _TRACE_BITS and 0 < span < 1 << _SPAN_BITS):
        return NO_TRACE  # what OpenTelemetry calls an invalid span: there is none
    return f"{trace:032x}", f"{span:016x}"
