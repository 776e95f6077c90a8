"""Where in a program a probe looks: a line of a file, or a function of a module."""

from leadline.wire.errors import UsageError
from leadline.wire.struct import dataclass

MAX_PATH_CHARS = 500
MAX_LINE = 10_000_000
EVERYWHERE = "*"
"""In place of a function: whatever function it happens in."""

NOWHERE = ("<string>", "<stdin>", "<console>", "<unknown>", "<frozen>")
"""Names that the interpreter gives to code from anywhere. Another name in angle brackets was
given by a program to code of its own, and can be meant."""

_HINT = (
    "Write FILE:LINE, for example shop/pricing.py:88, or MODULE:FUNCTION, shop.pricing:quote."
)


@dataclass(frozen=True, slots=True)
class Target:
    """A line of a file, named by the end of its path: `shop/pricing.py:88`."""

    file: str
    line: int

    def __post_init__(self) -> None:
        name = self.file.rpartition("/")[2]
        if len(self.file) > MAX_PATH_CHARS or name in ("", ".", "..") or not _plain(self.file):
            raise UsageError(
                "bad-target", "A target needs the end of a file's path, such as app.py:3."
            )
        if name in NOWHERE:
            raise UsageError(
                "bad-target",
                f"{name} is code that is in no file, so no line of it can be named.",
                "Put the code into a file.",
            )
        if not 1 <= self.line <= MAX_LINE:
            raise UsageError("bad-target", f"{self.line} is not a line number.")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `FILE:LINE`; raises `UsageError` (slug `bad-target`)."""
        place = parse_place(text)
        if isinstance(place, Target):
            return place
        raise UsageError("bad-target", f"{text!r} is not a line of a file.", _HINT)


@dataclass(frozen=True, slots=True)
class FunctionTarget:
    """A function, by its module and its qualified name: `shop.pricing:Basket.total`.

    `module` is a dotted name, the stem of a main script, or the end of a file's path.
    """

    module: str
    function: str

    def __post_init__(self) -> None:
        if self.everywhere:
            return
        words = self.function.replace(".<locals>", "").split(".")
        if (
            not self.module
            or len(self.module) + len(self.function) > MAX_PATH_CHARS
            or not _plain(self.module)
            or EVERYWHERE in self.module
            or not all(word.isidentifier() or _anonymous(word) for word in words)
        ):
            raise UsageError("bad-target", f"{str(self)!r} is not a place in the code.", _HINT)

    def __str__(self) -> str:
        return EVERYWHERE if self.everywhere else f"{self.module}:{self.function}"

    @property
    def everywhere(self) -> bool:
        """Whether every function is meant."""
        return self.module == self.function == EVERYWHERE


type Place = Target | FunctionTarget


def parse_place(text: str) -> Place:
    """Read `FILE:LINE`, `MODULE:FUNCTION` or `*`; raises `UsageError` (slug `bad-target`)."""
    if text == EVERYWHERE:
        return FunctionTarget(EVERYWHERE, EVERYWHERE)
    before, colon, after = text.rpartition(":")
    if colon and before and after.isascii() and after.isdigit() and len(after) <= 8:
        return Target(before, int(after))
    if colon and before and after and not after[0].isdigit():
        return FunctionTarget(before, after)
    raise UsageError("bad-target", f"{text!r} is not a place in the code.", _HINT)


def _anonymous(word: str) -> bool:
    return word in ("<lambda>", "<genexpr>", "<module>", "<locals>")


def _plain(path: str) -> bool:
    """Whether a path can be the name of a file: no null byte, no half of a character."""
    return "\0" not in path and not any("\ud800" <= one <= "\udfff" for one in path)
