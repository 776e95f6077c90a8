"""The service that `serving.py` measures: Flask and SQLite, one process, a thread a connection.

`python service.py DATABASE` prints its port, then answers `/orders/N` until it is stopped. The
address `/cpu` tells the CPU time that the whole process has used, the agent's threads included.
"""

import sqlite3
import sys
import threading
import time

from flask import Flask, Response, jsonify
from werkzeug.serving import WSGIRequestHandler, make_server

ORDERS = 200
LINES = 12
"""Rows that one request reads."""
STEPS = 20_000
"""Passages of the hottest loop in one request to `/busy`, which takes some milliseconds."""

app = Flask(__name__)
here = threading.local()


@app.get("/orders/<int:number>")
def order(number: int) -> Response:
    rows = connection().execute(
        "SELECT article, price, quantity FROM line WHERE ordered = ?", (number % ORDERS,)
    )
    lines = [dict(row) for row in rows]
    total = total_of(lines)
    return jsonify(order=number, lines=lines, total=total)


@app.get("/busy")
def busy() -> Response:
    total, began = 0, time.thread_time_ns()
    for number in range(STEPS):
        total = step(total, number)
    return jsonify(total=total, ns=time.thread_time_ns() - began)


def step(total: int, number: int) -> int:
    changed = total ^ number
    return changed  # the line that is probed in the hottest loop  # noqa: RET504


@app.get("/cpu")
def cpu() -> Response:
    return jsonify(ns=time.process_time_ns())


def total_of(lines: list[dict[str, int]]) -> int:
    total = sum(line["price"] * line["quantity"] for line in lines)
    count = len(lines)
    return total if count else 0  # the line that is probed once a request


def refund(total: int) -> int:
    return -total  # the line that is probed elsewhere: nobody calls this


def connection() -> sqlite3.Connection:
    if not hasattr(here, "connection"):
        here.connection = sqlite3.connect(sys.argv[1])
        here.connection.row_factory = sqlite3.Row
    found: sqlite3.Connection = here.connection
    return found


def fill(path: str) -> None:
    """Write the orders that are read."""
    with sqlite3.connect(path) as new:
        new.execute("CREATE TABLE line (ordered INT, article TEXT, price INT, quantity INT)")
        new.executemany(
            "INSERT INTO line VALUES (?, ?, ?, ?)",
            [
                (number, f"article {line}", 100 + line, 1 + number % 3)
                for number in range(ORDERS)
                for line in range(LINES)
            ],
        )
        new.execute("CREATE INDEX of_order ON line (ordered)")
    new.close()


class Quiet(WSGIRequestHandler):
    """Keeps connections open, and writes no line for each request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: one would wait for 40 ms

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    print(server.port, flush=True)
    server.serve_forever()
