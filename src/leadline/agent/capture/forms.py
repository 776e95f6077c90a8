"""Which classes have a readable form of their own, and which function knows it.

Classes of the interpreter are told by identity. Others are looked for among those that have
been loaded already (`recognition`): nothing is ever imported for them.
"""

import datetime
import types
from collections.abc import Callable, Mapping

from leadline.agent.capture import (
    arrays,
    callables,
    errors,
    futures,
    moments,
    numbers,
    records,
    rows,
    tables,
    views,
)
from leadline.agent.capture.reading import INSIDE, PLAIN, Read
from leadline.agent.capture.recognition import genuine
from leadline.expression.layout import Layout, identity

type Form = tuple[Read, bool]
type Maker = Callable[[Layout, type], Form | None]
"""Takes a layout and the recognised class that it inherits from; None where that is not laid
out as expected, and then an instance is captured like one of any class."""

_BUILTIN: Mapping[int, Form] = {
    identity(cls): form
    for cls, form in (
        (datetime.datetime, (moments.datetime_, PLAIN)),
        (datetime.date, (moments.date, PLAIN)),
        (datetime.time, (moments.time, PLAIN)),
        (datetime.timedelta, (moments.timedelta, PLAIN)),
        (datetime.timezone, (moments.timezone, PLAIN)),
        (range, (views.range_, PLAIN)),
        (slice, (views.slice_, INSIDE)),
        (memoryview, (views.memory, PLAIN)),
        (types.MappingProxyType, (views.proxy, INSIDE)),
        (type({}.keys()), (views.of_dict, INSIDE)),
        (type({}.values()), (views.of_dict, INSIDE)),
        (type({}.items()), (views.of_dict, INSIDE)),
        (types.FunctionType, (callables.function, PLAIN)),
        (types.MethodType, (callables.method, PLAIN)),
        (types.BuiltinFunctionType, (callables.builtin, PLAIN)),
        (types.MethodDescriptorType, (callables.described, PLAIN)),
        (types.WrapperDescriptorType, (callables.described, PLAIN)),
        (types.ModuleType, (callables.module, PLAIN)),
        (types.GeneratorType, (callables.generator, PLAIN)),
        (types.CoroutineType, (callables.coroutine, PLAIN)),
        (types.AsyncGeneratorType, (callables.async_generator, PLAIN)),
        (BaseException, (errors.error, INSIDE)),
    )
}
_CLAIMED: Mapping[str, Maker] = {
    "decimal.Decimal": numbers.decimal,
    "fractions.Fraction": numbers.fraction,
    "uuid.UUID": numbers.uuid,
    "pathlib.PurePath": records.path,
    "pathlib._local.PurePath": records.path,
    "zoneinfo.ZoneInfo": moments.zone,
    "collections.defaultdict": views.default_dict,
    "collections.deque": views.queue,
    "functools.partial": callables.partial,
    "array.array": arrays.array,
    "numpy.ndarray": arrays.ndarray,
    "numpy.generic": arrays.scalar,
    "numpy.dtype": arrays.dtype,
    "_asyncio.Task": futures.task,
    "_asyncio.Future": futures.future,
    "concurrent.futures._base.Future": futures.concurrent,
    "pandas._libs.tslibs.nattype.NaTType": moments.no_time,
    "pandas.api.typing.NaTType": moments.no_time,
    "pandas.DataFrame": tables.frame,
    "pandas.core.frame.DataFrame": tables.frame,
    "pandas.Series": tables.series,
    "pandas.core.series.Series": tables.series,
    "pandas.Index": tables.index,
    "pandas.core.indexes.base.Index": tables.index,
    "pydantic.main.BaseModel": records.pydantic,
    "sqlalchemy.engine._row_cy.BaseRow": rows.row,
    "sqlalchemy.cyextension.resultproxy.BaseRow": rows.row,
    "sqlalchemy.engine._py_row.BaseRow": rows.row,
    "django.db.models.base.Model": rows.django,
    "django.db.models.query.QuerySet": rows.query_set,
    "django.utils.functional.LazyObject": rows.lazy,
}


def form_of(layout: Layout) -> tuple[Form | None, bool]:
    """Return the form of a class, if it has one of its own, and whether that is settled.

    It is not while the module that the class claims to be of may still be on its way in.
    """
    if layout.is_enum:
        return (records.member, PLAIN), True
    settled = True
    for cls, dotted in zip(layout.order, layout.names, strict=True):
        form = _BUILTIN.get(identity(cls))
        if form is not None:
            return form, True
        maker = _CLAIMED.get(dotted)
        if maker is None:
            continue
        if genuine(cls, dotted):
            return maker(layout, cls), True
        settled = False
    if rows.mapped(layout):
        return (rows.orm, INSIDE), settled
    return records.dataclass(layout), settled
