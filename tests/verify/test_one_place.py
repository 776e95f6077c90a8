"""One fresh place, asked for calls of several sorts: it is set up, and has their context."""

import io
import os
import signal
import ssl
import sys
import time
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType

import pytest
from benchmarks.verify.calling import home, imported

from leadline.agent.capture.environment import environment
from leadline.agent.capture.keeping import Landmarks, keep
from leadline.agent.place.entry import find_entry
from leadline.trial.candidate import make, of_texts
from leadline.trial.outcome import Outcome
from leadline.trial.place import Begin, Order, Ran
from leadline.trial.running import Rerun
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import compare_runs
from leadline.verify.places import Place, order_of
from leadline.verify.verdict import Candidate, Control
from leadline.verify.verifying import Request, verify
from leadline.wire.errors import UnavailableError
from leadline.wire.kept import Kept
from leadline.wire.struct import replace
from leadline.wire.value import Value

SETTINGS = """\
import os
os.environ["SHOP_IS_SET_UP"] = "yes"
"""
SHOP = """\
import contextvars
import os
import tempfile

FOLDER = tempfile.gettempdir()

assert os.environ.get("SHOP_IS_SET_UP") == "yes", "import settings first"
user = contextvars.ContextVar("user")

def greet(word):
    return f"{word}, {user.get()}"

def count(upto):
    try:
        for number in range(upto):
            yield number
    finally:
        upto = "closed"

def use(connection):
    return connection is None or connection.name
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (tmp_path / "settings_of_it.py").write_text(SETTINGS, "utf-8")
    (tmp_path / "shop_of_it.py").write_text(SHOP, "utf-8")
    monkeypatch.setenv("SHOP_IS_SET_UP", "yes")
    with imported(tmp_path, "shop_of_it") as (module,):
        monkeypatch.delenv("SHOP_IS_SET_UP")
        yield module


def ran_in_a_place(folder: Path, entry: str, kept: Kept) -> Ran:
    """Run one call in a place of its own."""
    place_of = home(folder)
    begin = Begin(path=place_of.path, cwd=place_of.cwd, entry=entry, salt="x")
    place = Place(begin, sys.executable, "1")
    try:
        assert place.ready().ok
        return place.run(Order(1, kept.document or {}))
    finally:
        place.close()


def test_calls_of_several_sorts_in_one_place(shop: ModuleType, tmp_path: Path) -> None:
    place_of = home(tmp_path)
    begin = Begin(path=place_of.path, cwd=place_of.cwd, entry="shop_of_it:greet", salt="x")
    unset = Place(begin, sys.executable, "1")
    place = Place(replace(begin, first=["settings_of_it"]), sys.executable, "1")
    mistyped = Place(replace(begin, first=["settigns_of_it"]), sys.executable, "1")
    try:
        assert "import settings first" in unset.ready().reason
        assert mistyped.ready().reason.startswith(
            "settigns_of_it cannot be imported in a sealed"
        )
        ready = place.ready()
        assert ready.ok, ready.reason

        variable: ContextVar[str] = shop.user
        variable.set("Ada")
        landmarks = Landmarks.of(["shop_of_it"])
        greeted = keep([("word", "Hello")], landmarks=landmarks, leaves_out=True)
        ran = place.run(Order(1, greeted.document or {}))
        assert ran.rerun.outcome is not None, ran.rerun.cut
        assert ran.rerun.outcome.value == "Hello, Ada"

        counted = keep([("upto", 9)])
        closed = Outcome(False, {"type": "GeneratorExit"}, {}, [0, 1])
        order = order_of(CapturedCall(2, counted.document, closed))
        ran = place.run(replace(order, entry="count"))
        outcome = ran.rerun.outcome
        assert outcome is not None, ran.rerun.cut
        assert (outcome.returned, outcome.yields) == (False, [0, 1])
        assert outcome.arguments == {"upto": "closed"}

        lock = keep([("connection", (n for n in ()))], leaves_out=True)
        ran = place.run(replace(Order(3, lock.document or {}), entry="use"))
        said = "connection is a generator that lives in its process, and the code looked at it"
        assert ran.rerun.cut == said
        ran = place.run(replace(Order(4, lock.document or {}), entry="nothing"))
        assert "has no function nothing" in ran.rerun.cut
    finally:
        unset.close()
        mistyped.close()
        place.close()


LAZY = """\
class Box:
    def __init__(self, secret, names):
        self.password = secret
        self.names = names

    def __iter__(self):
        return iter(self.names)

