"""`leadline apply`: a file of probes, applied again and again, on a real server."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from live import LEADLINE, Leadline

FILE = """\
service = "shop"

[[probe]]
name = "totals"
kind = "log"
target = "shop.py:9"
template = "-{goods} {total}"
if = "goods > 100"
ttl = "2h"
hits = 100_000
rate = 3
cost = 0.5
depth = 1

[[probe]]
name = "slow"
kind = "timer"
target = "shop:quote"
tag = { zone = "moon" }

[[probe]]
name = "way"
kind = "time"
target = "shop.py:8"
until = 10

[[probe]]
name = "errors"
kind = "catch"
target = "*"
type = ["ZeroDivisionError", "KeyError"]
watch = ["n + 1"]
frames = 3
note = 'quotes " and \\ and \u00e9'

[[probe]]
name = "entered"
kind = "snap"
target = "shop:quote"
entry = true
canary = "50ms"
any-source = true

[[probe]]
name = "values"
kind = "metric"
target = "shop.py:9"
expression = "goods"
owner = "ada"
"""


def write(folder: Path, text: str, name: str = "checkout.toml") -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def deeds(leadline: Leadline, *words: str) -> dict[str, str]:
    answer = leadline.json("apply", *words, status=None)
    return {part["name"]: part["deed"] for one in answer["sets"] for part in one["parts"]}


def placed(leadline: Leadline) -> dict[str, dict]:
    return {probe["name"]: probe for probe in leadline.json("probes", "shop")["probes"]}


NAMES = {"totals", "slow", "way", "errors", "entered", "values"}


def test_a_file_is_applied_again_and_again(leadline, tmp_path):
    file = write(tmp_path, FILE)
    assert deeds(leadline, file, "--dry-run") == dict.fromkeys(NAMES, "placed")
    assert leadline.json("probes")["probes"] == []
    assert deeds(leadline, file) == dict.fromkeys(NAMES, "placed")
    ids = {name: probe["id"] for name, probe in placed(leadline).items()}
    for options in ((), ("--dry-run",), ("--prune",), ("--prune", "--dry-run")):
        assert deeds(leadline, file, *options) == dict.fromkeys(NAMES, "kept")
    found = placed(leadline)
    assert {name: probe["id"] for name, probe in found.items()} == ids
    assert {probe["set"] for probe in found.values()} == {"checkout"}
    totals = found["totals"]
    assert (totals["template"], totals["condition"]) == ("-{goods} {total}", "goods > 100")
    assert totals["limits"] == {
        "hits": 100_000,
        "ttl_s": 7200.0,
        "rate_per_s": 3.0,
        "cost_percent": 0.5,
    }
    assert totals["capture"]["depth"] == 1
    assert found["slow"]["where"]["tags"] == {"zone": "moon"}
    assert found["way"]["until"] == "shop.py:10"
    assert found["errors"]["raises"] == ["ZeroDivisionError", "KeyError"]
    assert found["entered"]["moment"] == "entry"
    assert found["values"]["owner"] == "ada"


def test_what_differs_is_replaced_and_what_is_missing_stays_until_pruned(leadline, tmp_path):
    file = write(tmp_path, FILE)
    deeds(leadline, file)
    by_hand = leadline.log("shop", "shop.py:9", "by hand")["id"]
    less = FILE[: FILE.index('[[probe]]\nname = "way"')].replace("goods > 100", "goods > 200")
    write(tmp_path, less)
    expected = {**dict.fromkeys(NAMES, "kept"), "totals": "replaced"}
    assert deeds(leadline, file, "--dry-run") == expected
    assert deeds(leadline, file) == expected
    expected = {name: "kept" if name in ("totals", "slow") else "removed" for name in NAMES}
    assert deeds(leadline, file, "--prune", "--dry-run") == expected
    assert deeds(leadline, file, "--prune") == expected
    assert {probe["id"] for probe in placed(leadline).values()} >= {by_hand}
    assert len(placed(leadline)) == 3


def test_an_export_is_a_file_that_changes_nothing(leadline, tmp_path):
    deeds(leadline, write(tmp_path, FILE))
    text = leadline.cli("apply", "--export", "shop")
    assert len(tomllib.loads(text)["probe"]) == len(NAMES)
    again = write(tmp_path, text, "again.toml")
    leadline.cli("rm", "--service", "shop")
    before = deeds(leadline, write(tmp_path, FILE))
    exported = leadline.cli("apply", "--export", "shop")
    assert tomllib.loads(exported) == tomllib.loads(text)
    leadline.cli("rm", "--service", "shop")
    write(tmp_path, text.replace('service = "shop"', 'service = "shop"\nset = "checkout"', 1),
          "again.toml")  # fmt: skip
    assert deeds(leadline, again) == before
    assert leadline.cli("apply", "--export", "shop") == text


def test_a_file_for_several_services_and_a_set_with_a_name(leadline, tmp_path):
    text = 'set = "both"\n' + "\n".join(
        f'[[probe]]\nname = "n"\nkind = "count"\ntarget = "a:f"\nservice = "{service}"'
        for service in ("one", "two", "*")
    )
    answer = leadline.json("apply", write(tmp_path, text))
    assert [(one["service"], one["set"]) for one in answer["sets"]] == [
        ("one", "both"), ("two", "both"), ("*", "both"),
    ]  # fmt: skip


def test_a_probe_that_cannot_be_armed_is_status_1(leadline, shop, tmp_path):
    text = 'service = "shop"\n[[probe]]\nname = "n"\nkind = "count"\ntarget = "shop:nowhere"\n'
    file = write(tmp_path, text)
    shown = leadline.cli("apply", file, "--wait", "20s", status=1)
    assert "n  error: There is no function nowhere" in shown


PROBE = '[[probe]]\nname = "n"\nkind = "count"\ntarget = "a:f"\n'


@pytest.mark.parametrize(
    ("text", "said", "slug"),
    [
        ("x = ", "it is not TOML", "bad-probe-file"),
        (b"\xff", "it is not TOML", "bad-probe-file"),
        ("probe = 1", "not tables", "bad-probe-file"),
        ("probes = []", "'probes', which nothing knows", "bad-probe-file"),
        (PROBE, "'n' has no service", "bad-probe-file"),
        ('service = "s"\n[[probe]]\nkind = "log"', "probe 1 needs a name", "bad-probe-file"),
        ('service = "s"\n[[probe]]\nname = "n"', "'n' has no kind", "bad-probe-file"),
        (f'service = "s"\n{PROBE}{PROBE}', "two probes are named 'n'", "bad-probe-file"),
        (f'service = "s"\n{PROBE}hitz = 3', "'n' has 'hitz'", "bad-probe-file"),
        (f'service = "s"\n{PROBE}hits = "many"', "invalid int value", "bad-probe-file"),
        (f'service = "s"\n{PROBE}hits = true', "hits cannot be True", "bad-probe-file"),
        (f'service = "s"\n{PROBE}entry = 1', "entry cannot be 1", "bad-probe-file"),
        (f'service = "s"\n{PROBE}template = "x"', "unrecognized", "bad-probe-file"),
        (f'service = "s"\n{PROBE}ttl = "soon"', "'n': 'soon' is not a length", "bad-duration"),
        (f'service = "s"\n{PROBE}ttl = "9d"', "'n': ttl must be", "bad-limit"),
        (f'service = "s"\n{PROBE}if = "f()"', "'n': f()", "expression-forbidden"),
        (f'service = "s"\n{PROBE}tag = ["x"]', "'n': 'x' is not a tag", "bad-option"),
        (f'service = "a b"\n{PROBE}', "cannot be the name of a service", "bad-service-name"),
        (f"service = 3\n{PROBE}", "3 is not the name of a service", "bad-probe-file"),
    ],
)
def test_a_wrong_file_is_one_sentence_with_the_probes_name(home, tmp_path, text, said, slug):
    file = tmp_path / "probes.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = subprocess.run(
        [LEADLINE, "apply", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 64, done.stderr
    assert said in done.stderr
    assert f"docs/errors/{slug}.md" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_and_one_that_is_a_pipe(home, tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    for name, status in (("nowhere.toml", 69), ("pipe.toml", 64)):
        done = subprocess.run(
            [LEADLINE, "apply", name], cwd=tmp_path, capture_output=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == status
