"""Real services whose calls are run again in twins: started, driven, and never told of it."""

import contextlib
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from live import GUNICORN, LEADLINE, Leadline, Program, free_port, get, tool
from services.wagtail_site import make_site

TWINS = {
    "LEADLINE_TWIN": "threads",
    "LEADLINE_TWIN_RATE": "100",
    "LEADLINE_TWIN_LOAD": "1000",
    "LEADLINE_TWIN_PAUSE": "10000",
}
"""The tests' machine is busy, and nobody waits a second between two twins."""

FLASK = """\
import contextlib
import logging
import os
import sqlite3
import threading

from flask import Flask, jsonify, request

app = Flask(__name__)
log = logging.getLogger("shop")
lock = threading.Lock()
served = 0


def price(cents, count, vouchers=()):
    total = cents * count
    for voucher in vouchers:
        total -= total * voucher // 100
    return {"total": total, "each": cents, "vouchers": list(vouchers)}


@app.route("/")
def index():
    return "ready"


@app.route("/order/<int:number>")
def order(number):
    global served
    with lock:
        served += 1
        with contextlib.closing(sqlite3.connect("shop.db")) as db:
            rows = db.execute("select name, cents from item where id <= ?", (number % 7,))
            items = [{"name": name, "cents": cents} for name, cents in rows]
    log.info("order %s", number)
    found = price(sum(item["cents"] for item in items), number, (10,))
    return jsonify(items=items, price=found, query=request.args.get("q"))


@app.route("/pid")
def pid():
    return str(os.getpid())
"""

FASTAPI = """\
import asyncio
import contextlib
import sqlite3

from fastapi import FastAPI

app = FastAPI()


def look(number):
    with contextlib.closing(sqlite3.connect("shop.db")) as db:
        return db.execute("select sum(cents) from item where id <= ?", (number % 7,)).fetchone()


@app.get("/")
async def ready():
    return {"loop": type(asyncio.get_running_loop()).__module__}


@app.get("/order/{number}")
async def order(number: int):
    await asyncio.sleep(0.001)
    (total,) = await asyncio.to_thread(look, number)
    return {"number": number, "total": total, "share": 1 / (number % 5 + 1)}
"""

WORKER = """\
import queue
import random
import threading
import time

jobs = queue.Queue()
random.seed(7)


def handle(job):
    lines = [f"{n}:{job * n}" for n in range(job % 9)]
    if job % 5 == 0:
        lines.append(f"at {time.time()}")
    if job % 7 == 0:
        lines.append(f"luck {random.random()}")
    if job % 11 == 0:
        raise ValueError(f"job {job} cannot be done")
    return {"job": job, "lines": lines}


def work():
    while True:
        job = jobs.get()
        try:
            handle(job)
        except ValueError:
            pass


for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
number = 0
while True:
    number += 1
    jobs.put(number)
    time.sleep(0.01)
"""

TASKS = """\
import os
import sys
import time

from celery import Celery

app = Celery("tasks", broker="filesystem://", backend="file://results")
app.conf.update(
    broker_transport_options={
        "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control",
        "polling_interval": 0.05},
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    result_expires=None,
)


@app.task
def add(a, b):
    total = sum(part["n"] for part in [{"n": a}, {"n": b}])
    return {"total": total, "half": total / 2}


if __name__ == "__main__":
    # the transport's reader may meet a file half-written, so each is moved in when complete
    app.conf.broker_transport_options["data_folder_out"] = "outbox"
    for n in range(int(sys.argv[1])):
        add.delay(n, 1)
        for name in os.listdir("outbox"):
            os.rename(f"outbox/{name}", f"queue/{name}")
        time.sleep(0.03)
"""


@dataclass
class Site:
    """A service that runs: `target` is a function of it, and `drive` has it called."""

    service: str
    target: str
    program: Program
    drive: Callable[[int], object]
    port: int = 0
    folder: Path = field(default_factory=Path)


def database(folder: Path) -> None:
    """Make the items that the shops sell."""
    with contextlib.closing(sqlite3.connect(folder / "shop.db")) as db:
        db.execute("create table item (id integer primary key, name text, cents integer)")
        rows = [(n, f"item {n}", 100 * n + 7) for n in range(1, 9)]
        db.executemany("insert into item values (?, ?, ?)", rows)
        db.commit()


def start(service: str, command: list[str], folder: Path, more: dict[str, str]) -> Program:
    """Start a service with the agent in it, allowed to make twins."""
    own = {**TWINS, **more}
    return Program([LEADLINE, "run", "--service", service, "--", *command], folder, own)


def ask(port: int, paths: list[str]) -> list[bytes]:
    """Ask for each path and return the bodies."""
    found = []
    for path in paths:
        status, _, body = get(port, path)
        assert status < 500, (path, status, body)
        found.append(body)
    return found


@contextlib.contextmanager
def flask(shore: Leadline, worker: str, **more: str) -> Iterator[Site]:
    """A view with a lock, SQLite, logging and JSON, under gunicorn."""
    folder, port, name = shore.cwd / f"flask-{worker}", free_port(), f"flask-{worker}"
    folder.mkdir()
    (folder / "shopfront.py").write_text(FLASK, "utf-8")
    database(folder)
    threads = ["--threads", "4"] if worker == "gthread" else []
    command = [
        tool("gunicorn"), "-k", worker, *threads, *GUNICORN, "-b", f"127.0.0.1:{port}",
        "shopfront:app",
    ]  # fmt: skip
    with start(name, command, folder, more).serving(port) as program:

        def drive(n: int) -> object:
            return ask(port, [f"/order/{n}?q={n}"])

        yield Site(name, "shopfront:order", program, drive, port, folder)