def lazily(box):
    return (name + box.password for name in box.names)

def plainly(box):
    return len(box.names)
"""


def test_what_is_withheld_is_not_touched_by_our_own_look(tmp_path: Path) -> None:
    (tmp_path / "lazy_of_it.py").write_text(LAZY, "utf-8")
    with imported(tmp_path, "lazy_of_it") as (module,):
        kept = keep([("box", module.Box("s3cret", ["pen"]))], leaves_out=True)
    place_of = home(tmp_path)
    begin = Begin(path=place_of.path, cwd=place_of.cwd, entry="lazy_of_it:plainly", salt="x")
    place = Place(begin, sys.executable, "1")
    try:
        assert place.ready().ok
        plain = place.run(Order(1, kept.document or {}))
        lazy = place.run(Order(2, kept.document or {}, entry="lazily"))
    finally:
        place.close()
    assert plain.rerun.outcome is not None, plain.rerun.cut
    assert plain.rerun.outcome.value == 1
    assert lazy.rerun.outcome is not None, lazy.rerun.cut
    call = CapturedCall(2, kept.document, lazy.rerun.outcome)
    case = compare_runs(call, lazy, lazy, lazy).case
    assert case.control is Control.AGREES
    assert case.candidate is Candidate.UNKNOWN
    assert "what result would give out" in case.reason


WRAPPED = """\
import functools

def also(other):
    def decorate(function):
        @functools.wraps(other)
        def either(*args):
            return function(*args) if args else other()
        return either
    return decorate

def plainly_summed():
    return 0

@also(plainly_summed)
def summed(first, second):
    return first + second

def authorized(function):
    def inner(who, *more):
        return function(f"<{who}>", *more)
    return inner

class Views:
    @authorized
    @authorized
    def show(self, page):
        return self, page
"""


def test_what_a_decorator_has_wrapped_without_a_word_is_found(tmp_path: Path) -> None:
    (tmp_path / "wrapped_of_it.py").write_text(WRAPPED, "utf-8")
    with imported(tmp_path, "wrapped_of_it") as (module,):
        found = find_entry(module, "wrapped_of_it", "Views.show")
        assert found.parameters == ("self", "page")
        assert find_entry(module, "wrapped_of_it", "summed").parameters == ("first", "second")
        other = find_entry(module, "wrapped_of_it", "authorized")
        assert other.parameters == ("function",)


AROUND = """\
import io
import os
import sys
import threading
from contextvars import ContextVar

class Local:
    __slots__ = ("_storage",)
    def __init__(self):
        object.__setattr__(self, "_storage", ContextVar("storage"))

mine = threading.local()
local = Local()

def look(prefix):
    print(prefix, mine.user)
    return [
        local._storage.get(), repr(sys.exception()), sys.stdout.getvalue(), sys.stderr,
        os.environ.get("SHOP_OF_IT"),
    ]
"""


def test_a_call_is_made_in_what_it_was_made_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "around_of_it.py").write_text(AROUND, "utf-8")
    with imported(tmp_path, "around_of_it") as (module,):
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        print("before")
        module.mine.user = "Ada"
        module.local._storage.set("a request")
        landmarks = Landmarks.of(["around_of_it"])
        landmarks.environment = environment()
        monkeypatch.setenv("SHOP_OF_IT", "open")
        try:
            raise LookupError("handled")  # noqa: TRY301 - to be in its handler
        except LookupError:
            kept = keep([("prefix", ">")], landmarks=landmarks, leaves_out=True)
        monkeypatch.undo()
    ran = ran_in_a_place(tmp_path, "around_of_it:look", kept)
    assert ran.rerun.outcome is not None, ran.rerun.cut
    variable, handled, printed, stream, name = ran.rerun.outcome.value["items"]
    assert (variable, handled) == ("a request", "LookupError('handled')")
    assert name == "open"
    assert printed == "before\n> Ada\n"
    assert stream["type"] == "sys.stderr"
    assert ran.inside["sys.stdout"]["items"][0] == printed


REPLACED = """\
import sys

class ToLog:
    def __init__(self, level):
        self.level = level
    def write(self, text):
        open("/dev/full", "w").write(text)
    def flush(self):
        pass

HELD = ToLog(30)

def tell(text, out):
    print(text, file=out)
    print("beside", file=sys.stderr)
