"""How fast the page is, with 100,000 hits stored.

    python -m benchmarks.pages [HITS]

For each address: how long the server takes (asked over loopback by one connection that stays
open), how many bytes a browser that was never here gets, with style sheets and modules, and
when Chromium has painted the first of it. The hits are posted by an agent as real ones are; one
in ten is a snapshot. The source is that of a real process, a file of 6,300 lines.
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, sync_playwright

from benchmarks.ingest import _connect, _keys, _place, _start
from leadline.wire.hit import Detail, FrameView, Hit, InstanceInfo, Report
from leadline.wire.keys import agent_key, load
from leadline.wire.messages import REPORT_PATH, encode
from leadline.wire.probe import Moment

HITS = 100_000
BATCH = 500
ASKED = 30
"""Times that an address is asked for its time at the server."""
PAINTED = 7
"""Times that it is opened in the browser, each with nothing kept from before."""
SERVICE = "bench"
INSTANCE = "agent-1"
BIG = "/services/big/source/_pydecimal.py"
_READS_BIG = "import _pydecimal, time; time.sleep(3600)"


def main(many: int = HITS) -> int:
    """Measure and print; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        server, url = _start(Path(folder))
        try:
            user, key = _keys(Path(folder))
            last = _fill(url, user, key, many)
            print(
                f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {many:,} hits stored"
            )
            for address in _addresses(last):
                times = _times(url, user, address)
                low, middle, high = times[0], statistics.median(times), times[-1]
                print(f"  {address:52} {low:6.1f} {middle:6.1f} {high:6.1f} ms at the server")
            with _big(Path(folder), url):
                _browse(url, user, [*_addresses(last), BIG])
        finally:
            server.terminate()
            server.wait(10)
            assert server.stdout is not None
            server.stdout.close()
    return 0


def _addresses(last: int) -> list[str]:
    """Return the pages that a person opens. `last` is the number of the newest hit."""
    now = time.time()
    return [
        "/",
        f"/services/{SERVICE}",
        "/hits",
        f"/hits?service={SERVICE}&last=3600",
        "/hits?probe=p2",
        "/hits?kind=snapshot",
        "/hits?trace=0af7651916cd43dd8448eb211c80319c",
        "/hits?thread=nobody",
        f"/hits?since={now - 1800:.0f}&until={now - 900:.0f}",
        "/hits?text=nowhere",
        "/hits?value=order.number+%3D+77",
        "/hits?value=order.number+%3E+1000000",
        f"/hits/{last}",
        f"/hits/{last // 2}",
        "/parts/hits-over-time",
        "/probes",
        "/probes/p1",
        "/audit",
        "/audit?who=nobody",
        f"/instances/{INSTANCE}",
    ]


@contextmanager
def _big(folder: Path, url: str) -> Iterator[None]:
    """Run a process that has loaded a large file."""
    environ = os.environ | {
        "LEADLINE_URL": url,
        "LEADLINE_KEY": agent_key(load(folder / "keys.json"), "big"),
    }
    run = [sys.executable, "-m", "leadline", "run", "--service", "big", "--"]
    program = subprocess.Popen([*run, sys.executable, "-c", _READS_BIG], env=environ)
    try:
        yield
    finally:
        program.terminate()
        program.wait(10)


