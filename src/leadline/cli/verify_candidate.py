"""The candidate of `leadline verify`, as it was given: a diff, what git knows, or a file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from leadline.cli.show import err, harmless
from leadline.cli.verify_entry import local_roots
from leadline.trial import candidate as candidates
from leadline.trial.candidate import Candidate
from leadline.trial.patch import parse
from leadline.verify import git
from leadline.verify.calls import Home
from leadline.verify.sources import finder
from leadline.wire.errors import RefusedError, UsageError

STDIN = "-"
MAX_CANDIDATE_BYTES = 16_000_000
"""A diff, or the new text of a file, may be so long."""


def read_patch(args: argparse.Namespace) -> bytes:
    """Read the diff once, since standard input can be read no second time, and see that it is
    one before any call is waited for."""
    if not args.patch:
        return b""
    if args.patch == STDIN:
        patch = _within(sys.stdin.buffer.read(MAX_CANDIDATE_BYTES + 1), "Standard input")
    else:
        patch = _bytes(args.patch)
    parse(patch.decode("utf-8", "surrogateescape"))
    return patch


def read_candidate(args: argparse.Namespace, home: Home, patch: bytes) -> Candidate:
    """Read the candidate; says once, and before anything runs, what of it is not tried."""
    found = _read(args, home, patch)
    names = ", ".join(one.name for one in found.untried)
    if names and names != getattr(args, "untried", ""):
        args.untried = names
        err(f"leadline: not tried, so nothing good can be said: {harmless(names)}")
    return found


def local_candidate(args: argparse.Namespace, patch: bytes) -> Candidate:
    """Read the candidate before it is known where the service has its code. Raises
    `RefusedError` (`not-applicable`) where it cannot run at all."""
    roots = local_roots(args)
    here = Home(path=roots, cwd=roots[0] if roots else str(Path.cwd()))
    found = read_candidate(args, here, patch)
    if said := candidates.obstacles(found):
        raise RefusedError("not-applicable", f"{said[0]}.")
    return found


def _read(args: argparse.Namespace, home: Home, patch: bytes) -> Candidate:
    folder = str(Path(args.path[0]).resolve()) if args.path else home.cwd
    read = finder(home.path, folder, args.path)
    if args.ref:
        where = [folder] if args.path else [folder, *home.path]
        return git.from_git(args.ref, _checkout(where), read)
    if args.replace:
        name, equal, file = args.replace.partition("=")
        if not equal:
            raise UsageError("bad-patch", "--replace is NAME=FILE: shop/pricing.py=new.py")
        return candidates.from_file(name, candidates.decoded(_bytes(file)), read)
    title = "standard input" if args.patch == STDIN else Path(args.patch).name
    text = patch.decode("utf-8", "surrogateescape")
    return candidates.from_diff(text, read, title=title, folder=folder)


def _checkout(folders: Sequence[str]) -> str:
    """Return the first folder that lies in a checkout; else the first one, of which git tells
    what is wrong."""
    return next((one for one in folders if one and git.is_checkout(one)), folders[0])


def _bytes(file: str) -> bytes:
    try:
        with Path(file).open("rb") as content:
            return _within(content.read(MAX_CANDIDATE_BYTES + 1), file)
    except OSError as error:
        raise UsageError("bad-patch", f"{file} cannot be read: {error.strerror}.") from None


def _within(content: bytes, name: str) -> bytes:
    if len(content) > MAX_CANDIDATE_BYTES:
        size = f"{MAX_CANDIDATE_BYTES / 1e6:g} MB"
        raise UsageError("bad-patch", f"{name} is longer than the {size} that are read.")
    return content