"""


@pytest.mark.parametrize("held", ["a stream", "text in memory"])
def test_what_is_printed_to_a_stream_of_the_programs_own_is_compared(
    held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "replacing_of_it.py").write_text(REPLACED, "utf-8")
    with imported(tmp_path, "replacing_of_it") as (module,):
        stream = module.ToLog(20) if held == "a stream" else io.StringIO()
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", module.HELD)
        landmarks = Landmarks.of(["sys", "replacing_of_it"])
        arguments = [("text", "told"), ("out", sys.stdout)]
        kept = keep(arguments, landmarks=landmarks, leaves_out=True)
        monkeypatch.undo()
    ran = ran_in_a_place(tmp_path, "replacing_of_it:tell", kept)
    assert ran.rerun.outcome is not None, ran.rerun.cut
    assert (ran.rerun.outcome.returned, ran.rerun.raised) == (True, "")
    if held == "a stream":
        assert ran.rerun.printed == "told\nbeside\n"
    else:
        assert ran.rerun.printed == "beside\n"
        assert ran.inside["argument out"]["items"][0] == "told\n", ran.inside


def test_what_code_in_c_was_handed_counts_as_looked_at(tmp_path: Path) -> None:
    (tmp_path / "handing_of_it.py").write_text("def join(parts):\n    return ','.join(parts)\n")
    with imported(tmp_path, "handing_of_it"):
        kept = keep([("parts", ["a", sys._getframe()])], leaves_out=True)
    ran = ran_in_a_place(tmp_path, "handing_of_it:join", kept)
    assert ran.rerun.outcome is None
    assert ran.rerun.cut.endswith("the code looked at it: parts[1]")


def test_what_a_callers_doing_has_changed_is_not_the_generators() -> None:
    def of(length: int, value: int) -> Ran:
        rows: Value = {"type": "list", "length": length, "items": list(range(length))}
        return Ran(1, Rerun(Outcome(True, value, {"rows": rows}, [1])))

    live = of(3, 0).rerun.outcome
    assert live is not None
    for kind, control in (("generator", Control.UNKNOWN), ("function", Control.DIFFERS)):
        call = CapturedCall(1, {}, live, kind=kind)
        case = compare_runs(call, of(2, 0), of(2, 0), of(2, 0)).case
        assert case.control is control
        assert compare_runs(call, of(3, 0), of(3, 0), of(3, 0)).case.agreed
        assert compare_runs(call, of(2, 1), of(2, 1), of(2, 1)).case.control is Control.DIFFERS


def test_what_is_raised_in_a_generator_by_its_caller_is_not_the_generators() -> None:
    def of(returned: bool) -> Ran:
        value: Value = None if returned else {"type": "Abort", "form": "call"}
        return Ran(1, Rerun(Outcome(returned, value, {}, [1])))

    raised, ended = of(False), of(True)
    live = raised.rerun.outcome
    assert live is not None
    call = CapturedCall(1, {}, live, kind="generator")
    assert compare_runs(call, ended, ended, ended).case.control is Control.UNKNOWN
    assert compare_runs(call, raised, raised, raised).case.agreed


LOADED = """\
import os
LOADED_IN = os.getpid()
class Thing:
    pass
"""


def test_a_library_that_calls_name_is_imported_once_and_the_services_own_code_in_each_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing pandas in the copy of each run would take longer than all runs together."""
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "library_of_it.py").write_text(LOADED, "utf-8")
    (tmp_path / "own_part_of_it.py").write_text(LOADED, "utf-8")
    (tmp_path / "asking_of_it.py").write_text(
        "import os, sys\n"
        "def here(*things):\n"
        "    names = [type(one).__module__ for one in things]\n"
        "    return [sys.modules[name].LOADED_IN == os.getpid() for name in names]\n"
    )
    monkeypatch.syspath_prepend(str(installed))
    with imported(tmp_path, "asking_of_it", "library_of_it", "own_part_of_it") as modules:
        _, library, own = modules
        kept = keep([("things", (library.Thing(), own.Thing()))])
    ran = ran_in_a_place(tmp_path, "asking_of_it:here", kept)
    assert ran.rerun.outcome is not None, ran.rerun.cut
    assert ran.rerun.outcome.value["items"] == [False, True]


HELD = """\
import queue, threading
WORK, HERE = queue.Queue(), threading.local()
def put(number, word):
    WORK.put({"password": word + "-1", "number": number})
    HERE.user = {"api_key": word + "-2", "number": number}
    return WORK, HERE
"""


