"""Tries at what the process has open that is no file: sockets, pipes, terminals, queues."""

import array
import asyncio
import contextlib
import ctypes
import errno
import fcntl
import os
import pty
import select
import socket
import struct
import termios
from pathlib import Path

from sealed import Outcome, tries
from tries_files import Telling, call

BAD = "OSError"
"""Bad file descriptor: as after closing it."""


def nothing_in(reading: int) -> None:
    """Nobody has written there."""
    ready = select.select([reading], [], [], 0)[0]
    assert not ready, f"there came {os.read(reading, 100)!r}"


def bad(outcome: Outcome) -> None:
    """In a twin it failed as a bad descriptor does, not as if it had succeeded."""
    if outcome.facts:
        assert os.strerror(errno.EBADF) in outcome.said, outcome.said


@tries(error=BAD)
def send_to_a_peer(place: Path) -> Telling:
    ours, peer = socket.socketpair()
    bad((yield lambda: ours.send(b"from a twin")))
    nothing_in(peer.fileno())
    ours.send(b"ours")
    assert peer.recv(99) == b"ours"
    ours.close()
    peer.close()


@tries(error=BAD)
def send_by_tcp(place: Path) -> Telling:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.socket()
        ours.connect(server.getsockname())
        peer = server.accept()[0]
    bad((yield lambda: ours.sendall(b"from a twin")))
    nothing_in(peer.fileno())
    ours.close()
    peer.close()


@tries(error=BAD)
def take_what_a_peer_sent(place: Path) -> Telling:
    ours, peer = socket.socketpair()
    peer.send(b"for us")
    ours.setblocking(False)
    yield lambda: ours.recv(99)
    try:
        assert ours.recv(99) == b"for us"
    except BlockingIOError:
        raise AssertionError("it was taken away") from None
    finally:
        ours.close()
        peer.close()


@tries(error=BAD)
def shut_a_connection(place: Path) -> Telling:
    ours, peer = socket.socketpair()
    yield lambda: ours.shutdown(socket.SHUT_RDWR)
    nothing_in(peer.fileno())
    ours.close()
    peer.close()


@tries(harms=False)
def close_a_connection(place: Path) -> Telling:
    """Nor does it keep one open that the process closes."""
    ours, peer = socket.socketpair()
    stays, its_peer = socket.socketpair()

    def code() -> str:
        ours.close()
        return "closed"

    outcome = yield code
    assert outcome.said == "'closed'"
    nothing_in(peer.fileno())
    for one in (ours, peer, stays, its_peer):
        one.close()


@tries(error="PermissionError", refused="accept4")
def accept_somebody(place: Path) -> Telling:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as peer:
        peer.connect(server.getsockname())
        yield lambda: server.accept()
        server.setblocking(False)
        try:
            server.accept()[0].close()
        except BlockingIOError:
            raise AssertionError("the connection was taken away") from None
        assert peer.fileno() >= 0


@tries(error=BAD)
def set_an_option_of_a_socket(place: Path) -> Telling:
    ours, peer = socket.socketpair()
    yield lambda: ours.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    kept = ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    ours.close()
    peer.close()
    assert kept == 0, "it has another option"


@tries(error=BAD)
def make_a_socket_block(place: Path) -> Telling:
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    yield lambda: os.set_blocking(ours.fileno(), True)
    blocks = os.get_blocking(ours.fileno())
    ours.close()
    peer.close()
    assert not blocks, "it waits now"


@tries(error=BAD)
def write_to_a_pipe(place: Path) -> Telling:
    reading, writing = os.pipe()
    bad((yield lambda: os.write(writing, b"from a twin")))
    nothing_in(reading)
    os.close(reading)
    os.close(writing)


@tries(error=BAD)
def read_from_a_pipe(place: Path) -> Telling:
    reading, writing = os.pipe()
    os.write(writing, b"ours")
    yield lambda: os.read(reading, 99)
    left = select.select([reading], [], [], 0)[0]
    os.close(reading)
    os.close(writing)
    assert left, "it was taken away"


@tries(error="OSError|PermissionError")
def open_a_pipe_once_more(place: Path) -> Telling:
    reading, writing = os.pipe()
    yield lambda: os.write(os.open(f"/proc/self/fd/{writing}", os.O_WRONLY), b"from a twin")
    nothing_in(reading)
    os.close(reading)
    os.close(writing)


@tries(error="FileNotFoundError|OSError|PermissionError")
def open_a_pipe_of_the_parent(place: Path) -> Telling:
    reading, writing = os.pipe()
    path = f"/proc/{os.getpid()}/fd/{writing}"
    yield lambda: os.write(os.open(path, os.O_WRONLY), b"from a twin")
    nothing_in(reading)
    os.close(reading)
    os.close(writing)


@tries(error=BAD)
def write_to_a_terminal(place: Path) -> Telling:
    ours, terminal = pty.openpty()
    yield lambda: os.write(terminal, b"from a twin")
    nothing_in(ours)
    os.close(ours)
    os.close(terminal)


@tries(error="error")
def type_into_a_terminal(place: Path) -> Telling:
    ours, terminal = pty.openpty()

    def code() -> None:
        attributes = termios.tcgetattr(terminal)
        attributes[3] ^= termios.ECHO
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)

    before = termios.tcgetattr(terminal)
    yield code
    after = termios.tcgetattr(terminal)
    os.close(ours)
    os.close(terminal)
    assert before == after, "the terminal is set otherwise"


