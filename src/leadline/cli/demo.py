"""`leadline demo`: a server, a shop with traffic and two bugs, and the first probes."""

import argparse
import os
import sys

from leadline.cli.command import Command
from leadline.cli.places import make_folder, server_is_running, state_file
from leadline.cli.up import require_server


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=float, metavar="N", help="end by itself after N seconds of hits"
    )


def _run(args: argparse.Namespace) -> int:
    require_server()
    arguments = ["--seconds", str(args.seconds)] if args.seconds else []
    if not server_is_running() and "LEADLINE_URL" not in os.environ:
        # commands in other terminals then find the demo's server by themselves
        make_folder(state_file())
        arguments += ["--state", str(state_file())]
    os.execv(sys.executable, [sys.executable, "-m", "leadline.demo", *arguments])


COMMAND = Command("demo", "see it work on a small shop", "leadline demo", _configure, _run)
