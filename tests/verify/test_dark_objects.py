"""Objects of C code in an outcome: what can be read of them is compared, and one of which
nothing can be seen leaves the call open."""

import weakref

import pytest

from leadline.agent.place import inside as looks
from leadline.agent.place.inside import inside
from leadline.verify.verdict import Candidate
from verify.test_verdict_second_eyes import became, only

MORE = """
import array, bz2, concurrent.futures, csv, ctypes, datetime, mmap, re, sqlite3, types, zlib

class Node:
    def __init__(self, name):
        self.name = name

class Pair(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int)]

class Zone(datetime.tzinfo):
    pass

class Rows(sqlite3.Row):
    pass

NODES = [Node("a"), Node("b")]

def row(value, factory=sqlite3.Row):
    connection = sqlite3.connect(":memory:")
    connection.row_factory = factory
    found = connection.execute("select ? as a", (value,)).fetchone()
    connection.close()
    return found

def packed(text, make=zlib.compressobj):
    packer = make()
    packer.compress(text)
    return packer

def context(value):
    made = contextvars.copy_context()
    made.run(HOLDER.set, value)
    return made

def future(value):
    made = concurrent.futures.Future()
    made.set_result(value)
    return made

def memory(text):
    made = mmap.mmap(-1, 9)
    made[:3] = text
    return made

async def later(value):
    return value

async def each(value):
    yield value

HOLDER = contextvars.ContextVar("HOLDER")

import ast, concurrent.futures, itertools, queue
def put(queue, *values):
    for one in values:
        queue.put(one)
    return queue
"""


def two(form, one="1", other="2"):
    return form.format(one), form.format(other)


WRONG = {
    "row": two("return {{'r': row({})}}"),
    "rows": two("return [row({}, Rows)]"),
    "structure": two("return [Pair({})]"),
    "c_int": two("return {{'c': ctypes.c_int({})}}"),
    "array": two("return [array.array('i', [{}])]"),
    "packer": two("return [packed(b'{}')]"),
    "memory": two("return [memory(b'ab{}')]"),
    "writer": two("return [csv.writer(io.StringIO(), delimiter='{}')]", ",", ";"),
    "union": two("return [int | {}]", "str", "bytes"),
    "view": two("return [memoryview({})]", "b'a'", "bytearray(b'a')"),
    "context": two("return [context({})]"),
    "streamed": two("return [each(iter([{}]))]"),
    "tree": two("return [ast.parse('a+{}')]"),
    "queue_room": two("return [queue.Queue({})]"),
    "simple_queue": two("return [put(queue.SimpleQueue(), 0, {})]"),
    "barrier": two("return [threading.Barrier({})]", "2", "3"),
    "workers": two("return [concurrent.futures.ThreadPoolExecutor({})]"),
    "groups": two("return [itertools.groupby({})]", "[1, 1, 2]", "[1, 2, 2]"),
    "buffered": two("return [io.BufferedReader(io.BytesIO(b'{}'))]"),
    "reckoning": two("return [decimal.Context(prec={})]"),
    "many": two("return [[[i] for i in range(20_100)], iter([{}])]"),
}
OPEN = {
    "coroutine": two("return [later({})]"),
    "asynchronous": two("return [each({})]"),
    "target": two("return [weakref.ref(NODES[{}])]", "0", "1"),
    "result_of_future": two("return [future({})]"),
    "packer_bz": two("return [packed(b'{}', bz2.BZ2Compressor)]"),
    "packer_bz_as_it_is": (
        "return [packed(b'1', bz2.BZ2Compressor)]",
        "k = 0\nreturn [packed(b'1', bz2.BZ2Compressor)]",
    ),
}
SAME = {
    name: (f"return {one}", f"k = 0\nreturn {one}")
    for name, one in {
        "row_as_it_is": "[row(1)]",
        "sentinel": "[object()]",
        "lock": "[threading.Lock(), threading.RLock(), threading.Event()]",
        "pattern": "[re.compile('a'), re.match('a', 'a')]",
        "zone": "[Zone(), datetime.timezone.utc]",
        "coders": "[json.JSONDecoder(), json.JSONEncoder()]",
        "variable": "[HOLDER, contextvars.copy_context()]",
        "wrapped": "[functools.lru_cache(helper), property(helper), helper]",
        "types": "[int, My, types.SimpleNamespace(a=1), types.MappingProxyType({1: 2})]",
        "number": "[decimal.Decimal(1), decimal.Context(), random.Random(1)]",
        "coroutine_as_it_is": "[later(1), each(2)]",
        "queues": "[put(queue.SimpleQueue(), 1, 2), put(queue.Queue(3), 1)]",
        "trees": "[ast.parse('a+1'), itertools.groupby([1, 1, 2]), threading.Barrier(2)]",
        "pointer": "[ctypes.pointer(ctypes.c_int(3))]",
    }.items()
}


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_what_c_code_keeps_is_read_or_left_open(tmp_path):
    bodies = {**WRONG, **OPEN, **SAME}
    assert became(tmp_path, bodies, MORE) == {
        **only(Candidate.DIFFERS, WRONG),
        **only(Candidate.UNKNOWN, OPEN),
        **only(Candidate.SAME, SAME),
    }


@pytest.mark.parametrize("value", [[[i] for i in range(30)], {"a": [[[[]]]]}])
def test_that_there_is_more_than_is_looked_at_is_said(monkeypatch, value):
    monkeypatch.setattr(looks, "MAX_LOOKED", 20)
    monkeypatch.setattr(looks, "_MAX_DEPTH", 3)
    assert inside({"result": value}) == {"what is not compared of result": looks.LARGE}


class Slotted:
    __slots__ = ("__weakref__", "held")

    def __init__(self, held):
        self.held = held


def test_who_refers_to_an_object_weakly_is_nothing_of_its_own():
    some = [Slotted(lambda: 1), Slotted(lambda: 1)]
    kept = weakref.ref(some[0])
    found, other = (inside({"result": one}) for one in some)
    assert found.keys() == other.keys()
    assert not any("__weakref__" in path for path in found)
    assert any("held" in path for path in found)
    assert kept() is some[0]
