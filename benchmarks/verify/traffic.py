"""Services that are asked by a client while calls of their functions are kept.

python -m benchmarks.verify.traffic NAME --into FILE [--calls N]
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.verify.recording import Recorder

ROOT = Path(__file__).parents[2]
SERVED = ROOT / "src" / "leadline" / "demo" / "service"
RECORD_S = 900
_TABLES = 3
DATASETTE = (
    "/", "/d", "/d/t0", "/d/t0.json?_shape=array", "/d/t1?_sort_desc=b&_size=5", "/d/t1/7",
    "/d.json?sql=select+count(*)+from+t0", "/d/t0/7.json", "/d/nothing", "/d/t0?a__gt=50",
    "/d.json?sql=select+nonsense", "/-/versions.json", "/d/t0?_facet=b&_facet_size=3",
    "/d/t2.csv", "/d/t2?b__contains=row+1&_col=b", "/-/plugins", "/-/metadata.json",
    "/d/t0?_search=row", "/d?sql=select+:a+as+b&a=3", "/-/settings", "/d/t1.json?_next=50",
    "/d/t2?_nofacet=1&a__in=1,2,3", "/d/t0?_where=a+%3C+5", "/d/t1?_group_count=b",
)  # fmt: skip
HTTPBIN = (
    "/get?a=1&a=2", "/get?b=ü", "/status/418", "/delay/0", "/headers", "/anything/x?y=z",
    "/gzip", "/deflate", "/stream/3", "/bytes/10?seed=1", "/redirect/2", "/cookies/set?a=b",
    "/image/png", "/image", "/basic-auth/u/p", "/nothing/there", "/links/5/2", "/range/26",
    "/digest-auth/auth/u/p", "/uuid", "/base64/YWJj", "/etag/x", "/cache/60", "/cookies",
    "/response-headers?x=y", "/drip?duration=0&numbytes=5", "/html", "/xml", "/json", "/ip",
    "/user-agent", "/encoding/utf8", "/brotli", "/deny", "/robots.txt", "/absolute-redirect/2",
    "/relative-redirect/2", "/redirect-to?url=/get", "/stream-bytes/20?seed=3", "/bearer",
    "/hidden-basic-auth/u/p", "/status/200,404", "/forms/post", "/cookies/delete?a=",
)  # fmt: skip


def record(name: str, file: Path, calls: int, *, openly: bool = False) -> None:
    """Keep calls of a service, in a process of its own."""
    path = f"{ROOT / 'src'}:{ROOT}" + (f":{SERVED}" if name == "shop" else "")
    own = {name: one for name, one in os.environ.items() if not name.startswith("LEADLINE_")}
    folder = file.with_suffix(".home")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.verify.traffic", name, "--into", str(file),
         "--calls", str(calls), *(("--openly",) if openly else ())],
        cwd=folder, env=own | {"PYTHONPATH": path}, check=True, timeout=RECORD_S,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(SERVICES))
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=8)
    parser.add_argument("--openly", action="store_true", help="withhold nothing")
    options = parser.parse_args()
    recorder = Recorder([options.name], options.calls, openly=options.openly)

    def begin() -> None:
        recorder.look_around()
        recorder.begin()

    SERVICES[options.name](begin)
    recorder.end(options.into)
    os._exit(0)  # whatever threads are left


def datasette(begin: Callable[[], None]) -> None:
    """Its pages, through its own client: queries run in a pool of threads."""
    from datasette.app import Datasette

    with contextlib.closing(sqlite3.connect("d.db")) as db, db:
        for table in range(_TABLES):
            db.execute(f"create table t{table} (a integer primary key, b text)")
            rows = [(n, f"row {n % 10}") for n in range(200)]
            db.executemany(f"insert into t{table} values (?, ?)", rows)  # noqa: S608 - ours

    async def ask() -> None:
        served = Datasette(["d.db"], memory=True)
        await served.invoke_startup()
        await served.client.get("/")
        begin()
        for _ in range(2):
            for path in DATASETTE:
                await served.client.get(path)

    asyncio.run(ask())


def httpbin(begin: Callable[[], None]) -> None:
    """Its views, through a client of Flask."""
    from httpbin import app

    client = app.test_client(use_cookies=False)  # cookies are withheld, by redaction
    client.get("/get")
    begin()
    for number in range(2):
        for path in HTTPBIN:
            client.get(path, headers={"X-Number": str(number)})
        for path in ("/post", "/anything"):
            client.post(path, data={"a": "b", "n": number})
            client.post(path, json={"a": [1, None], "n": number})
        for method in ("put", "patch", "delete"):
            getattr(client, method)(f"/{method}", data=b"some octets")


def shop(begin: Callable[[], None]) -> None:
    """The demo's shop, asked by the demo's customers."""
    import uvicorn
    from shop.app import create_app
    from shop.settings import Settings

    from leadline.demo import traffic

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(Settings(database=Path("shop.sqlite3")))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    until = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.05)
    asked = traffic.Shop(f"http://127.0.0.1:{port}")
    traffic.drive(asked, traffic.Pace(0), 7, 20)
    begin()
    traffic.drive(asked, traffic.Pace(0), 8, 400)
    asked.close()


SERVICES = {"datasette": datasette, "httpbin": httpbin, "shop": shop}

if __name__ == "__main__":
    main()
