"""Fixes of bugs in real services: captured while they serve, and never felt there."""

import contextlib
import difflib
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasette
import pytest

from live import GUNICORN, LEADLINE, Leadline, Program, free_port, get, tool
from services.wagtail_site import MODELS, make_site
from twin.sites import FLASK, database
from waiting import wait_for

SHARE = """

def share(items):
    total = sum(item["cents"] for item in items)
    return {"total": total, "mean": total // len(items)}


@app.route("/mean/<int:number>")
def mean(number):
    with contextlib.closing(sqlite3.connect("file:shop.db?mode=ro", uri=True)) as db:
        rows = db.execute("select name, cents from item where id <= ?", (number % 7,))
        items = [{"name": name, "cents": cents} for name, cents in rows]
    return jsonify(asked=request.args.get("q"), **share(items))
"""
BAD = '"mean": total // len(items)}'
GOOD = '"mean": total // len(items) if items else 0}'
WRONG = '"mean": total // (len(items) or 1) + (len(items) > 2)}'
SILENT = '"mean": total // len(items) if items else None}'


def diff_of(name: str, old: str, new: str) -> str:
    assert old != new
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(lines)


def digest_of(folder: Path) -> dict[str, str]:
    """Return what is in a folder, but for what is compiled."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


@contextlib.contextmanager
def asked(port: int, paths: list[str], known: Callable[[bytes], object]) -> Iterator[list[str]]:
    """Ask for paths all the while, and note each answer that is not as it was."""
    expected = {path: (get(port, path)[0], known(get(port, path)[2])) for path in paths}
    other: list[str] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            for path in paths:
                status, _, body = get(port, path)
                if (status, known(body)) != expected[path]:
                    other.append(f"{path}: {status} {body[:300]!r}")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield other
    finally:
        enough.set()
        thread.join(30)


def verified(leadline: Leadline, service: str, patch: str, *words: str) -> dict[str, Any]:
    """Return the report of `leadline verify`."""
    file = leadline.cwd / "candidate.diff"
    file.write_text(patch, "utf-8")
    command = [LEADLINE, "verify", service, "--patch", str(file), "--json", *words]
    done = subprocess.run(
        command, cwd=leadline.cwd, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.stdout, done.stderr
    print(done.stderr)
    return dict(json.loads(done.stdout))


@contextlib.contextmanager
def flask(leadline: Leadline) -> Iterator[tuple[Path, int]]:
    folder, port = leadline.cwd / "front", free_port()
    folder.mkdir()
    (folder / "shopfront.py").write_text(FLASK + SHARE, "utf-8")
    database(folder)
    command = [
        LEADLINE, "run", "--service", "front", "--", tool("gunicorn"), "--threads", "4",
        *GUNICORN, "-b", f"127.0.0.1:{port}", "shopfront:app",
    ]  # fmt: skip
    with Program(command, folder).serving(port):
        wait_for(lambda: leadline.connected("front"))
        yield folder, port


def fix(name: str, source: str, old: str, new: str) -> str:
    return diff_of(name, source, source.replace(old, new))


PATHS = [f"/mean/{number}?q={number}" for number in range(8)]
FAILS = ("--fails", "raises ZeroDivisionError", "-n", "16", "--least", "5", "--for", "90s")


@pytest.mark.soak
def test_a_fix_in_a_flask_service_under_gunicorn(leadline) -> None:
    source = FLASK + SHARE
    with flask(leadline) as (folder, port), asked(port, PATHS, bytes) as other:
        before = digest_of(folder)
        words = ("--expect", "result['mean'] == 0", "--entry", "shopfront:share")
        patch = fix("shopfront.py", source, BAD, GOOD)
        good = verified(leadline, "front", patch, *FAILS, *words, "--path", str(folder))
        assert good["verdict"] == "fixed", good["sentence"]
        assert good["shares"]["agreed"] == good["shares"]["calls"]
        assert digest_of(folder) == before
        assert other == []


@pytest.mark.soak
def test_a_flask_view_is_run_again_in_its_request(leadline) -> None:
    """The view has no arguments: it takes the request from a context variable, opens SQLite
    for reading, and answers by the application."""
    source = FLASK + SHARE
    with flask(leadline) as (folder, port), asked(port, PATHS, bytes) as other:
        before = digest_of(folder)
        words = (*FAILS, "--entry", "shopfront:mean", "--path", str(folder))
        words += ("--read", str(folder))
        for new, wanted in ((GOOD, "no longer fails"), (WRONG, "changes behaviour")):
            patch = fix("shopfront.py", source, BAD, new)
            found = verified(leadline, "front", patch, *words)
            assert found["verdict"] == wanted, found["sentence"]
            assert found["shares"]["agreed"] == found["shares"]["calls"]
        inner = (*FAILS, "--expect", "result['mean'] == 0", "--path", str(folder))
        found = verified(leadline, "front", fix("shopfront.py", source, BAD, SILENT), *inner)
        assert found["verdict"] == "not fixed", found["sentence"]
        assert found["entry"] == "shopfront:share"
        assert digest_of(folder) == before
        assert other == []


CSS = 'hashlib.md5(s.encode("utf8"))'
CSS_BAD = 'hashlib.md5(s.encode("ascii"))'
CSS_WRONG = 'hashlib.md5(s.lower().encode("utf8"))'
_TIMES = re.compile(rb'"query_ms": [0-9.]+|Queries took [0-9.]+ms|"[0-9.]+ms"')


@pytest.mark.soak
def test_a_fix_in_datasette(leadline) -> None:
    """A copy of it, with a bug in how it names the classes of tables."""
    folder, port = leadline.cwd / "tables", free_port()
    folder.mkdir()
    shutil.copytree(Path(datasette.__file__).parent, folder / "datasette")
    file = folder / "datasette" / "utils" / "__init__.py"
    source = file.read_text("utf-8")
    assert CSS in source
    bad = source.replace(CSS, CSS_BAD)
    file.write_text(bad, "utf-8")
    with contextlib.closing(sqlite3.connect(folder / "d.db")) as db, db:
        for name in ("plain", "täblé", "a b", "C d", "E f", "G h"):
            db.execute(f'create table "{name}" (a integer primary key, b text)')
            db.execute(f'insert into "{name}" (b) values (?)', (name,))
    command = [
        LEADLINE, "run", "--service", "tables", "--", tool("datasette"), "serve", "d.db",
        "--port", str(port),
    ]  # fmt: skip
    paths = ["/d/plain", "/d/t~C3~A4bl~C3~A9", "/d/a+b", "/d/C+d", "/d/E+f", "/d/G+h"]

    def known(body: bytes) -> bytes:
        return _TIMES.sub(b"", body)

    env = {"PYTHONPATH": str(folder)}
    with Program(command, folder, env).serving(port), asked(port, paths, known) as other:
        wait_for(lambda: leadline.connected("tables"))
        assert [get(port, path)[0] for path in paths] == [200, 500, 200, 200, 200, 200]
        before = digest_of(folder)
        name = "tables/datasette/utils/__init__.py"  # not the one that is installed
        # most names need no change, so few of the calls reach what was changed
        inner = ("--fails", "raises UnicodeEncodeError", "-n", "30", "--for", "60s")
        inner += ("--path", str(folder), "--expect", "len(result) > 6", "--least", "3")
        inner += ("--entry", "datasette.utils:to_css_class")
        good = verified(leadline, "tables", diff_of(name, bad, source), *inner)
        assert good["verdict"] == "fixed", good["sentence"]
        wrong = bad.replace(CSS_BAD, CSS_WRONG)
        found = verified(leadline, "tables", diff_of(name, bad, wrong), *inner)
        assert found["verdict"] == "changes behaviour", found["sentence"]
        assert digest_of(folder) == before
        assert other == []


@pytest.mark.soak
def test_a_fix_in_a_wagtail_site_under_gunicorn(leadline) -> None:
    """The function is run again once the site is set up as its WSGI module does."""
    folder, port = make_site(leadline.cwd / "site"), free_port()
    command = [
        LEADLINE, "run", "--service", "wagtail", "--", tool("gunicorn"), "--threads", "4",
        *GUNICORN, "-b", f"127.0.0.1:{port}", "mysite.wsgi",
    ]  # fmt: skip
    paths = ["/", "/first/", "/second-page/", "/a-broken-one/"]
    ask = 'if "broken" in words:'
    good = MODELS.replace(ask, 'if "broken" in words and not text:')
    wrong = MODELS.replace(ask, "if len(words) > 3:\n        return 3\n    if not text:")
    words = ("--fails", "raises ValueError", "-n", "12", "--least", "3", "--for", "60s")
    words += ("--path", str(folder))
    words += ("--import", "mysite.wsgi")
    inner = (*words, "--entry", "home.models:count_words", "--expect", "result == 3")
    outer = (*words, "--entry", "home.models:HomePage.get_context")
    name = "home/models.py"
    with Program(command, folder).serving(port), asked(port, paths, bytes) as other:
        wait_for(lambda: leadline.connected("wagtail"))
        before = digest_of(folder)
        found = verified(leadline, "wagtail", diff_of(name, MODELS, good), *inner)
        assert found["verdict"] == "fixed", found["sentence"]
        found = verified(leadline, "wagtail", diff_of(name, MODELS, wrong), *inner)
        assert found["verdict"] == "changes behaviour", found["sentence"]
        found = verified(leadline, "wagtail", diff_of(name, MODELS, good), *outer)
        print(found["verdict"], found["sentence"], found["unknown"])
        # it takes the request and the database: few calls are kept, and fewer made again
        assert found["verdict"] in ("no longer fails", "no difference seen", "unknown")
        assert digest_of(folder) == before
        assert other == []
