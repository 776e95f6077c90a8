"""Which option helps where calls could not be run as they were: said beside the reason."""

import re
from collections.abc import Sequence
from pathlib import Path

from leadline.trial.place import Ready
from leadline.trial.withheld import LIVES
from leadline.verify.comparison import Compared

TWIN_HAS = "what lives in its process is there in a twin: --place twin, where that is allowed"
_FLASK_HAS = (
    "a view of Flask reads its request from the server's socket: with "
    "--entry flask.app:Flask.wsgi_app whole requests are compared"
)
_DJANGO_HAS = (
    "a view of Django reads its request from the server's socket: with "
    "--entry django.core.handlers.wsgi:WSGIHandler.__call__ whole requests are compared"
)
_NOT_THERE = re.compile(r"no such table|unable to open database file|No such file or directory")
_ELSEWHERE = (
    "what the service has may be looked for elsewhere: fresh processes have the environment of "
    "this shell, and not that of the service"
)
_REFUSED = re.compile(r"refused to open (/\S+)")
_READ = "{} lies beside what a fresh process may read: --read FOLDER lets it, read only"
_TOO_LARGE = (
    "of {} no copy is made, since it is larger than 16 MB: so nothing can be written to it"
)
_MOST_PATHS = 3
MOST_BYTES = 16_000_000
"""As `agent.twin.database_file.MOST_BYTES`."""
_SLOW = "{} had not ended after {} s: --within SECONDS gives each run more time"
_LATE = re.compile(r"it had not ended after ([\d.]+) s")
_OF_FLASK = re.compile(r"context variables\S*\.request\.environ\[")
_BODY_OF_DJANGO = re.compile(r"\brequest\._stream\b")
_OF_DJANGO = re.compile(
    r"\bImproperlyConfigured: .*settings are not configured|\bAppRegistryNotReady\b"
)
_MISSING = re.compile(r"\bModuleNotFoundError: No module named '(\w+)")


def late(compared: Sequence[Compared]) -> list[str]:
    """Say what helps calls that came to no end in the time that there was."""
    found = [met[1] for one in compared if (met := _LATE.match(one.case.reason))]
    if not found:
        return []
    calls = f"{len(found)} call{'s' * (len(found) != 1)}"
    return [_SLOW.format(calls, found[0])]


def of_requests(compared: Sequence[Compared]) -> list[str]:
    """Say as what the calls of a view can be captured whole."""
    lost = [one.case.reason for one in compared if not one.case.agreed]
    return [
        said
        for said, met in ((_FLASK_HAS, _OF_FLASK), (_DJANGO_HAS, _BODY_OF_DJANGO))
        if any(map(met.search, lost))
    ]


def of_environment(compared: Sequence[Compared]) -> list[str]:
    """Say which files a place may look for elsewhere than the service."""
    is_met = any(_NOT_THERE.search(one.case.reason) for one in compared if not one.case.agreed)
    return [_ELSEWHERE] if is_met else []


def of_refusals(compared: Sequence[Compared]) -> list[str]:
    """Say what lets a place read a file that it was refused to open."""
    found = [_REFUSED.search(one.case.reason) for one in compared]
    paths = dict.fromkeys(met[1].rstrip(".,;:)") for met in found if met is not None)
    said = [_TOO_LARGE if _is_large(path) else _READ for path in paths]
    return [one.format(path) for one, path in zip(said, paths, strict=True)][:_MOST_PATHS]


def _is_large(path: str) -> bool:
    try:
        return Path(path).stat().st_size > MOST_BYTES
    except OSError:
        return False


def in_twins(compared: Sequence[Compared]) -> list[str]:
    """Say where there is what lives in the process of the service."""
    return [TWIN_HAS] if any(LIVES in one.case.reason for one in compared) else []


def of_import(control: Ready, entry: str, main: str) -> str:
    """Say what helps a place that could not be set up; `main` is the program's own module."""
    unread = [one.detail for one in control.refused if one.what == "openat" and one.detail]
    if unread and PermissionError.__name__ in control.reason:
        return f"It may not read {unread[-1]}: --read names what it may read beside."
    if _OF_DJANGO.search(control.reason):
        return "--import names the module that sets Django up, such as mysite.wsgi."
    missing = _MISSING.search(control.reason)
    if missing is not None and missing[1] == re.split(r"[.:]", entry)[0]:
        return f"--path names the folder that {missing[1]} is imported from."
    if main and entry.startswith((f"{main}:", "__main__:")):
        return "What a program does by itself belongs under `if __name__ == '__main__'`."
    return ""
