"""What the old code may have left in a process lives on in a twin: where no call comes by what
would leave it otherwise, a candidate is not known to be right."""

import os
import sys

import pytest
from loaded import loaded
from test_bygone import changed, imported  # noqa: F401 - a fixture

from leadline.trial import applying
from leadline.trial.left import told
from leadline.trial.outcome import Outcome
from leadline.trial.place import Ran
from leadline.trial.running import Rerun
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared
from leadline.verify.left import left_behind
from leadline.verify.verdict import Candidate, Case, Control


def followed(function):
    """Call a function; return the functions of its file that were called, and the lines."""
    file = function.__code__.co_filename
    called, lines = set(), set()

    def trace(frame, event, _):
        if frame.f_code.co_filename != file:
            return None
        called.add((os.path.realpath(file), frame.f_code.co_qualname.partition(".<locals>")[0]))
        if event == "line":
            lines.add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return frozenset(called), {os.path.realpath(file): lines}


def said_of(made):
    """Call `f` with the old code and with the new; return what there is to say against it."""
    module = sys.modules["lived"]
    planned = applying.planned(made, loaded(), ("lived", "f"))
    runs = []
    for is_new in (False, True):
        if is_new:
            applying.apply(made, loaded(), planned)
        found = told(planned.left, *followed(module.f), is_new=is_new)
        runs.append(Ran(1, Rerun(Outcome(True)), left=found[0], met=found[1]))
    case = Case(False, Control.AGREES, True, Candidate.SAME)
    return left_behind([Compared(CapturedCall(1, {}, Outcome(True), False), case, *runs)])


CLIENT = "class Client:\n    def __init__(self):\n        self.url = None\n    def connect(self):\n        self.url = 'a'\nCLIENT = Client()\n"
START = "def start():\n    f()\n"

LEFT = {
    "a client": (CLIENT + "def f():\n    if CLIENT.url is None:\n        CLIENT.connect()\n    return CLIENT.url\n" + START, "'a'", "'b'", ":5: Client.connect may have left .url before"),
    "a client of another function": (CLIENT + "def get():\n    if CLIENT.url is None:\n        CLIENT.connect()\n    return CLIENT\ndef f():\n    return get().url\n" + START, "'a'", "'b'", ":5: Client.connect"),
    "a line of the entry": ("S = {}\ndef f():\n    n = 1\n    if 'a' not in S:\n        S['a'] = 2\n    return S['a']\n" + START, "= 2", "= 3", ":5: f may have left S before"),
    "a variable on the way": ("S = {}\ndef f():\n    if 'a' not in S:\n        v = 2\n        S.update(a=v)\n    return S['a']\n" + START, "= 2", "= 3", ":4: f may have left S before"),
    "a line that comes": ("S = {}\ndef f(n=0):\n    if n:\n        S['a'] = 2\n    return S.get('a')\ndef start():\n    f(1)\n", "        S['a'] = 2\n", "        S['a'] = 2\n        S['b'] = 3\n", ":5: f may have left S before"),
    "a line that goes": ("S = {}\ndef f(n=0):\n    if n:\n        S['a'] = 2\n        S['b'] = 2\n    return S.get('b')\ndef start():\n    f(1)\n", "        S['b'] = 2\n", "", ":5: f may have left S before"),
    "a table": ("S = {}\ndef rate():\n    return 2\ndef f():\n    if 'a' not in S:\n        S['a'] = rate()\n    return S['a']\n" + START, "return 2", "return 3", ":4: f may have left S before, by what rate came to"),
    "a table of a helper's helper": ("S = {}\ndef one():\n    return 2\ndef rate():\n    return one()\ndef put(v):\n    S['a'] = v\ndef f():\n    if not S:\n        put(rate())\n    return S['a']\n" + START, "return 2", "return 3", ":8: f may have left S before, by what one came to"),
    "a constant": ("S = {}\nRATE = 2\ndef fill():\n    S['a'] = RATE\ndef f():\n    if not S:\n        fill()\n    return S['a']\n" + START, "RATE = 2", "RATE = 3", ":3: fill may have left S before, by what RATE came to"),
    "a condition": ("S = []\ndef is_good():\n    return True\ndef f(n=0):\n    if n and is_good():\n        S.append(1)\n    return len(S)\ndef start():\n    f(1)\n", "return True", "return False", ":4: f may have left S before"),
    "what a text names": ("S = {}\ndef put():\n    S['a'] = 2\ndef f(name=''):\n    if name:\n        globals()[name]()\n    return S['a']\ndef start():\n    f('put')\n", "= 2", "= 3", ":3: put may have left S before"),
    "what it asks for by a text": (CLIENT + "def f():\n    if CLIENT.url is None:\n        CLIENT.connect()\n    return getattr(CLIENT, 'url')\n" + START, "'a'", "'b'", ":5: Client.connect"),
    "a cached property": ("import functools\ndef base():\n    return 2\nclass K:\n    @functools.cached_property\n    def rate(self):\n        return base()\nONE = K()\ndef f():\n    return ONE.rate\n" + START, "return 2", "return 3", ": K.rate may have left .rate before, by what base came to"),
    "another name of a table": ("S = {}\ndef rate():\n    return 2\ndef f():\n    known = S\n    if 'a' not in known:\n        known['a'] = rate()\n    return S['a']\n" + START, "return 2", "return 3", ":4: f may have left S before, by what rate came to"),
    "a table that is given on": ("S = {}\ndef rate():\n    return 2\ndef put(table, v):\n    table['a'] = v\ndef f():\n    if not S:\n        put(S, v=rate())\n    return S['a']\n" + START, "return 2", "return 3", ":6: f may have left S before, by what rate came to"),
    "an object of a class below": (CLIENT + "class More(Client):\n    def say(self):\n        return self.url\nMORE = More()\ndef f(n=0):\n    if n:\n        MORE.connect()\n    return MORE.say()\ndef start():\n    f(1)\n", "'a'", "'b'", ":5: Client.connect"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "said"), LEFT.values(), ids=LEFT)