def test_a_secret_in_a_queue_or_of_a_thread_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "held_of_it.py").write_text(HELD, "utf-8")
    with imported(tmp_path, "held_of_it"):
        kept = keep([("number", 17), ("word", "hunter2")])
    ran = ran_in_a_place(tmp_path, "held_of_it:put", kept)
    found = repr(ran)
    assert "name:password" in found
    assert "name:api_key" in found
    assert "hunter2-" not in found


CLIENT = """\
import pathlib
import ssl

CONTEXT = ssl.create_default_context()
TOKEN = pathlib.Path("{}").read_text()

def trusts(number):
    return CONTEXT.cert_store_stats()["x509_ca"] > 0
"""


def test_what_is_read_at_import_is_named_where_it_may_not_be(tmp_path: Path) -> None:
    folder, secret = tmp_path / "service", tmp_path / "token.txt"
    folder.mkdir()
    secret.write_text("t-1", "utf-8")
    file = folder / "client_of_it.py"
    file.write_text(old := CLIENT.format(secret), "utf-8")
    at = home(folder)
    begin = Begin(at.path, at.cwd, "client_of_it:trusts", salt="x", readable=[str(secret)])
    place = Place(begin, sys.executable, "1")
    try:
        assert place.ready().ok
        ran = place.run(Order(1, keep([("number", 1)]).document or {}))
        assert ran.rerun.outcome is not None
        # the authorities that the system trusts lie where every client looks for them
        assert ran.rerun.outcome.value is (ssl.create_default_context().get_ca_certs() != [])
    finally:
        place.close()
    call = CapturedCall(1, keep([("number", 1)]).document, Outcome(True, True))
    tried = make("other", [of_texts(str(file), old, old.replace("> 0", "> 1"))])
    with pytest.raises(UnavailableError, match="PermissionError") as caught:
        verify(Request("x", "client_of_it:trusts", [call], at, tried))
    assert str(secret) in caught.value.hint
    assert "--read" in caught.value.hint


def test_whoever_stops_waiting_does_not_wait_for_the_calls_that_are_left(
    tmp_path: Path,
) -> None:
    file = tmp_path / "slow_of_it.py"
    file.write_text(old := "import time\n\ndef slow(number):\n    time.sleep(2.0)\n", "utf-8")
    kept = keep([("number", 1)]).document
    calls = [CapturedCall(number, kept, Outcome(True)) for number in range(1, 9)]
    tried = make("other", [of_texts(str(file), old, old.replace("2.0", "1.9"))])
    heard: list[tuple[str, int]] = []

    def stop(what: str, done: int, _: int) -> None:
        heard.append((what, done))
        if what == "running":
            os.kill(os.getpid(), signal.SIGINT)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        verify(Request("x", "slow_of_it:slow", calls, home(tmp_path), tried), stop)
    assert time.monotonic() - began < 15.0
    assert heard[-1] == ("running", 1)


PROGRAM = """
import sys
import client_of_main

class Site:
    name = "ada"

site = Site()
if __name__ == "__main__":
    sys.exit("it has begun its work")
"""


UNGUARDED = PROGRAM.partition("if __name__")[0] + "while True:\n    pass\n"


@pytest.mark.parametrize(
    ("text", "has_main", "name"),
    [(PROGRAM, True, "ada"), (PROGRAM, False, None), (UNGUARDED, True, None)],
)
def test_what_the_program_itself_holds_is_there_where_calls_are_given_it(
    tmp_path: Path, text: str, has_main: bool, name: str | None
) -> None:
    """An application may be served by the program in which it was made."""
    (tmp_path / "program_of_it.py").write_text(text, "utf-8")
    (tmp_path / "client_of_main.py").write_text("def ask(site):\n    return site.name\n")
    at = home(tmp_path)
    begin = Begin(at.path, at.cwd, "client_of_main:ask", salt="x", main="program_of_it")
    place = Place(replace(begin, has_main=has_main), sys.executable, "1")
    document = {"v": 1, "roots": {"site": [0]}, "nodes": [
        {"k": "name", "t": "site", "m": "__main__"}
    ]}  # fmt: skip
    try:
        assert place.ready().ok, place.ready().reason
        ran = place.run(Order(1, document))
    finally:
        place.close()
    assert (ran.rerun.outcome.value if ran.rerun.outcome else None) == name, ran.rerun.cut
