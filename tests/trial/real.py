"""Real programs whose calls are made again in a twin: `python real.py NAME`, JSON out."""

# ruff: noqa: PLC0415 - each program is loaded alone

import asyncio
import json
import sqlite3
import sys
import threading

from twins import Twin, plain, shower, shown

from leadline.trial.agreeing import compare
from leadline.trial.asking import ask
from leadline.trial.calls import call_of
from leadline.trial.outcome import outcome_of
from leadline.trial.revival import revive
from leadline.trial.running import bound, read_rerun, run


def again(function, live, code=()) -> dict[str, object]:
    """Return what was said, and whether the rerun agreed with what really happened."""
    ended = []

    def at_return(frame, value, returned):
        ended.append(outcome_of(returned, value, bound(frame), shower()))

    def inside(frame):
        notes = revive()
        said = ask(frame, code, shown, list)
        return {"notes": notes, "said": said, "rerun": run(call_of(frame), shower(), 4.0)}

    watched = Watched(function, at_return)
    with Twin(function, inside) as twin, watched:
        live()
        answer = twin.answer()
    rerun = read_rerun(answer["rerun"])
    agreement = compare(ended[0], rerun.outcome, rerun.marks, rerun.cut)
    return {
        "agreement": agreement,
        "notes": answer["notes"],
        "said": answer["said"],
        "raised": rerun.raised,
    }


class Watched:
    """Captures how the first call of a function ends, as an agent does in the live process."""

    def __init__(self, function, at_return) -> None:
        self._code, self._at_return, self._done = function.__code__, at_return, False

    def __enter__(self):
        monitoring, events = sys.monitoring, sys.monitoring.events
        monitoring.use_tool_id(2, "end of a test")
        monitoring.register_callback(2, events.PY_RETURN, self._returned)
        monitoring.set_local_events(2, self._code, events.PY_RETURN)
        return self

    def __exit__(self, *_) -> None:
        sys.monitoring.set_local_events(2, self._code, 0)
        sys.monitoring.free_tool_id(2)

    def _returned(self, _code, _offset, value) -> None:
        if not self._done:
            self._done = True
            self._at_return(sys._getframe(1), value, True)


def flask():
    from flask import Flask, jsonify, request

    app, lock = Flask("real"), threading.Lock()
    shop = sqlite3.connect("shop.db", check_same_thread=False)
    shop.execute("create table items(sku)")
    shop.execute("insert into items values ('a')")

    @app.route("/price/<int:n>")
    def price(n):
        with lock:
            rows = shop.execute("select sku, ? from items", (n,)).fetchall()
        app.logger.warning("priced")
        return jsonify(n=n, rows=rows, q=request.args.get("q"))

    client = app.test_client()
    code = [
        "request.args['q']",
        "app.url_map.bind('').match('/price/3')[0]",
        "len(jsonify(n).data)",
    ]
    return [again(price, lambda: client.get("/price/3?q=x"), code)]


def datasette():
    from datasette.app import Datasette
    from datasette.database import Database
    from datasette.views.table import TableView

    with sqlite3.connect("data.db") as data:
        data.executescript("create table t(a, b); insert into t values (1, 2), (3, 4)")
    site = Datasette(["data.db"])
    asyncio.run(site.invoke_startup())

    async def get():
        response = await site.client.get("/data/t.json?_shape=array")
        assert response.json()[0]["a"] == 1, response.text

    code = ["await self.ds.get_database('data').table_names()"]
    return [
        again(TableView.data, lambda: asyncio.run(get()), code),
        again(Database.table_columns, lambda: asyncio.run(get())),
    ]


def fastapi():
    import httpx
    import uvloop
    from fastapi import Depends, FastAPI
    from starlette.concurrency import run_in_threadpool

    app = FastAPI()

    def rate(q: int = 0):
        return q + 1

    def slow(n):
        return n * 2

    @app.get("/sync/{n}")
    def sync(n: int, r: int = Depends(rate)):
        return {"n": n, "r": r}

    @app.get("/async/{n}")
    async def view(n: int, r: int = Depends(rate)):
        await asyncio.sleep(0.001)
        twice = await asyncio.to_thread(slow, n)
        return {"n": twice, "r": r, "again": await run_in_threadpool(slow, twice)}

    async def get(path):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return (await client.get(path)).json()

    return [
        again(sync, lambda: uvloop.run(get("/sync/3?q=4")), ["n + r"]),
        again(
            view, lambda: uvloop.run(get("/async/3?q=4")), ["await run_in_threadpool(slow, 4)"]
        ),
    ]


def asgiref():
    from asgiref.sync import async_to_sync, sync_to_async

    def rows(n):
        return [n] * 2

    async def view(n):
        return await sync_to_async(rows)(n), await sync_to_async(rows, thread_sensitive=False)(
            n
        )

    def outer(n):
        return async_to_sync(view)(n)

    async def live():
        return await view(3)

    asyncio.run(live())
    return [again(view, lambda: asyncio.run(live())), again(outer, lambda: outer(3))]


def gevent():
    from gevent import monkey

    monkey.patch_all()
    import time

    import gevent
    from gevent.pool import Pool

    lock, event = threading.Lock(), threading.Event()

    def pure(n):
        with lock:
            return n * 2

    def sleeps(n):
        try:
            time.sleep(0.001)
        except Exception:  # noqa: BLE001 - as applications do
            return "swallowed"
        return n

    def spawns(n):
        return gevent.spawn(pure, n).get()

    def pools(n):
        return list(Pool(2).map(pure, [n]))

    def waits(_):
        return event.wait(0.001)

    code = ["n + 1", "sleeps(3)", "time.sleep(0)", "n"]
    globals().update(sleeps=sleeps, time=time)
    return [
        again(one, lambda one=one: gevent.spawn(one, 3).get(), code)
        for one in (pure, sleeps, spawns, pools, waits)
    ]


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](), default=plain))
