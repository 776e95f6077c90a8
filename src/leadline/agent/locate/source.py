"""The text of one source line, for a person to see what was armed."""

MAX_FILE_BYTES = 2_000_000
"""Larger source files are generated; reading one costs more than its line tells."""
MAX_LINE_CHARS = 200


def line_text(path: str, line: int) -> str:
    """Return the stripped text of a line, or an empty string when it cannot be read.

    Reads the file as it is now, which may not be what the process has loaded.
    """
    try:
        with open(path, "rb") as file:
            octets = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError):
        return ""
    lines = octets.split(b"\n")
    if len(octets) > MAX_FILE_BYTES or not 1 <= line <= len(lines):
        return ""
    return lines[line - 1].decode("utf-8", "replace").strip()[:MAX_LINE_CHARS]
