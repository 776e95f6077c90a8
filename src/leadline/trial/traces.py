"""What functions of the old code may have left in the state that a call reads.

A function that no call of the entry leads to, such as one of the start, may have run before a
twin was made. Where a candidate has it leave something else, the state is that of the old code.
"""

import ast
from collections.abc import Iterator

from leadline.trial.bygone import Changed, does
from leadline.trial.program import Program, Source, Thing
from leadline.trial.scopes import FUNCTIONS, Function
from leadline.trial.syntax import locals_of
from leadline.trial.uses import WHOLE, Following, Uses
from leadline.wire.struct import dataclass

_CHANGING = frozenset(
    "append appendleft add update setdefault pop popitem insert extend clear remove discard"
    " set put register __setitem__ __setattr__ __delitem__ setattr delattr".split()
)
"""Methods that change the object that they are of."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a function writes to: names of modules, and attributes of objects."""

    things: frozenset[Thing]
    attributes: frozenset[str]


def traces(program: Program, changed: Changed, entry: Thing) -> Iterator[str]:
    """Yield what is changed, is not led to from the entry, and has a part in what the entry
    reads, as `file:line: why`. Nothing is said of an entry that may lead to anything."""
    source = program.sources.get(entry[0])
    if source is None or entry[1] not in source.definitions:
        return
    following = Following(program, everything=True)
    led = following.follow(Uses(calls={(entry, WHOLE)}))
    reached = led.reads | {one for one, _ in led.calls}
    places = {_place(program, one) for one in reached}  # a script may be imported as well
    others = {one for one in changed.things if _is_another(changed, one)}
    unmet = {one for one in others if _place(program, one) not in places}
    if led.is_open or not others:
        return
    asked = led.attributes | led.called
    for name, source in program.sources.items():
        for qualname, found in source.definitions.items():
            functions = [one for one in found if isinstance(one, FUNCTIONS)]
            if _place(program, (name, qualname)) in places or not functions:
                continue
            written = _written(program, source, functions)
            if not (written.things & reached or (unmet and written.attributes & asked)):
                continue
            uses = following.follow(Uses(calls={((name, qualname), WHOLE)}))
            met = ({one for one, _ in uses.calls} | uses.reads) & others
            if not written.things & reached:
                met &= unmet  # an attribute of that name may be another object's
            if met:
                module, what = min(met)
                what = what if module == name else f"{module}.{what}"
                by = "" if (name, qualname) in met else f" by what {what} comes to"
                left = min(
                    [one for _, one in written.things & reached]
                    + [f".{one}" for one in written.attributes & asked]
                )
                yield (
                    f"{source.file}:{functions[0].lineno}: {qualname} may have changed {left} "
                    f"before{by}, and no call of {entry[1]} leads to it"
                )


def _place(program: Program, thing: Thing) -> Thing:
    source = program.sources.get(thing[0])
    return (source.file if source is not None else thing[0]), thing[1]


def _is_another(changed: Changed, thing: Thing) -> bool:
    versions = changed.functions.get(thing)
    return not versions or any(does(old, WHOLE) != does(new, WHOLE) for old, new in versions)


def _written(program: Program, source: Source, functions: list[Function]) -> Written:
    things: set[Thing] = set()
    attributes: set[str] = set()
    for function in functions:
        own = locals_of(function)
        for target in _targets(function):
            root: ast.AST = target
            while isinstance(root, ast.Attribute | ast.Subscript):
                if isinstance(root, ast.Attribute):
                    attributes.add(root.attr)
                root = root.value
            if isinstance(root, ast.Name) and root.id not in own:
                things |= program.named(source, root.id).things
    return Written(frozenset(things), frozenset(attributes))


def _targets(function: Function) -> Iterator[ast.AST]:
    """Yield what a function binds anew or changes, except variables of its own."""
    for one in ast.walk(function):
        if isinstance(one, ast.Attribute | ast.Subscript | ast.Name):
            if isinstance(one.ctx, ast.Store | ast.Del):
                yield one
        elif isinstance(one, ast.Call):
            called = one.func
            if isinstance(called, ast.Attribute) and called.attr in _CHANGING:
                yield called.value
            elif isinstance(called, ast.Name) and called.id in _CHANGING:
                yield from one.args[:1]
