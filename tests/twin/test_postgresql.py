"""An open transaction of a real PostgreSQL, which a twin queries, rolls back and closes."""

import ctypes.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline import native
from program import NOBODY, run

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(native.twin() is None, reason=native.twin_reason()),
]

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
START_S = 30
TWINS = 15

CLIENT = """\
pq = ctypes.CDLL(library)
for function in ("PQconnectdb", "PQexec", "PQfinish", "PQclear"):
    getattr(pq, function).argtypes = [ctypes.c_void_p]
pq.PQexec.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
pq.PQconnectdb.argtypes = [ctypes.c_char_p]
pq.PQconnectdb.restype = pq.PQexec.restype = ctypes.c_void_p
pq.PQresultStatus.argtypes = [ctypes.c_void_p]
pq.PQgetvalue.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
pq.PQgetvalue.restype = pq.PQresultErrorMessage.restype = ctypes.c_char_p
pq.PQresultErrorMessage.argtypes = pq.PQstatus.argtypes = [ctypes.c_void_p]

def query(connection, words):
    result = pq.PQexec(connection, words)
    if pq.PQresultStatus(result) == 2:
        return pq.PQgetvalue(result, 0, 0).decode()
    return pq.PQresultErrorMessage(result).decode()

connection = pq.PQconnectdb(address.encode())
assert pq.PQstatus(connection) == 0
query(connection, b"create table rows (number int)")
said = []

def in_twin():
    answers = [query(connection, words) for words in (
        b"insert into rows values (99) returning number", b"rollback", b"commit")]
    pq.PQfinish(connection)
    return answers

for number in range(twins):
    query(connection, b"begin")
    query(connection, b"insert into rows values (%d)" % number)
    outcome = twin(in_twin)
    said.append(outcome.said or outcome.error)
    query(connection, b"commit")
tell(said=said, rows=query(connection, b"select string_agg(number::text, ' ') from rows"))
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server of the test's own, reached by a socket in a folder."""
    if not PROGRAMS:
        pytest.skip("postgres is not installed on this machine")
    programs = PROGRAMS[-1].parent
    user = {"user": NOBODY, "group": NOBODY} if os.getuid() == 0 else {}
    place = Path("/tmp", f"leadline-{os.getpid()}")
    place.mkdir()
    if user:
        os.chown(place, NOBODY, NOBODY)
    log = (tmp_path / "log").open("w")
    subprocess.run(
        [programs / "initdb", "-D", place / "data", "-A", "trust", "-U", "test", "--no-sync"],
        check=True, stdout=log, stderr=log, **user,
    )  # fmt: skip
    server = subprocess.Popen(
        [programs / "postgres", "-D", place / "data", "-k", place, "-c", "listen_addresses="],
        stdout=log, stderr=log, **user,
    )  # fmt: skip
    deadline = time.monotonic() + START_S
    while not list(place.glob(".s.PGSQL.*[0-9]")) and time.monotonic() < deadline:
        time.sleep(0.05)
    yield f"host={place} user=test dbname=postgres"
    server.terminate()
    server.wait(START_S)
    log.close()
    shutil.rmtree(place)


def test_the_transaction_is_the_processs_own(address: str) -> None:
    library = ctypes.util.find_library("pq")
    told = run(CLIENT, library=library, address=address, twins=TWINS)
    assert told["rows"] == " ".join(str(number) for number in range(TWINS))
    assert len(told["said"]) == TWINS
    for one in told["said"]:
        assert "could not" in one or "no connection" in one, one
        assert "'99'" not in one, "the query ran"
