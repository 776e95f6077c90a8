"""Named sets of probes in SQLite: made to be exactly what is asked for, all or nothing."""

from leadline.store.records import Deed, Phase, PlacedProbe, SetItem, SetPart
from leadline.store.sqlite import probes
from leadline.store.sqlite.audit import note
from leadline.store.sqlite.writer import Transaction
from leadline.wire.struct import replace


def put(
    transaction: Transaction,
    service: str,
    name: str,
    items: list[SetItem],
    who: str,
    now: float,
) -> list[SetPart]:
    """Leave what is the same and active, place what is new or over, take out the rest."""
    before = {
        placed.terms.name: placed for placed in probes.of_set(transaction.db, service, name)
    }
    wanted = {item.terms.name: item for item in items}
    kept = {
        part: placed
        for part, placed in before.items()
        if placed.phase is Phase.ACTIVE and part in wanted and _same(placed, wanted[part])
    }
    over = [
        replace(
            placed,
            reason=f"replaced in the set {name}"
            if part in wanted
            else f"not in {name} any more",
        )
        for part, placed in before.items()
        if part not in kept
    ]
    probes.end(transaction, over, Phase.REMOVED, who, now)  # first: it makes room
    parts = []
    for part, item in wanted.items():
        if part in kept:
            parts.append(SetPart(part, Deed.KEPT, kept[part]))
            continue
        placed = probes.insert(transaction, service, item.probe, item.terms, who, now)
        old = before.get(part)
        deed = Deed.REPLACED if old and old.phase is Phase.ACTIVE else Deed.PLACED
        parts.append(SetPart(part, deed, placed, old.probe.id if old else ""))
    parts += [
        SetPart(placed.terms.name, Deed.REMOVED, placed)
        for placed in over
        if placed.terms.name not in wanted
    ]
    if len(kept) < len(parts):
        deeds = {part.name: str(part.deed) for part in parts}
        note(
            transaction.db,
            at=now,
            who=who,
            action="set",
            service=service,
            detail={"set": name, "deeds": deeds},
        )
    return parts


def remove(
    transaction: Transaction, service: str, name: str, who: str, now: float
) -> list[PlacedProbe]:
    """Take out all probes of a set, the expired ones too."""
    found = probes.of_set(transaction.db, service, name)
    gone = [replace(placed, reason=f"its set {name} was removed") for placed in found]
    return probes.end(transaction, gone, Phase.REMOVED, who, now)


def _same(placed: PlacedProbe, item: SetItem) -> bool:
    """Whether nothing else is asked for. An anchor that was found later is not asked for."""
    anchor = placed.probe.anchor if placed.terms.anchored else None
    return (
        replace(placed.probe, id="", anchor=anchor) == item.probe and placed.terms == item.terms
    )
