"""What a command says of the line that is meant: its text, unless that could be a secret."""

import pytest

from leadline.cli.anchor import anchor_of
from leadline.wire.probe import Anchor
from leadline.wire.target import Target


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("    total  =\tprice * 2  ", "total = price * 2"),
        ('connect(password="hunter2")', None),
        ('url = "https://me:hunter2@host/"', None),
        ("", None),
    ],
)
def test_a_line_of_the_checkout(tmp_path, monkeypatch, line, text) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(f"first = 1\n{line}\n", "utf-8")
    assert anchor_of(Target("app.py", 2)) == (Anchor(text) if text else None)
    assert anchor_of(Target("app.py", 3)) is None
    assert anchor_of(Target("other.py", 1)) is None
