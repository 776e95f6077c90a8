"""Every case of the corpus of attacks comes back as it says, and runs no code of any object."""

import importlib
import sys
import warnings
from collections import Counter
from collections.abc import Callable

import pytest

import hostile
from expression_corpus import CORPUS, Case, read_corpus, read_objects
from leadline.agent.capture.tree import capture
from leadline.agent.core import Monitor, choose
from leadline.agent.probes.registry import Registry
from leadline.expression import (
    ExpressionError,
    Redacted,
    Template,
    Unknown,
    compile_condition,
    compile_template,
    compile_watch,
)
from leadline.wire.limits import CaptureLimits
from leadline.wire.probe import Fate, LogProbe
from leadline.wire.struct import prepare
from leadline.wire.target import Target

LEAST = 400
"""Cases that there have to be."""
FILES = sorted(path.stem for path in CORPUS.glob("*.toml"))


def scope_of(variables):
    def look(name):
        if name not in variables:
            raise Unknown(f"there is no variable {name}")
        return variables[name]

    return look


type Ask = Callable[[], tuple[str, object]]


def ready(case: Case, variables) -> Ask:
    """Compile, as the agent does on a thread of its own; asking is what a hit does."""
    look = scope_of(variables)
    try:
        match case.question:
            case "condition":
                condition = compile_condition(case.text)
                return lambda: ("value", condition.holds(look))
            case "watch":
                watch = compile_watch(case.text)
                return lambda: (watch.evaluate(look), ("value", True))[1]
            case _:
                template = compile_template(case.text)
                return lambda: ("text", line_of(template, look))
    except ExpressionError as error:
        refused = "refused", error.slug
        return lambda: refused


def answer_of(ask: Ask) -> tuple[str, object]:
    """Return the kind of answer and what it says."""
    try:
        return ask()
    except Unknown as unknown:
        return "unknown", unknown.reason


def line_of(compiled: Template, look) -> str:
    values = []
    for number, placeholder in enumerate(compiled.placeholders):
        try:
            found = placeholder.evaluate(look, more=number > 0)
            values.append(capture(found, CaptureLimits()))
        except Redacted as redacted:
            values.append({"omitted": "redacted", "rule": redacted.rule})
        except Unknown as unknown:
            values.append({"omitted": "unknown", "reason": unknown.reason})
    return compiled.render(values)


def test_there_are_enough_and_no_two_are_the_same() -> None:
    cases = [case for file in FILES for case in read_corpus(file)]
    twice = [
        one for one, times in Counter((c.question, c.text) for c in cases).items() if times > 1
    ]
    assert not twice
    assert len(cases) >= LEAST
    answers = Counter(case.answer for case in cases)
    assert min(answers[answer] for answer in ("value", "unknown", "refused", "text")) > 50


@pytest.mark.parametrize("file", FILES)
def test_each_comes_back_as_it_says(file: str) -> None:
    objects = read_objects()
    heard: list[str] = []
    listening = False
    prepare()  # as the agent does before anything is armed

    def hook(event: str, _: object) -> None:
        if listening and event not in QUIET:
            heard.append(event)

    variables, cases = objects.scope(), read_corpus(file)
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning would print a line, or run a hook
        sys.addaudithook(hook)
        for case in cases:
            ask = ready(case, variables)
            assert hostile.calls == [], case.text
            listening = True
            got = answer_of(ask)
            listening = False
            if got != (case.answer, case.says):
                wrong.append((case.text, got))
            if hostile.calls or heard:
                wrong.append((case.text, [*hostile.calls, *heard]))
                hostile.calls.clear()
                heard.clear()
    assert not wrong, wrong


@pytest.mark.soak
def test_the_agent_says_the_same_at_a_real_hit(tmp_path, monkeypatch) -> None:
    """Whatever core is in use, and however it asks: the fates are those of the answers."""
    variables = read_objects().scope()
    source = f"def probed({', '.join(variables)}):\n    here = 1\n    return here\n"
    (tmp_path / "corpus_probed.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    probed = importlib.import_module("corpus_probed").probed
    monitor = Monitor()
    monitor.open()
    core = choose(monitor)
    core.budget_ns = 10**18  # each passage is to be seen, however slow this machine is
    registry = Registry(core, monitor)
    wrong = []
    try:
        for number, case in enumerate(conditions()):
            target = Target(str(tmp_path / "corpus_probed.py"), 2)
            registry.add([LogProbe(f"c{number}", target, "here", case.text)])
            probed(**variables)
            state = registry.state(f"c{number}")
            if state.fates != {EXPECTED[case.answer, case.says is True]: 1}:
                wrong.append((case.text, state.fates, state.unknown, state.reason))
            registry.remove([f"c{number}"])
            core.drain(10)
    finally:
        registry.apply([])
        core.close()
        del sys.modules["corpus_probed"]
    assert not wrong, wrong
    assert hostile.calls == []


def conditions() -> list[Case]:
    """The conditions that are accepted, and that mean the same in a function's scope."""
    return [
        case
        for file in FILES
        for case in read_corpus(file)
        if case.question == "condition"
        and case.answer != "refused"
        and not case.text.startswith("__")  # a module has these, and they may be looked at
    ]


EXPECTED = {
    ("value", True): Fate.CAPTURED,
    ("value", False): Fate.CONDITION_FALSE,
    ("unknown", False): Fate.CONDITION_UNKNOWN,
}
QUIET = frozenset(("object.__getattr__",))
