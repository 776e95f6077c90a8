"""What is typed at a shell's prompt, as a request: the debugger's words, and any Python else.

A word of the debugger's is one only where what follows can be its argument, so `n = 3`, `p = 4`
and `list(x)` are Python. `!` in front makes Python of anything.
"""

import re

from leadline.wire.errors import UsageError
from leadline.wire.stepping import Do
from leadline.wire.struct import dataclass

_WORDS: dict[str, Do] = {
    "where": Do.WHERE,
    "w": Do.WHERE,
    "bt": Do.WHERE,
    "up": Do.UP,
    "u": Do.UP,
    "down": Do.DOWN,
    "d": Do.DOWN,
    "list": Do.LIST,
    "l": Do.LIST,
    "next": Do.NEXT,
    "n": Do.NEXT,
    "step": Do.STEP,
    "s": Do.STEP,
    "return": Do.RETURN,
    "r": Do.RETURN,
    "continue": Do.CONTINUE,
    "cont": Do.CONTINUE,
    "c": Do.CONTINUE,
    "until": Do.UNTIL,
    "unt": Do.UNTIL,
    "p": Do.PRINT,
    "print": Do.PRINT,
    "pp": Do.PP,
    "args": Do.ARGS,
    "a": Do.ARGS,
    "locals": Do.LOCALS,
    "quit": Do.QUIT,
    "q": Do.QUIT,
    "exit": Do.QUIT,
}
_NUMBERED = (Do.UP, Do.DOWN, Do.LIST, Do.UNTIL)
_EVALUATED = (Do.PRINT, Do.PP)
AGAIN = (Do.NEXT, Do.STEP, Do.LIST, Do.UP, Do.DOWN)
"""What an empty line does once more."""
HELP = """\
where (w)           the stack, the innermost call first
up (u), down (d)    look at the caller, or back; up 2 goes two calls
list (l) [LINE]     the source around the line
next (n)            go on to the next line of this function
step (s)            the same, into calls
until [LINE]        go on to a later line, or to that one
return (r)          go on to the end of this function
continue (c)        go on to the end of the call that was hit
p CODE, pp CODE     what an expression comes to; pp: as its own repr says
args (a), locals    arguments and variables
quit (q)            end the twin, as Ctrl-D does
anything else       Python, in the frame that is looked at; ! in front of what looks like a
                    command
The tab key completes names, for which properties run. An empty line does once more what the
last one did, if that was next, step, list, up or down."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A line, as a request. `do` is None for what is answered here: the help."""

    do: Do | None
    text: str = ""


def typed(line: str) -> Typed:
    """Read a line that is not empty. Raises slug `bad-option` for `p` without an expression."""
    line = line.strip()
    if line in ("help", "h", "?"):
        return Typed(None)
    if line.startswith("!"):
        return Typed(Do.RUN, line[1:].strip())
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    do = _WORDS.get(word)
    if do is None:
        return Typed(Do.RUN, line)
    if do in _EVALUATED:
        if not rest:
            raise UsageError("bad-option", f"Write behind {word} what is to be shown.")
        assigned = re.match(r"[-+*/%@&|^:]?=(?!=)|[-+*/%&|^]{2}=", rest)
        return Typed(Do.RUN, line) if assigned else Typed(do, rest)
    if not rest or (do in _NUMBERED and re.fullmatch(r"[0-9]{1,8}", rest)):
        return Typed(do, rest)
    return Typed(Do.RUN, line)
