"""What a call changes in the state of the service, wherever that lies: cells of closures,
nested classes, objects behind methods, generators, iterators, and what is large."""

import contextvars
import sys
import types

import pytest

from leadline.agent.place import changes
from leadline.agent.place.globals import Globals
from leadline.trial.withheld import times_touched, withheld
from leadline.verify.verdict import Candidate
from verify.test_verdict_second_eyes import became, only

STATE = """
import uuid

def make_counter():
    total = 0
    def bump(k):
        nonlocal total
        total += k
    return bump

bump = make_counter()

def memo(function):
    cache = {}
    @functools.wraps(function)
    def remembered(*given):
        if given not in cache:
            cache[given] = function(*given)
        return cache[given]
    return remembered

@memo
def looked(k):
    return k * 2

class Outer:
    class Inner:
        count = 0
        seen = []

class Handler:
    def __init__(self):
        self.seen = []
    def handle(self, n):
        self.seen.append(n)

def numbers():
    k = 0
    while True:
        k += 1
        yield k

def silent():
    while True:
        yield

class Store:
    def __init__(self):
        self.rows = {i: "x" * 60 for i in range(5_000)}
        self.last = None

class Sub(dict):
    pass

class Slotted:
    __slots__ = ("a",)

handle = Handler().handle
GENERATOR = numbers()
SILENT = silent()
REGISTRY = {"plug": type("Plug", (), {"hits": 0})}
TABLE = {i: i for i in range(6_000)}
ROWS = [{"i": i, "text": "x" * 40} for i in range(6_000)]
TREE = {}
STORE = Store()
FUNCTIONS = {"a": lambda y: y}
RECENT = collections.deque(({"i": i} for i in range(300)), maxlen=300)
BUFFER, BYTES, DIGEST = io.StringIO(), io.BytesIO(), hashlib.sha256()
ITERATOR, OTHERS = iter(range(1_000)), iter([{"a": i} for i in range(9)])
ERROR, SUB, SLOTTED = Exception(), Sub(), Slotted()
PART = functools.partial(list.append, [])
SESSIONS, USED = {}, set()
TARGET = {}
__stats = {}
log = logging.getLogger("of the service")
""" + "\n".join(f"TEXT_{i} = 'p' * 150_000\n" for i in range(14))
STATE += """
import ast, enum, queue
class Level(enum.Enum):
    LOW = 1
JOBS, SYNTAX = queue.SimpleQueue(), ast.parse("")
WORKERS = []
"""
STATE += "\n".join(f"C_{i} = {i}" for i in range(2_100)) + "\nLAST = {}\n"
WALK = "t = TREE\nfor c in 'internationalize': t = t.setdefault(c, {})\n"
CHANGED = {
    "closure": ("bump(1)", "bump(2)"),
    "decorated": ("looked(1)", "looked(1); looked(2)"),
    "nested": ("Outer.Inner.count = 1", "Outer.Inner.count = 2"),
    "nested_list": ("pass", "Outer.Inner.seen.append(1)"),
    "registered": ("REGISTRY['plug'].hits = 1", "REGISTRY['plug'].hits = 2"),
    "registered_new": (
        "REGISTRY['q'] = type('Q', (), {'hits': 1})",
        "REGISTRY['q'] = type('Q', (), {'hits': 2})",
    ),
    "bound": ("handle(1)", "handle(2)"),
    "generator": ("next(GENERATOR)", "next(GENERATOR); next(GENERATOR)"),
    "underscored": ("globals()['__stats']['n'] = 1", "globals()['__stats']['n'] = 2"),
    "large": ("TABLE[5_500] = 1", "TABLE[5_500] = 2"),
    "large_rows": ("ROWS[5_500]['i'] = 1", "ROWS[5_500]['i'] = 2"),
    "large_order": ("TABLE['a'] = TABLE['b'] = 1", "TABLE['b'] = TABLE['a'] = 1"),
    "deep": (f"{WALK}t['$'] = 1", f"{WALK}t['$'] = 2"),
    "object": ("STORE.last = 1", "STORE.last = 2"),
    "object_rows": ("STORE.rows[4_999] = 1", "STORE.rows[4_999] = 2"),
    "jobs": ("JOBS.put(1)", "JOBS.put(2)"),
    "syntax": (
        "SYNTAX.body.append(ast.Constant(1))",
        "SYNTAX.body.append(ast.Constant(2))",
    ),
    "member_of_an_enum": ("Level.LOW.seen = 1", "Level.LOW.seen = 2"),
    "thread": (
        "WORKERS.append(threading.Thread(target=print, args=(1,)))",
        "WORKERS.append(threading.Thread(target=print, args=(2,)))",
    ),
    "object_anew": ("STORE.__dict__ = {'last': 1}", "STORE.__dict__ = {'last': 2}"),
    "moved": ("RECENT.append({'i': 1})", "RECENT.append({'i': 2})"),
    "cell_of_function": (
        "FUNCTIONS['a'] = (lambda k: lambda y: y + k)(1)",
        "FUNCTIONS['a'] = (lambda k: lambda y: y + k)(2)",
    ),
    "written": ("BUFFER.write('a')", "BUFFER.write('b')"),
    "bytes": ("BYTES.write(b'a')", "BYTES.write(b'b')"),
    "written_at_a_time": (
        "BUFFER.write(f'{time.time()} a 1')",
        "BUFFER.write(f'{time.time()} a 2')",
    ),
    "deep_at_a_time": (
        "LAST['x'] = {'at': time.time(), 'of': [[[[[[[[[[[[[1]]]]]]]]]]]]]}",
        "LAST['x'] = {'at': time.time(), 'of': [[[[[[[[[[[[[2]]]]]]]]]]]]]}",
    ),
    "digest": ("DIGEST.update(b'a')", "DIGEST.update(b'b')"),
    "iterator": ("next(ITERATOR)", "next(ITERATOR); next(ITERATOR)"),
    "others": ("next(OTHERS)", "next(OTHERS); next(OTHERS)"),
    "noted": ("ERROR.add_note('a')", "ERROR.add_note('b')"),
    "subclass": ("SUB.x = 1", "SUB.x = 2"),
    "slot": ("SLOTTED.a = 1", "SLOTTED.a = 2"),
    "partial": ("PART(1)", "PART(2)"),
    "key_of_same": ("TARGET['a'] = LAST", "TARGET['b'] = LAST"),
    "after_many": ("LAST['x'] = 1", "LAST['x'] = 2"),
    "session": ("SESSIONS[uuid.uuid4().hex] = 1", "SESSIONS[uuid.uuid4().hex] = 2"),
    "method": ("pass", "Handler.handle = print"),
}
OPEN = {
    "large_at_a_time": (
        "LAST['x'] = [time.time(), *['x' * 60] * 5_000, 1]",
        "LAST['x'] = [time.time(), *['x' * 60] * 5_000, 2]",
    ),
    "code": ("FUNCTIONS['a'] = lambda y: y + 1", "FUNCTIONS['a'] = lambda y: y + 2"),
    "place": ("next(SILENT)", "pass"),
}
SAME = {
    "put_anew": ("global LAST\nLAST = {**LAST, 'x': 1}", "LAST['x'] = 1"),
    "table_anew": ("TABLE[1] = 7", "global TABLE\nTABLE = {**TABLE, 1: 7}"),
    "rows_anew": (
        "ROWS[7]['i'] = 1",
        "global ROWS\nROWS = list(map(dict, ROWS)); ROWS[7]['i'] = 1",
    ),
    "moved_anew": (
        "RECENT.append({'i': 1})",
        "global RECENT\nRECENT = collections.deque([*list(RECENT)[1:], {'i': 1}], maxlen=300)",
    ),
    "sessions": ("SESSIONS[uuid.uuid4().hex] = 1", "k = 0\nSESSIONS[uuid.uuid4().hex] = 1"),
    "used": ("USED.add(uuid.uuid4().hex)", "k = 0\nUSED.add(uuid.uuid4().hex)"),
    "logged": ("return x", "log.debug('a')\nreturn x"),
    "same_function": ("FUNCTIONS['a'] = lambda y: x", "k = 0\nFUNCTIONS['a'] = lambda y: x"),
    "only_read": ("return TABLE[0]", "k = ROWS[0]\nreturn TABLE[0]"),
}


