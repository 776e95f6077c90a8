"""What an instance tells of itself when it is asked: its inventory, its modules, its source.

A `Want` comes down the stream as the event `want`; the `Answer` goes up by POST, deflated.
Neither ever holds the value of an environment variable, nor the arguments of the command line.
"""

from enum import StrEnum

from leadline.wire.errors import WireError
from leadline.wire.struct import dataclass, field

MAX_SOURCE_CHARS = 1_000_000
"""Of one file, over all of its lines. Larger ones are generated, and nobody reads them."""
MAX_LINE_CHARS = 1_000
"""Of one line: more is data."""
MAX_MODULES = 10_000
"""Of one answer. A large service loads some thousand."""
MAX_PACKAGES = 2_000
"""Of one answer. A large environment holds some hundred."""
MAX_PATH_CHARS = 500
"""Of a file's or a module's name."""
MAX_NAMES = 50_000
"""Functions and classes of one answer. A large service has some ten thousand of its own."""


class WantKind(StrEnum):
    """What an instance can be asked for."""

    INVENTORY = "inventory"
    MODULES = "modules"
    SOURCE = "source"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Want:
    """One question. `file` is what `source` is asked of: a path, or the end of one."""

    id: str
    what: WantKind
    file: str = ""


@dataclass(frozen=True, slots=True)
class PackageEntry:
    """An installed package of which something is loaded. `location` is the folder that it is
    installed in; `origin` says so when it is `editable`, or came from an `archive` or `vcs`;
    `modules` are the names that were imported of it."""

    name: str
    version: str
    location: str
    origin: str = ""
    modules: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What runs in an instance. `modules` counts those that are loaded, `omitted` packages
    beyond the limit."""

    environment: dict[str, str]
    packages: list[PackageEntry]
    modules: int
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class ModuleEntry:
    """A loaded module. `file` is empty for what is built in; `source` tells whether its text
    can be asked for."""

    name: str
    file: str = ""
    source: bool = False


@dataclass(frozen=True, slots=True)
class Modules:
    """The loaded modules by name; `omitted` counts those beyond the limit."""

    modules: list[ModuleEntry]
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class ModuleNames:
    """What a module defines: functions and classes by their qualified names, each with its
    first line, or 0 where that is not known. `own` tells it from what is installed."""

    module: str
    file: str
    own: bool
    names: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """What can be jumped to: the application's own modules first. `omitted` counts names
    beyond the limit."""

    modules: list[ModuleNames]
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class FunctionEntry:
    """A function of a file, by its qualified name, with its first and last line.

    `head` is the last line of its signature; `variables` are the names that it has, its
    parameters first.
    """

    name: str
    first: int
    last: int
    head: int = 0
    variables: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SourceText:
    """The source of a loaded file.

    `lines` are as they may leave the process; those in `masked` were changed for that. A log
    probe can be placed on the lines in `executable`; why not on others is in `silent`, lines by
    reason: `is a comment`. Blank lines are not told. `changed` tells that the file is not, or
    may not be, the one that was loaded, and `omitted` counts lines beyond the limit.
    """

    file: str
    module: str
    lines: list[str]
    masked: list[int] = field(default_factory=list)
    executable: list[int] = field(default_factory=list)
    functions: list[FunctionEntry] = field(default_factory=list)
    changed: str = ""
    omitted: int = 0
    silent: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the `Want` of that id, one of the four; or the slug of an `error`, with a
    sentence, and what may have been meant."""

    instance: str
    id: str
    inventory: Inventory | None = None
    modules: Modules | None = None
    source: SourceText | None = None
    names: Names | None = None
    error: str = ""
    message: str = ""
    nearest: list[str] = field(default_factory=list)


def decode_want(value: object) -> Want | None:
    """Read what came with the event `want`; None for what only a newer agent knows. Raises
    `WireError`."""
    if not isinstance(value, dict):
        raise WireError("What is wanted is not an object.")
    name, what, file = value.get("id"), value.get("what"), value.get("file", "")
    if type(name) is not str or type(what) is not str or type(file) is not str:
        raise WireError("What is wanted is not said in texts.")
    return Want(name, WantKind(what), file) if what in list(WantKind) else None
