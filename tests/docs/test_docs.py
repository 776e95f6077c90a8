"""The documentation is true: what it names exists, what exists is named, its examples run."""

import argparse
import ast
import functools
import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import console
import msgspec
import pages
import pytest
from pages import DOCS, ROOT, SOURCE, name

from leadline.cli.duration import spoken
from leadline.cli.inline_probe import WORDS
from leadline.cli.main import parser
from leadline.control import views
from leadline.expression import parsing
from leadline.server import answers
from leadline.server.pages import PAGES
from leadline.server.routes import ROUTES
from leadline.wire import errors, limits, probe, redaction
from leadline.wire.limits import CaptureLimits
from leadline.wire.probe import Fate, Status
from leadline.wire.value import Omission

COMMANDS_PAGE = DOCS / "commands.md"
SLUG = re.compile(r"[a-z]+(-[a-z]+)*")
SOURCES = [path for path in SOURCE.rglob("*.py") if "service" not in path.parts]


@functools.cache
def commands() -> dict[str, argparse.ArgumentParser]:
    (words,) = (
        action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return dict(words.choices)


def documented_commands() -> dict[str, str]:
    found = pages.sections(COMMANDS_PAGE)
    return {
        title.removeprefix("leadline "): text
        for title, text in found.items()
        if title.startswith("leadline ")
    }


def test_every_command_is_documented_and_no_other():
    assert set(documented_commands()) == set(commands())


def options_in(text: str) -> dict[str, str]:
    return {
        cells[0].strip("`").split()[0]: cells[1].strip("`")
        for cells in pages.rows(text)
        if cells[0].startswith("`--")
    }


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_option_is_documented_with_its_default_and_no_other(command):
    documented = options_in(documented_commands()[command])
    if command in WORDS:
        shared = options_in(pages.sections(COMMANDS_PAGE, 3)["What all six take"])
        taken = set(commands()[command]._option_string_actions)
        documented |= {name: default for name, default in shared.items() if name in taken}
    actions = [one for one in commands()[command]._actions if one.dest != "help"]
    real = {one.option_strings[0]: one for one in actions if one.option_strings}
    assert set(documented) == set(real)
    for option, action in real.items():
        if action.default in (None, False, "", []):
            continue
        default = action.default
        shown = (
            spoken(default)
            if action.type is not None and action.type.__name__ == "duration"
            else f"{default:g}"
            if isinstance(default, float)
            else str(default)
        )
        assert documented[option] == shown, option


@pytest.mark.parametrize("command", sorted(commands()))
def test_options_that_are_mentioned_exist(command):
    every = {
        option
        for one in [parser(), *commands().values()]
        for action in one._actions
        for option in action.option_strings
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", documented_commands()[command])) <= every


@pytest.mark.parametrize("page", pages.pages(), ids=name)
def test_commands_that_are_mentioned_exist_or_are_planned(page):
    if "adr" in page.parts:
        return
    for paragraph in "\n".join(pages.prose(page)).split("\n\n"):
        named = set(re.findall(r"`leadline ([a-z]+)", paragraph))
        assert named <= set(commands()) or "planned" in paragraph, paragraph


def test_every_variable_of_the_environment_is_documented_and_no_other():
    texts = [path.read_text("utf-8") for path in [*SOURCES, ROOT / "leadline.pth"]]
    pattern = r"\b(?:(?:LEADLINE|OTEL)_[A-Z]+(?:_[A-Z]+)*|XDG_[A-Z]+_HOME)\b"
    read = {found for text in texts for found in re.findall(pattern, text)}
    table = pages.sections(DOCS / "settings.md")["Environment variables"]
    documented = {cells[0].strip("`") for cells in pages.rows(table)} - {"variable"}
    assert documented == read
    mentioned = {
        found
        for page in pages.pages()
        if "adr" not in page.parts and page.name != "glossary.md"
        for found in re.findall(pattern, page.read_text("utf-8"))
    }
    assert mentioned == read


def error_classes(trees: list[ast.Module]) -> set[str]:
    """Return the names of all classes that inherit from LeadlineError."""
    known = {"LeadlineError"}
    classes = [
        node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    for _ in classes:  # until nothing is added any more; never more rounds than classes
        known |= {
            one.name
            for one in classes
            if any(isinstance(base, ast.Name) and base.id in known for base in one.bases)
        }
    return known


def slugs_in(tree: ast.Module, classes: set[str]) -> Iterator[str]:
    """Yield the slugs that a module makes: errors with a literal slug, `super().__init__` of an
    error class, the expression language's own `error(...)`, `_SLUG`, and `[slug] text`."""
    inside = {
        call
        for one in ast.walk(tree)
        if isinstance(one, ast.ClassDef) and one.name in classes
        for call in ast.walk(one)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            makes = called in classes or called in ("error", "_error")
            if makes or (called == "__init__" and node in inside):
                for given in node.args:
                    text = getattr(given, "value", None)
                    if isinstance(text, str) and SLUG.fullmatch(text):
                        yield text
        elif isinstance(node, ast.arguments):
            for argument, default in zip(node.args[::-1], node.defaults[::-1], strict=False):
                if argument.arg == "slug":
                    yield default.value
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_SLUG":
            yield node.value.value
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\[([a-z]+(?:-[a-z]+)+)\] ", node.value)


def slugs() -> set[str]:
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCES]
    classes = error_classes(trees)
    return {slug for tree in trees for slug in slugs_in(tree, classes)}


def error_pages() -> list[Path]:
    return [page for page in sorted((DOCS / "errors").glob("*.md")) if page.stem != "README"]


def test_every_slug_has_a_page_and_every_page_a_slug():
    found = slugs()
    assert {"bad-target", "bad-message", "expression-forbidden", "slow-stop"} <= found
    assert {page.stem for page in error_pages()} == found
    index = {Path(target).stem for target in pages.links(DOCS / "errors" / "README.md")}
    assert found <= index
    assert set(answers._STATUS) <= found


@pytest.mark.parametrize("page", error_pages(), ids=lambda page: page.stem)
def test_an_error_page_has_three_parts(page):
    assert page.read_text("utf-8").startswith(f"# `{page.stem}`\n")
    parts = pages.sections(page)
    assert list(parts) == ["What happened", "Why", "What to do"]
    for title, text in parts.items():
        assert text.strip() or title == "What to do", title
    assert len(page.read_text("utf-8").partition("## What to do")[2].strip()) > 20


def test_every_route_is_documented_and_no_other():
    table = pages.rows(pages.sections(DOCS / "http.md")["Addresses"])[1:]
    documented = {(cells[0], cells[1].strip("`"), cells[2]) for cells in table}
    assert documented == {(one.method, one.path, one.who.value) for one in ROUTES}


def test_every_page_is_documented_and_no_other():
    table = pages.rows(pages.sections(DOCS / "web.md")["Addresses"])[1:]
    documented = {(cells[0].strip("`"), cells[1]) for cells in table}
    assert documented == {(one.path, one.who.value) for one in PAGES}


def test_every_member_that_travels_is_documented():
    text = (DOCS / "http.md").read_text("utf-8")
    kinds = [kind for one in ROUTES for kind in (one.body, one.query, one.returns) if kind]
    kinds += [kind for _, kind in inspect.getmembers(views, is_dataclass)]
    members = {
        one.name
        for kind in kinds
        for one in (fields(kind) if is_dataclass(kind) else msgspec.structs.fields(kind))
    }
    missing = {
        one for one in members if not re.search(rf'"{one}"|`(\w+, )*{one}\b|\?{one}=', text)
    }
    assert missing <= {"services"}  # of Overview, which is not a member itself


def test_every_status_of_a_slug_is_documented():
    table = pages.rows(pages.sections(DOCS / "http.md")["Answers and errors"])[1:]
    assert {cells[0].strip("`"): int(cells[1]) for cells in table} == answers._STATUS


def test_every_exit_status_is_documented():
    table = pages.rows(pages.sections(COMMANDS_PAGE)["What all commands share"])
    documented = {int(cells[0]) for cells in table if cells[0].isdigit()}
    assert documented == {int(code) for code in errors.ExitCode} | {130}


def test_the_limits_are_those_of_the_code():
    capture = CaptureLimits()
    expected = {
        "--hits": (limits.Limits().hits, 1, limits.MAX_HITS),
        "--ttl": (limits.Limits().ttl_s, 0, limits.MAX_TTL_S),
        "--rate": (limits.Limits().rate_per_s, 0.01, limits.MAX_RATE_PER_S),
        "--cost": (
            limits.Limits().cost_percent,
            limits.MIN_COST_PERCENT,
            limits.MAX_COST_PERCENT,
        ),
        "--depth": (capture.depth, 0, limits.MAX_DEPTH),
        "--items": (capture.items, 1, limits.MAX_ITEMS),
        "--text": (capture.text, 1, limits.MAX_TEXT),
    }
    documented = {
        cells[1].strip("`"): tuple(map(number, cells[2:5]))
        for cells in pages.rows((DOCS / "probes.md").read_text("utf-8"))
        if cells[1].startswith("`--")
    }
    assert documented == expected
    for cells in pages.rows(pages.sections(DOCS / "values.md")["Limits"]):
        if cells[1].startswith("`--"):
            default, _, most = expected[cells[1].strip("`")]
            assert tuple(map(number, cells[2:4])) == (default, most)


def test_the_defaults_of_the_kinds_are_those_of_the_code():
    table = pages.rows(pages.sections(DOCS / "probes.md")["Kinds"])
    documented = {cells[0]: cells[1:] for cells in table if len(cells) == 4}
    del documented["kind"]
    assert documented == {
        kind: [
            "no limit" if kind in probe.AGGREGATED and name != "ttl_s" else f"{value:,g}"
            for name, value in vars_of(one).items()
            if name != "cost_percent"  # of all kinds the same
        ]
        for kind, one in probe.DEFAULTS.items()
    }


def vars_of(struct: object) -> dict[str, float]:
    return {one.name: getattr(struct, one.name) for one in fields(struct)}


def number(text: str) -> float:
    return float(text.replace(",", ""))


def figures() -> list[tuple[Path, str, str]]:
    """Return each figure of a table whose last column says where it is in the code."""
    found = []
    for page in pages.pages():
        header: list[str] = []
        for cells in pages.rows(page.read_text("utf-8")):
            if cells[-1] == "in the code":
                header = cells
            elif len(cells) == len(header) and re.fullmatch(r"`[\w.]+\.[A-Z_]+`", cells[-1]):
                found.append((page, cells[1], cells[-1].strip("`")))
    return found


def test_figures_are_those_of_the_code():
    assert len(figures()) > 20
    for page, shown, place in figures():
        module, _, constant = place.rpartition(".")
        value = getattr(importlib.import_module(f"leadline.{module}"), constant)
        assert number(shown) == value, f"{name(page)}: {place}"


@pytest.mark.parametrize(
    ("words", "title"), [(Status, "status"), (Fate, "fate"), (Omission, "omission")]
)
def test_every_word_of_an_enum_is_in_the_glossary(words, title):
    section = pages.sections(DOCS / "glossary.md")[title]
    assert set(re.findall(r"^- `(\w+)`:", section, re.MULTILINE)) == set(words)
    page = {"omission": "values.md"}.get(title, "probes.md")
    text = (DOCS / page).read_text("utf-8")
    assert all(f"| `{word}` |" in text for word in words)


def test_every_redacted_word_is_documented_and_no_other():
    section = pages.sections(DOCS / "values.md")["Redaction"]
    lists = [part.partition(":")[2] for part in section.split("\n- ")[1:]]
    found = [set(re.findall(r"\w+", part.partition("\n\n")[0])) for part in lists]
    lists = [redaction._WORDS, redaction._PAIRS, set(redaction._INSIDE)]
    assert found == lists


def test_every_refused_construct_has_something_to_write_instead():
    """What `expressions.md` says is refused is refused, and what it allows is read."""
    sections = pages.sections(DOCS / "expressions.md")
    refused = [
        text
        for cells in pages.rows(sections["What is refused, and what to write instead"])[1:]
        for text in re.findall(r"`([^`]+)`", cells[0])
    ]
    assert len(refused) > 25
    for text in refused:
        assert not readable(text), text
    allowed = [
        text
        for cells in pages.rows(sections["What is allowed"])[1:]
        for text in re.findall(r"`([^`]+)`", cells[1])
        if re.search(r"\w", text) and text not in OPERATORS
    ]
    assert len(allowed) > 15
    for text in allowed:
        assert readable(text), text


OPERATORS = {"in", "not in", "is None", "is not None", "and", "or", "not"}


def readable(text: str) -> bool:
    try:
        parsing.parse(parsing.Source(text, 0, len(text)))
    except errors.LeadlineError:
        return False
    return True


@pytest.mark.parametrize("page", ["safety.md", "traps.md"])
def test_the_tests_that_safety_names_exist(page):
    text = (DOCS / page).read_text("utf-8")
    named = [*re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text), *linked(text)]
    assert len(named) > 30
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text("utf-8"), f"{file}::{test}"


def linked(text: str) -> list[tuple[str, str]]:
    """Return (file, test) of each link to a test."""
    found = re.findall(r"\[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\)", text)
    return [(file, test) for test, file in found]


@pytest.mark.parametrize("number", range(1, 8))
def test_each_promise_has_its_tests_and_its_end(number):
    (section,) = [
        text
        for title, text in pages.sections(DOCS / "safety.md").items()
        if title.startswith(f"S{number} ")
    ]
    promises = [cells for cells in pages.rows(section) if len(cells) == 2][1:]
    assert len(promises) >= 5
    for promise, tests in promises:
        assert promise.endswith(".")
        assert linked(tests), promise
    assert "**Not promised.**" in section


@pytest.mark.parametrize("page", pages.pages(), ids=name)
def test_links_resolve(page):
    for target in pages.links(page):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        if anchor:
            assert anchor in pages.anchors(place), target


@pytest.mark.parametrize("page", pages.pages(), ids=name)
def test_no_page_names_a_place_of_one_machine(page):
    for line in page.read_text("utf-8").splitlines():
        assert not re.search(r"/(work|root|tmp|home/\w+)/|\.pyenv", line), line


@pytest.mark.parametrize("page", pages.pages(), ids=name)
def test_commands_in_sh_blocks_can_be_parsed(page):
    for block in pages.blocks(page):
        if block.language != "sh":
            continue
        for line in "\n".join(block.lines).replace("\\\n", " ").splitlines():
            check_command(line)


def check_command(line: str) -> None:
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if words[:1] == ["leadline"]:
        parser().parse_args([word for word in words[1:] if word != "&"])
    elif words[:1] == ["make"]:
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words[1:]) <= set(targets), line


def with_console() -> list[Path]:
    return [
        page
        for page in pages.pages()
        if any(block.language == "console" for block in pages.blocks(page))
    ]


@pytest.mark.parametrize("page", with_console(), ids=name)
def test_console_blocks_do_what_they_show(page, tmp_path, needs):
    needs("bash")
    for block in pages.blocks(page):
        if block.language == "console":
            for step in console.steps(block):
                if step.command.startswith("make"):
                    check_command(step.command)
    assert console.play(page, tmp_path) > 0


def test_what_is_shown_is_compared():
    """The machinery itself: a test that cannot fail is a defect."""
    assert console.same(["a ... c"], ["a b c"])
    assert console.same(["a", "...", "z"], ["a", "b", "c", "z"])
    assert console.same(["12:00:00.000  s/1  x"], ["09:10:11.123  s/22  x"])
    assert console.same(["on http://127.0.0.1:7357"], ["on http://127.0.0.1:4711"])
    assert not console.same(["a"], ["b"])
    assert not console.same(["a"], [])
    assert not console.same(["a"], ["a", "b"])
    assert not console.same(["a.c"], ["abc"])


@pytest.mark.parametrize("wrong", ["$ echo a\nb", "$ false", "$ leadline nothing", "$ exit 3"])
def test_a_page_that_lies_fails(wrong, tmp_path, monkeypatch):
    monkeypatch.setattr(console, "DEADLINE_S", 3.0)
    page = tmp_path / "page.md"
    page.write_text(f"```console\n{wrong}\n```\n")
    with pytest.raises(AssertionError):
        console.play(page, tmp_path)
