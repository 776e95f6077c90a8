"""Who is a welcome host, and what it is called."""

import os
import subprocess
import sys

import pytest

from leadline.agent.welcome import service_name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["python", "app.py"], "app"),
        (["/usr/bin/python3.13", "-u", "srv/app.py", "--port", "1"], "app"),
        (["python", "-W", "error", "-X", "dev", "app.py"], "app"),
        (["python", "-m", "shop", "--key", "s3cret"], "shop"),
        (["python", "-Im", "shop.web"], "shop.web"),
        (["python", "-c", "print(1)", "app.py"], "python"),
        (["python"], "python"),
        (["gunicorn", "-w", "2", "app:app"], "gunicorn"),
        (["./start me.sh"], "startme.sh"),
        (["python", "ü.py"], "python"),
    ],
)
def test_the_name_of_a_service(command, name) -> None:
    assert service_name(command) == name


SEEN = "import sys; print('leadline.agent.guest' in sys.modules)"


@pytest.mark.parametrize(
    ("words", "environ", "inside"),
    [
        (("app.py",), {}, "False"),
        (("app.py",), {"LEADLINE_URL": "http://127.0.0.1:1"}, "True"),
        (("-I", "app.py"), {"LEADLINE_URL": "http://127.0.0.1:1"}, "True"),
        (("-S", "app.py"), {"LEADLINE_URL": "http://127.0.0.1:1"}, "False"),
        (("app.py",), {"LEADLINE_URL": "http://127.0.0.1:1", "LEADLINE_OFF": "1"}, "False"),
        (("pip",), {"LEADLINE_URL": "http://127.0.0.1:1"}, "False"),
        (("-m", "build"), {"LEADLINE_URL": "http://127.0.0.1:1"}, "False"),
    ],
)
def test_where_the_agent_goes_in_at_start(tmp_path, home, words, environ, inside) -> None:
    for name in ("app.py", "pip", "build.py"):
        (tmp_path / name).write_text(SEEN, "utf-8")
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout.strip(), done.stderr) == (inside, "")
