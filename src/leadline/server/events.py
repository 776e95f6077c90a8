"""A stream as server-sent events: written as fast as its reader reads, and no faster."""

import asyncio
import contextlib

from starlette.types import Receive, Scope, Send

from leadline.control.context import say
from leadline.control.stream import Message
from leadline.server.route import Flow
from leadline.server.sessions import Session
from leadline.wire.messages import KEEPALIVE_S

SEND_S = 30.0
"""A reader that takes nothing for so long is let go; what is missed is counted meanwhile."""


class EventStream:
    """The ASGI answer that a `Flow` becomes."""

    def __init__(self, flow: Flow, session: Session) -> None:
        self._flow = flow
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        loop = asyncio.get_running_loop()
        waiting = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended before the stream
                loop.call_soon_threadsafe(waiting.set)

        self._session.attach(wake)
        self._flow.stream.attach(wake)
        writing = asyncio.create_task(self._write(send, waiting))
        reading = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({writing, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._session.close()
            self._flow.ended()
            for task in (writing, reading):
                task.cancel()
            failed, _ = await asyncio.gather(writing, reading, return_exceptions=True)
        if isinstance(failed, Exception) and not isinstance(failed, TimeoutError):
            say(f"a stream failed: {type(failed).__name__}")

    async def _write(self, send: Send, waiting: asyncio.Event) -> None:
        await _send(send, {"type": "http.response.start", "status": 200, "headers": _HEADERS})
        # one comment at once: whoever reads knows that nothing from here on is missed
        await _send(send, _part(b": open\n\n"))
        stream = self._flow.stream
        while True:
            waiting.clear()
            closed = stream.closed
            while (valid := self._session.valid()) and (messages := stream.take()):
                await _send(send, _part("".join(map(_event, messages)).encode("ascii")))
            if closed or not valid:
                await _send(send, _part(b"", more=False))
                return
            try:
                async with asyncio.timeout(KEEPALIVE_S):
                    await waiting.wait()
            except TimeoutError:
                await _send(send, _part(b": alive\n\n"))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, message: dict[str, object]) -> None:
    async with asyncio.timeout(SEND_S):
        await send(message)


def _part(content: bytes, *, more: bool = True) -> dict[str, object]:
    return {"type": "http.response.body", "body": content, "more_body": more}


def _event(message: Message) -> str:
    number = "" if message.id is None else f"id: {message.id}\n"
    return f"event: {message.event}\n{number}data: {message.data}\n\n"


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
    (b"x-content-type-options", b"nosniff"),
]
