"""`python -m shop`: serve the shop on a local port until a signal ends it."""

import argparse
import logging
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from shop.app import create_app
from shop.settings import Settings


class ShopServer(uvicorn.Server):
    """Uvicorn, and one line on standard output once the shop really answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            sys.stdout.write(f"shop listening on http://{host}:{port}\n")
            sys.stdout.flush()


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="shop", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8010, help="0 takes any free port")
    parser.add_argument("--database", type=Path, default=Path("shop.sqlite3"))
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning"])
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    logging.basicConfig(
        level=options.log_level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    config = uvicorn.Config(
        create_app(Settings(database=options.database)),
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    server = ShopServer(config)

    def leave(_number: int, _frame: object) -> None:
        server.should_exit = True

    # Set here and not left to uvicorn alone: a shell's background job starts with SIGINT
    # ignored, and uvicorn repeats each signal to the handler that was there before its own.
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)

    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
