"""Fresh sealed places: processes of the service's interpreter that run its code on calls.

Two of them hold the old code and one the candidate. They share nothing, not even the order in
which sets come: what differs by chance differs between the two controls, and is known as noise.
"""

import os
import secrets
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self

from leadline.trial.candidate import Change
from leadline.trial.place import (
    MAX_LINE_BYTES,
    NOT_ENDED,
    RUN_S,
    Begin,
    Order,
    Ran,
    Ready,
    cut,
    read_ran,
    read_ready,
    write,
)
from leadline.verify.calls import CapturedCall, Home
from leadline.wire.errors import LeadlineError, UnavailableError, WireError
from leadline.wire.struct import dataclass, replace

START_S = 60.0
"""How long the imports of a service may take; the slowest that was measured took 4 s."""
_SPARE_S = 5.0
"""Beyond a run's own time, before a place is taken for dead."""
_PIECE = 1 << 20
_SEEDS = ("1", "2", "1")
"""Of the order of sets, where the live process had a random one."""
_MARGIN = 10
"""Yields that are asked for beyond those of the live call."""
_SAYING = ("PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONDEVMODE", "PYTHONUTF8")
"""What of our own environment would be taken for flags of the service."""
_GIVEN_UP = "it was given up"
ENDLESS = 8
"""Calls, the first ones, of which one at least has to end in its time, or no more are run: each
takes all of its time, one after the other, and proves nothing."""
_NO_FLAGS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Worlds:
    """Other worlds: for each of some calls its number, what it is `given` and which rows it has
    `asked` for; the rest is as in `Order`."""

    numbers: Sequence[int]
    given: Sequence[list[str | int | float]]
    asked: Sequence[list[dict[str, str | int | float]]]
    words: list[str | int | float]
    names: list[str]


