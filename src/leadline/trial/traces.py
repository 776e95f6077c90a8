"""What functions of the old code may have left in the state that a call reads.

A function that no call of the entry leads to, such as one of the start, may have run before a
twin was made. Where a candidate has it leave something else, the state is that of the old code.
"""

from collections.abc import Iterator

from leadline.trial.bygone import Changed, does
from leadline.trial.keeping import set_at, targets
from leadline.trial.program import Program, Source, Thing
from leadline.trial.scopes import FUNCTIONS, Function
from leadline.trial.syntax import locals_of
from leadline.trial.uses import WHOLE, Following, Uses
from leadline.wire.struct import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """What a function writes to: names of modules, and attributes of objects."""

    things: frozenset[Thing]
    attributes: frozenset[str]


def traces(
    program: Program, changed: Changed, entry: Thing, following: Following
) -> Iterator[str]:
    """Yield what is changed, is not led to from the entry, and has a part in what the entry
    reads, as `file:line: why`. An entry that calls what nobody can tell may lead to something
    changed that leaves this by itself: whether it does is seen when it is run (`left`).
    `following` is of everything."""
    source = program.sources.get(entry[0])
    if source is None or entry[1] not in source.definitions:
        return
    led = following.follow(Uses(calls={(entry, WHOLE)}))
    reached = led.reads | {one for one, _ in led.calls}
    places = {_place(program, one) for one in reached}  # a script may be imported as well
    others = {one for one in changed.things if is_another(changed, one)}
    unmet = {one for one in others if _place(program, one) not in places}
    if not others:
        return
    asked = led.attributes | led.called
    for name, source in program.sources.items():
        for qualname, found in source.definitions.items():
            functions = [one for one in found if isinstance(one, FUNCTIONS)]
            if _place(program, (name, qualname)) in places or not functions:
                continue
            if led.is_open and (name, qualname) in others:
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


def is_another(changed: Changed, thing: Thing) -> bool:
    """Tell whether something changed does something else while it runs."""
    versions = changed.functions.get(thing)
    return not versions or any(does(old, WHOLE) != does(new, WHOLE) for old, new in versions)


def _written(program: Program, source: Source, functions: list[Function]) -> Written:
    things: set[Thing] = set()
    attributes: set[str] = set()
    for function in functions:
        own = locals_of(function)
        for target in targets(function):
            named, names = set_at(program, source, target, own)
            things |= named
            attributes.update(names)
    return Written(frozenset(things), frozenset(attributes))
