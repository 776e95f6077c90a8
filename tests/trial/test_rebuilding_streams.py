"""Streams in memory: what they hold, what waits in them, and what was read ahead."""

import io
import json
import sys
import tempfile
from typing import Any

import pytest

from leadline.agent.capture.keeping import keep
from leadline.agent.capture.kept_streams import _AS_EXPECTED
from leadline.trial.rebuilding import WithheldTouched, check, rebuild


class Copying(io.BytesIO):
    def __init__(self, octets: bytes, to: io.BytesIO) -> None:
        super().__init__(octets)
        self.to = to

    def write(self, octets: Any) -> int:
        self.to.write(octets)
        return super().write(octets)


class Named(io.TextIOWrapper):
    def __init__(self, beneath: Any, name: str, **how: Any) -> None:
        super().__init__(beneath, **how)
        self._name = name

    @property
    def name(self) -> str:
        return self._name


def made(**named: object) -> dict[str, Any]:
    kept = keep(named.items())
    assert kept.obstacle == ""
    assert check(kept.document, keep) == ""
    return rebuild(json.loads(json.dumps(kept.document)))


def test_the_interpreter_lays_text_streams_out_as_expected() -> None:
    assert _AS_EXPECTED


def test_a_stream_is_kept_with_what_waits_in_it() -> None:
    one = io.BytesIO()
    text = Named(Copying(b"", one), "<out>", encoding="utf-8", write_through=False)
    text.write("passed on\n")
    text.flush()
    text.write("waits\n")
    found = made(text=text, one=one)
    again = found["text"]
    assert type(again) is Named
    assert type(again.buffer) is Copying
    assert again.name == "<out>"
    assert found["one"].getvalue() == b"passed on\n" == again.buffer.getvalue()
    again.flush()
    assert found["one"].getvalue() == b"passed on\nwaits\n"
    assert one.getvalue() == b"passed on\n"  # the live one was not looked at by its own code


@pytest.mark.parametrize("newline", [None, "", "\n", "\r\n"])
def test_a_stream_is_kept_with_what_was_read_ahead(newline: str | None) -> None:
    octets = "ein\r\nzwei\ndrei ü\r\n".encode()
    text = io.TextIOWrapper(io.BytesIO(octets), "utf-8", newline=newline)
    other = io.TextIOWrapper(io.BytesIO(octets), "utf-8", newline=newline)
    for one in (text, other):
        one.read(5)
    again = made(text=text)["text"]
    assert again.buffer.tell() == text.buffer.tell()
    assert again.read() == other.read()
    assert made(text=again)["text"].read() == ""


def test_an_unmade_a_closed_and_a_real_stream() -> None:
    unmade = Named.__new__(Named)
    again = made(unmade=unmade)["unmade"]
    with pytest.raises(ValueError, match="uninitialized"):
        again.read()
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()
    assert "a closed stream" in keep([("text", closed)]).obstacle
    with tempfile.TemporaryFile("w+") as real:
        kept = keep([("file", real)], leaves_out=True)
        with pytest.raises(WithheldTouched, match="lives in its process"):
            rebuild(kept.document or {})["file"].read()


def test_a_standard_stream_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryFile("w+") as real:
        monkeypatch.setattr(sys, "stderr", real)
        kept = keep([("file", real)])
        assert kept.document is not None
        assert rebuild(kept.document)["file"] is real