def _fill(url: str, user: str, key: str, many: int) -> int:
    """Store hits of the last hour; returns the number of the newest one."""
    log = _place(url, user, {"kind": "log", "target": "a.py:1", "template": "{x}"})
    snapshot = _place(url, user, {"kind": "snapshot", "target": "a.py:2"})
    connection = _connect(url)
    headers = {"Authorization": f"Bearer {key}", "Content-Encoding": "deflate"}
    info = InstanceInfo(
        INSTANCE, SERVICE, os.getpid(), "host", "a.py", "3.13", "0", "pure", 1.0
    )
    begun = time.time() - 3_600
    for first in range(0, many, BATCH):
        hits = [
            _hit(snapshot if seq % 10 == 9 else log, seq, begun + seq * 3_600 / many)
            for seq in range(first, min(first + BATCH, many))
        ]
        report = encode(Report(info, hits))
        connection.request("POST", REPORT_PATH, zlib.compress(report, 1), headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204, answer.status
    connection.close()
    found = json.loads(_get(_connect(url), user, "/v1/hits?limit=1"))["hits"]
    return int(found[0]["id"])


def _hit(probe: str, seq: int, at: float) -> Hit:
    order = {
        "type": "Order",
        "fields": {
            "number": seq,
            "lines": {
                "type": "list",
                "length": 3,
                "items": [
                    {"type": "Line", "fields": {"sku": f"A{n}", "price": 9.5, "quantity": n}}
                    for n in range(3)
                ],
            },
        },
    }
    detail = None
    if seq % 10 == 9:
        frames = [
            FrameView("/srv/shop/a.py", 10 + n, f"call_{n}", "total = 1", {"order": order})
            for n in range(5)
        ]
        detail = Detail(Moment.LINE, frames)
    return Hit(
        probe, INSTANCE, seq, at, f"worker-{seq % 8}", "/srv/shop/a.py", 10, "quote",
        f"order {seq} of customer {seq % 500} in DE",
        {} if detail else {"order": order, "customer.id": seq % 500},
        trace="0af7651916cd43dd8448eb211c80319c" if seq % 1000 == 0 else "",
        detail=detail,
    )  # fmt: skip


def _get(connection: http.client.HTTPConnection, user: str, path: str) -> bytes:
    connection.request("GET", path, headers={"Authorization": f"Bearer {user}"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, (path, answer.status)
    return content


def _times(url: str, user: str, address: str) -> list[float]:
    """Return how long the answers took in milliseconds, the least first."""
    connection = _connect(url)
    took = []
    for number in range(ASKED + 2):
        begun = time.perf_counter()
        _get(connection, user, address)
        if number > 1:  # templates are read once
            took.append((time.perf_counter() - begun) * 1e3)
    connection.close()
    return sorted(took)


def _browse(url: str, user: str, addresses: list[str]) -> None:
    """Open pages in Chromium and print their bytes and when they were painted."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        print("  no Chromium here: nothing was painted")
        return
    page_url = f"http://leadline.localhost:{urlsplit(url).port}"
    with sync_playwright() as playwright:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        signed = browser.new_context()
        page = signed.new_page()
        connection = _connect(url)
        connection.request("POST", "/v1/links", headers={"Authorization": f"Bearer {user}"})
        page.goto(page_url + json.loads(connection.getresponse().read())["path"])
        page.wait_for_url(f"{page_url}/")
        cookies = signed.cookies()
        for address in addresses:
            if address.startswith("/parts"):
                continue
            seen = []
            for _ in range(PAINTED):
                context = browser.new_context()
                context.add_cookies([{**one, "url": page_url} for one in _plain(cookies)])
                seen.append(_open(context, page_url + address))
                context.close()
            paints = sorted(paint for paint, _ in seen)
            sizes = seen[-1][1] / 1000
            print(
                f"  {address:52} {paints[0]:6.0f} {statistics.median(paints):6.0f}"
                f" {paints[-1]:6.0f} ms to the first paint  {sizes:6.1f} kB"
            )
        browser.close()


def _plain(cookies: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"name": one["name"], "value": one["value"]} for one in cookies]


def _open(context: BrowserContext, address: str) -> tuple[float, float]:
    """Return when the first paint was, in milliseconds, and the bytes that came."""
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.wait_for_function("performance.getEntriesByType('paint').length > 0")
    if "/source/" in address:
        page.wait_for_selector(".line")
    return tuple(
        page.evaluate(
            """() => [
              performance.getEntriesByName("first-contentful-paint")[0]?.startTime
                ?? performance.getEntriesByType("paint")[0].startTime,
              [...performance.getEntriesByType("navigation"),
               ...performance.getEntriesByType("resource")]
                .reduce((sum, one) => sum + one.transferSize, 0),
            ]"""
        )
    )


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
