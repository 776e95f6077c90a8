"""Calls of real programs, made again in a twin, come to what really happened."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HANDED = "it hands over to another greenlet, and those stand still in a twin"


def answers(name, folder) -> list[dict]:
    done = subprocess.run(
        [sys.executable, str(HERE / "real.py"), name],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def agreed(answer) -> dict:
    found = answer["agreement"]
    assert found["agrees"] is True, answer
    assert found["compared"] > 0
    return found


def test_a_flask_view(tmp_path) -> None:
    (view,) = answers("flask", tmp_path)
    agreed(view)
    assert [one["value"] for one in view["said"]] == ["x", "price", 2]


def test_a_datasette_view_through_its_pool_of_threads(tmp_path) -> None:
    view, columns = answers("datasette", tmp_path)
    agreed(columns)
    assert view["agreement"]["agrees"] is True or (
        view["agreement"]["reason"].startswith("it reads the clock")
        and [one["where"] for one in view["agreement"]["differences"]]
        == ["result[0]['query_ms']"]
    ), view
    assert "revived" in view["notes"][0]
    assert view["said"][0]["value"]["items"] == ["t"]


def test_fastapi_views_on_uvloop(tmp_path) -> None:
    sync, view = answers("fastapi", tmp_path)
    agreed(sync)
    assert agreed(view)["live"] == "{'n': 6, 'r': 5, 'again': 12}"
    assert [one["value"] for one in (*sync["said"], *view["said"])] == [8, 8]


def test_asgirefs_ways_between_threads_and_loops(tmp_path) -> None:
    for answer in answers("asgiref", tmp_path):
        assert agreed(answer)["live"] == "([3, 3], [3, 3])"


def test_greenlets_work_until_they_hand_over(tmp_path) -> None:
    pure, *others = answers("gevent", tmp_path)
    agreed(pure)
    for other in others:
        assert other["agreement"]["agrees"] is None
        assert other["agreement"]["reason"] == HANDED
    first, second, third, fourth = pure["said"]
    assert (first["value"], fourth["value"]) == (4, 3)
    assert second["raised"] == third["raised"] == HANDED
