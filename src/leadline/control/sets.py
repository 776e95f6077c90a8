"""Named sets of probes: what a file or a program wants a service to carry, as one thing."""

from leadline.control.context import Context
from leadline.control.order import Order, probe_of, terms_of
from leadline.control.probes import check_place, withdrawing
from leadline.control.viewing import Viewing
from leadline.control.views import ProbeView, SetPartView
from leadline.store.records import PlacedProbe, SetItem
from leadline.wire.errors import LeadlineError, UsageError
from leadline.wire.messages import MAX_PROBES
from leadline.wire.service import check_service
from leadline.wire.struct import dataclass, replace


@dataclass(frozen=True, slots=True)
class Named:
    """An order with the name that it has in its set."""

    name: str
    order: Order


class NoSuchSetError(LeadlineError):
    """The service has no probes of that set."""

    def __init__(self, service: str, name: str) -> None:
        super().__init__("no-such-set", f"The service {service!r} has no set {name!r}.")


def put_set(
    context: Context, orders: list[Named], *, who: str, service: str, name: str
) -> list[SetPartView]:
    """Make a set exactly that, and return what was done for each name.

    What is the same stays as it is, with its id and its hits; what differs is replaced, what
    is over is placed again, what is missing is taken out. If one order is wrong, nothing
    happens at all. Raises what `place` does, and slug `bad-name`.
    """
    check_place(service)
    _check_name(name)
    if len(orders) > MAX_PROBES:
        raise UsageError("bad-limit", f"A set has at most {MAX_PROBES:,} probes.")
    names = [named.name for named in orders]
    for part in names:
        _check_name(part)
        if names.count(part) > 1:
            raise UsageError("bad-name", f"Two probes of the set are named {part!r}.")
    items = [_item(context, named, service, name) for named in orders]
    parts = context.store.put_set(service, name, items, who=who, now=context.clock())
    return [
        SetPartView(part.name, part.deed, part.placed.probe.id, part.before) for part in parts
    ]


def show_set(context: Context, service: str, name: str) -> list[ProbeView]:
    """Return the probes of a set, active and expired. Raises `NoSuchSetError`."""
    found = _found(context, service, name)
    viewing, states = Viewing(context), context.store.states(service)
    return [viewing.view(placed, states.get(placed.probe.id, [])) for placed in found]


def remove_set(context: Context, service: str, name: str, *, who: str) -> list[str]:
    """Take all probes of a set out and return their ids. Raises `NoSuchSetError`."""
    held = {placed.probe.id for placed in _found(context, service, name)}
    with withdrawing(context, lambda placed: placed.probe.id in held):
        removed = context.store.remove_set(service, name, who=who, now=context.clock())
    return [placed.probe.id for placed in removed]


def _found(context: Context, service: str, name: str) -> list[PlacedProbe]:
    check_place(service)
    _check_name(name)
    found = context.store.set(service, name)
    if not found:
        raise NoSuchSetError(service, name)
    return found


def _item(context: Context, named: Named, service: str, name: str) -> SetItem:
    try:
        probe, terms = probe_of(named.order), terms_of(context, named.order, service)
    except LeadlineError as error:
        error.message = f"{named.name}: {error.message}"
        error.args = (error.message,)
        raise
    return SetItem(probe, replace(terms, set=name, name=named.name))


def _check_name(name: str) -> None:
    try:
        check_service(name)  # what is safe in an address for the one is for the other
    except UsageError:
        raise UsageError(
            "bad-name",
            f"{name[:100]!a} cannot be the name of a set or of a probe in one.",
            "Use 1 to 100 letters, digits, dots, dashes and underscores.",
        ) from None