@pytest.mark.soak
def test_whatever_holds_it_is_compared(tmp_path):
    bodies = {**CHANGED, **OPEN, **SAME}
    assert became(tmp_path, bodies, STATE) == {
        **only(Candidate.DIFFERS, CHANGED),
        **only(Candidate.UNKNOWN, OPEN),
        **only(Candidate.SAME, SAME),
    }


def looked_at(monkeypatch, text):
    """Return a module of that text and the look at its state."""
    module = types.ModuleType("state_of_one")
    module.__file__ = "/state_of_one.py"
    exec(text, vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module, Globals(lambda file: file == module.__file__, {})


def test_what_is_told_is_the_item_and_not_the_table(monkeypatch):
    module, state = looked_at(monkeypatch, "ROWS = [{'i': i} for i in range(20_000)]\n")
    assert state.changed() == {}
    module.ROWS[17_000]["i"] = 1
    module.ROWS.append(2)
    said = {"state_of_one:ROWS[17000]['i']": 1, "state_of_one:ROWS[20000]": 2}
    assert state.changed() == said
    state.renew()
    assert state.changed() == {}
    module.ROWS[0]["j"] = 3
    assert state.changed() == {"state_of_one:ROWS[0]['j']": 3}


def test_what_a_call_is_made_in_is_no_change(monkeypatch):
    _, state = looked_at(monkeypatch, "ROWS = []\n")
    user, other = contextvars.ContextVar("user"), contextvars.ContextVar("user")
    tokens = user.set(["ada"]), other.set(1)
    monkeypatch.setenv("STATE_OF_ONE", "1")
    state.begin()
    assert state.changed() == {}
    user.get().append("bob")
    assert set(state.changed()) == {"contextvars.user"}
    for variable, token in zip((user, other), tokens, strict=True):
        variable.reset(token)


def test_what_stands_for_what_was_not_kept_is_told_and_not_touched(monkeypatch):
    """Where an object that a module holds was made again, with less in it."""
    module, state = looked_at(monkeypatch, "class Of: pass\nHELD = Of()\nHELD.it = [Of(), 1]\n")
    module.HELD.it[0] = module.HELD.more = withheld("held.it[0]", "", "Of")
    before = times_touched()
    told = state.changed()
    assert set(told) == {"state_of_one:HELD!.it[0]", "state_of_one:HELD.more"}
    assert all(one["omitted"] for one in told.values())
    assert times_touched() == before


def test_what_large_new_objects_lead_to_and_was_there_is_told_by_where_it_is(monkeypatch):
    """As the middleware of a web application leads back to all of the application."""
    module, state = looked_at(
        monkeypatch,
        "class Of: pass\nAPP, OTHER = Of(), Of()\n"
        "APP.rows = OTHER.rows = [[i] * 20 for i in range(20_000)]\n",
    )
    module.APP.layer = layer = module.Of()
    layer.app = module.APP
    told = state.changed()
    where = "state_of_one:APP.layer.app"
    assert told[where] == "a Of that was there"
    assert told[f"the place of {where}"] == "state_of_one:APP"
    assert len(told) == 3, list(told)
    layer.app = module.OTHER
    assert state.changed()[f"the place of {where}"] == "state_of_one:OTHER"


def test_what_is_too_large_is_said(monkeypatch):
    monkeypatch.setattr(changes, "MAX_TOLD", 50)
    module, state = looked_at(monkeypatch, "ROWS = {}\n")
    module.ROWS.update((i, {object()}) for i in range(100))
    assert any(name.startswith("what is not compared of") for name in state.changed())


AROUND = {
    "mask": "os.umask(0)",
    "handled": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "waits": "socket.setdefaulttimeout(0.001)",
    "spoken": "locale.setlocale(locale.LC_ALL, 'C.UTF-8')",
    "quiet": "logging.disable(logging.CRITICAL)",
    "told": "logging.getLogger('it').addHandler(logging.NullHandler())",
    "silent": "sys.stdout = io.StringIO()",
    "hooked": "sys.excepthook = print",
    "late": "atexit.register(print)",
    "shadowed": "import builtins\nbuiltins.ascii = repr",
    "zoned": "os.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()",
    "swept": "gc.disable()",
    "found": "sys.meta_path.insert(0, None)",
    "short": "sys.tracebacklimit = 3",
    "long": "sys.set_int_max_str_digits(0)",
    "wide": "csv.field_size_limit(10)",
    "of_threads": "threading.excepthook = print",
    "level": "logging.addLevelName(5, 'FIVE')",
    "kept_out": "logging.getLogger('it').addFilter(print)",
    "alone": "logging.getLogger('it').propagate = False",
}
REDEFINED = {
    "code": "helper.__code__ = (lambda x: x + 1).__code__",
    "bases": "Derived.__bases__ = (Other,)",
    "equal": "setattr(Derived, '__eq__', lambda one, other: True)",
    "virtual": "Abstract.register(Other)",
    "renamed": "helper.__name__ = 'other'",
}
DEFINED = """
class Base: pass
class Other: pass
class Derived(Base): pass
class Abstract(abc.ABC): pass
"""


PROXY = """
class Lazy:
    @property
    def __class__(self):
        raise RuntimeError("asked")
    def __getattr__(self, name):
        raise RuntimeError("asked")
    def __eq__(self, other):
        raise RuntimeError("asked")
class Named(type):
    def __getattribute__(cls, name):
        raise RuntimeError("asked")
class Holder(metaclass=Named):
    lazy, inner = Lazy(), property(lambda self: 1)
lazy = Lazy()
def plain(): return 1
"""


def test_no_definition_is_asked_anything(monkeypatch):
    module, state = looked_at(monkeypatch, PROXY)
    module.plain.__code__ = (lambda: 2).__code__
    assert state.changed() == {
        "the definition of state_of_one:plain (__code__)": "the code of "
        "test_no_definition_is_asked_anything.<locals>.<lambda>"
    }


def test_what_a_call_makes_of_definitions_is_seen(tmp_path):
    bodies = {name: ("return 1", f"{line}\nreturn 1") for name, line in REDEFINED.items()}
    bodies["as_before"] = (
        "return 1",
        "setattr(Derived, '__hash__', None)\ndel Derived.__hash__\nreturn 1",
    )
    assert became(tmp_path, bodies, DEFINED) == {
        **only(Candidate.UNKNOWN, REDEFINED), "as_before": Candidate.SAME
    }  # fmt: skip


def test_what_a_process_has_one_of_is_compared(tmp_path):
    """Each of them can be set by one line of a candidate, and is met by all that follows."""
    more = "import atexit, csv, gc, io, locale, os, signal, socket, sys, time\n"
    bodies = {name: ("return 1", f"{line}\nreturn 1") for name, line in AROUND.items()}
    bodies["as_before"] = (
        "return 1",
        "kept, sys.stdout = sys.stdout, io.StringIO()\nprint(1)\nsys.stdout = kept\nreturn 1",
    )
    assert became(tmp_path, bodies, more) == {
        **only(Candidate.DIFFERS, AROUND), "as_before": Candidate.SAME
    }  # fmt: skip


@pytest.mark.soak
def test_a_table_of_a_library_that_a_module_holds_is_compared(tmp_path):
    bodies = {"frame": ("FRAME.loc[0, 'a'] = 1", "FRAME.loc[0, 'a'] = 2")}
    more = "import pandas\nFRAME = pandas.DataFrame({'a': [0]})\n"
    assert became(tmp_path, bodies, more) == only(Candidate.DIFFERS, bodies)
