"""The background worker: shelves, orders and mail, a round at a time."""

import logging
import sqlite3
import threading
from datetime import UTC, datetime

from shop import orders, outbox, stock
from shop.db import Database

log = logging.getLogger(__name__)


class Worker:
    """One daemon thread; `stop` ends it within a round."""

    def __init__(self, db: Database, pause: float) -> None:
        self._db = db
        self._pause = pause
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shop-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        rounds = 0
        while True:
            rounds += 1
            try:
                restocked = stock.restock(self._db)
                moved = orders.advance(self._db, datetime.now(UTC))
                sent = outbox.send(self._db)
            except sqlite3.OperationalError:
                log.exception("round %d failed, the next one tries again", rounds)
            else:
                log.debug("round %d: %d, %d, %d", rounds, restocked, moved, sent)
            if self._stopping.wait(self._pause):
                return
