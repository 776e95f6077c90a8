"""What a twin tried and was refused, in words: people know files and connections, not calls.

As in `twin_words`, what the application had a part in is in the words: they are escaped for
wherever they are shown.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

_SEPARATED = re.compile(r"([^ ]+) ([^ ]+)")
"""Two paths; where one of them has a space in it, nobody knows where the other begins."""
_SIGNAL = re.compile(r"pid (-?\d+) signal (\d+)")
_ADDRESS = re.compile(r"AF_(?:INET6?|UNIX) (.+)", re.DOTALL)
_WORDS = {
    "clone": {
        "thread": "start a thread",
        "process": "start a process",
        "": "start a thread or a process",
    },
    "socket": {
        "AF_UNIX": "open a socket of this machine",
        "AF_INET": "open a network socket",
        "AF_INET6": "open a network socket",
        "AF_NETLINK": "open a socket to the kernel",
        "": "open a socket",
    },
}
"""By the detail; the last is for any other."""
_PROCESS = {
    "ptrace": "trace process {}",
    "process_vm_readv": "read the memory of process {}",
    "process_vm_writev": "write to the memory of process {}",
}
_FILE = "a file"
_SIGNALS = {
    "kill": "process {}",
    "rt_sigqueueinfo": "process {}",
    "tkill": "thread {}",
    "tgkill": "thread {}",
    "rt_tgsigqueueinfo": "thread {}",
    "pidfd_send_signal": "a process",  # the number is of a descriptor
}
_TWO = {
    "rename": "rename {} to {}",
    "link": "link {} as {}",
    "symlink": "link to {} as {}",
    "mount": "mount {} at {}",
    "move_mount": "mount {} at {}",
    "pivot_root": "make {} the root, and {} the old one",
}
_ONE = {
    "open": "open {}",
    "creat": "open {} for writing",
    "stat": "look at {}",
    "access": "look at {}",
    "statx": "look at {}",
    "readlink": "read the link {}",
    "write": "write to {}",
    "fallocate": "make room in {}",
    "truncate": "change the length of {}",
    "ftruncate": "change the length of {}",
    "unlink": "delete {}",
    "rmdir": "delete the folder {}",
    "mkdir": "make the folder {}",
    "mknod": "make the special file {}",
    "chmod": "change the mode of {}",
    "fchmod": "change the mode of {}",
    "chown": "change the owner of {}",
    "fchown": "change the owner of {}",
    "utime": "change the times of {}",
    "setxattr": "set an attribute of {}",
    "getxattr": "read an attribute of {}",
    "listxattr": "list the attributes of {}",
    "removexattr": "remove an attribute of {}",
    "inotify_add_watch": "watch {}",
    "execve": "run {}",
    "umount2": "unmount {}",
    "chroot": "make {} the root",
}
"""Calls on one file. What a descriptor's number stands for nobody knows: it is `a file`."""
_PLAIN = {
    "getdents": "list a folder",
    "sendfile": "copy a file to a file or a connection",
    "splice": "copy between a file and a pipe",
    "copy_file_range": "copy a file to another",
    "open_by_handle_at": "open a file",
    "memfd_create": "make a file in memory",
    "socketpair": "make a pair of sockets",
    "listen": "wait for connections",
    "accept": "accept a connection",
    "recvmsg": "receive on a connection",
    "recvmmsg": "receive on a connection",
    "shutdown": "shut a connection down",
    "setsockopt": "set an option of a connection",
    "fork": "start a process",
    "vfork": "start a process",
    "alarm": "set an alarm",
    "setitimer": "set an alarm",
    "timer_create": "set an alarm",
    "shmget": "use memory that processes share",
    "shmat": "use memory that processes share",
    "shmctl": "use memory that processes share",
    "semget": "use a semaphore of the system",
    "semop": "use a semaphore of the system",
    "semtimedop": "use a semaphore of the system",
    "semctl": "use a semaphore of the system",
    "msgget": "use a message queue",
    "msgsnd": "use a message queue",
    "msgrcv": "use a message queue",
    "msgctl": "use a message queue",
    "mq_open": "use a message queue",
    "mq_timedsend": "use a message queue",
    "mq_timedreceive": "use a message queue",
    "setuid": "become another user",
    "setreuid": "become another user",
    "setresuid": "become another user",
    "setgid": "become another group",
    "setregid": "become another group",
    "setresgid": "become another group",
    "setgroups": "become another group",
    "setrlimit": "change a limit",
    "prlimit64": "change a limit",
    "setpriority": "change a priority",
    "settimeofday": "set the clock",
    "clock_settime": "set the clock",
    "reboot": "restart the machine",
    "io_uring_setup": "use io_uring",
    "io_uring_enter": "use io_uring",
    "io_uring_register": "use io_uring",
    "attach": "attach another database",
    "vacuum": "write a database anew",
    "others": "do more than is kept",
}
_KINDS = {
    "openat": "open",
    "openat2": "open",
    "lstat": "stat",
    "newfstatat": "stat",
    "faccessat": "access",
    "faccessat2": "access",
    "readlinkat": "readlink",
    "writev": "write",
    "pwrite64": "write",
    "pwritev": "write",
    "pwritev2": "write",
    "unlinkat": "unlink",
    "mkdirat": "mkdir",
    "mknodat": "mknod",
    "renameat": "rename",
    "renameat2": "rename",
    "linkat": "link",
    "symlinkat": "symlink",
    "fchmodat": "chmod",
    "fchmodat2": "chmod",
    "lchown": "chown",
    "fchownat": "chown",
    "utimes": "utime",
    "futimesat": "utime",
    "utimensat": "utime",
    "lsetxattr": "setxattr",
    "fsetxattr": "setxattr",
    "lgetxattr": "getxattr",
    "fgetxattr": "getxattr",
    "llistxattr": "listxattr",
    "flistxattr": "listxattr",
    "lremovexattr": "removexattr",
    "fremovexattr": "removexattr",
    "accept4": "accept",
    "clone3": "clone",
    "sendmsg": "sendto",
    "sendmmsg": "sendto",
    "execveat": "execve",
}
"""Calls that do what another one does."""


