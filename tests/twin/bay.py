"""A small service in threads, which tells what twins could do to it."""

import http.server
import json
import os
import signal
import sys
import threading
import urllib.parse

told = []
log = open("bay.log", "a", encoding="utf-8")
kept = {"answer": 42, "password": "hunter2", "names": ["ann", "bob"]}
lock = threading.Lock()


def told_of_a_child(_signal, _frame):
    told.append(_signal)


signal.signal(signal.SIGCHLD, told_of_a_child)


class Order:
    def __init__(self, number):
        self.number = number
        self.items = list(range(number % 10))

    @property
    def total(self):
        return sum(self.items)

    def discount(self, percent):
        return self.total * percent / 100


def note(text):
    log.write(text + "\n")
    log.flush()
    return len(text)


def work(number):
    order = Order(number)
    with lock:
        kept["answer"] += 0
    length = note(f"order {number}")
    return {"total": order.total, "length": length}


def state():
    try:
        os.waitpid(-1, os.WNOHANG)
        waited = "a child"
    except ChildProcessError:
        waited = "none"
    pages = open("/proc/self/statm", encoding="ascii").read().split()[1]
    return {
        "pid": os.getpid(),
        "files": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
        "kilobytes": int(pages) * 4,
        "signals": len(told),
        "waited": waited,
        "kept": kept,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        body = state() if path == "/state" else work(int(path.strip("/") or 0))
        said = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
