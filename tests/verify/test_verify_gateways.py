"""Candidates for services whose entry is a web application itself: what is its response."""

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline import native
from live import GUNICORN, LEADLINE, Leadline, Program, free_port, tool
from twin.sites import TWINS
from verify.test_exported import run
from verify.test_verify_services import asked, diff_of, verified
from waiting import wait_for

PLAIN = """\
import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server


def share(number):
    return 60 // number


def app(environ, start_response):
    number = int(environ["PATH_INFO"].strip("/") or 1)
    try:
        answer, status = {"number": number, "share": share(number)}, "200 OK"
    except ZeroDivisionError:
        answer, status = {"error": "nobody"}, "500 Internal Server Error"
    headers = [("Content-Type", "application/json"), ("X-Number", str(number))]
    start_response(status, headers)
    return [json.dumps(answer).encode()]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), app, handler_class=Quiet) as server:
        server.serve_forever()
"""
FLASK = """\
from flask import Flask, jsonify, request

app = Flask(__name__)


def share(number):
    return 60 // number


@app.route("/<int:number>")
def one(number):
    return jsonify(number=number, share=share(number), asked=request.args.get("q"))
"""
FASTAPI = """\
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()


def share(number):
    return 60 // number


@app.get("/{number}")
async def one(number: int):
    try:
        return {"number": number, "share": share(number)}
    except ZeroDivisionError:
        return JSONResponse({"error": "nobody"}, 500)
"""
BAD = "return 60 // number"
GOOD = "return 60 // number if number else 0"
WRONG = "return 60 // (number or 1) + (number > 2)"


@contextlib.contextmanager
def serving(
    leadline: Leadline, name: str, source: str, *command: str
) -> Iterator[tuple[Path, int]]:
    folder, port = leadline.cwd / name, free_port()
    folder.mkdir()
    (folder / f"{name}.py").write_text(source, "utf-8")
    words = [word.format(port=port) for word in command]
    run = [LEADLINE, "run", "--service", name, "--", *words]
    paths = [f"/{number}?q={number}" for number in range(1, 7)]
    with Program(run, folder).serving(port), asked(port, [*paths, "/0"], bytes) as other:
        wait_for(lambda: leadline.connected(name))
        yield folder, port
        assert other == []


FAILS, EXPECT = "response.status == 500", "response.status == 200"


def captured(leadline: Leadline, name: str, entry: str, fails: str = FAILS) -> Path:
    """Capture calls, a quarter of which fail, and return the file of them."""
    file = leadline.cwd / f"{name}.jsonl"
    words = ("--fails", fails, "-n", "10", "--for", "60s")
    leadline.cli("capture", name, entry, *words, "-o", str(file))
    return file


def judged(
    leadline: Leadline, name: str, source: str, new: str, file: Path, expect: str
) -> dict:
    """Return the report of a candidate on calls that were captured, and see that those that
    become tests fail and pass where they should."""
    folder = leadline.cwd / name
    patch, to = leadline.cwd / "candidate.diff", file.with_suffix(".tests")
    patch.write_text(diff_of(f"{name}.py", source, source.replace(BAD, new)), "utf-8")
    words = ["--captured", str(file), "--path", str(folder), "--expect", expect]
    words += ["--least", "3", "--export-tests", str(to), "--patch", str(patch), "--json"]
    said = leadline.cli("verify", *words, status=None)
    found = json.loads(said.splitlines()[0])
    shares = found["shares"]
    assert shares["agreed"] >= shares["calls"] - 1, found["unknown"]  # one had no time, perhaps
    changed = leadline.cwd / "changed"
    changed.mkdir(exist_ok=True)
    (changed / f"{name}.py").write_text(source.replace(BAD, new), "utf-8")
    failing, differing = shares["failing"], shares["differing"]
    passed = f", {differing} passed" if differing else ""
    assert f"{failing} failed{passed}" in run(to, folder)
    failed = f"{differing} failed, " if differing else ""
    assert f"{failed}{failing} passed" in run(to, changed)
    shutil.rmtree(to)
    return dict(found)


def judge_both(
    leadline: Leadline, name: str, source: str, file: Path, expect: str = EXPECT
) -> list[dict]:
    found = [judged(leadline, name, source, new, file, expect) for new in (GOOD, WRONG)]
    good, wrong = found
    assert good["verdict"] == "fixed", good["sentence"]
    assert wrong["verdict"] == "changes behaviour", wrong["sentence"]
    wrong["cases"] = [case for case in wrong["cases"] if case["differences"]]
    shown = wrong["cases"][-1]["differences"][0]
    assert shown["where"].startswith(("response.body", "result.response")), shown
    return found


@pytest.mark.soak
def test_a_plain_application_under_wsgiref(leadline) -> None:
    with serving(leadline, "plain", PLAIN, sys.executable, "plain.py", "{port}"):
        file = captured(leadline, "plain", "plain:app")
    good, wrong = judge_both(leadline, "plain", PLAIN, file)
    assert not any("live call shows" in note for note in good["notes"])
    shown = wrong["cases"][-1]["differences"][0]
    assert shown["where"] == "response.body['share']"
    case = good["cases"][0]
    said = 'answered 500 Internal Server Error, application/json, {"error": "nobody"}'
    assert case["live"] == case["control"] == said
    assert case["candidate"] == ('answered 200 OK, application/json, {"number": 0, "share": 0}')


@pytest.mark.soak
def test_flask_under_gunicorn(leadline) -> None:
    command = (tool("gunicorn"), "--threads", "2", *GUNICORN, "-b", "127.0.0.1:{port}")
    with serving(leadline, "front", FLASK, *command, "front:app"):
        file = captured(leadline, "front", "flask.app:Flask.wsgi_app")
        file = file.rename(leadline.cwd / "whole.jsonl")
        view = captured(leadline, "front", "front:one", "raises ZeroDivisionError")
    judge_both(leadline, "front", FLASK, view, "result is not None")
    good, wrong = judge_both(leadline, "front", FLASK, file)
    assert any("shows status and headers only" in note for note in good["notes"])  # its errors
    assert '"share"' in wrong["cases"][-1]["live"]


@pytest.mark.soak
@pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())
@pytest.mark.parametrize("place", ["twin", "hit"])
def test_a_plain_application_in_twins(leadline, monkeypatch, place) -> None:
    for name, value in TWINS.items():
        monkeypatch.setenv(name, value)
    words = ("--entry", "plain:app", "--place", place, "-n", "10", "--for", "60s")
    words += ("--fails", "response.status == 500", "--expect", "response.status == 200")
    with serving(leadline, "plain", PLAIN, sys.executable, "plain.py", "{port}"):
        patch = diff_of("plain.py", PLAIN, PLAIN.replace(BAD, WRONG))
        found = verified(
            leadline, "plain", patch, *words, "--path", str(leadline.cwd / "plain")
        )
    assert found["verdict"] == "changes behaviour", found["sentence"]
    assert found["shares"]["agreed"] == found["shares"]["calls"]


@pytest.mark.soak
def test_fastapi_under_uvicorn(leadline) -> None:
    command = (tool("uvicorn"), "--port", "{port}", "--log-level", "warning", "api:app")
    with serving(leadline, "api", FASTAPI, *command):
        file = captured(leadline, "api", "fastapi.applications:FastAPI.__call__")
    judge_both(leadline, "api", FASTAPI, file)
