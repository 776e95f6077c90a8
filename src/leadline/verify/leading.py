"""What of a change leads to something that is set outside of a call.

A changed line sets it, decides whether it is set, or makes what it is set to. Where the world
of a run is the one that the live call has left, no run tells what such a line does: the row is
`paid` already, for the old code and the new. Told by the text of the functions that have run.
"""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from leadline.trial.candidate import Change
from leadline.trial.scopes import FUNCTIONS, Function, head, is_text, span
from leadline.verify.arguments import Arguments
from leadline.verify.deeds import Text, is_hook, is_implicit, is_manager
from leadline.verify.effects import is_entry_of
from leadline.verify.leads import Leading, Names
from leadline.verify.steady import Given, Steady, stored

_PLAIN = frozenset("__init__ __new__ __post_init__ __repr__ __str__ __init_subclass__".split())

type Ran = Collection[tuple[str, str]]
"""Functions that have run, by file and qualified name."""


def led_to(
    changes: Sequence[Change],
    others: Mapping[str, str],
    ran: Ran,
    entry: str = "",
    idle: Mapping[str, frozenset[int]] = MappingProxyType({}),
    *,
    is_alone: bool = False,
    trusts_text: bool = True,
) -> str:
    """Return where something is set to which the change leads, as `FILE:LINE`; nothing where
    it leads to nothing such. `others` are the texts of other files of the service of which
    functions `ran`; where none are known to have, all of the changed files count. `entry` is
    `module:name`, and `idle` are lines of new texts that no good call has met (`guards`).
    `is_alone` is of `Text`. What is set each time by its text shows in each run, and counts
    only where `trusts_text` is not so."""
    alike: list[Counter[str]] = []
    lines: list[str] = []
    own = {qualname.rpartition(".")[2] for _, qualname in ran}
    trusts_text = trusts_text and not any(map(_is_unseen, own))
    for is_new in (False, True):
        alike.append(Counter())
        side = _Side(changes, others, ran, entry, idle, is_new, is_alone)
        trusts = trusts_text and not side.decides_at_end()
        for file, line, what in side.deeds(own, trusts_text=trusts):
            if not what:
                return _at(file, line)
            alike[-1][what] += 1
            lines.append(_at(file, line))
    return lines[0] if alike[0] != alike[1] else ""


def guards(change: Change, entry: str, reached: Collection[int]) -> frozenset[int]:
    """Return the lines of what a change puts before the rest of the entry: a way out that
    parameters alone decide on, and that no good call has taken: none of `reached` is in it."""
    text, lines = Text(change.new), change.difference.new
    found: set[int] = set()
    for qualname, function in text.functions:
        if not is_entry_of(change.file, qualname, entry):
            continue
        steady = Steady(text, function, Given.KEPT)
        fresh = text.fresh_names(function)
        for node in function.body:
            if not (isinstance(node, ast.If) and not node.orelse and span(node) <= lines):
                continue
            within = [one for one in ast.walk(node) if isinstance(one, ast.stmt)]
            leaves = isinstance(node.body[-1], ast.Return | ast.Raise)
            does = any(text.is_deed(one, fresh) for one in within)
            taken = any(not span(one).isdisjoint(reached) for one in node.body)
            if leaves and not does and not taken and steady.is_steady(node):
                found |= span(node)
    return frozenset(found)


def _is_unseen(name: str) -> bool:
    """Tell whether a function is one that runs where no text names it, such as `__bool__`; what
    it does may decide anything."""
    return name.startswith("__") and name.endswith("__") and name not in _PLAIN


def _decides_after_yield(function: Function) -> bool:
    nodes = list(ast.walk(function))
    yields = [one.lineno for one in nodes if isinstance(one, ast.Yield)]
    return any(isinstance(one, ast.If) and one.lineno > min(yields, default=0) for one in nodes)


def _at(file: str, line: int) -> str:
    return f"{file.rpartition('/')[2]}:{line}"


