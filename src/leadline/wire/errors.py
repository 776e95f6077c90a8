"""The one root of every error that Leadline tells a person about, and the exit codes.

Each error carries a *slug*: the name of the page under `docs/errors/` that says what happened,
why, and what to do. A failure that is our own fault is `InternalError`, never a user error.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means; 1 to 3 are verdicts and belong to each command."""

    OK = 0
    NO = 1
    USAGE = 64
    UNAVAILABLE = 69
    INTERNAL = 70
    REFUSED = 77


class LeadlineError(Exception):
    """A situation the user is in and can do something about.

    `message` is one plain sentence; `hint` says what to do next and may be empty.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, slug: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(LeadlineError):
    """What was asked for is not something that Leadline can be asked."""


class UnavailableError(LeadlineError):
    """The server, the service or a part of the installation is not there."""

    exit_code = ExitCode.UNAVAILABLE


class RefusedError(LeadlineError):
    """Understood, and not allowed."""

    exit_code = ExitCode.REFUSED


class WireError(LeadlineError):
    """A message that does not follow the contract: it is counted and dropped, never obeyed."""

    def __init__(self, message: str) -> None:
        super().__init__("bad-message", message)


class InternalError(LeadlineError):
    """Our own fault."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(
            "internal",
            message,
            "This is a defect of Leadline: please report it with the text above.",
        )
