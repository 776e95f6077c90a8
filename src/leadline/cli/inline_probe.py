"""Reads a probe that is written in one argument: `log FILE:LINE TEMPLATE [options]`."""

import argparse
import shlex
from typing import Never

from leadline.cli import catch, count, log, metric, snap, timer
from leadline.cli.probe_word import ProbeWord, add_probe_options, read_probe
from leadline.wire.errors import UsageError
from leadline.wire.probe import Probe

WORDS: dict[str, ProbeWord] = {
    one.WORD.name: one.WORD for one in (log, snap, count, metric, timer, catch)
}
_EXAMPLES = {
    "log": 'log app.py:3 "t={t} q={q}" --hits 5',
    "snap": 'snap app.py:3 --watch "len(q)"',
    "count": "count app:main",
    "metric": 'metric app.py:3 "len(q)"',
    "time": "time app:main",
    "catch": "catch app:main --type KeyError",
}


class _Parser(argparse.ArgumentParser):
    def __init__(self, word: str) -> None:
        super().__init__(prog="--probe", add_help=False, exit_on_error=False)
        self._word = word

    def error(self, message: str) -> Never:
        raise UsageError(
            "bad-probe",
            f"The probe is not complete: {message}.",
            f"Write it like this: '{_EXAMPLES[self._word]}'",
        )


def parse_probe(text: str, probe_id: str) -> Probe:
    """Return the probe that `text` describes, checked as the server would check it.

    Raises `UsageError` (slugs `bad-probe`, `bad-target`, `bad-moment`, `bad-limit`, and those
    of the expression language).
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError("bad-probe", f"The probe {text!r} cannot be read: {error}.") from error
    word = WORDS.get(words[0]) if words else None
    if word is None:
        raise UsageError(
            "bad-probe",
            f"The probe {text!r} begins with none of {', '.join(WORDS)}.",
            f"Write it like this: '{_EXAMPLES['log']}'",
        )
    parser = _Parser(word.name)
    add_probe_options(parser, word)
    try:
        args = parser.parse_args(words[1:])
    except argparse.ArgumentError as error:
        parser.error(str(error))
    return read_probe(word, args, probe_id=probe_id)