def test_what_lives_on_and_no_call_makes_anew_is_said(imported, text, old, new, said):  # noqa: F811
    imported({"lived": text})
    sys.modules["lived"].start()
    found = said_of(changed("lived", old, new))
    assert said in found
    assert found.endswith("; no call has reached that, and what lives on was read")


FINE = {
    "a variable of its own": ("S = {'a': 1}\ndef f(n=0):\n    v = 1\n    if n:\n        v = 2\n    return S['a'] + v\ndef start():\n    pass\n", "v = 2", "v = 3"),
    "a list of its own": ("S = {'a': 1}\ndef f(n=0):\n    v = []\n    if n:\n        v.append(2)\n    return S['a'], v\ndef start():\n    pass\n", "append(2)", "append(3)"),
    "a result": ("S = {'a': 1}\ndef f(n=0):\n    if n:\n        return 2\n    return S['a']\ndef start():\n    pass\n", "return 2", "return 3"),
    "an error": ("S = {'a': 1}\ndef f(n=0):\n    if n:\n        raise ValueError(2)\n    return S['a']\ndef start():\n    pass\n", "ValueError(2)", "ValueError(3)"),
    "what is logged": ("import logging\nLOG = logging.getLogger('a')\ndef f(n=0):\n    if n:\n        LOG.info('two')\n    LOG.debug('')\ndef start():\n    pass\n", "'two'", "'three'"),
    "a helper that keeps nothing": ("S = {'a': 1}\ndef rate():\n    return 2\ndef f(n=0):\n    return rate() if n else S['a']\ndef start():\n    pass\n", "return 2", "return 3"),
    "what the call has reached": ("S = {}\ndef rate():\n    return 2\ndef f():\n    S['a'] = rate()\n    return S['a']\n" + START, "return 2", "return 3"),
    "what nobody reads": ("S = {}\nT = {'a': 1}\ndef f(n=0):\n    if n:\n        S['a'] = 2\n    return T['a']\ndef start():\n    f(1)\n", "= 2", "= 3"),
    "objects that every call makes": ("class P:\n    def set(self):\n        self.v = 2\n    def get(self):\n        return self.v if hasattr(self, 'v') else 0\ndef f(n=0):\n    p = P()\n    if n:\n        p.set()\n    return p.get()\ndef start():\n    f(1)\n", "v = 2", "v = 3"),
    "another class": (CLIENT + "class Other:\n    def __init__(self):\n        self.url = 1\n    def say(self):\n        return self.url\nO = Other()\ndef f(n=0):\n    if n:\n        CLIENT.connect()\n    return O.say()\ndef start():\n    f(1)\n", "'a'", "'b'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new"), FINE.values(), ids=FINE)
def test_nothing_is_said_of_what_leaves_nothing(imported, text, old, new):  # noqa: F811
    imported({"lived": text})
    sys.modules["lived"].start()
    assert said_of(changed("lived", old, new)) == ""
