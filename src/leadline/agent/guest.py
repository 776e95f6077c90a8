"""The agent as a whole: what lives in the process between `enter` and `leave`.

It comes in small, as a link to the server; the rest is made when there is something to do.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from leadline import __version__
from leadline.agent import loading, seat
from leadline.agent.abilities import core_name, notes
from leadline.agent.fork import ForkWarning
from leadline.agent.guard import faults, guarded
from leadline.agent.link.http import Address
from leadline.agent.link.lookout import Lookout
from leadline.agent.link.native import forget_threads, new_lock, start_thread
from leadline.agent.link.receiver import Receiver
from leadline.agent.settings import Settings
from leadline.agent.welcome import program_name
from leadline.native import in_twin
from leadline.wire.hit import InstanceInfo
from leadline.wire.messages import decode_probes

if TYPE_CHECKING:
    from leadline.agent.works import Works

DRAIN_S = 1.0
"""The longest that the end of the process is held up by hits that are still to be sent."""

_FORKSERVER = "multiprocessing.forkserver"
"""What forks from it has no main script yet: that one is run a moment later."""


class Guest:
    """One per process. A fork makes the child's guest out of the parent's."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ValueError` for an address that is none, `LeadlineError` where the
        interpreter has no place for us (slugs `free-threaded`, `no-tool-id`)."""
        self._settings = settings
        self._address = Address(settings.url)
        if self._address.secure:
            import socket  # noqa: F401 - now, and not on our threads: see `loading`
            import ssl  # noqa: F401
        loading.import_library()
        self._tool: int | None = seat.take()
        self._works: Works | None = None
        self._rousing = new_lock()
        self._warning = ForkWarning()
        self._held = False
        self._left = False
        self._connect()

    def enter(self, *, before_main: bool) -> None:
        """Arm what the environment asks for, then start talking."""
        if self._settings.probes:
            import json

            import leadline.agent.works  # noqa: F401 - here the ordinary way is open

            works = self.rouse()
            works.registry.apply(decode_probes(json.loads(self._settings.probes)))
            if before_main:
                works.registry.await_main()
        os.register_at_fork(
            before=guarded("fork", None)(self._before_fork),
            after_in_parent=guarded("fork", None)(self._after_fork_in_parent),
            after_in_child=guarded("fork", None)(self._after_fork_in_child),
        )
        self._at_exit()
        self._start()

    def rouse(self) -> Works:
        """Return the works, made now if they were not needed before."""
        with self._rousing:
            if self._works is None:
                loading.load()
                from leadline.agent.works import Works

                works = Works(self._settings, self._tool, self._flush)
                self._join(works)
                self._works = works
            return self._works

    def leave(self) -> None:
        """Send what is left and remove every event. Takes `DRAIN_S` at most."""
        if self._left:
            return
        self._left = True
        self._receiver.stop()
        self._lookout.flush(DRAIN_S, stop=True)
        if self._works is not None:
            self._works.close()
        elif self._tool is not None:
            sys.monitoring.free_tool_id(self._tool)

    def _connect(self) -> None:
        """Make this process an instance of its own, with a link of its own."""
        self.who = InstanceInfo(
            id=os.urandom(8).hex(),
            service=self._settings.service,
            pid=os.getpid(),
            host=os.uname().nodename[:100],
            program=program_name(),
            python=sys.version.split()[0],
            agent=__version__,
            core=core_name(),
            started_at=time.time(),
            version=self._settings.identity.version,
            environment=self._settings.identity.environment,
            tags=self._settings.identity.tags,
            notes=notes(core_name(), self._tool),
        )
        address, key = self._address, self._settings.key
        self._lookout = Lookout(
            address,
            key,
            self.who,
            self._warning.show_when_over,
            self.rouse,
            lambda: self._receiver.connected,
        )
        self._receiver = Receiver(
            address, key, self.who, lambda: self._works, self.rouse, self._lookout.bell
        )
        if self._works is not None:
            self._join(self._works)

    def _join(self, works: Works) -> None:
        """Let the works report as this instance."""
        lookout = self._lookout
        bells = lookout.bell, lookout.done
        works.connect(self._address, self.who, self._warning.show_when_over, bells)
        lookout.sender = works.sender
        lookout.bell.ring()

    def _start(self) -> None:
        start_thread("receiver", self._receiver.run)
        start_thread("sender", self._lookout.run)

    def _at_exit(self) -> None:
        """Leave at the interpreter's end. A `multiprocessing` child skips `atexit`, but not
        the list of the threading module, which elsewhere runs too early: worker threads may
        go on for days after the main thread has ended."""
        import atexit
        import threading

        atexit.register(guarded("exit", None)(self.leave))
        register = getattr(threading, "_register_atexit", None)
        if register is not None:
            register(guarded("exit", None)(self._flush_child))

    def _flush_child(self) -> None:
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            self._flush()

    def _flush(self) -> None:
        self._lookout.flush(DRAIN_S, stop=False)

    def _before_fork(self) -> None:
        works = self._works
        self._held = works.registry.before_fork() if works is not None else False
        self._warning.hide()

    def _after_fork_in_parent(self) -> None:
        if self._works is not None:
            self._works.registry.after_fork_in_parent(self._held)
        if sys.version_info < (3, 13):
            self._warning.show()

    def _after_fork_in_child(self) -> None:
        if self._left or in_twin():
            return
        self._warning.show()
        faults.clear()
        forget_threads()
        self._rousing = new_lock()
        self._receiver.abandon()
        self._lookout.abandon()
        if (works := self._works) is not None:
            works.core.clear()
            works.making.forked()
            works.registry.after_fork_in_child(self._held)
            if any(_FORKSERVER in word for word in sys.orig_argv[1:4]):
                works.registry.await_main()
        self._connect()
        self._start()
