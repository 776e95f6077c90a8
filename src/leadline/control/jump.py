"""Finding a module, file, class or function of a running service by a few letters of it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from leadline.control.context import Context
from leadline.control.inventory import names
from leadline.wire.errors import LeadlineError, UnavailableError
from leadline.wire.inventory import ModuleNames
from leadline.wire.struct import dataclass

MAX_FOUND = 40
"""More are not read; another letter is quicker."""
MAX_TYPED = 200
MAX_ASKED = 3
"""Instances whose names are put together: a main process often has not what its workers run."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A place that can be jumped to: a module if `name` is empty. `file` is as short as it can
    be and still be told from the other files; `line` is 0 where it is not known."""

    module: str
    file: str
    name: str
    line: int
    own: bool


def jump(context: Context, service: str, instance: str, typed: str) -> list[Found]:
    """Return what fits, the likeliest first; without letters the service's own modules.

    Every word has to be in the place's name, in upper or lower case, or be the first letters
    of its words: `sv` is `spread_voucher`. Raises slugs `instance-gone`, `no-answer`.
    """
    modules = loaded(context, service, instance)
    words = typed[:MAX_TYPED].lower().replace(":", " ").replace("/", " ").split()
    short = shortest(modules)
    if not words:
        own = [one for one in modules if one.own] or modules
        own = [one for one in own if one.names] or own
        return [Found(one.module, short[one.file], "", 1, one.own) for one in own]
    scored = []
    for one in modules:
        file = short[one.file]
        for name, line in [("", 1), *one.names.items()]:
            score = _score(words, one.module, file, name)
            if score is not None:
                long = len(name) + len(one.module)
                key = score + 2 * (not one.own), not one.own, long, one.module, line
                scored.append((key, Found(one.module, file, name, line, one.own)))
    scored.sort(key=lambda pair: pair[0])
    return [found for _, found in scored[:MAX_FOUND]]


def loaded(context: Context, service: str, instance: str = "") -> list[ModuleNames]:
    """Return the modules of an instance, or of the service's youngest ones together."""
    asked = [instance] if instance else youngest(context, service)[:MAX_ASKED]
    found: dict[str, ModuleNames] = {}
    refused: LeadlineError | None = None
    for one in asked:
        try:
            for module in names(context, one).modules:
                found.setdefault(module.file, module)
        except LeadlineError as error:  # workers come and go
            refused = error
    if refused is not None and not found:
        raise refused
    return sorted(found.values(), key=lambda one: (not one.own, one.file))


def youngest(context: Context, service: str) -> list[str]:
    """Return the ids of the connected instances of a service, the last one started first.
    Raises slug `instance-gone` when there is none."""
    feeds = [one for one in context.desired.connected().values() if one.service == service]
    if not feeds:
        raise UnavailableError(
            "instance-gone",
            f"No process of {service!a} is connected.",
            f"Start one: leadline run --service {service} -- PROGRAM",
        )
    feeds.sort(key=lambda one: one.info.started_at, reverse=True)
    return [one.instance for one in feeds]


def shortest(modules: Iterable[ModuleNames]) -> dict[str, str]:
    """Return for each file the shortest end of its path that says its module's whole name, and
    that no other path ends with: `shop/pricing.py`."""
    known = list(modules)
    ends = Counter(end for one in known for end in _ends(one.file))
    found = {}
    for one in known:
        parts = 1 if one.module == "__main__" else one.module.count(".") + 1
        parts += one.file.endswith("/__init__.py")
        alone = [end for end in _ends(one.file) if ends[end] == 1]
        found[one.file] = next((end for end in alone if end.count("/") >= parts - 1), one.file)
    return found


def _ends(path: str) -> Iterator[str]:
    """Yield the ends of a path by whole components, the shortest first."""
    parts = path.lstrip("/").split("/")
    for count in range(1, len(parts) + 1):
        yield "/".join(parts[-count:])


def _score(words: list[str], module: str, file: str, name: str) -> int | None:
    """Return how far a place is from what was typed, or None if it is not meant."""
    last = (name or module).rpartition(".")[2].lower()
    if len(words) == 1 and len(words[0]) > 1 and _initials(last).startswith(words[0]):
        return 2
    whole = f"{module}.{name} {file}".lower() if name else f"{module} {file}".lower()
    if all(word in whole for word in words):
        final = words[-1].rpartition(".")[2]
        if last == final:
            return 0 if name else 1
        if last.lstrip("_").startswith(final):
            return 2
        if final in last:
            return 3
        return 5 if name else 4
    return None


def _initials(name: str) -> str:
    return "".join(word[0] for word in _WORD.findall(name))
