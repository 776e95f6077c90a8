"""`python -m leadline.server`: what `leadline up` starts."""

import sys

from leadline.wire.errors import ExitCode

_NEEDED = ("starlette", "msgspec", "uvicorn", "ddsketch", "jinja2", "pygments")


def start() -> int:
    """Run the server, or say what is missing to run it."""
    try:
        from leadline.server.run import main  # noqa: PLC0415 - the message below needs no more
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        print(
            "leadline: [server-not-installed] The server's packages are not installed.\n"
            "Run: pip install 'leadline[server]'",
            file=sys.stderr,
        )
        return ExitCode.UNAVAILABLE
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(start())
