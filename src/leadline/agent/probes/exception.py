"""The exception probe: a snapshot where an exception is raised, or leaves its function."""

from collections.abc import Callable

from leadline.agent.probes.compiled import Compiled, ready
from leadline.agent.probes.snapshot import Camera
from leadline.expression.layout import layout_of
from leadline.wire.probe import ExceptionProbe

_ENDINGS = (StopIteration, StopAsyncIteration)
"""How iterators say that they are done; nobody means these who does not name them."""


def compile_exception(probe: ExceptionProbe) -> Compiled:
    """Raises `ExpressionError` when a watch or the condition is not allowed."""
    camera = Camera(probe)
    return ready(
        probe,
        camera.names,
        camera.take,
        plan=camera.plan,
        read=camera.read,
        concerns=_chooser(probe.raises),
    )


def _chooser(raises: tuple[str, ...]) -> Callable[[BaseException], bool]:
    """Return what tells whether an exception is of one of the classes, or of a subclass."""
    wanted = frozenset(raises)

    def ordinary(exception: BaseException) -> bool:
        order = layout_of(type(exception)).order
        return any(cls is Exception for cls in order) and not any(
            cls is ending for cls in order for ending in _ENDINGS
        )

    def named(exception: BaseException) -> bool:
        for cls in layout_of(type(exception)).order:
            layout = layout_of(cls)
            if layout.name in wanted or f"{layout.module}.{layout.name}" in wanted:
                return True
        return False

    return named if wanted else ordinary
