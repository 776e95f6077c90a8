"""What a twin tried and was refused is told in words."""

import re
from pathlib import Path

import pytest

from leadline import wire
from leadline.wire import refusals
from leadline.wire.refusals import attempt_words, refusal_words, refused_beside

NAMES = Path(wire.__file__).parents[1] / "native" / "twin" / "names.c"


@pytest.mark.parametrize(
    ("what", "detail", "words"),
    [
        ("openat", "paid.csv", "to open paid.csv"),
        ("open", "/a b/{0}", "to open /a b/{0}"),
        ("openat", "?", "to open a file"),
        ("creat", "x", "to open x for writing"),
        ("newfstatat", "/etc/shadow", "to look at /etc/shadow"),
        ("write", "/srv/app/x.log", "to write to /srv/app/x.log"),
        ("writev", "a pipe", "to write to a pipe"),
        ("pwrite64", "", "to write to a file"),
        ("sendto", "?", "to send on a connection"),
        ("sendto", "AF_INET 10.0.0.1:53", "to send to 10.0.0.1:53"),
        ("sendmsg", "a socket", "to send on a connection"),
        ("sendmsg", "", "to send on a connection"),
        ("connect", "AF_INET 10.0.0.1:5432", "to connect to 10.0.0.1:5432"),
        ("connect", "AF_UNIX /run/my app", "to connect to /run/my app"),
        ("connect", "AF_UNIX @bus", "to connect to @bus"),
        ("connect", "AF_INET6", "to connect to another process"),
        ("connect", "?", "to connect to another process"),
        ("bind", "AF_INET 0.0.0.0:80", "to listen at 0.0.0.0:80"),
        ("socket", "AF_INET", "to open a network socket"),
        ("socket", "family 17", "to open a socket"),
        ("clone", "thread", "to start a thread"),
        ("clone", "process", "to start a process"),
        ("clone3", "", "to start a thread or a process"),
        ("vfork", "", "to start a process"),
        ("execve", "/bin/sh", "to run /bin/sh"),
        ("execve", "?", "to run a file"),
        ("kill", "pid 123 signal 9", "to send signal 9 to process 123"),
        ("kill", "pid -1 signal 15", "to send signal 15 to process -1"),
        ("tgkill", "pid 7 signal 10", "to send signal 10 to thread 7"),
        ("pidfd_send_signal", "pid 5 signal 9", "to send signal 9 to a process"),
        ("kill", "", "to send a signal"),
        ("unlinkat", "x", "to delete x"),
        ("renameat2", "a b", "to rename a to b"),
        ("rename", "my file b", "to rename my file b"),
        ("symlink", "a b", "to link to a as b"),
        ("ftruncate", "7", "to change the length of a file"),
        ("mkdirat", "logs", "to make the folder logs"),
        ("memfd_create", "x", "to make a file in memory"),
        ("process_vm_readv", "1", "to read the memory of process 1"),
        ("others", "", "to do more than is kept"),
        ("ioctl", "0x5401", "ioctl 0x5401"),
        ("perf_event_open", "", "perf_event_open"),
        ("system call 999", "", "system call 999"),
    ],
)
def test_what_was_tried(what, detail, words) -> None:
    assert attempt_words(what, detail) == words


def test_how_often() -> None:
    one = {"what": "openat", "detail": "x", "count": 1}
    other = {"what": "vfork", "detail": "", "count": 1}
    assert refusal_words([one, other]) == [
        "tried to open x: refused",
        "tried to start a process: refused",
    ]
    assert refusal_words([one | {"count": 2000}]) == ["tried to open x: refused, 2,000 times"]
    fork = {"what": "clone", "detail": "process", "count": 1}
    assert refusal_words([other, fork]) == ["tried to start a process: refused, 2 times"]


def test_what_code_was_blamed_for_is_not_told_twice() -> None:
    one = {"what": "openat", "detail": "x", "count": 2}
    other = {"what": "connect", "detail": "", "count": 1}
    said = [{"refused": [one | {"count": 1}]}, {"refused": []}]
    assert refused_beside({"said": said, "refused": [one, other]}) == [
        one | {"count": 1},
        other,
    ]
    assert refused_beside({"said": [{"refused": [one, other]}], "refused": [one, other]}) == []


def test_only_calls_that_the_seal_names_have_words() -> None:
    """A name that is misspelt would never be met."""
    named = set(re.findall(r'"(\w+)"', NAMES.read_text()))
    special = {"others", "sendto", "execve", "write", "writev", "attach", "vacuum"}
    tables = (refusals._ONE, refusals._TWO, refusals._PLAIN, refusals._KINDS, refusals._SIGNALS)
    assert {name for table in tables for name in table} - named <= special