class Place:
    """One place: started, asked for one run after the other, closed."""

    def __init__(
        self,
        begin: Begin,
        executable: str,
        hash_seed: str,
        flags: Mapping[str, int] = _NO_FLAGS,
    ) -> None:
        """Start the process; `ready` waits for it. Raises `UnavailableError`."""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        ours, theirs = socket.socketpair()
        self._socket = ours
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "LEADLINE_OFF": "1"}
        for name in _SAYING:
            environ.pop(name, None)
        # -P: a module of the folder that somebody works in would be imported outside the seal
        program = ["-P", "-m", "leadline.agent.place", str(theirs.fileno())]
        command = [executable, *_options(flags), *program]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an interpreter, asked to run us
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                env=environ,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self._log.close()
            raise UnavailableError(
                "no-place", f"{executable} cannot be started: {error.strerror}."
            ) from None
        finally:
            theirs.close()
        self._buffer = b""
        self._dead = ""
        self._say(write(begin))

    def ready(self, until: float | None = None) -> Ready:
        """Wait until the service's code is imported there, or it is `until`."""
        until = time.monotonic() + START_S if until is None else until
        try:
            line = self._line(max(0.0, until - time.monotonic()))
            if line:
                return read_ready(line)
            if self._dead:
                self._dead = f"importing it has not ended within {START_S:g} s"
            return Ready(False, self._last_words())
        except WireError as error:
            return Ready(False, error.message)

    def run(self, order: Order) -> Ran:
        """Run one call."""
        if self._dead:
            return cut(order.number, self._dead)
        if not self._say(write(order)):
            self._dead = self._last_words()
            return cut(order.number, self._dead)
        try:
            line = self._line(order.within_s + _SPARE_S)
            if line:
                return read_ran(line)
            self._dead = self._last_words()
        except WireError as error:
            self._dead = error.message
        return cut(order.number, self._dead)

    def give_up(self) -> None:
        """Have whoever waits for a run hear at once that there is none; for any thread."""
        self._dead = self._dead or _GIVEN_UP
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the process and all that it has made."""
        self._socket.close()
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._log.close()

    def _say(self, line: bytes) -> bool:
        try:
            self._socket.sendall(line)
        except OSError:
            return False
        return True

    def _line(self, seconds: float) -> bytes:
        """Return the next line; nothing where the place has ended or is late."""
        until = time.monotonic() + seconds
        parts = [self._buffer]
        while b"\n" not in parts[-1]:
            left = until - time.monotonic()
            ready, _, _ = select.select([self._socket], [], [], max(0.0, left))
            if not ready:
                self._dead = f"the place has not answered within {seconds:g} s"
                return b""
            try:
                piece = self._socket.recv(_PIECE)
            except OSError:
                piece = b""
            if not piece or sum(map(len, parts)) > MAX_LINE_BYTES:
                return b""
            parts.append(piece)
        line, _, self._buffer = b"".join(parts).partition(b"\n")
        return line

    def _last_words(self) -> str:
        if self._dead:
            return self._dead
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            return "the place does not answer"
        self._log.seek(0)
        text = self._log.read()[-2_000:].decode("utf-8", "replace").strip()
        last = text.splitlines()[-1] if text else f"exit status {self._process.returncode}"
        return f"the place has ended: {last[:300]}"


class Places:
    """The two controls and the candidate, as one."""

    def __init__(
        self,
        begin: Begin,
        sources: Mapping[str, str | None],
        wanted: tuple[dict[str, list[int]], dict[str, list[int]]],
        home: Home,
    ) -> None:
        """`begin` is for the old code, `sources` are the candidate's. `wanted` are the lines
        that count as changed, on the old side and on the new one. The interpreter is that of
        `home`, with its flags."""
        old, new = wanted
        changed = {
            file: list(Change(file, text, sources.get(file)).functions)
            for file, text in begin.overlay.items()
        }
        salt = secrets.token_hex(8)
        begin = replace(begin, salt=salt, wanted=old, functions=changed)
        self.begin = begin
        seeds = (home.hash_seed,) * 3 if home.hash_seed else _SEEDS
        candidate = replace(begin, overlay=dict(sources), wanted=new, before=begin.overlay)
        self._places: list[Place] = []
        try:
            for one, seed in zip((begin, begin, candidate), seeds, strict=True):
                self._places.append(Place(one, home.executable, seed, home.flags))
        except LeadlineError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ready(self) -> tuple[Ready, Ready]:
        """Wait for all; returns what a control and what the candidate say."""
        until = time.monotonic() + START_S
        one, other, candidate = (place.ready(until) for place in self._places)
        return (one if not one.ok else other), candidate

    def run(
        self,
        calls: Sequence[CapturedCall],
        within_s: float = RUN_S,
        progress: Callable[[int], None] = lambda _: None,
        worlds: Worlds | None = None,
    ) -> list[tuple[Ran, Ran, Ran]]:
        """Run each call in each place, the places side by side. Where none of the first ends in
        its time in a place, no more are run: what is returned is of the first calls then.
        `worlds` are for other worlds, one for each call, than the one that is there."""
        done = [0]
        given_up: list[bool] = []
        orders = [order_of(call, within_s) for call in calls]
        if worlds is not None:
            orders = [
                replace(
                    order,
                    world=worlds.numbers[at],
                    words=worlds.words,
                    given=worlds.given[at],
                    asked=worlds.asked[at],
                    names=worlds.names,
                )
                for at, order in enumerate(orders)
            ]

        def run_all(place: Place) -> list[Ran]:
            found = []
            for order in orders:
                if given_up:
                    break
                found.append(place.run(order))
                if len(found) == ENDLESS and all(map(_is_endless, found)):
                    given_up.append(True)
                if place is self._places[-1] and not given_up:
                    done[0] += 1
                    progress(done[0])
            return found

        with ThreadPoolExecutor(len(self._places)) as pool:
            try:
                first, second, candidate = pool.map(run_all, self._places)
            except BaseException:  # such as Ctrl-C, which the threads do not hear of
                given_up.append(True)
                for place in self._places:
                    place.give_up()
                raise
        return list(zip(first, second, candidate, strict=False))

    def close(self) -> None:
        """End all."""
        for place in self._places:
            place.close()


def _is_endless(ran: Ran) -> bool:
    return ran.rerun.outcome is None and ran.rerun.cut.startswith(NOT_ENDED)


def _options(flags: Mapping[str, int]) -> list[str]:
    """Return the options of an interpreter with these flags. A file of calls may say anything
    of them, so that nothing but a number of letters comes of it."""
    letters = (("optimize", "-O"), ("bytes_warning", "-b"))
    options = [letter for name, letter in letters for _ in range(_level(flags.get(name, 0)))]
    words = (("dev_mode", "dev"), ("utf8_mode", "utf8"))
    return [*options, *(f"-X{word}" for name, word in words if flags.get(name))]


def _level(value: object) -> int:
    return min(max(value, 0), 2) if isinstance(value, int) else 0


def order_of(call: CapturedCall, within_s: float = RUN_S) -> Order:
    """Return what a place is told of a call. A generator is asked for more than it gave, to see
    its end; one that was closed before its end is asked for as much, and closed."""
    return Order(
        call.number,
        call.document or {},
        most_yields(call),
        within_s,
        turns=call.turns,
        depth=call.depth,
    )


def most_yields(call: CapturedCall) -> int:
    """Return how much a generator is asked for."""
    return len(call.live.yields) + call.live.more + _MARGIN * (not _was_closed(call))


def _was_closed(call: CapturedCall) -> bool:
    value = call.live.value
    name = value.get("type") if isinstance(value, dict) else None
    return call.closed or (not call.live.returned and name == "GeneratorExit")
