"""What a twin may read: what the import system reads, the time zones, and what is allowed.

Files that the process has open it may read as well; the seal adds those by itself.
"""

import os
import sys

_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/usr/share/ca-certificates",
    "/proc/sys/vm/overcommit_memory",
)
"""Where libraries lie that an import loads, what every clock asks for, the table that
`mimetypes` reads, which web frameworks do when they are imported, and the certificates that
everybody trusts, which a client of HTTP reads when it is made; what glibc reads when it gives
back memory of a thread. No folder of keys."""
_MOST = 200


def readable(also: tuple[str, ...] = ()) -> tuple[bytes, ...]:
    """Return the folders and files that may be opened for reading, as absolute paths that are
    there. Runs no code of the application: an entry of `sys.path` that is no text is left
    out, and so is the root of the file system."""
    found: dict[bytes, None] = {}
    entries = list(sys.path) if type(sys.path) is list else []
    library = os.path.dirname(os.__file__)
    for entry in (*also, *entries, library, sys.base_prefix + "/lib", *_SYSTEM):
        if type(entry) is not str or len(found) >= _MOST:
            continue
        path = os.path.realpath(entry or os.getcwd())
        if path not in ("/", "/proc", "/sys", "/dev") and os.path.exists(path):
            found[os.fsencode(path)] = None
    return tuple(found)
