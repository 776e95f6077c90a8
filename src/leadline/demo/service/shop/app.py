"""The application: routes, error answers, and what lives as long as the process."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shop import seed
from shop.catalog import Catalog
from shop.db import Database
from shop.errors import ShopError
from shop.routes import ROUTES
from shop.settings import Settings
from shop.worker import Worker

log = logging.getLogger(__name__)

SLOW_SECONDS = 0.25


class SlowRequestLog:
    """Names each request that took longer than a customer should have to wait."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            await self._app(scope, receive, send)
        finally:
            took = time.perf_counter() - started
            if scope["type"] == "http" and took > SLOW_SECONDS:
                log.warning("%s %s took %.2f s", scope["method"], scope["path"], took)


def create_app(settings: Settings) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        db = Database(settings.database)
        db.create()
        seed.fill(db)
        app.state.db = db
        app.state.catalog = Catalog(db, settings.product_ttl)
        worker = Worker(db, settings.worker_pause)
        worker.start()
        try:
            yield
        finally:
            worker.stop()
            db.close()

    return Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        middleware=[Middleware(SlowRequestLog)],
        exception_handlers={ShopError: answer_shop_error, HTTPException: answer_http_error},
    )


async def answer_shop_error(_request: Request, error: Exception) -> JSONResponse:
    status = error.status if isinstance(error, ShopError) else 500
    return JSONResponse({"error": str(error)}, status)


async def answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


app = create_app(Settings.from_environment())
