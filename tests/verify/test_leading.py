"""Which changes lead to what is set outside of a call: where the world has moved on, no run
tells what they do."""

import pytest

from leadline.trial.candidate import of_texts
from leadline.verify.leading import guards, led_to

FILE = "/srv/app.py"
FRAME = """
import re
from clock import now; from flask import jsonify
from store import sessions
SEEN = []

def f(a, b=None, self=None):
{body}

def clean(a):
    return a.strip()

def noted(line):
    db.execute('insert into t (a) values (?)', (line,))

def put_into(place, line):
    place.execute('insert into t (a) values (?)', (line,))

def kept_or(line):
    line = see(line) or line
    db.execute('insert into t (a) values (?)', (line,))

def state_of(order):
    return order.state or 'new'

def status(order):
    return 'paid'

class Sent:
    def __init__(self, key):
        SEEN.append(key)
"""


def told(old, new, others=None, ran=frozenset()):
    before, after = (FRAME.format(body=body) for body in (old, new))
    assert before != after
    return led_to([of_texts(FILE, before, after)], others or {}, ran, "app:f")


ROW = "    row = db.get(a)\n"
PAID = f"{ROW}    row.state = 'paid'\n    db.add(Audit(a))\n    db.commit()"
COUNTED = "    db.execute('update t set state = 1, n = n + 1 where id = ?', (a,))\n    return 1"
LOOP = "    jobs = db.query(a).all()\n    for job in jobs:\n        job.state = 1\n    return 1"
INSERT = "    db.execute('insert into t values (?)', {})"
MANY = "    db.executemany('insert into t values (?)', rows)"
TEXT = "    text = a.strip()\n"
FIXED = "    text = (a or '').strip()\n"
UNDONE = (
    "    try:\n        x = {}.strip()\n        db.execute('insert into t values (?)', (b,))\n"
    "    except ValueError:\n        {}\n        raise"
)
GOES_ON = "if b:\n            return 0"
LED = {
    "it is dropped": (PAID, PAID.replace("    row.state = 'paid'\n", "")),
    "it is another": (PAID, PAID.replace("= 'paid'", "= row.state or 'paid'")),
    "by a condition": (PAID, PAID.replace("'paid'", "'paid' if row.total else row.state")),
    "more is done": (PAID, PAID.replace("    db.add", "    db.expunge(row)\n    db.add")),
    "a part of a statement": (COUNTED, COUNTED.replace("state = 1, ", "")),
    "what is gone through": (LOOP, LOOP.replace("query(a)", "query(b)")),
    "how much of it": (LOOP, LOOP.replace("in jobs", "in jobs[:1]")),
    "what is made of what is there": (
        f"{ROW}    rows = [a]\n{MANY}",
        f"{ROW}    rows = [a] if row else []\n{MANY}",
    ),
    "what is called with something else": ("    return load(a), a", "    return load(b), a"),
    "what is called only at times": (
        "    return load(a), a", "    return load(a) if b else 0, a",
    ),
    "what is called below what it was above": (
        "    x = load(a)\n    if not see(b):\n        return 0\n    return x",
        "    if not see(b):\n        return 0\n    x = load(a)\n    return x",
    ),
    "in the other case": (
        "    if b:\n        x = load(a)\n    else:\n        y = 1\n    return a",
        "    if b:\n        y = 1\n    else:\n        x = load(a)\n    return a",
    ),
    "in another case": (
        "    if b:\n        x = load(a)\n    if a:\n        y = 1\n    return a",
        "    if b:\n        y = 1\n    if a:\n        x = load(a)\n    return a",
    ),
    "later than another": (
        "    x = load(a)\n    y = see(a)\n    return a",
        "    y = see(a)\n    x = load(a)\n    return a",
    ),
    "what a helper sets where it is": (
        "    x = order.state\n    noted('a')\n    if x:\n        return 1",
        "    x = order.state\n    if x:\n        return 1\n    noted('a')",
    ),
    "by a name that is a function's as well": (
        "    status = see(a)\n    if status:\n        return 1\n    noted('a')",
        "    noted('a')\n    status = see(a)\n    if status:\n        return 1",
    ),
    "what goes on all the same": (
        UNDONE.format("a", GOES_ON), UNDONE.format("(a or '')", GOES_ON),
    ),
    "a row that is called as a request is": (
        "    request = see(a)\n    text = request.note or 'a'\n    noted(text)\n    return a",
        "    request = see(a)\n    text = request.note or 'b'\n    noted(text)\n    return a",
    ),
    "a name that a pattern has set": (
        "    match see(b):\n        case {'n': x}: pass\n    text = x + 'a'\n    noted(text)",
        "    match see(b):\n        case {'n': x}: pass\n    text = x + 'b'\n    noted(text)",
    ),
    "what is called a response and is a row": (
        "    row = SurveyResponse(a)\n    row.state = row.state or 'a'\n    row.keep()",
        "    row = SurveyResponse(a)\n    row.state = row.state or 'b'\n    row.keep()",
    ),
    "what a guard in one expression may not call": (
        "    text = a[:9]\n    see(b) or noted(text)",
        "    text = a[:8]\n    see(b) or noted(text)",
    ),
    "what a helper makes of what is there": (
        "    text = a[:9]\n    noted(state_of(text))",
        "    text = a[:8]\n    noted(state_of(text))",
    ),
    "what a generator within gives out": (
        "    text = a[:9]\n    def parts(): yield text\n    for one in parts(): kept_or(one)",
        "    text = a[:8]\n    def parts(): yield text\n    for one in parts(): kept_or(one)",
    ),
    "what an exception carries": (
        "    try: raise Gone(a[:9])\n    except Gone as error: kept_or(error.args)",
        "    try: raise Gone(a[:8])\n    except Gone as error: kept_or(error.args)",
    ),
    "what waits in a module": (
        "    text = a[:9]\n    SEEN.append((b, text))\n    drain()",
        "    text = a[:8]\n    SEEN.append((b, text))\n    drain()",
    ),
    "where it is written, by what is there": (
        "    text = a[:9]\n    put_into(target(b), text)",
        "    text = a[:8]\n    put_into(target(b), text)",
    ),
    "what a helper writes if nothing is there": (
        "    text = a[:9]\n    kept_or(text)", "    text = a[:8]\n    kept_or(text)",
    ),
    "what is there, or a value": (
        f"{ROW}    text = a[:9]\n{INSERT.format('(row.n or text,)')}",
        f"{ROW}    text = a[:8]\n{INSERT.format('(row.n or text,)')}",
    ),
    "what is suppressed where it is entered": (
        "    text = a[:9]\n    with suppress(KeyError), see(b):\n        noted(text)",
        "    text = a[:8]\n    with suppress(KeyError), see(b):\n        noted(text)",
    ),
    "with what is changed": (
        "    row = see(a)\n    row.n = 1\n    return load(row), a",
        "    row = see(a)\n    row.n = 2\n    return load(row), b",
    ),
    "a value where nothing is yet": (
        f"{TEXT}    db.execute('insert or ignore into t values (?)', (text,))",
        f"{FIXED}    db.execute('insert or ignore into t values (?)', (text,))",
    ),
    "a value of a cache": (
        f"{TEXT}    cache.add('k', text)",
        f"{FIXED}    cache.add('k', text)",
    ),
    "a default of what is there": (
        f"{TEXT}    Row.objects.get_or_create(id=a, defaults=dict(text=text))",
        f"{FIXED}    Row.objects.get_or_create(id=a, defaults=dict(text=text))",
    ),
    "the text of a statement": (
        "    said = 'update t set a = 1'\n    db.execute(said)",
        "    said = 'update t set b = 1'\n    db.execute(said)",
    ),
    "whether more is reached": (
        f"{ROW}    if row.done:\n        return 0\n    row.n = 1",
        f"{ROW}    if row.done or row.gone:\n        return 0\n    row.n = 1",
    ),
    "a value beyond what may leave": (
        f"{TEXT}{ROW}    if row.done:\n        return 0\n    row.n = text",
        f"{FIXED}{ROW}    if row.done:\n        return 0\n    row.n = text",
    ),
    "what a list is filled with": (
        "    found = []\n    found.append(a)\n    for one in found:\n        one.n = 1",
        "    found = []\n    found.append(b)\n    for one in found:\n        one.n = 1",
    ),
    "what is tried": (
        f"{ROW}    try:\n        row.n = 1\n    except KeyError:\n        row.n = 2",
        f"{ROW}    try:\n        row.n = 1\n    except LookupError:\n        row.n = 2",
    ),
    "who makes it": (PAID, PAID.replace("db.add(Audit(a))", "Sent(a)")),
    "what is handed on": (
        "    SEEN.append(1)\n    return 1",
        "    SEEN.append(1)\n    return re.sub('a', Sent, a)",
    ),
}  # fmt: skip
NOT_LED = {
    "what is returned": (f"{TEXT}{PAID}\n    return text", f"{FIXED}{PAID}\n    return text"),
    "a value that is written": (
        f"{TEXT}    db.execute('insert into t (a) values (?)', (text,))",
        f"{FIXED}    db.execute('insert into t (a) values (?)', (text,))",
    ),
    "one that is reckoned on": (
        f"{TEXT}    n = len(text)\n    db.execute('update t set a = ? where b = 1', (n,))",
        f"{FIXED}    n = len(text)\n    db.execute('update t set a = ? where b = 1', (n,))",
    ),
    "an attribute": (f"{TEXT}{ROW}    row.n = text", f"{FIXED}{ROW}    row.n = text"),
    "and that it is saved": (
        f"{TEXT}{ROW}    row.n = text\n    row.save()",
        f"{FIXED}{ROW}    row.n = text\n    row.save()",
    ),
    "a new row": (
        f"{TEXT}    with db.begin() as s:\n        s.add(Note(text=text))\n        s.commit()",
        f"{FIXED}    with db.begin() as s:\n        s.add(Note(text=text))\n        s.commit()",
    ),
    "within the statement": (
        f"{INSERT.format('(10 // len(a),)')}",
        f"{INSERT.format('(10 // (len(a) or 1),)')}",
    ),
    "beyond what its arguments decide": (
        f"{TEXT}    if not b:\n        return 0\n{INSERT.format('[text]')}",
        f"{FIXED}    if not b:\n        return 0\n{INSERT.format('[text]')}",
    ),
    "by a function that only reckons": (
        f"    text = a\n{INSERT.format('(text,)')}",
        f"    text = clean(a)\n{INSERT.format('(text,)')}",
    ),
    "what is read": (f"{ROW}    return row.total / a", f"{ROW}    return row.total / (a or 1)"),
    "what is called beside it all the same": (
        "    return str(load(b)), a.strip()", "    return str(load(b)), (a or '').strip()",
    ),
    "and below a condition": (
        "    if b:\n        return load(b), a\n    return a",
        "    if b:\n        return load(b), a or ''\n    return a",
    ),
    "what is kept in a block that may undo it": (
        UNDONE.format("a", "db.rollback()"), UNDONE.format("(a or '')", "db.rollback()"),
    ),
    "a helper that adds a row": (
        "    text = a[:9]\n    noted(text)\n    row = load(b)",
        "    text = (a or '')[:9]\n    noted(text)\n    row = load(b)",
    ),
    "a response of the call's own": (
        "    response = jsonify(a)\n    response.headers['x'] = 'a'\n    return response",
        "    response = jsonify(a or '')\n    response.headers['x'] = 'a'\n    return response",
    ),
    "an object of the call's own": (
        "    found = {}\n    found[a] = 1\n    return found",
        "    found = {}\n    found[a] = 2\n    return found",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LED)
def test_it_leads_to(name):
    old, new = LED[name]
    assert told(old, new).startswith("app.py:")
    assert told(new, old).startswith("app.py:")


@pytest.mark.parametrize("name", NOT_LED)
def test_it_does_not_lead_to(name):
    old, new = NOT_LED[name]
    assert told(old, new) == ""
    assert told(new, old) == ""


def test_by_a_function_that_others_call():
    caller = "def pay(order):\n    order.state = {}(order)\n    return order.state\n"
    for name, is_led in (("state_of", True), ("clean", False)):
        old = FRAME.format(body="    return 1") + caller.format(name)
        new = old.replace("order.state or 'new'", "order.state or 'paid'")
        found = led_to([of_texts(FILE, old, new)], {}, frozenset())
        assert bool(found) is is_led, (name, found)


def test_of_other_files_what_has_run_counts():
    others = {"/srv/store.py": (
        "from app import state_of\n"
        "class Sessions:\n    def get(self, key):\n        return self.data.setdefault(key)\n"
        "def mark(order):\n    order.state = state_of(order)\n"
        "def unused(order):\n    order.state = state_of(order)\n"
    )}  # fmt: skip
    gets = "    s = sessions.get(a)\n    return 1", "    s = sessions.data.get(a)\n    return 1"
    ran = {(FILE, "f"), (FILE, "state_of")}
    assert told(*gets, others, ran) == ""
    assert told(*gets, others, ran | {("/srv/store.py", "Sessions.get")}) != ""
    old = FRAME.format(body="    return 1")
    changes = [of_texts(FILE, old, old.replace("order.state or", "order.kind or"))]
    assert led_to(changes, others, ran) == ""
    assert led_to(changes, others, ran | {("/srv/store.py", "mark")}) == "store.py:6"


IMPLICIT = """
import contextlib, functools
Gone = KeyError
class Item:
    def __init__(self, row):
        self.row = row
    def __bool__(self):
        return self.row.state == 'new'
    def ensure(self):
        if self.row.state == 'old':
            raise KeyError

@contextlib.contextmanager
def changes(row):
    values = {}
    yield values
    if row.new:
        db.execute('update t set a = ?', (values['a'],))

@functools.singledispatch
def is_open(row):
    return False

@is_open.register
def _(row: dict):
    return row['state'] == 'new'

RULES = [lambda row: row.new]

class Flow:
    steps = []
    def __init_subclass__(cls, after):
        Flow.steps.append(after)

class Pay(Flow, after='open'):
    @property
    def paid(self):
        return self.state == 'paid'

    @paid.setter
    def paid(self, value):
        if self.state == 'new':
            self.state = 'paid' if value else 'open'

@listens_for(Order.total, 'set')
def capped(target, value, old, initiator):
    return value if target.state == 'new' else old

def f(a):
    row = db.get(a)
    db.add(Audit(a))
    BODY
"""
RAISED = ("state == 'old'", "state == 'gone'")
BEHIND = {
    "an operator": (
        "row.state == 'new'",
        "row.kind == 'new'",
        "if Item(row):\n        row.n = 1",
    ),
    "what is raised": (
        *RAISED,
        "try:\n        Item(row).ensure()\n    except KeyError:\n        return\n    row.n = 1",
    ),
    "what is not raised": (
        *RAISED,
        "try:\n        Item(row).ensure()\n    except Gone: 0\n    else:\n        row.n = 1",
    ),
    "what is suppressed": (
        *RAISED,
        "with contextlib.suppress(KeyError):\n        Item(row).ensure()\n        row.n = 1",
    ),
    "what a class is given": ("after='open'", "after='new'", "row.n = Flow.steps[0]"),
    "a setter of its own": ("row.paid = True", "row.paid = False", "row.paid = True"),
    "what ends a with": (
        "['a'] = 1",
        "['a'] = 2",
        "with changes(row) as values:\n        values['a'] = 1",
    ),
    "one of several": (
        "row['state'] ==",
        "row['kind'] ==",
        "if is_open(row):\n        row.n = 1",
    ),
    "a table of functions": (
        "row: row.new",
        "row: row.old",
        "if RULES[0](row):\n        row.n = 1",
    ),
    "a listener": ("target.state ==", "target.kind ==", "row.total = 1"),
    "what a listener hears of": ("total = 1", "total = 2", "row.total = 1"),
}


@pytest.mark.parametrize("name", BEHIND)
def test_behind_what_no_text_names(name):
    before, after, body = BEHIND[name]
    old = IMPLICIT.replace("BODY", body)
    changes = [of_texts(FILE, old, old.replace(before, after))]
    assert old.count(before) == 1
    ran = {(FILE, one) for one in ("f", "capped", "changes")}
    ran |= {(FILE, f"Item.{one}") for one in ("__init__", "__bool__", "ensure")}
    assert led_to(changes, {}, ran, "app:f") != ""


@pytest.mark.parametrize(
    ("guard", "reached", "is_idle"),
    [
        ("    if a is None:\n        return 0\n", (9,), True),
        ("    if a is None:\n        raise ValueError(b)\n", (9,), True),
        ("    if a is None:\n        return 0\n", (9, 10), False),
        ("    if SEEN:\n        return 0\n", (9,), False),
        ("    if a is None:\n        SEEN.append(b)\n        return 0\n", (9,), False),
    ],
)
def test_a_way_out_that_no_good_call_takes(guard, reached, is_idle):
    old, new = (
        FRAME.format(body=f"{one}{PAID}") for one in ("    b = 1\n", f"    b = 1\n{guard}")
    )
    change = of_texts(FILE, old, new)
    assert new.splitlines()[8].strip().startswith("if")
    idle = guards(change, "app:f", reached)
    assert idle == (frozenset((9, 10)) if is_idle else frozenset())
    assert (led_to([change], {}, set(), "app:f", {FILE: idle}) == "") is is_idle
    assert guards(change, "app:clean", reached) == frozenset()


def test_a_local_name_is_no_function():
    old = FRAME.format(body="    f = db.get(a)\n    f.n = 1\n    return a.strip()")
    change = of_texts(FILE, old, old.replace("return a.strip()", "return (a or '').strip()"))
    assert led_to([change], {}, set(), "app:f") == ""


def test_what_has_not_run_does_not_count():
    old, new = LED["it is dropped"]
    assert told(old, new, {}, {(FILE, "clean")}) == ""


EACH_TIME = "    db.execute('insert into t values (?)', (text,))"
OF_BOOKING = """
class Booking:
    @property
    def note(self):
        return db.execute('select note from b').fetchone()
"""


@pytest.mark.parametrize(
    ("also", "leads"),
    [
        ("clean", False),
        ("Guarded.__init__", False),
        ("Guarded.execute", True),
        ("execute", True),
        ("Guarded.__exit__", True),
        ("Booking.__bool__", True),
    ],
)
def test_what_is_the_services_own_is_not_taken_for_a_connection(also, leads):
    ran = {(FILE, "f"), ("/srv/other.py", also)}
    assert bool(told(TEXT + EACH_TIME, FIXED + EACH_TIME, ran=ran)) is leads


@pytest.mark.parametrize("name", ["note", "other"])
def test_what_a_property_tells_is_no_parameter(name):
    guarded = f"    if b.{name} is None:\n    {EACH_TIME}\n    return 1"
    others = {"/srv/other.py": OF_BOOKING}
    ran = {(FILE, "f"), ("/srv/other.py", "Booking.note")}
    found = told(TEXT + guarded, FIXED + guarded, others, ran)
    assert bool(found) is (name == "note")


SAVING = """
@contextlib.contextmanager
def saving(db):
    box = Box()
    yield box
    {}
"""


@pytest.mark.parametrize(
    "end", ["if box.text: db.execute('insert into t values (1)')", "db.commit()"]
)
def test_what_a_context_manager_decides_when_its_block_is_over(end):
    others = {"/srv/other.py": SAVING.format(end)}
    ran = {(FILE, "f"), ("/srv/other.py", "saving")}
    found = told(TEXT + EACH_TIME, FIXED + EACH_TIME, others, ran)
    assert bool(found) is end.startswith("if")
