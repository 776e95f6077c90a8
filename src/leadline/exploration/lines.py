"""The lines of a package that can be probed, and a probe for each of them."""

import importlib.machinery
import inspect
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from leadline.agent.locate.lines import executable_lines, nested, too_large
from leadline.wire.limits import CaptureLimits, Limits
from leadline.wire.probe import (
    DEFAULTS,
    CaptureProbe,
    LogProbe,
    Probe,
    ProbeKind,
    SnapshotProbe,
)
from leadline.wire.target import FunctionTarget, Target

MAX_PLACEHOLDERS = 4
"""Variables that the log of one line shows; the first of a function are its arguments."""
TTL_S = 24 * 3600.0
"""No suite is meant to outlive its probes."""
RATE_PER_S = 1_000.0
"""The most that a probe may ask for."""
_TESTS = frozenset(("tests", "test", "testing", "conftest.py"))
"""Below a package: tests of its own, which are not what is explored."""


@dataclass(frozen=True, slots=True)
class Line:
    """One executable line. `names` are variables of the function that it belongs to."""

    file: str
    number: int
    names: tuple[str, ...]


def files_of(package: str) -> list[Path]:
    """Return the source files of a package, or of a module, that an import would find.

    Nothing is imported. Raises `LookupError` when there is no such package.
    """
    spec, within = None, None
    for part in package.split("."):
        spec = importlib.machinery.PathFinder.find_spec(part, within)
        if spec is None:
            raise LookupError(f"there is no package {package!r} on the import path")
        within = spec.submodule_search_locations
    if spec is None:
        raise LookupError("the name of a package is empty")
    if spec.submodule_search_locations is None:
        return [Path(spec.origin or "")]
    return [
        path
        for folder in spec.submodule_search_locations
        for path in sorted(Path(folder).rglob("*.py"))
        if not _TESTS.intersection(path.relative_to(folder).parts)
    ]


def lines_of(path: Path) -> Iterator[Line]:
    """Yield the executable lines of a file; none of one that does not compile here, nor of a
    function that the agent refuses for its size (tables of data at a module's own level)."""
    try:
        whole = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # a template of source code, or for another Python
        return
    found: dict[int, tuple[str, ...]] = {}
    for code in nested(whole):
        if too_large(code):
            continue
        names = _names(code)
        for number in executable_lines(code) - {0}:  # the only one of an empty file
            found.setdefault(number, names)
    for number, names in sorted(found.items()):
        yield Line(str(path), number, names)


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a module, by its qualified name; none that is made by another one."""

    module: str
    name: str


def functions_of(package: str) -> Iterator[Function]:
    """Yield the functions of a package, or of a module. Raises `LookupError` as `files_of`."""
    files = files_of(package)
    folder = files[0].parents[package.count(".") + (files[0].stem == "__init__")]
    for path in files:
        parts = path.relative_to(folder).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        try:
            whole = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        names = {
            code.co_qualname: None
            for code in nested(whole)
            if code.co_flags & inspect.CO_OPTIMIZED and "<" not in code.co_qualname
        }
        yield from (Function(module, name) for name in names)


def capture_of(function: Function, number: int, hits: int) -> Probe:
    """Return a probe that keeps calls of a function, as a person would have it."""
    limits = Limits(hits, TTL_S, DEFAULTS[ProbeKind.CAPTURE].rate_per_s)
    return CaptureProbe(
        f"x{number}", FunctionTarget(function.module, function.name), limits=limits
    )


def sampled[Place](lines: list[Place], most: int, seed: int) -> list[Place]:
    """Return at most `most` of `lines`, chosen at random; 0 for all of them."""
    if not most or len(lines) <= most:
        return lines
    return random.Random(seed).sample(lines, most)  # noqa: S311 - to be the same every time


def probe_on(line: Line, number: int, kind: str, hits: int) -> Probe:
    """Return a probe on a line: a log of variables, or a snapshot as a person would have it."""
    target = Target(line.file, line.number)
    limits = Limits(hits=hits, ttl_s=TTL_S, rate_per_s=RATE_PER_S)
    if kind == "snapshot":
        return SnapshotProbe(f"x{number}", target, limits=limits)
    template = " ".join(f"{name}={{{name}}}" for name in line.names)
    return LogProbe(
        f"x{number}", target, template or "here", limits=limits, capture=CaptureLimits()
    )


def _names(code: CodeType) -> tuple[str, ...]:
    names = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    plain = [name for name in names if name.isidentifier()]
    return tuple(dict.fromkeys(plain))[:MAX_PLACEHOLDERS]
