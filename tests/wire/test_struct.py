"""Our dataclasses mean what the standard library's mean, and cost nothing at import."""

import copy
import dataclasses
import pickle
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.wire import struct
from leadline.wire.errors import UsageError
from leadline.wire.hit import Hit, InstanceInfo, Report
from leadline.wire.limits import CaptureLimits
from leadline.wire.probe import LogProbe
from leadline.wire.target import Target

FIELDS = {
    "first": None,
    "second": {"default": 2},
    "third": {"default_factory": list},
    "fourth": {"default": 4, "repr": False},
    "fifth": {"default": 5, "compare": False},
}


def both(**options: bool) -> tuple[type, type]:
    """The same class, made by the standard library and by us."""

    def plain(field) -> type:
        members = {name: field(**said) for name, said in FIELDS.items() if said}
        return type(
            "Thing",
            (),
            members
            | {"__annotations__": dict.fromkeys(FIELDS, object), "__module__": __name__},
        )

    ours = struct.dataclass(slots=True, **options)(plain(struct.field))
    theirs = dataclasses.dataclass(slots=True, **options)(plain(dataclasses.field))
    return ours, theirs


values = st.dictionaries(st.sampled_from([*FIELDS]), st.integers(0, 3), max_size=5)


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("eq", [True, False])
@given(one=values, other=values)
def test_they_mean_what_the_standard_librarys_mean(frozen, eq, one, other) -> None:
    ours, theirs = both(frozen=frozen, eq=eq)
    seen = []
    for cls in (ours, theirs):
        try:
            first, second = cls(**one), cls(**other)
        except TypeError as error:
            seen.append(str(error).partition("__init__")[2])
            continue
        told = [repr(first), dataclasses.asdict(first), first == second, first != second]
        told.append([getattr(first, name) for name in FIELDS])
        told.append(dataclasses.replace(first, second=9).second)
        told.append(cls.__hash__ is None)
        if frozen and eq and "third" in one:
            told.append(hash(first) == hash(copy.copy(first)))
        try:
            first.second = 3
            told.append(first.second)
        except AttributeError:
            told.append("frozen")
        seen.append(told)
    assert seen[0] == seen[1]


def test_positions_names_and_defaults() -> None:
    ours, theirs = both(frozen=True)
    assert ours.__match_args__ == theirs.__match_args__
    assert struct.asdict(ours(1, third=[ours(2)])) == {
        "first": 1,
        "second": 2,
        "third": [struct.asdict(ours(2))],
        "fourth": 4,
        "fifth": 5,
    }
    assert ours(1).third is not ours(1).third
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'first'"):
        ours()
    with pytest.raises(AttributeError, match="frozen"):
        del ours(1).first


def test_a_struct_is_checked_when_it_is_made() -> None:
    with pytest.raises(UsageError, match="depth"):
        CaptureLimits(depth=-1)
    with pytest.raises(UsageError, match="depth"):
        struct.replace(CaptureLimits(), depth=-1)


def test_others_read_them_as_dataclasses() -> None:
    probe = LogProbe("p", Target("a.py", 3), "x")
    assert dataclasses.is_dataclass(probe)
    assert dataclasses.asdict(probe) == struct.asdict(probe)
    assert pickle.loads(pickle.dumps(probe)) == copy.deepcopy(probe) == probe
    info = InstanceInfo("i", "s", 1, "h", "p", "3", "0", "pure", 1.0)
    report = Report(info, [Hit("p", "i", 1, 1.0, "t", "f", 1, "g", "m", {"x": [1, None]})])
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_what_is_prepared_is_compiled_before_it_is_used() -> None:
    ours, _ = both(frozen=True)
    before = ours.__init__
    struct.prepare()
    prepared = ours.__init__
    assert ours(1).first == 1
    assert before is not prepared is ours.__init__


def test_neither_dataclasses_nor_inspect_are_imported_for_them() -> None:
    code = (
        "import sys, leadline.agent.works, leadline.cli.entry\n"
        "print({'dataclasses', 'inspect', 'ast', 'hashlib'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
