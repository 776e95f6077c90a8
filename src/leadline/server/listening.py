"""The socket: bound before anything else is touched, refused where it would be too open."""

import errno
import ipaddress
import socket
import ssl
from pathlib import Path

from leadline.wire.errors import RefusedError, UnavailableError
from leadline.wire.messages import SILENCE_S

BACKLOG = 256


def check_exposure(host: str, *, tls: bool, insecure: bool) -> None:
    """Refuse to listen beyond this machine in clear text (slug `not-loopback`)."""
    if tls or insecure or _is_loopback(host):
        return
    raise RefusedError(
        "not-loopback",
        f"{host!r} can be reached from other machines, and keys and values would cross the "
        "network in clear text.",
        "Give --tls-cert and --tls-key, or --insecure if something in front encrypts.",
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises slug `port-in-use`, `cannot-listen`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise UnavailableError("cannot-listen", f"{host!r} is no address here.") from error
    listener = socket.socket(family, kind, protocol)
    try:
        # a server that was killed is followed by the next one at once
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # connections inherit this: a peer that vanished without a word is noticed in time
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SILENCE_S * 1000))
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UnavailableError(
                "port-in-use",
                f"Port {port} on {host} is in use by another program.",
                "Stop it, or choose another with --port (0 takes any free one).",
            ) from error
        raise UnavailableError(
            "cannot-listen", f"Port {port} on {host} cannot be used: {error.strerror}."
        ) from error
    return listener


def url(listener: socket.socket, *, tls: bool) -> str:
    """Return the address that a command on this machine reaches the server by."""
    host, port = listener.getsockname()[:2]
    bound = ipaddress.ip_address(host.partition("%")[0])
    if bound.is_unspecified:
        bound = ipaddress.ip_address("127.0.0.1" if bound.version == 4 else "::1")
    name = f"[{bound}]" if bound.version == 6 else str(bound)
    return f"{'https' if tls else 'http'}://{name}:{port}"


def check_tls(cert: Path, key: Path) -> None:
    """Raise slug `bad-tls-file` if the two files are not a certificate and its key."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ValueError) as error:
        raise UnavailableError(
            "bad-tls-file",
            f"{cert} and {key} are not a readable certificate and its key.",
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return all(ipaddress.ip_address(item[4][0]).is_loopback for item in found)
    except (OSError, ValueError):
        return True  # binding will say what is wrong with it
