"""`leadline openapi`: all of the server's addresses, for programs that read OpenAPI."""

import argparse
import json

from leadline.cli.client import Client
from leadline.cli.command import Command
from leadline.cli.show import out


def _configure(_parser: argparse.ArgumentParser) -> None:
    """It takes nothing: what it prints is JSON, with a version of its own."""


def _run(_args: argparse.Namespace) -> int:
    out(json.dumps(Client().get("/v1/openapi.json"), indent=2))
    return 0


COMMAND = Command(
    "openapi",
    "print the description of the server's addresses as OpenAPI 3.1",
    "leadline openapi > leadline.json",
    _configure,
    _run,
)
