"""In a twin at the call of a web application: what is the live server's is replaced.

It is all there, by the fork, and of no use: nothing of it reaches a socket. With what stands
for it the response is written down, and nothing is tried outside.
"""

from typing import Any

from leadline.agent.capture.gateway import gateway_of
from leadline.expression.layout import identity
from leadline.trial.calls import Call, parameters
from leadline.trial.gateway import Asked, Exchange, stand_in
from leadline.wire.errors import RefusedError
from leadline.wire.struct import replace


def served(call: Call) -> Call:
    """Return a call as it is to be made here. Raises `RefusedError` for one that is no
    request."""
    named = dict(zip(parameters(call.code), call.args, strict=False), **call.kwargs)
    gateway = gateway_of(list(named.items()))
    if gateway is None:
        return call
    if gateway.obstacle:
        raise RefusedError("not-repeatable", f"{gateway.obstacle}.")
    exchange = Exchange()
    made = {
        key: stand_in(exchange, piece, Asked() if bare else None)
        for key, (piece, bare) in gateway.pieces.items()
    }

    def instead(value: object) -> Any:
        return made.get(identity(value), value)

    request: Any = named[gateway.name]
    for name, value in list(request.items()):
        request[name] = instead(value)
    return replace(
        call,
        args=tuple(map(instead, call.args)),
        kwargs={name: instead(value) for name, value in call.kwargs.items()},
        exchange=exchange,
    )
