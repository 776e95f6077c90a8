"""Runs the hand-written cases of `cases/`: captured in their own process, then verified."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.verify.apart import apart
from benchmarks.verify.calling import captured, home, imported
from benchmarks.verify.case import Case, load
from leadline.trial.candidate import make, of_texts
from leadline.verify.verifying import Request, verify
from leadline.wire.errors import LeadlineError

REPEATS, LEAST_CALLS = 16, 64
"""How often the calls of a case are made, and how many at least: enough good ones of them to
stand behind a verdict."""


def run(only: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each case."""
    with _Weather() as url:
        for case in load():
            if only in f"handmade {case.name}":
                yield _row(case, url)


def _row(case: Case, url: str) -> dict[str, Any]:
    row: dict[str, Any] = {"case": f"handmade {case.name}", "truth": case.truth, "bad": False}
    row |= {"calls": 0, "agreed": 0, "runs": 0, "reason": "", "allowed": list(case.verdicts)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "live.py")
        file.write_text(case.live, "utf-8")
        os.environ |= {"CASE_URL": url, "CASE_FOLDER": folder}
        calls = apart(lambda: _capture(case, folder))
        if isinstance(calls, str):
            return row | {"verdict": f"not captured: {calls}"[:100]}
        candidate = make(case.name, [of_texts(str(file), case.live, case.new)])
        request = Request(
            "bench", case.entry, calls, home(Path(folder)), candidate, case.fails, case.expect,
            within_s=3.0,
        )  # fmt: skip
        try:
            report = verify(request).report
        except LeadlineError as error:
            refused = f"refused: {error.message}"
            return row | {"verdict": refused[:100], "reason": error.message}
    said = "no difference" if report.verdict == "no difference seen" else str(report.verdict)
    good = said in ("fixed", "no difference", "no longer fails")
    return row | {
        "verdict": str(report.verdict),
        "calls": report.shares.calls,
        "agreed": report.shares.agreed,
        "runs": report.runs,
        "reason": report.reason,
        "bad": said not in case.verdicts and (good or said == "changes behaviour"),
        "other": said not in case.verdicts,
    }


def _capture(case: Case, folder: str) -> list[Any]:
    with imported(folder, "live") as (module,):
        expressions = case.calls * max(REPEATS, LEAST_CALLS // len(case.calls))
        given = [eval(one, vars(module)) for one in expressions]  # noqa: S307 - our own texts
        return captured(case.entry, given, case.fails)


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"degrees": 21} if self.path == "/weather/bern" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Weather:
    """The server that cases with `needs = ["http"]` ask."""

    def __enter__(self) -> str:
        self._server = HTTPServer(("127.0.0.1", 0), _Answer)
        Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


if __name__ == "__main__":
    for one in run(sys.argv[1] if len(sys.argv) > 1 else ""):
        print(json.dumps(one), flush=True)
