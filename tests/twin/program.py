"""Runs a piece of a program that makes twins, in a process of its own, as root or a user."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NOBODY = 65534
USERS = {"root": 0, "user": NOBODY} if os.getuid() == 0 else {"user": os.getuid()}
PATIENCE_S = 60

_BEFORE = """\
import ctypes, errno, json, os, select, signal, sys, tempfile, threading, time
from sealed import *
import sealed
from leadline import native
seal = native.twin()

def become(user):
    if user != os.getuid():
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)

def descriptors():
    return len(os.listdir("/proc/self/fd"))

def end_of(pid):
    while (status := seal.reap(pid)) is None:
        time.sleep(0.001)
    return status

def tell(**told):
    print(json.dumps(told), flush=True)

"""


def run(source: str, as_user: str = "", first: str = "", **given: Any) -> dict[str, Any]:
    """Run `source`; returns what it told with `tell`, which must be all that it printed.

    `first` is run before anybody has asked whether there are twins here."""
    words = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    become = f"become({USERS[as_user]})\n" if as_user else ""
    done = subprocess.run(
        [sys.executable, "-c", first + _BEFORE + words + become + textwrap.dedent(source)],
        env=os.environ | {"PYTHONPATH": str(HERE)},
        capture_output=True,
        start_new_session=True,  # twins give way to whoever else is busy in theirs
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    told: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        told |= json.loads(line)
    return told
