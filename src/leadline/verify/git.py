"""A candidate that git holds: asked once, for a diff."""

import subprocess
from pathlib import Path

from leadline.trial.candidate import Candidate, from_diff
from leadline.trial.sources import Read
from leadline.wire.errors import UsageError

GIT_S = 30.0
"""How long `git diff` may take: seconds in the largest repositories."""


def from_git(ref: str, folder: str, read: Read) -> Candidate:
    """Take what a ref says in `folder` (`diff_of`). Raises `UsageError` (`bad-patch`)."""
    return from_diff(diff_of(ref, folder), read, f"git {ref}", folder)


def diff_of(ref: str, folder: str) -> str:
    """Return what `git diff REF` says in `folder`: a commit against the working tree, or
    `main..fix`; of a commit that comes after the one that is checked out, what it adds. Raises
    `UsageError` (`bad-patch`) with git's own words."""
    if not ref or ref.startswith("-"):
        raise UsageError("bad-patch", f"{ref!r} is nothing that git could compare.")
    wanted = f"HEAD..{ref}" if _comes_after(ref, folder) else ref
    done = _git(
        folder,
        *("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames"),
        *("--unified=3", "--src-prefix=a/", "--dst-prefix=b/", wanted, "--"),
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError("bad-patch", f"git says: {said[0] if said else done.returncode}.")
    text = done.stdout.decode("utf-8", "surrogateescape")
    if not text:
        raise UsageError("bad-patch", f"git sees no difference to {ref} in {folder}.")
    return text


def is_checkout(folder: str) -> bool:
    """Whether a folder lies in a checkout of git, by the folders above it."""
    path = Path(folder).absolute()
    return any(Path(one, ".git").exists() for one in (path, *path.parents))


def _comes_after(ref: str, folder: str) -> bool:
    """Tell whether a commit builds upon the one that is checked out. Raises `UsageError` where
    each has what the other has not: which of them is the candidate is not ours to guess."""
    if ".." in ref or _is_ancestor(ref, "HEAD", folder) is not False:
        return False
    if _is_ancestor("HEAD", ref, folder):
        return True
    raise UsageError(
        "bad-patch",
        f"{ref} has commits that are not checked out in {folder}, and the other way round.",
        f"--ref HEAD...{ref} is what {ref} adds, --ref {ref}...HEAD what is checked out adds.",
    )


def _is_ancestor(one: str, other: str, folder: str) -> bool | None:
    """Return whether a commit is, or comes before, another; None where one of them is none."""
    status = _git(folder, "merge-base", "--is-ancestor", one, other).returncode
    return {0: True, 1: False}.get(status)


def _git(folder: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Raises `UsageError` (`bad-patch`) where git does not come to an end."""
    quiet = ("-c", "core.quotePath=true", "-c", "core.fsmonitor=false")
    command = ("git", "-C", folder, *quiet, *words)
    try:
        return subprocess.run(  # noqa: S603 - our own words and one that is no option
            command, capture_output=True, timeout=GIT_S, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise UsageError("bad-patch", "There is no git here: give a diff instead.") from None
    except subprocess.TimeoutExpired:
        raise UsageError("bad-patch", f"git took longer than {GIT_S:.0f} s.") from None
