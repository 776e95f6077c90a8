"""One thing that a check-up has found: how grave it is, and what to do."""

from enum import StrEnum

from leadline.wire.errors import LeadlineError
from leadline.wire.struct import dataclass


class Level(StrEnum):
    """How a finding is meant. Only a problem makes `leadline doctor` fail."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` is what was looked at, `hint` what to do; empty if nothing."""

    level: Level
    subject: str
    message: str
    hint: str = ""


def ok(subject: str, message: str) -> Finding:
    """What is as it should be."""
    return Finding(Level.OK, subject, message)


def problem_of(subject: str, error: LeadlineError) -> Finding:
    """An error of ours as a finding."""
    return Finding(Level.PROBLEM, subject, error.message, error.hint)
