"""What a candidate changes of classes whose objects a call hands out, and no run has shown.

Whoever is given an object asks it for its attributes and calls its methods. Only what the call
itself came by was compared; of a class attribute, a field or a method that is another and did
not run, nothing is known.
"""

import ast
import os
from collections.abc import Iterator, Mapping, Sequence

from leadline.trial.candidate import Change
from leadline.trial.place import HANDED, Ran
from leadline.verify.comparison import Compared, left_open
from leadline.verify.signature import HINT
from leadline.verify.verdict import Candidate
from leadline.wire.struct import dataclass, field

type _Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ITSELF = "{} is changed, and an object of that class is handed out ({}): " + HINT
_METHOD = (
    "{} is changed and was not run, and an object of its class is handed out ({}): " + HINT
)


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What is changed of a class: the first line of a statement of its body, its decorators or
    bases, 0 where none of these is; and the lines of its changed methods, old and new."""

    line: int = 0
    methods: dict[str, tuple[range, range]] = field(default_factory=dict)


def with_classes_open(found: Sequence[Compared], changes: Sequence[Change]) -> list[Compared]:
    """Return calls with those left open that hand out an object of which more is changed than
    was run, and that nothing else tells against."""
    otherwise = {
        os.path.realpath(one.file): classes
        for one in changes
        if one.old and one.new and (classes := changed_classes(one.old, one.new))
    }
    return [_open(one, otherwise) for one in found] if otherwise else list(found)


def _open(one: Compared, otherwise: Mapping[str, Mapping[str, Otherwise]]) -> Compared:
    case = one.case
    tells = case.candidate is Candidate.DIFFERS and not case.failed
    missed = case.failed and (case.still_fails or case.expected is False)
    if one.control is None or one.candidate is None or tells or missed:
        return one
    for handed in one.candidate.inside:
        if not handed.startswith(HANDED):
            continue
        file, _, qualname = handed.removeprefix(HANDED).rpartition(":")
        changed = otherwise.get(file, {}).get(qualname)
        if changed is not None:
            for why in _unshown(file, qualname, changed, one.control, one.candidate):
                return left_open(one, why)
    return one


def _unshown(
    file: str, qualname: str, changed: Otherwise, control: Ran, candidate: Ran
) -> Iterator[str]:
    if changed.line:
        yield _ITSELF.format(qualname, f"{_short(file)}:{changed.line}")
    for name, (old, new) in changed.methods.items():
        ran = any(line in new for line in candidate.coursed.touched.get(file, ()))
        if not ran and not any(line in old for line in control.coursed.touched.get(file, ())):
            yield _METHOD.format(f"{qualname}.{name}", f"{_short(file)}:{new.start}")


def _short(file: str) -> str:
    return "/".join(file.split("/")[-2:])


def changed_classes(old: str, new: str) -> dict[str, Otherwise]:
    """Return what is changed of the classes that are in both texts, by qualified name."""
    try:
        before, after = dict(_classes(ast.parse(old))), dict(_classes(ast.parse(new)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found = {name: _otherwise(before[name], after[name]) for name in after if name in before}
    return {name: one for name, one in found.items() if one.line or one.methods}


def _classes(tree: ast.AST, within: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    for one in ast.iter_child_nodes(tree):
        if isinstance(one, ast.ClassDef):
            yield within + one.name, one
            yield from _classes(one, f"{within}{one.name}.")
        elif isinstance(one, _FUNCTIONS):
            yield from _classes(one, f"{within}{one.name}.<locals>.")
        elif not isinstance(one, ast.expr):
            yield from _classes(one, within)


def _otherwise(old: ast.ClassDef, new: ast.ClassDef) -> Otherwise:
    if _head(old) != _head(new):
        return Otherwise(new.lineno)
    ours, theirs = _methods(old), _methods(new)
    known = {_said(one) for one in _statements(old)}
    stays = {_said(one) for one in _statements(new)}
    for one in _statements(new):
        if _said(one) not in known and not (_is_plain(new) and _is_constant(one, old)):
            return Otherwise(one.lineno)
    if known - stays or ours.keys() - theirs.keys():
        return Otherwise(new.lineno)
    methods = {}
    for name, method in theirs.items():
        before = ours.get(name)
        if before is None:
            if method.decorator_list or (name.startswith("__") and name.endswith("__")):
                return Otherwise(method.lineno)
        elif _dumps(before.decorator_list) != _dumps(method.decorator_list):
            return Otherwise(method.lineno)
        elif _said(before) != _said(method):
            methods[name] = _lines(before), _lines(method)
    return Otherwise(0, methods)


def _head(one: ast.ClassDef) -> list[str]:
    return _dumps([*one.decorator_list, *one.bases, *one.keywords])


def _methods(one: ast.ClassDef) -> dict[str, _Function]:
    return {part.name: part for part in one.body if isinstance(part, _FUNCTIONS)}


def _statements(one: ast.ClassDef) -> list[ast.stmt]:
    """Return what is no method, and no text about the class."""
    return [
        part for part in one.body
        if not isinstance(part, (*_FUNCTIONS, ast.Pass))
        and not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
    ]  # fmt: skip


def _is_plain(one: ast.ClassDef) -> bool:
    """Tell whether nobody looks through the body of a class: no decorator, no base."""
    return not (one.decorator_list or one.bases or one.keywords)


def _is_constant(one: ast.stmt, old: ast.ClassDef) -> bool:
    """Tell whether a statement does no more than to bind names that were not there before."""
    targets = one.targets if isinstance(one, ast.Assign) else []
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    known = {
        each.id for part in old.body for each in ast.walk(part) if isinstance(each, ast.Name)
    }
    is_special = any(name.startswith("__") for name in names)
    return (
        bool(names)
        and len(names) == len(targets)
        and not is_special
        and names.isdisjoint(known)
    )


def _said(one: ast.stmt) -> str:
    """Return what is the same for the same code, whatever is said about it."""
    if isinstance(one, _FUNCTIONS) and ast.get_docstring(one, clean=False) is not None:
        return _said_of([*one.body[1:], one.args, *one.decorator_list])
    if isinstance(one, _FUNCTIONS):
        return _said_of([*one.body, one.args, *one.decorator_list])
    return ast.dump(one)


def _said_of(nodes: Sequence[ast.AST]) -> str:
    return "\n".join(_dumps(nodes))


def _dumps(nodes: Sequence[ast.AST]) -> list[str]:
    return [ast.dump(one) for one in nodes]


def _lines(one: _Function) -> range:
    return range(one.lineno, (one.end_lineno or one.lineno) + 1)
