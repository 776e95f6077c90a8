"""What a fresh place holds otherwise than the service did, and which code of a run reads it.

The service has changed it since it was started: a candidate that reads it, where the old code
did not, meets here what it would not meet there. What code reads is taken from its
instructions: a name of a module, with the attributes and constants that follow it.
"""

import dis
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any

from leadline.agent.place.puts import only_put_into
from leadline.agent.state import CUT, UNKNOWN, held_by
from leadline.trial.place import PUT_INTO

MAX_READS = 300
"""Of one run."""
_MAX_WORDS = 6
"""Of what follows a name."""
_MAX_CHARS = 60
_MAX_REST = 80
"""Instructions after a name in which its statement is looked for the end of."""
_LOADS = frozenset(("LOAD_GLOBAL", "LOAD_NAME"))
_ATTRIBUTES = frozenset(("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"))
_ENDS = frozenset(("STORE_SUBSCR", "DELETE_SUBSCR"))
"""With these a statement is over: what follows is another one."""
_PASSED = frozenset(("PUSH_NULL", "CACHE", "NOP", "RESUME", "EXTENDED_ARG"))

type Held = Mapping[str, Mapping[str, str]]


class Moved:
    """What is known of the service's modules, beside what they hold in this process now."""

    def __init__(self, live: Held, is_own: Callable[[str], bool]) -> None:
        """`live` are the digests of what the service's modules held (`agent.state`), `is_own`
        tells which files are its own. Of a library that nobody had the time to look at, as
        many have attributes of the name that the candidate reads as there are classes: these
        count no more than those of libraries that nobody ever looks at."""
        here = {
            name: held_by(name, vars(module))
            for name in live
            if type(module := sys.modules.get(name)) is ModuleType
        }
        for name, held in here.items():
            file = vars(sys.modules[name]).get("__file__")
            if CUT in live[name] and not (type(file) is str and is_own(file)):
                here[name] = {one: digest for one, digest in held.items() if "." not in one}
        self._known = {
            name: frozenset((*live[name], *here.get(name, ()))) - {CUT} for name in live
        }
        self._attributes = {
            name.rpartition(".")[2] for names in self._known.values() for name in names
            if "." in name
        }  # fmt: skip
        self._words = self._attributes.union(*self._known.values())
        self._modules: dict[str, ModuleType] | None = None
        self.names = sorted(
            f"{name}:{one}" for name in here for one in _apart(live[name], here[name])
        )
        """`module:name` of what is another here, or of which that is not known."""

    def reads(self, codes: Iterable[CodeType]) -> list[str]:
        """Return what code reads of what the service may have changed, as `module:name` and
        what follows it, after a space; for an attribute of who knows what, `:attribute`."""
        found: dict[str, None] = {}
        for code in codes:
            for one in self._reads(code):
                found[one] = None
                if len(found) >= MAX_READS:
                    return list(found)
        return list(found)

    def _reads(self, code: CodeType) -> Iterator[str]:
        for one in code.co_consts:
            if isinstance(one, CodeType):
                yield from self._reads(one)
        module = self._module(code.co_filename)
        if module is None or self._words.isdisjoint(code.co_names):
            return
        every = list(dis.get_instructions(code))
        of_note = [at for at, one in enumerate(every) if one.opname not in _PASSED]
        instructions = [every[at] for at in of_note]
        imported = ""
        for at, one in enumerate(instructions):
            name, follows = str(one.argval), instructions[at + 1 : at + 1 + 2 * _MAX_WORDS]
            rest = every[of_note[at] + 1 :][:_MAX_REST]
            if one.opname in _LOADS:
                yield from self._of_global(module, name, follows, rest)
            elif one.opname == "IMPORT_NAME":
                imported = name
            elif one.opname == "IMPORT_FROM" and name in self._known.get(imported, ()):
                yield f"{imported}:{name} imported"
            elif one.opname == "STORE_ATTR" and name in self._attributes:
                yield f":{name} is set"  # with it the statement ends
            elif one.opname in _ATTRIBUTES and name in self._attributes:
                yield f":{name} {_marked(name, follows, rest)}"

    def _of_global(
        self,
        module: ModuleType,
        name: str,
        follows: list[dis.Instruction],
        rest: list[dis.Instruction],
    ) -> Iterator[str]:
        held: Any = vars(module).get(name)
        its = module.__name__
        if name in self._known.get(its, ()):
            yield f"{its}:{name} {_marked(name, follows, rest)}"
        while type(held) is ModuleType and follows and follows[0].opname == "LOAD_ATTR":
            its, name, follows = held.__name__, str(follows[0].argval), follows[1:]
            if name in self._known.get(its, ()):
                yield f"{its}:{name} {_words(follows)}"
            held = vars(held).get(name)

    def _module(self, file: str) -> ModuleType | None:
        if self._modules is None or file not in self._modules:
            self._modules = {
                str(its): one
                for one in list(sys.modules.values())
                if type(one) is ModuleType and (its := vars(one).get("__file__"))
            }
        return self._modules.get(file) or self._modules.get(os.path.realpath(file))


def _apart(live: Mapping[str, str], here: Mapping[str, str]) -> Iterator[str]:
    """Yield the names that hold something else; all of a module that was not looked at."""
    for name in {**live, **here}:
        if name and (CUT in live or live.get(name, "") != here.get(name, "") or
                     UNKNOWN in (live.get(name), here.get(name))):  # fmt: skip
            yield name


def _marked(
    name: str, follows: Iterable[dis.Instruction], rest: Sequence[dis.Instruction]
) -> str:
    mark = PUT_INTO if only_put_into(name, rest) else ""
    return f"{mark}{_words(follows)}"


def _words(follows: Iterable[dis.Instruction]) -> str:
    """Return what follows a name, as far as it stands in the instructions."""
    words: list[str] = []
    for one in follows:
        kind = one.opname
        if kind == "STORE_ATTR":
            words.append(f".{one.argval} is set")
            break
        if kind in _ATTRIBUTES:
            words.append(f".{one.argval}")
        elif kind.startswith(("LOAD_CONST", "RETURN_CONST")):
            words.append(repr(one.argval)[:_MAX_CHARS])
        elif kind.startswith("LOAD_FAST"):
            given = one.argval if isinstance(one.argval, tuple) else (one.argval,)
            words += map(str, given)
        elif kind in ("BINARY_SUBSCR", "CONTAINS_OP"):
            words.append(kind)
        else:
            words.append(kind if kind.startswith("CALL") or kind in _ENDS else "")
            break
        if len(words) >= _MAX_WORDS:
            break
    return " ".join(words)