@tries(error=BAD)
def watch_with_an_epoll(place: Path) -> Telling:
    reading, writing = os.pipe()
    os.write(writing, b"ready")
    poll = select.epoll()
    yield lambda: poll.register(reading, select.EPOLLIN)
    seen = poll.poll(0)
    poll.close()
    os.close(reading)
    os.close(writing)
    assert not seen, "it watches more than before"


@tries(error=BAD)
def count_in_an_eventfd(place: Path) -> Telling:
    event = os.eventfd(0, os.EFD_NONBLOCK)
    yield lambda: os.eventfd_write(event, 7)
    try:
        raise AssertionError(f"it was written to: {os.eventfd_read(event)}")
    except BlockingIOError:
        pass
    finally:
        os.close(event)


@tries(error="OSError|PermissionError")
def set_a_timer(place: Path) -> Telling:
    timer = call(283, 1, 0)
    soon = struct.pack("4q", 0, 0, 1000, 0)
    yield lambda: call(286, timer, 0, soon, None)
    now = ctypes.create_string_buffer(32)
    call(287, timer, now)
    os.close(timer)
    assert struct.unpack("4q", now.raw)[2] == 0, "it runs"


@tries(error="OSError|PermissionError")
def stop_watching_a_folder(place: Path) -> Telling:
    watch = call(294, 0o4000)
    which = call(254, watch, os.fsencode(place), 0x100)
    yield lambda: call(255, watch, which)
    (place / "new").touch()
    told = select.select([watch], [], [], 0)[0]
    said = os.read(watch, 4096) if told else b""
    os.close(watch)
    assert b"new" in said, "the watch is lost"


@tries(error=BAD)
def write_to_memory_in_a_file(place: Path) -> Telling:
    memory = os.memfd_create("ours")
    os.write(memory, b"ours")
    yield lambda: os.write(memory, b"from a twin")
    size = os.fstat(memory).st_size
    os.close(memory)
    assert size == 4, f"it has {size} bytes"


@tries(error="PermissionError", refused="sendmsg", harms=True,
       more={"keep": lambda place: tuple(one.fileno() for one in _channel)})  # fmt: skip
def send_a_descriptor_over_the_channel(place: Path) -> Telling:
    ours, theirs = _channel[:] = socket.socketpair()
    del _channel[:]
    _channel.append(theirs)
    with (place / "file").open("w") as file:
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))]
        yield lambda: theirs.sendmsg([b"x"], passed)
    nothing_in(ours.fileno())
    ours.close()
    theirs.close()


_channel: list[socket.socket] = []


@tries(harms=False)
def what_it_makes_itself_works(place: Path) -> Telling:
    """A loop of its own needs a pair of sockets, a pipe, an epoll."""

    def code() -> object:
        asyncio.events._set_running_loop(None)
        loop = asyncio.SelectorEventLoop()

        async def work() -> int:
            await asyncio.sleep(0.001)
            loop.call_soon_threadsafe(int)
            return 5

        return loop.run_until_complete(work())

    outcome = yield code
    assert outcome.said == "5", outcome


@tries(error=BAD, refused="", harms=False)
def status_of_a_socket_is_kept(place: Path) -> Telling:
    """The number leads nowhere, but it is not free: what is opened next gets another one."""
    ours, peer = socket.socketpair()

    def code() -> None:
        made = os.open(place, os.O_RDONLY)
        assert made not in {ours.fileno(), peer.fileno()}
        ours.recv(1)

    yield code
    ours.close()
    peer.close()


@tries(error="PermissionError", refused="fcntl", harms=False)
def be_told_of_a_descriptor(place: Path) -> Telling:
    def code() -> None:
        reading, _ = os.pipe()
        fcntl.fcntl(reading, fcntl.F_SETOWN, os.getppid())

    yield code


@tries(error="PermissionError", refused="fcntl", harms=False)
def have_a_signal_sent_for_a_descriptor(place: Path) -> Telling:
    def code() -> None:
        ours, _ = socket.socketpair()
        fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC)

    yield code


def _reach(family: int, kind: int, address: object) -> None:
    with contextlib.closing(socket.socket(family, kind)) as made:
        made.connect(address)


def _refused(name: str, family: int, kind: int, address: object, detail: str) -> None:
    @tries(name, error="PermissionError", refused="socket", harms=False)
    def story(place: Path) -> Telling:
        outcome = yield lambda: _reach(family, kind, address)
        assert ("socket", detail, 1) in outcome.refused, outcome.refused


_refused("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 9), "AF_INET")
_refused("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 9), "AF_INET")
_refused("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 9), "AF_INET6")
_refused("netlink", socket.AF_NETLINK, socket.SOCK_RAW, (0, 0), "AF_NETLINK")
_refused("packet", socket.AF_PACKET, socket.SOCK_RAW, ("lo", 0), "family 17")
_refused("abstract_socket", socket.AF_UNIX, socket.SOCK_STREAM, "\0door", "AF_UNIX")


@tries(error="PermissionError", refused="connect", harms=False)
def connect_a_socket_of_its_own(place: Path) -> Telling:
    def code() -> None:
        socket.socketpair()[0].connect("\0door")

    outcome = yield code
    assert ("connect", "AF_UNIX @door", 1) in outcome.refused, outcome.refused


@tries(error="PermissionError", refused="bind", harms=False)
def name_a_socket_of_its_own(place: Path) -> Telling:
    yield lambda: socket.socketpair()[0].bind(str(place / "door"))
    assert not (place / "door").exists()