@contextlib.contextmanager
def fastapi(shore: Leadline, **more: str) -> Iterator[Site]:
    """A coroutine that sleeps and reads SQLite in a thread, under uvicorn with uvloop."""
    folder, port = shore.cwd / "fastapi", free_port()
    folder.mkdir()
    (folder / "front.py").write_text(FASTAPI, "utf-8")
    database(folder)
    command = [
        tool("uvicorn"), "--port", str(port), "--loop", "uvloop", "--log-level", "warning",
        "front:app",
    ]  # fmt: skip
    with start("fastapi", command, folder, more).serving(port) as program:
        assert b"uvloop" in get(port)[2]
        yield Site(
            "fastapi",
            "front:order",
            program,
            lambda n: ask(port, [f"/order/{n}"]),
            port,
            folder,
        )


@contextlib.contextmanager
def datasette(shore: Leadline, **more: str) -> Iterator[Site]:
    """Its view of a table, whose queries run in a pool of threads."""
    folder, port = shore.cwd / "datasette", free_port()
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "d.db")) as db:
        db.execute("create table t (a integer primary key, b text)")
        db.executemany("insert into t values (?, ?)", [(n, f"row {n}") for n in range(100)])
        db.commit()
    command = [tool("datasette"), "serve", "d.db", "--port", str(port)]
    paths = ["/d/t", "/d/t.json?_shape=array", "/d/t?_sort_desc=b&_size=5", "/d/t?a__gt=50"]
    with start("datasette", command, folder, more).serving(port) as one:

        def drive(n: int) -> object:
            return ask(port, [paths[n % len(paths)]])

        yield Site(
            "datasette", "datasette.views.table:TableView.data", one, drive, port, folder
        )


@contextlib.contextmanager
def wagtail(shore: Leadline, **more: str) -> Iterator[Site]:
    """A page from the database to the rendered bytes, under gunicorn with threads."""
    folder, port = shore.cwd / "wagtail", free_port()
    if not folder.exists():
        make_site(folder)
    command = [
        tool("gunicorn"), "--threads", "4", *GUNICORN, "-b", f"127.0.0.1:{port}", "mysite.wsgi",
    ]  # fmt: skip
    paths = ["/", "/first/", "/second-page/"]
    with start("wagtail", command, folder, more).serving(port) as program:

        def drive(n: int) -> object:
            return ask(port, [paths[n % len(paths)]])

        yield Site("wagtail", "wagtail.views:serve", program, drive, port, folder)


@contextlib.contextmanager
def worker(shore: Leadline, **more: str) -> Iterator[Site]:
    """Four threads that take jobs from a queue; some read the clock, some are random."""
    folder = shore.cwd / "worker"
    folder.mkdir()
    (folder / "jobs.py").write_text(WORKER, "utf-8")
    command = [tool("python"), "jobs.py"]
    with start("worker", command, folder, more) as program:
        yield Site("worker", "jobs:handle", program, lambda _n: None, 0, folder)


@contextlib.contextmanager
def celery(shore: Leadline, **more: str) -> Iterator[Site]:
    """A task of a prefork worker with one process, over a broker of files."""
    folder = shore.cwd / "celery"
    folder.mkdir()
    for name in ("queue", "control", "outbox", "results"):
        (folder / name).mkdir()
    (folder / "tasks.py").write_text(TASKS, "utf-8")
    command = [tool("celery"), "-A", "tasks", "worker", "-c", "1", "-l", "INFO"]
    with start("celery", command, folder, more) as program:
        program.wait_for("ready.")

        def drive(_n: int) -> object:
            return subprocess.run(
                [tool("python"), "tasks.py", "60"], cwd=folder, check=True, timeout=60
            )

        yield Site("celery", "tasks:add", program, drive, 0, folder)
        program.stop(signal.SIGKILL)  # its own way out takes seconds


@contextlib.contextmanager
def httpbin(shore: Leadline, **more: str) -> Iterator[Site]:
    """Views under gunicorn's gevent worker."""
    folder, port = shore.cwd / "httpbin", free_port()
    folder.mkdir()
    command = [
        tool("gunicorn"), "-k", "gevent", *GUNICORN, "-b", f"127.0.0.1:{port}", "httpbin:app",
    ]  # fmt: skip
    paths = ["/get?a=1", "/headers", "/gzip", "/bytes/10?seed=1", "/uuid", "/delay/0"]
    with start("httpbin", command, folder, more).serving(port) as program:

        def drive(n: int) -> object:
            return ask(port, [paths[n % len(paths)]])

        yield Site("httpbin", "flask.app:Flask.dispatch_request", program, drive, port, folder)


SITES: dict[str, Callable[..., contextlib.AbstractContextManager[Site]]] = {
    "flask-sync": lambda shore, **more: flask(shore, "sync", **more),
    "flask-gthread": lambda shore, **more: flask(shore, "gthread", **more),
    "fastapi": fastapi,
    "datasette": datasette,
    "wagtail": wagtail,
    "worker": worker,
    "celery": celery,
}