def attempt_words(what: str, detail: str) -> str:
    """Return what a call and its detail try to do: `to open paid.csv`; the plain name of a
    call that has no words."""
    kind = _KINDS.get(what, what)
    known = "" if detail == "?" else detail
    words = _signalling(what, known) or _reaching(kind, known) or _on_files(kind, known)
    words = words or _PLAIN.get(kind, "")
    return f"to {words}" if words else f"{what} {detail}".strip()


def refusal_words(refused: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what was tried, and how often it was refused; calls that do the same are one."""
    counts: Counter[str] = Counter()
    for one in refused:
        counts[attempt_words(one["what"], one["detail"])] += one["count"]
    return [
        f"tried {words}: refused" + (f", {count:,} times" if count > 1 else "")
        for words, count in counts.items()
    ]


def refused_beside(twin: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what was refused beside what stands under the code that tried it."""
    told: Counter[tuple[str, str]] = Counter()
    for said in twin["said"]:
        for one in said["refused"]:
            told[one["what"], one["detail"]] += one["count"]
    left = [
        {**one, "count": one["count"] - told[one["what"], one["detail"]]}
        for one in twin["refused"]
    ]
    return [one for one in left if one["count"] > 0]


def _signalling(what: str, detail: str) -> str:
    if what not in _SIGNALS:
        return ""
    found = _SIGNAL.fullmatch(detail)
    if found is None:
        return "send a signal"
    return f"send signal {found[2]} to {_SIGNALS[what].format(found[1])}"


def _reaching(kind: str, detail: str) -> str:
    """Return what would reach another process, or start one."""
    address = _ADDRESS.fullmatch(detail)
    where = address[1] if address else ""
    match kind:
        case "connect":
            return f"connect to {where or 'another process'}"
        case "bind":
            return f"listen at {where or 'an address'}"
        case "sendto" if where:
            return f"send to {where}"
        case "sendto" if detail in ("", "a socket") or detail.startswith("AF_"):
            return "send on a connection"
        case "sendto":
            return f"write to {detail}"
        case _ if kind in _WORDS:
            return _WORDS[kind].get(detail, _WORDS[kind][""])
        case _:
            return _PROCESS[kind].format(detail) if kind in _PROCESS else ""


def _on_files(kind: str, detail: str) -> str:
    if kind in _ONE:
        return _ONE[kind].format(_FILE if not detail or detail.isdecimal() else detail)
    if kind not in _TWO:
        return ""
    both = _SEPARATED.fullmatch(detail)
    return _TWO[kind].format(*both.groups()) if both else f"{kind} {detail or _FILE}"
