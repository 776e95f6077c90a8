"""Probes in: holds one stream open to the server and applies what it says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadline.agent.guard import faults
from leadline.agent.link.events import Event, events
from leadline.agent.link.http import Address, Connection, HttpError
from leadline.agent.link.native import Bell
from leadline.wire.errors import WireError
from leadline.wire.hit import InstanceInfo
from leadline.wire.inventory import decode_want
from leadline.wire.messages import CONNECT_PATH, SILENCE_S, decode_probes, encode

if TYPE_CHECKING:
    from leadline.agent.works import Works

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
"""A server that comes back is found again within this time."""
REFUSED_PAUSE_S = 15.0
"""A server that refuses our key will do so again; asking often only fills its log."""
BIRTH_S = 0.05
"""Processes that live shorter than this (a fork that ends in exec) are never announced."""

_OBEYED = frozenset(("set", "add", "remove", "off", "on", "want", "tell"))
_MAX_REASON = 500
"""Characters of the reason for which a service was switched off."""


class Receiver:
    """Lives on a thread of its own until told to stop."""

    def __init__(
        self,
        address: Address,
        key: str,
        who: InstanceInfo,
        works: Callable[[], Works | None],
        rouse: Callable[[], Works],
        news: Bell,
    ) -> None:
        """`works` are there once they were needed, and `rouse` makes them."""
        self._connection = Connection(address, key)
        self._who = who
        self._works = works
        self._rouse = rouse
        self._news = news
        self._pause = Bell()
        self._stopping = False
        self._off = False
        self.connected = False

    def run(self) -> None:
        """Connect, listen, and connect again with growing pauses."""
        self._pause.wait(BIRTH_S)
        pause = FIRST_PAUSE_S
        while not self._stopping:
            try:
                self._listen()
                pause = FIRST_PAUSE_S
            except HttpError as error:
                if error.status in (400, 401, 403):
                    pause = REFUSED_PAUSE_S
            except OSError:
                pass  # away: the usual case, and the pause below is the answer
            except Exception as error:  # noqa: BLE001 - no answer may end this thread
                faults.count("receiver", error)
            was_connected, self.connected = self.connected, False
            if was_connected and (works := self._works()) is not None:
                works.making.disconnected()
            self._connection.close()
            if was_connected:
                pause = FIRST_PAUSE_S
            self._pause.wait(pause + pause * os.urandom(1)[0] / 1024)
            pause = min(2 * pause, max(LONGEST_PAUSE_S, pause))

    def stop(self) -> None:
        """Ask the thread to end. It may be waiting for the server; nobody waits for it."""
        self._stopping = True
        self._pause.ring()

    def abandon(self) -> None:
        """In a forked child: let go of the parent's connection without a word to the server."""
        self._connection.close()

    def _listen(self) -> None:
        self._connection.open(CONNECT_PATH, encode(self._who))
        self._connection.silence(SILENCE_S)
        self.connected = True
        self._off = False
        if (works := self._works()) is not None:
            works.registry.forget_acknowledged()
        for event in events(self._connection.pieces()):
            if self._stopping:
                return
            self._obey(event)

    def _obey(self, event: Event) -> None:
        """Apply one event. Raises `WireError` for what is not in the contract."""
        if not event.name:
            return
        message = json.loads(event.data)
        if not isinstance(message, dict):
            raise WireError("An event's data is not an object.")
        if event.name not in _OBEYED or (_idle(event.name, message) and self._works() is None):
            return  # a newer server may say more than we know
        self._apply(self._rouse(), event.name, message)

    def _apply(self, works: Works, name: str, message: dict[str, Any]) -> None:
        registry = works.registry
        match name:
            case "set":
                if not self._off:  # it was, perhaps, while we were not connected
                    registry.switch_on()
                registry.apply(decode_probes(message.get("probes")))
            case "add":
                registry.add(decode_probes(message.get("probes")))
            case "remove":
                registry.remove(_ids(message))
            case "off":
                self._off = True
                reason = message.get("reason")
                registry.switch_off(reason[:_MAX_REASON] if type(reason) is str else "")
            case "on":
                self._off = False
                registry.switch_on()
            case "want":
                if (want := decode_want(message)) is not None:
                    works.answerer.ask(want)
                return
            case "tell":
                works.making.tell(message)
                return
        self._news.ring()


def _idle(name: str, message: dict[str, Any]) -> bool:
    """Whether a process without probes has nothing to do for this."""
    match name:
        case "remove":
            _ids(message)
            return True
        case "set":
            return message.get("probes") == []
        case _:
            return name in ("on", "tell")


def _ids(message: dict[str, Any]) -> list[str]:
    ids = message.get("ids")
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise WireError("The ids to remove are not a list of texts.")
    return ids
