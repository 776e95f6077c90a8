"""What a running service says of itself: packages, modules, the source that it was loaded from.

Real processes of a small shop, asked through a real server, over HTTP and by the commands.
"""

import json
import os
import signal
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest

from leadline import native
from leadline.control.inventory import ANSWER_S
from leadline.control.wanted import MAX_WAITING
from leadline.wire.keys import load
from live import LEADLINE, Leadline, Program
from waiting import wait_for

CORE = "native" if native.core() else "pure"
WORKER = """
    import os, time
    import flask
    import prices
    from boxed import inside
    password = "hunter2-main"  # not for others
    print(os.getpid(), flush=True)
    while True:
        prices.quote(3)
        time.sleep(0.02)
"""
PRICES = '''
    """How much it is."""

    API_TOKEN = (
        "tok-in-the-next-line"
    )
    PLAIN = "plain text"

    def quote(count):
        total = count * 5
        return total

    class Basket:
        def total(self):
            def each(price):
                return price * 2
            return sum(map(each, [1, 2]))

    connect = dict(user="ada", secret="geheim",
                   other="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U")
'''
HIDDEN = ("hunter2-main", "not for others", "tok-in-the-next-line", "geheim", "dozjgNry")


class Shop:
    """The service, and who asks about it."""

    def __init__(self, leadline: Leadline, folder: Path) -> None:
        self.leadline, self.folder = leadline, folder
        (folder / "worker.py").write_text(textwrap.dedent(WORKER), "utf-8")
        (folder / "prices.py").write_text(textwrap.dedent(PRICES).lstrip(), "utf-8")
        with zipfile.ZipFile(folder / "box.zip", "w") as archive:
            archive.writestr("boxed/__init__.py", "")
            archive.writestr("boxed/inside.py", "def inner():\n    return 1\n")
        self.program = Program(
            [LEADLINE, "run", "--service", "shop", "--", sys.executable, "worker.py"],
            folder,
            {"PYTHONPATH": str(folder / "box.zip"), "SHOP_DATABASE_URL": "postgres://pw@db"},
        )
        (info,) = wait_for(lambda: leadline.connected("shop"), 30)
        self.program.wait_for(str(info["info"]["pid"]))  # it has imported what it needs
        self.instance: str = info["info"]["id"]
        self.pid: int = info["info"]["pid"]

    def ask(self, what: str, instance: str | None = None, **query: str) -> Any:
        """Ask over HTTP; returns the answer, or the error's slug, status and sentences."""
        url = f"http://127.0.0.1:{self.leadline.port}/v1/instances"
        path = f"{url}/{instance or self.instance}/{what}"
        key = load(self.leadline.home / "config" / "leadline" / "keys.json").user
        request = urllib.request.Request(
            f"{path}?{urllib.parse.urlencode(query)}" if query else path,
            headers={"Authorization": f"Bearer {key}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["error"]

    def source(self, file: str) -> dict[str, Any]:
        return dict(self.ask("source", file=file)["source"])

    def refused(self, file: str) -> tuple[str, str, str]:
        """Return slug, message and hint."""
        _, error = self.ask("source", file=file)
        return error["slug"], error["message"], error["hint"]

    def faults(self) -> dict[str, int]:
        return dict(self.leadline.connected("shop")[0]["faults"])


@pytest.fixture(scope="module")
def shop(shore: Leadline) -> Any:
    """One service for all tests, each of which leaves it as it was."""
    folder = shore.cwd / "shop"
    folder.mkdir()
    made = Shop(shore, folder)
    yield made
    assert made.program.process.poll() is None, made.program.err
    made.program.stop()
    assert made.program.last[1] == ""  # stderr


def line_of(lines: list[str], text: str) -> int:
    return next(at for at, line in enumerate(lines, 1) if text in line)


def test_the_inventory_of_a_service(shop) -> None:
    answer = shop.ask("inventory")
    assert (answer["schema_version"], answer["instance"]["id"]) == (1, shop.instance)
    found = answer["inventory"]
    environment = found["environment"]
    assert environment["python"].startswith(sys.version.split()[0])
    assert environment["executable"] == Path(sys.executable).name
    assert (environment["gil"], environment["core"]) == ("on", CORE)
    assert "leadline" in environment["monitoring tools"]
    packages = {one["name"].lower(): one for one in found["packages"]}
    assert packages["flask"]["version"].startswith("3.")
    assert packages["flask"]["modules"] == ["flask"]
    assert Path(packages["flask"]["location"]).name == "site-packages"
    assert "pytest" not in packages  # installed, and not loaded
    assert found["modules"] > 100
    assert "postgres" not in json.dumps(answer)
    assert shop.faults() == {}


def test_the_modules_of_a_service(shop) -> None:
    found = shop.ask("modules")["modules"]
    modules = {one["name"]: one for one in found["modules"]}
    assert list(modules) == sorted(modules)
    assert modules["prices"] == {
        "name": "prices", "file": str(shop.folder / "prices.py"), "source": True
    }  # fmt: skip
    assert modules["__main__"]["source"]
    assert modules["sys"] == {"name": "sys", "file": "", "source": False}
    assert modules["boxed.inside"]["file"].endswith("box.zip/boxed/inside.py")
    assert found["omitted"] == 0


def test_the_source_of_a_loaded_file(shop) -> None:
    source = shop.source("prices.py")
    lines = source["lines"]
    assert source["file"] == str(shop.folder / "prices.py")
    assert (source["module"], source["changed"], source["omitted"]) == ("prices", "", 0)
    original = (shop.folder / "prices.py").read_text("utf-8").split("\n")
    assert len(lines) == len(original)
    differing = [at for at, pair in enumerate(zip(lines, original, strict=True), 1)
                 if pair[0] != pair[1]]  # fmt: skip
    assert source["masked"] == differing
    assert {line_of(original, "tok-in"), line_of(original, "geheim")} <= set(differing)
    assert line_of(original, "plain text") not in differing
    functions = {one["name"]: (one["first"], one["last"]) for one in source["functions"]}
    first = line_of(original, "def quote")
    assert functions["quote"] == (first, first + 2)
    assert functions["Basket.total.<locals>.each"] == (
        line_of(original, "def each"), line_of(original, "price * 2")
    )  # fmt: skip
    assert {first + 1, first + 2, line_of(original, "sum(map")} <= set(source["executable"])
    assert not {first, line_of(original, "class Basket")} & set(source["executable"])


def test_a_probe_can_be_placed_where_it_says(shop) -> None:
    for line in shop.source("prices.py")["executable"]:
        probe = shop.leadline.log("shop", f"prices.py:{line}", "here")
        assert probe["status"] == "armed", probe
    shop.leadline.cli("rm", "--service", "shop")


def test_no_secret_of_the_source_leaves(shop) -> None:
    told = json.dumps([shop.source(file) for file in ("prices.py", "worker.py")])
    assert [text for text in HIDDEN if text in told] == []
    for text in ("API_TOKEN", "plain text", "def quote", "password = "):
        assert text in told


def test_a_strict_service_shows_code_and_no_text(shore, tmp_path) -> None:
    (tmp_path / "strictly.py").write_text("import time\nnote = 'plain'\ntime.sleep(60)\n")
    command = [LEADLINE, "run", "--service", "strict", "--", sys.executable, "strictly.py"]
    with Program(command, tmp_path, {"LEADLINE_STRICT": "1"}):
        wait_for(lambda: shore.connected("strict"), 30)
        source = shore.json("source", "strict", "strictly.py")["source"]
    assert source["lines"][:2] == ["import time", "note = '…'"]
    assert source["masked"] == [2]


def test_the_running_script_and_an_archive_have_a_source_too(shop) -> None:
    script = shop.source("worker.py")
    assert script["module"] == "__main__"
    assert line_of(script["lines"], "prices.quote(3)") in script["executable"]
    boxed = shop.source("boxed/inside.py")
    assert boxed["lines"][:2] == ["def inner():", "    return 1"]
    assert boxed["executable"] == [2]


def test_only_loaded_files_can_be_asked_for(shop) -> None:
    secret = shop.folder / "secret.py"
    secret.write_text("key = 1\n")
    for file in (secret, "secret.py", "/etc/passwd", "../../etc/passwd", "", "/", "\0", "."):
        slug, message, _ = shop.refused(str(file))
        assert slug == "no-such-file", (file, message)
    slug, _, hint = shop.refused("shop/price.py")
    assert (slug, str(shop.folder / "prices.py") in hint) == ("no-such-file", True)
    assert shop.refused("x" * 10_000)[0] == "no-such-file"
    slug, message, hint = shop.refused("__init__.py")
    assert (slug, "name more of the path" in message) == ("ambiguous-file", True)
    assert shop.ask("source", file="prices.py")["source"]["module"] == "prices"
    extension = next(
        one["file"] for one in shop.ask("modules")["modules"]["modules"]
        if one["file"].endswith(".so")
    )  # fmt: skip
    assert shop.refused(extension)[0] == "no-source"
    assert shop.ask("source")[1]["slug"] == "bad-message"
    assert shop.faults() == {}


def test_a_file_that_was_changed_says_so(shop) -> None:
    path = shop.folder / "prices.py"
    before = path.read_text("utf-8")
    old = path.stat()
    path.write_text(before + "\n# later\n", "utf-8")
    assert shop.source("prices.py")["changed"] == "it was written after the process began"
    path.write_text("# a line more\n" + before, "utf-8")
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert "does not begin at line" in shop.source("prices.py")["changed"]
    path.write_text(before, "utf-8")
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert shop.source("prices.py")["changed"] == ""
    path.unlink()
    assert shop.refused("prices.py")[0] == "no-source"
    path.write_text(before, "utf-8")
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert shop.source("prices.py")["changed"] == ""


def test_an_instance_that_is_not_there(shop) -> None:
    code, error = shop.ask("inventory", "feedfeedfeedfeed")
    assert (code, error["slug"]) == (404, "no-such-instance")
    assert shop.ask("inventory", shop.instance[:6])["instance"]["id"] == shop.instance
    with Program(
        [LEADLINE, "run", "--service", "brief", "--", sys.executable, "-c",
         "import time; time.sleep(1)"], shop.folder,
    ) as brief:  # fmt: skip
        (gone,) = wait_for(lambda: shop.leadline.connected("brief"), 30)
        brief.end()
    wait_for(lambda: not shop.leadline.connected("brief"))
    code, error = shop.ask("inventory", gone["info"]["id"])
    assert (code, error["slug"]) == (503, "instance-gone")


def test_a_process_that_stands_still_has_no_answer(shop) -> None:
    os.kill(shop.pid, signal.SIGSTOP)
    try:
        answers: list[tuple[str, int, float]] = []

        def ask() -> None:
            began = time.monotonic()
            code, error = shop.ask("modules")
            answers.append((error["slug"], code, time.monotonic() - began))

        threads = [threading.Thread(target=ask) for _ in range(MAX_WAITING + 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        slugs = sorted((slug, code) for slug, code, _ in answers)
        too_many = [("too-many-questions", 503)] * 3
        assert slugs == [("no-answer", 503)] * MAX_WAITING + too_many
        assert min(took for slug, _, took in answers if slug == "no-answer") >= ANSWER_S
    finally:
        os.kill(shop.pid, signal.SIGCONT)
    answer = shop.ask("inventory")
    assert isinstance(answer, dict), answer
    assert answer["inventory"]["modules"] > 100
    assert shop.faults() == {}


def test_hits_go_on_while_it_is_asked(shop) -> None:
    """Questions are answered on a thread of their own."""
    line = line_of(shop.source("prices.py")["lines"], "return total")
    probe = shop.leadline.log("shop", f"prices.py:{line}", "{total}", "--hits", "1000")
    for _ in range(5):
        shop.ask("inventory")
        shop.ask("source", file="prices.py")
    shop.leadline.wait_hits(probe["id"], 5)
    assert shop.leadline.probe(probe["id"])["fates"].get("dropped", 0) == 0
    shop.leadline.cli("rm", probe["id"])


def test_the_commands(shop) -> None:
    text = shop.leadline.cli("inventory", "shop")
    assert shop.instance in text
    assert "Flask" in text
    assert "monitoring tools" in text
    modules = shop.leadline.cli("inventory", f"shop/{shop.pid}", "--modules")
    assert "prices" in modules
    answer = shop.leadline.json("inventory", shop.instance)
    assert answer["inventory"]["environment"]["core"] == CORE
    source = shop.leadline.cli("source", shop.instance[:8], "prices.py")
    assert "+     total = count * 5" in source
    assert "hunter2" not in source
    one = shop.leadline.cli("source", "shop", "prices.py", "--lines", "9-10")
    assert len(one.splitlines()) == 4
    functions = shop.leadline.cli("source", "shop", "prices.py", "--functions")
    assert "Basket.total" in functions
    assert shop.leadline.json("source", "shop", "prices.py")["source"]["module"] == "prices"
    for words, slug in (
        (("source", "shop", "price.py"), "no-such-file"),
        (("source", "nobody", "prices.py"), "no-such-instance"),
        (("source", "shop/1", "prices.py"), "instance-gone"),
        (("source", "shop", "prices.py", "--lines", "x"), "bad-lines"),
    ):
        assert f"errors/{slug}.md" in shop.leadline.cli(*words, status=None)


def test_reading_source_is_in_the_audit_log(shop) -> None:
    shop.source("prices.py")
    entries = shop.leadline.json("audit")["entries"]
    assert any(
        one["action"] == "source" and one["detail"]["file"].endswith("prices.py")
        for one in entries
    )
