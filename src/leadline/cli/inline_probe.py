"""Reads a probe that is written in one argument: `log FILE:LINE TEMPLATE [options]`."""

import argparse
import shlex
from typing import Never

from leadline.cli.command import add_limits, capture_of, limits_of
from leadline.expression import compile_condition, compile_template
from leadline.wire.errors import UsageError
from leadline.wire.probe import LogProbe, Probe, ProbeKind
from leadline.wire.target import Target


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Never:
        raise UsageError(
            "bad-probe",
            f"The probe is not complete: {message}.",
            "Write it like this: 'log app.py:3 \"t={t} q={q}\" --hits 5'",
        )


def parse_probe(text: str, probe_id: str) -> Probe:
    """Return the probe that `text` describes, checked as the server would check it.

    Raises `UsageError` (slugs `bad-probe`, `bad-target`, `bad-limit`, and those of the
    expression language).
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError("bad-probe", f"The probe {text!r} cannot be read: {error}.") from error
    parser = _Parser(prog="--probe", add_help=False, exit_on_error=False)
    parser.add_argument("kind", choices=[kind.value for kind in ProbeKind])
    parser.add_argument("target")
    parser.add_argument("template")
    add_limits(parser)
    try:
        args = parser.parse_args(words)
    except argparse.ArgumentError as error:
        parser.error(str(error))
    compile_template(args.template)
    if args.condition:
        compile_condition(args.condition)
    return LogProbe(
        id=probe_id,
        target=Target.parse(args.target),
        template=args.template,
        condition=args.condition,
        limits=limits_of(args),
        capture=capture_of(args),
        note=args.note,
    )
