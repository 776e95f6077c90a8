"""`leadline keys`: which keys there are, and replacing them without a restart.

A key is shown on a terminal only when that is asked for: terminals are recorded and shared.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration, spoken
from leadline.cli.places import server_keys_file
from leadline.cli.show import err, harmless, out, table
from leadline.wire.errors import LeadlineError, UnavailableError, UsageError
from leadline.wire.keys import Right, load

_DOING = ("list", "rotate", "add", "revoke")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("doing", choices=_DOING, metavar="|".join(_DOING))
    parser.add_argument("name", nargs="?", help="with add and revoke: whose key it is")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--service", metavar="NAME", help="with rotate: the agent key of this service"
    )
    which.add_argument(
        "--agents", action="store_true", help="with rotate: the agent keys of all services"
    )
    parser.add_argument(
        "--grace",
        type=duration,
        metavar="TIME",
        help="with rotate: the old key stays valid for so long (default: not at all)",
    )
    parser.add_argument(
        "--may",
        action="append",
        default=[],
        choices=[str(right) for right in Right],
        help="with add: what the key may beside looking at services and placing probes: "
        "run code in their twins",
    )
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="write the new key to this file"
    )
    parser.add_argument("--show", action="store_true", help="print the new key")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    _check(args)
    client = Client()
    match args.doing:
        case "list":
            answer = client.get("/v1/keys")
        case "rotate":
            answer = client.post("/v1/keys/rotate", _rotation(args))
        case "add":
            answer = client.post("/v1/keys", {"name": args.name, "may": args.may})
        case _:
            answer = client.delete(f"/v1/keys/{args.name}")
    key = str(answer.pop("key", ""))
    kept = _keep(key, args) if key else ""
    if args.json:
        out(json.dumps(answer | ({"key": key} if args.show and key else {})))
        return 0
    _say(args, answer, kept)
    if args.show and key:
        out(key)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse what would lose a key: one that was made and that nobody has seen."""
    named = args.doing in ("add", "revoke")
    if named != bool(args.name) or (args.name and not args.name.isprintable()):
        needed = "needs the name of" if named else "takes no name for"
        raise UsageError("bad-option", f"`leadline keys {args.doing}` {needed} a key.")
    if args.doing != "rotate" and (args.service or args.agents or args.grace):
        raise UsageError("bad-option", "--service, --agents and --grace belong to `rotate`.")
    if args.doing != "add" and args.may:
        raise UsageError("bad-option", "--may belongs to `add`.")
    makes_user_key = args.doing == "add" or (
        args.doing == "rotate"
        and not (args.service or args.agents)
        and "LEADLINE_KEY" in os.environ
    )
    if makes_user_key and not (args.show or args.to):
        raise UsageError(
            "key-goes-nowhere",
            "The new key would be lost: no key file of this machine holds it.",
            "Say --to FILE to have it written to a new file, or --show to have it printed.",
        )
    if args.to is not None and os.path.lexists(args.to):
        raise UsageError("bad-option", f"{args.to} is there already; --to makes a new file.")


def _rotation(args: argparse.Namespace) -> dict[str, Any]:
    what = "service" if args.service else "agents" if args.agents else "user"
    body: dict[str, Any] = {"what": what, "grace_s": args.grace or 0}
    return body | ({"service": args.service} if args.service else {})


def _keep(key: str, args: argparse.Namespace) -> str:
    """Write a new key to the file that was asked for; return where it can be found."""
    if args.to is None:
        return ""
    try:
        descriptor = os.open(args.to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(key + "\n")
    except OSError as error:
        err("leadline: the new key is valid; it is printed because it could not be written")
        out(key)
        raise UnavailableError(
            "key-file-unwritable",
            f"The key file {args.to} cannot be written: {error.strerror}.",
        ) from error
    return str(args.to)


def _say(args: argparse.Namespace, answer: Mapping[str, Any], kept: str) -> None:
    match args.doing:
        case "list":
            rows = [_row(key) for key in answer["keys"]]
            out(table(["KIND", "NAME", "MADE", "LAST SEEN", "MAY", "VALID"], rows))
        case "rotate":
            _say_rotated(args, answer, kept)
        case "add":
            may = f" that may {', '.join(args.may)}" if args.may else ""
            where = f", in {kept}" if kept else ""
            out(f"made a user key for {harmless(args.name)}{may}{where}")
        case _:
            out(f"revoked: {harmless(str(answer['revoked']))}")


def _say_rotated(args: argparse.Namespace, answer: Mapping[str, Any], kept: str) -> None:
    what = {"user": "the user key", "agents": "the agent keys of all services"}.get(
        str(answer["what"]), f"the agent key of {answer['service']}"
    )
    old = answer.get("old_until")
    grace = f"for {spoken(old - time.time())} more" if old and args.grace else "no more"
    out(f"replaced {harmless(what)}; the old one is valid {grace}")
    if kept:
        out(f"the new one is in {kept}")
    elif answer["what"] == "user" and "LEADLINE_KEY" not in os.environ:
        out(f"the new one is in {_key_file()}, where commands find it")
    elif answer["what"] != "user":
        out("services get the new one when `leadline run` starts them again")


def _key_file() -> Path:
    """Return the key file of the server that is meant, if it can be used."""
    path = server_keys_file()
    try:
        load(path)
    except LeadlineError as error:
        err(f"leadline: {error}")
    return path


def _row(key: Mapping[str, Any]) -> list[object]:
    until = key["expires_at"]
    return [
        key["what"],
        key["name"] or "-",
        _ago(key["created_at"]),
        _ago(key["used_at"]),
        ", ".join(key["may"]) or "-",
        _valid(until),
    ]


def _valid(until: float | None) -> str:
    """Return how long a key is valid; the file holds one past its grace until keys change."""
    if until is None:
        return "until it is replaced"
    left = until - time.time()
    return f"{spoken(left)} more" if left > 0 else "over"


def _ago(when: float | None) -> str:
    return "-" if not when else f"{spoken(time.time() - when)} ago"


COMMAND = Command(
    "keys",
    "list keys, replace them, make and revoke keys of people",
    "leadline keys rotate --grace 10m",
    _configure,
    _run,
)
