"""The kill switch: takes every probe out of a service, or of everything, until it is on."""

from leadline.control.context import Context, say
from leadline.store.events import Switched
from leadline.store.records import Switch
from leadline.wire.errors import UnavailableError, UsageError
from leadline.wire.service import check_service

__all__ = ["Switch", "switch_off", "switch_on"]

MAX_REASON_CHARS = 300
"""A sentence and a link: it stands in every probe's status while the switch is off."""


def switch_off(context: Context, service: str, *, reason: str, who: str) -> list[Switch]:
    """Switch a service off, or everything if `service` is empty; returns what is off now.

    It reaches the instances also when the database cannot be written: whoever uses a kill
    switch means the running service. Raises slugs `bad-service-name`, `too-long`.
    """
    _check(service)
    if len(reason) > MAX_REASON_CHARS:
        raise UsageError(
            "too-long",
            f"The reason has {len(reason)} characters; {MAX_REASON_CHARS} are allowed.",
        )
    # a lone surrogate, as from bytes that are no text, can neither be stored nor shown
    reason = reason.encode("utf-8", "backslashreplace").decode("utf-8")
    switch = Switch(service, reason, who, context.clock())
    try:
        context.store.switch_off(switch)
    except UnavailableError as error:
        context.desired.switched(Switched(service, switch, 0))
        say(f"[{error.slug}] a kill switch reached the instances and could not be stored")
        raise
    return context.desired.switches()


def switch_on(context: Context, service: str, *, who: str) -> list[Switch]:
    """Turn one switch back and return what is still off; one that was not off does nothing."""
    _check(service)
    if not context.store.switch_on(service, who=who, now=context.clock()):
        # one that could not be stored is off here all the same
        context.desired.switched(Switched(service, None, 0))
    return context.desired.switches()


def _check(service: str) -> None:
    if service:
        check_service(service)
