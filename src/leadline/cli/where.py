"""Which instances a probe is for, and whether one of them tries it first: as options."""

import argparse
from typing import Any

from leadline.cli.duration import duration
from leadline.wire.errors import UsageError

CANARY_S = 10.0
"""How long one instance carries a probe before the others do; a report comes each second."""


def add_where(parser: argparse.ArgumentParser) -> None:
    """The options `--instance`, `--tag` and `--canary`."""
    parser.add_argument(
        "--instance",
        default="",
        metavar="ID",
        help="only in this instance: the beginning of its id, or its process id",
    )
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="only in instances with this tag, now and later; with all of them if repeated",
    )
    parser.add_argument(
        "--canary",
        type=duration,
        nargs="?",
        const=CANARY_S,
        metavar="TIME",
        help="try it in one instance for this time first, and go on if that stayed well "
        f"(without a time: {CANARY_S:.0f}s)",
    )


def where_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return what was asked for as members of a placing; nothing for what was not."""
    found: dict[str, Any] = {}
    if args.instance or args.tag:
        found["where"] = {"instance": args.instance, "tags": dict(map(_tag, args.tag))}
    if args.canary is not None:
        found["canary"] = {"seconds": args.canary}
    return found


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(
            "bad-option", f"{text!r} is not a tag.", "Write NAME=VALUE, for example zone=eu."
        )
    return name, value
