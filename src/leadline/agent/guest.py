"""The agent as a whole: what lives in the process between `enter` and `leave`."""

import os
import sys
import time

from leadline import __version__
from leadline.agent.abilities import notes
from leadline.agent.capture.outlet import be_strict
from leadline.agent.core import Core, Monitor, choose
from leadline.agent.fork import ForkWarning
from leadline.agent.guard import faults, guarded
from leadline.agent.link.answerer import Answerer
from leadline.agent.link.http import Address
from leadline.agent.link.native import forget_threads, start_thread
from leadline.agent.link.receiver import Receiver
from leadline.agent.link.sender import Sender
from leadline.agent.probes.registry import Registry
from leadline.agent.settings import Settings, program_name
from leadline.expression.reading import forget_layouts
from leadline.wire.hit import InstanceInfo
from leadline.wire.messages import decode_probes
from leadline.wire.redaction import forget_names, redact_also

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
        be_strict(settings.strict)
        redact_also(settings.redact)
        self._address = Address(settings.url)
        if self._address.secure:
            import socket  # noqa: F401 - now, and not on our threads: see `enter`
            import ssl  # noqa: F401
        self._monitor = Monitor()
        self._monitor.open()
        self._core: Core = choose(self._monitor)
        self._registry = Registry(self._core, self._monitor)
        self._registry.departure.before = self._flush
        self._warning = ForkWarning()
        self._held = False
        self._left = False
        self._connect()

    def enter(self, *, before_main: bool) -> None:
        """Arm what the environment asks for, then start talking.

        Everything that our threads will need is imported by now: an import under way on a
        thread of ours during a fork would leave its lock held for ever in the child.
        """
        if self._settings.probes:
            import json

            self._registry.apply(decode_probes(json.loads(self._settings.probes)))
            if before_main:
                self._registry.await_main()
        os.register_at_fork(
            before=guarded("fork", None)(self._before_fork),
            after_in_parent=guarded("fork", None)(self._after_fork_in_parent),
            after_in_child=guarded("fork", None)(self._after_fork_in_child),
        )
        self._at_exit()
        self._start()

    def leave(self) -> None:
        """Send what is left and remove every event. Takes `DRAIN_S` at most."""
        if self._left:
            return
        self._left = True
        self._receiver.stop()
        self._sender.flush(DRAIN_S, stop=True)
        self._core.close()
        forget_layouts()
        forget_names()

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
            core=self._core.name,
            started_at=time.time(),
            version=self._settings.identity.version,
            environment=self._settings.identity.environment,
            tags=self._settings.identity.tags,
            notes=notes(self._core, self._monitor.tool),
        )
        key = self._settings.key
        self._sender = Sender(
            self._address, key, self.who, self._core, self._registry, self._warning.show
        )
        self._receiver = Receiver(
            self._address,
            key,
            self.who,
            self._registry,
            self._sender.bell,
            Answerer(self._address, key, self.who),
        )

    def _start(self) -> None:
        start_thread("receiver", self._receiver.run)
        start_thread("sender", self._sender.run)

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
        self._sender.flush(DRAIN_S, stop=False)

    def _before_fork(self) -> None:
        self._held = self._registry.before_fork()
        self._warning.hide()

    def _after_fork_in_parent(self) -> None:
        self._registry.after_fork_in_parent(self._held)
        if sys.version_info < (3, 13):
            self._warning.show()

    def _after_fork_in_child(self) -> None:
        if self._left:
            return
        self._warning.show()
        faults.clear()
        forget_threads()
        self._receiver.abandon()
        self._sender.abandon()
        self._core.clear()
        self._registry.after_fork_in_child(self._held)
        if any(_FORKSERVER in word for word in sys.orig_argv[1:4]):
            self._registry.await_main()
        self._connect()
        self._start()
