"""The text that goes along with a line: that of the working directory, if it can be read."""

import os

from leadline.cli.anchor import anchor_of
from leadline.wire.limits import MAX_ANCHOR_CHARS
from leadline.wire.target import FunctionTarget, Target


def text_of(name: str, line: int) -> str | None:
    anchor = anchor_of(Target(name, line))
    return anchor.text if anchor else None


def test_the_line_of_the_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("x = 1\n\nif x:\n    return  x +\t1  # \x0c odd\n")
    assert text_of("app.py", 4) == "return x + 1 # odd"
    assert text_of(str(tmp_path / "app.py"), 1) == "x = 1"
    assert text_of("app.py", 2) is None
    assert text_of("app.py", 99) is None
    assert text_of("other.py", 1) is None
    assert anchor_of(FunctionTarget("app", "main")) is None


def test_a_line_in_the_encoding_that_the_file_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.py").write_bytes(b"# coding: latin-1\nname = 'M\xfcller'\n")
    (tmp_path / "broken.py").write_bytes(b"x = 1\nname = 'M\xfcller'\n")
    assert text_of("old.py", 2) == "name = 'Müller'"
    assert text_of("broken.py", 2) is None


def test_a_very_long_line_is_cut(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "long.py").write_text(f"x = '{'y' * 9_000}'\n")
    assert len(text_of("long.py", 1)) == MAX_ANCHOR_CHARS


def test_what_is_no_file_keeps_nobody_waiting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()
    assert text_of("pipe.py", 1) is None
    assert text_of("folder.py", 1) is None


def test_a_line_that_may_hold_a_secret_stays_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(
        'connect(password="hunter2")\nurl = "https://me:hunter2@host/"\ntotal = 1\n'
    )
    assert text_of("app.py", 1) is None
    assert text_of("app.py", 2) is None
    assert text_of("app.py", 3) == "total = 1"
