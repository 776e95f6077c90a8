"""A service whose twins open no file tries no candidate, and says so before one is made."""

import json

import pytest

from leadline import native
from leadline.trial import candidate
from live import LEADLINE, Leadline, Program, tool
from services.watched import Api
from waiting import wait_for

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())
APP = "import time\ndef f(n):\n    return n\nwhile True:\n    f(1)\n    time.sleep(0.02)\n"


def test_a_strict_service_tries_no_candidate(shore: Leadline) -> None:
    (shore.cwd / "app.py").write_text(APP)
    change = candidate.of_texts(
        str(shore.cwd / "app.py"), APP, APP.replace("return n", "return 2")
    )
    code = json.dumps(candidate.encode(candidate.make("two", [change])))
    command = [LEADLINE, "run", "--service", "strict", "--", tool("python"), "app.py"]
    api = Api(shore)
    with Program(command, shore.cwd, {"LEADLINE_TWIN": "strict"}):
        wait_for(lambda: api.instances("strict"), 20)
        body = {"use": "verify", "target": "app:f", "code": [code]}
        status, answer = api.ask("POST", "/v1/services/strict/twins", body)
        assert status == 201, answer
        probe = answer["probe"]["id"]

        def refused() -> list[str]:
            states = api.probe(probe)["instances"]
            return [one["reason"] for one in states if one["status"] == "error"]

        (reason,) = wait_for(refused, 20)
    assert "No candidate can be tried here" in reason
    assert api.hits(probe) == []
