"""How arrays of numpy, of `array` and the tables of pandas are made again; see `building`."""

import array
import binascii
import importlib
from typing import TYPE_CHECKING, Any

from leadline.wire.errors import RefusedError

if TYPE_CHECKING:
    from leadline.trial.building import Make, Node, Site


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RefusedError(
            "not-rebuildable", f"The arguments cannot be rebuilt: there is no {name} here."
        ) from error


def _octets(node: "Node") -> bytes:
    return binascii.a2b_base64(node["b"])


def _ndarray(site: "Site", node: "Node") -> Any:
    numpy = _library("numpy")
    if "b" in node:
        return numpy.frombuffer(_octets(node), node["t"]).reshape(node["n"]).copy()
    made = numpy.empty(len(node["i"]), "O")
    for at, item in enumerate(site.items(node)):
        made[at] = item
    return made.reshape(node["n"])


def _scalar(_: "Site", node: "Node") -> Any:
    return _library("numpy").frombuffer(_octets(node), node["t"])[0]


def _dtype(_: "Site", node: "Node") -> Any:
    return _library("numpy").dtype(node["t"])


def _array(_: "Site", node: "Node") -> Any:
    return array.array(node["t"], _octets(node))


def _frame(site: "Site", node: "Node") -> Any:
    index, columns, *values = site.items(node)
    made = site.class_of(node)(dict(enumerate(values)), index=index, copy=False)
    made.columns = columns
    return made


def _series(site: "Site", node: "Node") -> Any:
    values, index, name = site.items(node)
    return site.class_of(node)(values, index=index, name=name, copy=False)


def _index(site: "Site", node: "Node") -> Any:
    cls: Any = site.class_of(node)
    data, name = site.items(node)
    return cls._simple_new(data, name)


def _backed(site: "Site", node: "Node") -> Any:
    cls: Any = site.class_of(node)
    values, dtype = site.items(node)
    return cls._simple_new(values, dtype)


def _row(site: "Site", node: "Node") -> Any:
    result = _library("sqlalchemy.engine.result")
    columns = result.SimpleResultMetaData(node["q"])
    index = columns._key_to_index  # noqa: SLF001 - as above
    return site.class_of(node)(columns, None, index, tuple(site.items(node)))


ARRAYS: dict[str, "Make"] = {
    "ndarray": _ndarray,
    "scalar": _scalar,
    "dtype": _dtype,
    "array": _array,
    "frame": _frame,
    "series": _series,
    "index": _index,
    "backed": _backed,
    "row": _row,
}