class _Side:
    """All texts as they are before, or after."""

    def __init__(
        self,
        changes: Sequence[Change],
        others: Mapping[str, str],
        ran: Ran,
        entry: str,
        idle: Mapping[str, frozenset[int]],
        is_new: bool,
        is_alone: bool,
    ) -> None:
        self._texts: list[tuple[str, Text, frozenset[int]]] = []
        self._ran, self._entry = ran, entry
        names = Names()
        for one in changes:
            what = one.difference
            text = Text(one.new if is_new else one.old, is_alone=is_alone)
            lines = what.new - idle.get(one.file, frozenset()) if is_new else what.old
            self._texts.append((one.file, text, lines))
            names.add(*what.names, *what.functions)
            if one.old is None or one.new is None:
                names.add(*(name for name, _ in text.functions))
        changed = {one.file for one in changes}
        self._is_anywhere = any(
            is_implicit(function)
            for file, text, lines in self._texts
            for qualname, function in text.functions
            if not lines.isdisjoint(span(function))
        ) or any(
            _is_beyond_names(text, one.added if is_new else one.removed)
            for one, (_, text, _) in zip(changes, self._texts, strict=False)
        )
        """Whether what is changed runs without being named."""
        self._texts += [
            (file, Text(text, is_alone=is_alone), frozenset())
            for file, text in others.items()
            if file not in changed
        ]
        self._share(changed)
        self._names = self._leading(names)
        self._is_hooked = any(
            is_hook(function)
            for file, text, _ in self._texts
            for qualname, function in text.functions
            if (file, qualname) in self._ran
        )
        """Whether any of it has run so: what is set may come to something else by that."""

    def _share(self, changed: Collection[str]) -> None:
        """Let each text know the functions of the others."""
        known = [
            (file, [(name, one) for name, one in text.functions
                    if file in changed or (file, name) in self._ran])
            for file, text, _ in self._texts
        ]  # fmt: skip
        for file, text, _ in self._texts:
            for other, functions in known:
                if other != file:
                    text.know(other, functions)

    def _leading(self, names: "Names") -> "Names":
        """Return the names of all that leads to what is changed: a function that calls it."""
        count = -1
        while count != len(names):
            count = len(names)
            for file, text, _ in self._texts:
                names.add(
                    *(
                        qualname
                        for qualname, function in text.functions
                        if self._counts(file, qualname) and names.are_in(function, text)
                    ),
                    *_bound_to(text, names),
                )
        return names

    def _counts(self, file: str, qualname: str) -> bool:
        return not self._ran or (file, qualname) in self._ran

    def decides_at_end(self) -> bool:
        """Tell whether a context manager has run that decides something when its block is over:
        what was put on an object until then is written, or is not."""
        return any(
            _decides_after_yield(function)
            for file, text, _ in self._texts
            for qualname, function in text.functions
            if (file, qualname) in self._ran and is_manager(function)
        )

    def deeds(
        self, own_methods: Collection[str], *, trusts_text: bool
    ) -> Iterator[tuple[str, int, str]]:
        """Yield what is set, by file and line; of what is set each time, what it is. The
        arguments are as of `Leading`."""
        texts = {file: text for file, text, _ in self._texts}
        arguments = Arguments(texts, self._ran, self._entry)
        for file, text, lines in self._texts:
            for qualname, function in text.functions:
                if not self._counts(file, qualname):
                    continue
                if self._is_anywhere:
                    if line := text.first_deed(function):
                        yield file, line, ""
                    continue
                steady = arguments.steady((file, qualname), text, function)
                looked = Leading(
                    text,
                    function,
                    lines,
                    self._names,
                    steady,
                    is_hooked=self._is_hooked,
                    own_methods=own_methods,
                    trusts_text=trusts_text,
                )
                yield from ((file, line, what) for line, what in looked.deeds())


def _is_beyond_names(text: Text, lines: frozenset[int]) -> bool:
    """Tell whether lines are changed on which a module does more than to bind names to values:
    what a class inherits from and is given, what is called when it is imported."""
    waiting = list(text.tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            waiting += node.body
        is_plain = isinstance(node, (*FUNCTIONS, ast.Assign, ast.AnnAssign, ast.Import))
        if is_plain or isinstance(node, ast.ImportFrom) or is_text(node):
            continue
        if not lines.isdisjoint(head(node)):
            return True
    return False


def _bound_to(text: Text, names: Names) -> Iterator[str]:
    """Yield the names that a module, or a class of it, binds to what leads to the change, or
    hands it to."""
    waiting: list[tuple[str, ast.stmt]] = [("", one) for one in text.tree.body]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            waiting += [(f"{node.name}.", one) for one in node.body]
        elif not isinstance(node, FUNCTIONS) and names.are_in(node, text):
            yield from (f"{path}{name}" for name in stored(node) if name)
