"""A captured call on its way from an agent to a server: all that it says, in fewer bytes."""

from typing import Any

from leadline.wire.call import CallView
from leadline.wire.foreseen import folded, unfolded
from leadline.wire.packing import PACKED, Allowance, packed, unpacked
from leadline.wire.struct import replace

MARK = b'"kept":{"v":%d,' % PACKED
"""In a report with a call that was carried so, as `wire.messages.encode` writes it."""


def carried(call: CallView) -> CallView:
    """Return a call as it travels. One that cannot be told shorter travels as it is."""
    if call.kept is None:
        return call
    try:
        arguments = folded(call.kept, call.arguments)
        return replace(call, kept=packed(call.kept), arguments=arguments)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return call


def delivered(call: dict[str, Any], allowance: Allowance) -> dict[str, Any]:
    """Return a call, as JSON has it, as it was before it travelled. Raises `WireError`."""
    kept = call.get("kept")
    if type(kept) is not dict or kept.get("v") != PACKED:
        return call
    document = unpacked(kept, allowance)
    arguments = unfolded(document, call["arguments"], allowance)
    return call | {"kept": document, "arguments": arguments}
