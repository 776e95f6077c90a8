"""Whether an order for a twin is one that this process obeys."""

import time

from leadline.agent.twin.terms import Terms, check_terms
from leadline.wire.errors import RefusedError
from leadline.wire.probe import TwinProbe
from leadline.wire.twin import is_signed, order_text

_MOST_KEPT = 10_000


class Orders:
    """Signed orders by their nonce: an order that is shown twice makes no more twins."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[int, float]] = {}

    def allow(self, probe: TwinProbe, now: float) -> bool:
        """Whether a signed order may make one more twin."""
        made, _ = self._made.get(probe.nonce, (0, 0.0))
        if made >= probe.limits.hits or now > probe.signed_until:
            return False
        if len(self._made) >= _MOST_KEPT:
            self._made = {nonce: one for nonce, one in self._made.items() if one[1] > now}
        return len(self._made) < _MOST_KEPT

    def use(self, probe: TwinProbe) -> None:
        """Count a twin that was made."""
        made, _ = self._made.get(probe.nonce, (0, 0.0))
        self._made[probe.nonce] = (made + 1, probe.signed_until)


def check_order(terms: Terms, probe: TwinProbe, service: str, instance: str) -> None:
    """Raise why an order is not obeyed here: what `check_terms` says, slug `twin-elsewhere`
    for one that names another instance, `twin-unsigned` for one that lacks the signature which
    this service wants, or shows one that is over."""
    check_terms(terms)
    if probe.instance and probe.instance != instance:
        raise RefusedError(
            "twin-elsewhere", f"The twin was ordered of the instance {probe.instance} alone."
        )
    if terms.key:
        _check_signature(terms.key, probe, service)


def _check_signature(key: str, probe: TwinProbe, service: str) -> None:
    now = time.time()
    if not probe.signature or not is_signed(key, order_text(service, probe), probe.signature):
        raise _unsigned("is not signed with its key" if probe.signature else "is not signed")
    if not probe.nonce or now > probe.signed_until:
        raise _unsigned("has a signature that is over")


def _unsigned(what: str) -> RefusedError:
    return RefusedError(
        "twin-unsigned",
        f"This service runs only code that was signed for it, and this order {what}.",
        "Set LEADLINE_TWIN_KEY to the service's for the command, see docs/twin.md.",
    )
