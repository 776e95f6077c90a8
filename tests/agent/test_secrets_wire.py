"""Byte by byte: of a corpus of secrets in realistic places, what a server receives.

`python tests/agent/test_secrets_wire.py` prints recall and false alarms.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import zlib
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1])]

from secret_places import FALSE_ALARMS, MISSED, innocent, places

TESTS = Path(__file__).parents[1]
PROGRAM = f"""\
import sys, time
sys.path.insert(0, {str(TESTS)!r})
from secret_places import innocent, places
def work(number, value):
    return number
for number, (value, _) in enumerate([*places().values(), *innocent().values()]):
    work(number, value)
    time.sleep(0.01)
time.sleep(2)
"""
LINE = 5
BEGIN, END = "<!-- secrets: begin -->", "<!-- secrets: end -->"


class Server:
    """Keeps every byte that it is sent, unpacked, and answers as the real one does."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with link, link.makefile("rb") as read:
            while request := read.readline():
                size, packed = 0, False
                while (line := read.readline().strip()) != b"":
                    name, _, content = line.lower().partition(b":")
                    size = int(content) if name == b"content-length" else size
                    packed = packed or name == b"content-encoding"
                body = read.read(size)
                if request.startswith(b"POST"):
                    self.bodies.append(zlib.decompress(body) if packed else body)
                    link.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def close(self) -> None:
        self._listener.close()


def received(folder: Path) -> dict[int, bytes]:
    """Return, by the number of the value, all that the server was sent of its hits."""
    (folder / "app.py").write_text(PROGRAM, "utf-8")
    server = Server()
    probe = {
        "id": "p1", "kind": "log", "target": {"file": str(folder / "app.py"), "line": LINE},
        "moment": "line", "template": "{number} {value}", "condition": None,
        "limits": {"hits": 100_000, "ttl_s": 600.0, "rate_per_s": 1_000.0},
        "capture": {"depth": 5, "items": 100, "text": 4_096}, "owner": "", "note": "",
    }  # fmt: skip
    snapshot = {name: one for name, one in probe.items() if name != "template"}
    snapshot |= {"id": "p2", "kind": "snapshot", "watches": ["value", "number"], "frames": 2}
    environ = os.environ | {
        "LEADLINE_URL": f"http://127.0.0.1:{server.port}",
        "LEADLINE_KEY": "none",
        "LEADLINE_BUDGET": "100",  # each of them is to be seen
        "LEADLINE_PROBES": json.dumps([probe, snapshot]),
    }
    try:
        subprocess.run(
            [sys.executable, "app.py"], cwd=folder, env=environ, timeout=100, check=True
        )
    finally:
        server.close()
    found: dict[int, bytes] = {}
    for body in server.bodies:
        for hit in json.loads(body).get("hits", []):
            number = hit["values"]["number"]
            text = json.dumps(hit, ensure_ascii=False).encode("utf-8", "replace")
            found[number] = found.get(number, b"") + text
    found[-1] = b"".join(server.bodies)
    return found


def judged(folder: Path) -> tuple[dict[str, bool], dict[str, bool]]:
    """Return which secrets left, and which innocent texts did not arrive, by place."""
    hits = received(folder)
    secrets, harmless = places(), innocent()
    left = {
        place: secret.encode() in hits[number]
        for number, (place, (_, secret)) in enumerate(secrets.items())
    }
    withheld = {
        place: text.encode() not in hits[number]
        for number, (place, (_, text)) in enumerate(harmless.items(), len(secrets))
    }
    return left, withheld


def told(left: dict[str, bool], withheld: dict[str, bool]) -> str:
    """Return recall and false alarms in a sentence, as docs/safety.md has it."""
    kept = len(left) - sum(left.values())
    alarms = ", ".join(place for place, is_gone in withheld.items() if is_gone)
    return (
        f"Of {len(left)} made-up secrets in realistic places {kept} stay home, a recall of "
        f"{kept / len(left):.1%}. Of {len(withheld)} innocent texts that look like some, "
        f"{sum(withheld.values())} is withheld: {alarms}."
    )


def documented() -> str:
    """Return what docs/safety.md says of it, in one line."""
    page = (TESTS.parent / "docs" / "safety.md").read_text("utf-8")
    between = page.partition(BEGIN)[2].partition(END)[0]
    return " ".join(between.split())


def test_what_a_server_receives_of_secrets_and_of_what_looks_alike(tmp_path) -> None:
    left, withheld = judged(tmp_path)
    assert len(left) > 150
    assert {place for place, is_out in left.items() if is_out} == MISSED
    assert {place for place, is_gone in withheld.items() if is_gone} == FALSE_ALARMS
    assert documented() == told(left, withheld)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place_for_it:
        out, gone = judged(Path(place_for_it))
    print(told(out, gone))
    print(*(f"  left: {name}" for name, is_out in out.items() if is_out), sep="\n")
    print(*(f"  withheld: {name}" for name, is_gone in gone.items() if is_gone), sep="\n")
