"""The prompt of a shell: lines from a terminal with history and completion, or from a pipe."""

import sys
from collections.abc import Callable
from typing import Any

_DELIMITERS = " \t\n`~!@#$%^&*()=+{}|;:'\",<>?/\\"
"""Where a name begins that is completed; dots and brackets belong to it."""


class Prompt:
    """`completions` returns what a line may go on with."""

    def __init__(self, completions: Callable[[str], list[str]]) -> None:
        self._completions = completions
        self._found: list[str] = []
        self._readline: Any = None
        self.is_terminal = sys.stdin is not None and sys.stdin.isatty()
        if self.is_terminal:
            self._complete_lines()

    def line(self, prompt: str, *, quiet: bool = False) -> str | None:
        """Return the next line, or None at the end. From a pipe, the line is shown behind its
        prompt, so that what comes out reads as on a terminal; not if it is to be `quiet`."""
        if self.is_terminal:
            try:
                return input(prompt)
            except EOFError:
                print()
                return None
        line = sys.stdin.readline() if sys.stdin is not None else ""
        if not line:
            return None
        line = line.rstrip("\r\n")
        if not quiet:
            print(f"{prompt}{line}", flush=True)
        return line

    def _complete_lines(self) -> None:
        try:
            import readline  # noqa: PLC0415 - only who types needs it
        except ImportError:  # an interpreter that was built without it
            return
        self._readline = readline
        readline.set_auto_history(True)
        readline.set_completer_delims(_DELIMITERS)
        readline.set_completer(self._complete)
        libedit = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")

    def _complete(self, text: str, state: int) -> str | None:
        if state == 0:
            line = self._readline.get_line_buffer()[: self._readline.get_endidx()]
            self._found = [one for one in self._completions(line) if one.startswith(text)]
        return self._found[state] if state < len(self._found) else None
