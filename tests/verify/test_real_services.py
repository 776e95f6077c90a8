"""Fixes of bugs in real services: captured while they serve, and never felt there."""

import contextlib
import difflib
import hashlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from live import GUNICORN, LEADLINE, Leadline, Program, free_port, get, tool
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
    return jsonify(share(items), asked=request.args.get("q"))
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
FAILS = ("--fails", "raises ZeroDivisionError", "-n", "24", "--for", "60s")


def test_a_fix_in_a_flask_service_under_gunicorn(leadline) -> None:
    source = FLASK + SHARE
    with flask(leadline) as (folder, port), asked(port, PATHS, bytes) as other:
        before = digest_of(folder)
        words = (*FAILS, "--expect", "result['mean'] == 0", "--entry", "shopfront:share")
        words += ("--path", str(folder))
        good = verified(leadline, "front", fix("shopfront.py", source, BAD, GOOD), *words)
        assert good["verdict"] == "fixed", good["sentence"]
        assert good["shares"]["agreed"] == good["shares"]["calls"]
        wrong = verified(leadline, "front", fix("shopfront.py", source, BAD, WRONG), *words)
        assert wrong["verdict"] == "changes behaviour", wrong["sentence"]
        assert digest_of(folder) == before
        assert other == []
