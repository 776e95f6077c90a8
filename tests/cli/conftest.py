"""A small service that does one of everything, under a server of the test's own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.native import SETTING
from live import LEADLINE, Leadline, Program
from waiting import wait_for

SERVICE = """\
import asyncio
import contextvars

request_id = contextvars.ContextVar("request_id")


def quote(goods, country):
    shipping = 450 if country == "DE" else 390
    total = goods + shipping
    return total


def fail(n):
    password = "hunter2"
    return 1 / n


async def handle(number):
    request_id.set(f"r{number}")
    quote(number % 10 * 100, "DE")
    try:
        fail(number % 2)
    except ZeroDivisionError:
        pass
    await asyncio.sleep(0.02)


async def main():
    number = 0
    while True:
        number += 1
        await asyncio.create_task(handle(number), name=f"handle-{number}")


asyncio.run(main())
"""


@pytest.fixture
def shop(leadline: Leadline, tmp_path: Path) -> Iterator[Program]:
    """The service `shop`, connected."""
    with _start(leadline, tmp_path) as program:
        yield program


def _start(leadline: Leadline, folder: Path) -> Program:
    """Start the service in a folder, and wait until it is connected."""
    (folder / "shop.py").write_text(SERVICE)
    command = [LEADLINE, "run", "--service", "shop", "--", sys.executable, "shop.py"]
    program = Program(command, folder)
    wait_for(lambda: leadline.connected("shop"), 20)
    return program


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leadline]:
    """A server for a file of tests, where each starting one of its own takes too long."""
    folder = tmp_path_factory.mktemp("harbour")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("LEADLINE_")]:
            if name != SETTING:
                patch.delenv(name)
        for name in ("CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / "home" / name.lower()))
        made = Leadline(folder / "home", folder).up()
        yield made
        made.close()


@pytest.fixture(scope="module")
def moored(harbour: Leadline) -> Iterator[Program]:
    """The service `shop` at that server."""
    with _start(harbour, harbour.cwd) as program:
        yield program
