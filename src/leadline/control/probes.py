"""Placing probes, looking at them, and taking them out again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from leadline.control.context import Context, say
from leadline.control.order import Order, probe_of, terms_of
from leadline.control.viewing import Viewing
from leadline.control.views import ProbeView
from leadline.store.records import EVERY_SERVICE, Phase, PlacedProbe
from leadline.wire.errors import LeadlineError, UnavailableError
from leadline.wire.service import check_service


class NoSuchProbeError(LeadlineError):
    """The probe that was named is not there, or not any more."""

    def __init__(self, probe: str, *, removed: bool = False) -> None:
        what = "was removed already" if removed else "does not exist"
        super().__init__("no-such-probe", f"The probe {probe[:100]!a} {what}.")


def place(context: Context, order: Order, *, who: str, service: str) -> ProbeView:
    """Put a probe into a service's set; its instances hear of it at once.

    Raises what `probe_of` does, and `RefusedError` when the set is full (`too-many-probes`).
    """
    check_place(service)
    probe, terms = probe_of(order), terms_of(context, order, service)
    placed = context.store.place(service, probe, terms, who=who, now=context.clock())
    return Viewing(context).view(placed, [])


def check_place(service: str) -> None:
    """Refuse what is neither a service's name nor `*` (slug `bad-service-name`)."""
    if service != EVERY_SERVICE:
        check_service(service)


def list_probes(context: Context, service: str | None = None) -> list[ProbeView]:
    """Return the active and the expired probes, oldest first."""
    found = context.store.probes(service, (Phase.ACTIVE, Phase.EXPIRED))
    states = context.store.states(service)
    looking = Viewing(context)
    return [looking.view(placed, states.get(placed.probe.id, [])) for placed in found]


def show_probe(context: Context, probe: str) -> ProbeView:
    """Return one probe, a removed one too. Raises `NoSuchProbeError`."""
    placed = context.store.probe(probe)
    if placed is None:
        raise NoSuchProbeError(probe)
    states = context.store.states(probe=probe).get(probe, [])
    return Viewing(context).view(placed, states)


def remove_probe(context: Context, probe: str, *, who: str) -> list[str]:
    """Take a probe out for good and return its id. Raises `NoSuchProbeError`."""
    with withdrawing(context, lambda placed: placed.probe.id == probe):
        removed = context.store.remove(probe, who=who, now=context.clock())
    if removed is None:
        raise NoSuchProbeError(probe, removed=context.store.probe(probe) is not None)
    return [removed.probe.id]


def remove_all(context: Context, service: str, *, who: str) -> list[str]:
    """Take all of a service's probes out, expired ones too, and return their ids."""
    check_place(service)
    with withdrawing(context, lambda placed: placed.service == service):
        removed = context.store.remove_all(service, who=who, now=context.clock())
    return [placed.probe.id for placed in removed]


@contextmanager
def withdrawing(context: Context, chosen: Callable[[PlacedProbe], bool]) -> Iterator[None]:
    """Take probes out of the instances also when the database cannot be written: whoever
    removes one means the running service. Until it is stored, a restart brings it back."""
    try:
        yield
    except UnavailableError as error:
        context.desired.withdraw(chosen)
        say(f"[{error.slug}] a removal reached the instances and could not be stored")
        raise
