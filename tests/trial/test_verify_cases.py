"""The cases that `verify` is measured by are true: what they say of a change is seen when both
versions are simply run one after the other."""

import asyncio
import copy
import inspect
import json
import sys
import threading
import types
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from benchmarks.verify.case import TRUTHS, VERDICTS, load

from leadline.expression.condition import compile_condition
from leadline.expression.unknown import Unknown
from leadline.trial import candidate

CASES = load()


class Weather(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"degrees": 21} if self.path == "/weather/bern" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def weather():
    with HTTPServer(("127.0.0.1", 0), Weather) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def collected(result):
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    if inspect.isasyncgen(result):

        async def every():
            return [one async for one in result]

        return asyncio.run(every())
    return list(result) if inspect.isgenerator(result) else result


def shown(value):
    """Return a value as a text that tells it from another, objects by their members."""
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return type(value).__name__, {key: shown(one) for key, one in vars(value).items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [shown(one) for one in value]
    return repr(value) if not isinstance(value, set) else sorted(value)


def outcomes(case, text, monkeypatch):
    """Run all calls of one version; return what each came to and the lines that it reached."""
    module = types.ModuleType("live")
    monkeypatch.setitem(sys.modules, "live", module)
    exec(compile(text, "/live.py", "exec"), module.__dict__)
    function = getattr(module, case.entry.partition(":")[2])
    found = []
    tool, events = 3, sys.monitoring.events
    for call in case.calls:
        reached = set()
        arguments = eval(call, module.__dict__)
        assert isinstance(arguments, tuple)

        def line(code, number, reached=reached):
            if code.co_filename == "/live.py":
                reached.add(number)

        sys.monitoring.use_tool_id(tool, "test")
        sys.monitoring.register_callback(tool, events.LINE, line)
        sys.monitoring.set_events(tool, events.LINE)
        try:
            returned, value = True, collected(function(*arguments))
        except Exception as error:  # noqa: BLE001 - it is what it came to
            returned, value = False, error
        finally:
            sys.monitoring.set_events(tool, 0)
            sys.monitoring.free_tool_id(tool)
        after = [shown(one) for one in arguments if not inspect.isgenerator(one)]
        cause = None if returned else repr(value.__cause__)
        same = (returned, shown(value), repr(value) if not returned else "", cause, after)
        found.append((returned, value, copy.copy(same), reached))
    if "db" in module.__dict__:
        module.db.close()
    return found


def holds(predicate, returned, value):
    def one(term):
        if term.startswith("raises "):
            names = [cls.__name__ for cls in type(value).__mro__]
            return not returned and term.removeprefix("raises ") in names
        try:
            return returned and compile_condition(term).holds({"result": value}.get)
        except Unknown:
            return False

    return any(one(term.strip()) for term in predicate.split(" or "))


def judged(case, monkeypatch):
    """Say what `verify` should, by running both versions in this process."""
    before = outcomes(case, case.live, monkeypatch)
    after = outcomes(case, case.new, monkeypatch)
    change = candidate.of_texts("/live.py", case.live, case.new)
    old, new = (
        candidate.touched_old(change, beside=False),
        candidate.touched_new(change, beside=False),
    )
    if not any(
        one[3] & old or other[3] & new for one, other in zip(before, after, strict=True)
    ):
        return "not exercised"
    failing = [bool(case.fails) and holds(case.fails, *one[:2]) for one in before]
    differing = [one[2] != other[2] for one, other in zip(before, after, strict=True)]
    if any(d for d, f in zip(differing, failing, strict=True) if not f):
        return "changes behaviour"
    if not any(failing):
        return "no difference"
    if case.expect:
        met = [holds(case.expect, *one[:2]) for one, f in zip(after, failing, strict=True) if f]
        return "fixed" if all(met) else "not fixed"
    still = [holds(case.fails, *one[:2]) for one, f in zip(after, failing, strict=True) if f]
    return "not fixed" if any(still) else "no longer fails"


def test_there_are_cases_of_all_kinds():
    assert {case.truth for case in CASES} == set(TRUTHS)
    assert {verdict for case in CASES for verdict in case.verdicts} == set(VERDICTS)
    assert len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_true(case, monkeypatch, tmp_path, weather):
    monkeypatch.setenv("CASE_FOLDER", str(tmp_path))
    monkeypatch.setenv("CASE_URL", weather)
    assert set(case.needs) <= {"folder", "http"}
    verdict = judged(case, monkeypatch)
    if case.truth != "nondeterministic" and not case.needs:
        assert verdict in case.verdicts, verdict
    if case.truth == "right fix":
        assert verdict in ("fixed", "no longer fails", "changes behaviour")
    if case.truth in ("equal rewrite", "refactoring"):
        assert verdict == "no difference"
    if case.truth in ("wrong fix", "half fix", "swallow"):
        assert verdict != "fixed"
        assert "fixed" not in case.verdicts
