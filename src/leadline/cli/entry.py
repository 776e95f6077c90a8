"""The first moment of every command: Ctrl-C while the rest is still being imported is quiet."""

import signal


def main() -> int:
    """Run the command line; returns its exit status."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from leadline.cli import main as command_line  # noqa: PLC0415 - this is what takes long

    if ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return command_line.main()
