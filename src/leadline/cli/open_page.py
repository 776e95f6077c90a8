"""`leadline open`: signs a browser in with a link that works once."""

import argparse
import ipaddress
import json
import os
import sys
import time
from urllib.parse import urlsplit

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.show import out

_PAGE_NAME = "leadline.localhost"
"""The page's own name on this machine. Cookies do not know ports: under `127.0.0.1` they would
go to every service that the browser visits there. Browsers ask nobody where `localhost` is."""
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-browser", action="store_true", help="print the link and open nothing"
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    answer = client.post("/v1/links")
    url = f"{page_address(client.url)}{answer['path']}"
    opened = not args.no_browser and _open(url)
    if args.json:
        made = {"schema_version": answer["schema_version"], "url": url, "opened": opened}
        out(json.dumps({**made, "expires_at": answer["expires_at"]}))
        return 0
    if opened:
        out(f"opened {page_address(client.url)} in the browser")
        return 0
    left = max(0, round(answer["expires_at"] - time.time()))
    out(f"{url}\nThis link signs one browser in, once, within {left} s.")
    return 0


def page_address(url: str) -> str:
    """Return where the page of a server is: under its own name if it is on this machine."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    host = parts.hostname or ""
    # a certificate is for the name that it was made for
    if parts.scheme == "http" and _loopback(host):
        return f"http://{_PAGE_NAME}{port}"
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _open(url: str) -> bool:
    """Open a browser if there is a screen to show it on; one in the terminal shows no page."""
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _SCREENS):
        return False
    import webbrowser  # noqa: PLC0415 - no other command needs it

    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


COMMAND = Command(
    "open",
    "open the page in the browser, signed in",
    "leadline open --no-browser",
    _configure,
    _run,
)
