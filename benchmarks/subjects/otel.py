"""OpenTelemetry by hand: an event on a span that is open, and a counter with one attribute."""

from collections.abc import Callable, Sequence
from importlib.metadata import version

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from benchmarks import target
from benchmarks.subjects import Case


class _Nowhere(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002
        return SpanExportResult.SUCCESS


_provider = TracerProvider(shutdown_on_exit=False)
_provider.add_span_processor(BatchSpanProcessor(_Nowhere()))
_span = _provider.get_tracer("bench").start_span("request")
_meter = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False).get_meter("bench")
_count = _meter.create_counter("prices")


def price(quantity: int, unit: int) -> int:
    subtotal = quantity * unit
    if subtotal < 0:
        subtotal = 0
    total = subtotal + 7
    _span.add_event("log", {"quantity": quantity, "unit": unit})
    return total


def counted(quantity: int, unit: int) -> int:
    subtotal = quantity * unit
    if subtotal < 0:
        subtotal = 0
    total = subtotal + 7
    _count.add(1, {"route": "/x"})
    return total


class Subject:
    """See `benchmarks.subjects.Subject`."""

    version = version("opentelemetry-sdk")
    turns = 20

    def cases(self) -> dict[str, Callable[[], Case]]:
        def plain() -> int:
            return target.price(3, 4)

        return {
            "counter": lambda: (plain, lambda: counted(3, 4), lambda _: None),
            "log": lambda: (plain, lambda: price(3, 4), lambda _: None),
        }

    def between(self) -> None:
        return

    def pauses(self) -> dict[str, list[int]]:
        return {}
