"""What is to be done to a module that is imported already, for it to be as another text says.

Only what both texts agree on has run, so only differences are made up for: functions get other
code, names are bound anew or taken away. What had an effect when it ran - a decorator, a call,
a base class - cannot be made undone, and is an obstacle with its line.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from leadline.trial.difference import aligned
from leadline.trial.guards import MAIN, as_run
from leadline.trial.scopes import (
    DEFINITIONS,
    FUNCTIONS,
    Definition,
    Function,
    blocks_of,
    bound,
    bound_by,
    class_head,
    definitions,
    dump,
    is_text,
    outside_of,
    parsed,
    read_by,
    simple,
    sorted_out,
    without_blocks,
)
from leadline.wire.struct import dataclass, field

_BINDING = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.TypeAlias)
_AT_BIRTH = ("__init__", "__new__", "__post_init__", "__init_subclass__", "__set_name__")


@dataclass(frozen=True, slots=True)
class Swap:
    """A function gets other code. `stale` are the parameters with the same default in both
    texts, which is made from something that is bound anew."""

    qualname: str
    old: Function
    new: Function
    stale: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Bind:
    """A statement is run, in the class `within` or in the module itself."""

    within: str
    statement: ast.stmt
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unbind:
    """A name is taken away, which a statement of the old text bound."""

    within: str
    name: str
    statement: ast.stmt


@dataclass(slots=True)
class Steps:
    """All of it, in the order of the new text; `obstacles` are pairs of a line and why.
    `imported` are the names that the old text had from elsewhere."""

    swaps: list[Swap] = field(default_factory=list)
    binds: list[Bind] = field(default_factory=list)
    unbinds: list[Unbind] = field(default_factory=list)
    obstacles: list[tuple[int, str]] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def steps(old: str, new: str, name: str = "") -> Steps:
    """Compare two texts of a module; `name` is the one that it had while it ran, if that is
    known."""
    plan = _Planning(main=name == MAIN)
    before, after = parsed(old), parsed(new)
    before.body, after.body = as_run(before.body, name), as_run(after.body, name)
    plan.bodies(before.body, after.body, "")
    for one, _ in simple(before.body, ""):
        if isinstance(one, ast.Import | ast.ImportFrom):
            plan.steps.imported |= bound_by(one)
    _follow(plan.steps, before, after)
    plan.steps.binds.sort(key=lambda bind: bind.statement.lineno)
    return plan.steps


class _Planning:
    def __init__(self, *, main: bool) -> None:
        self.steps = Steps()
        self._main = main

    def _refuse(self, line: int, why: str) -> None:
        self.steps.obstacles.append((line, why))

    def bodies(
        self, old: list[ast.stmt], new: list[ast.stmt], within: str, under: str = ""
    ) -> None:
        """Compare two bodies; `under` is the compound statement that they are of."""
        pairs, rest, other_rest = sorted_out(old, new)
        remaining = {name for one in new for name in bound_by(one)}
        for (name, number), (before, after) in pairs.items():
            qualname = f"{within}{name}"
            if before is not None and after is not None:
                self._definition(qualname, before, after)
            elif after is not None:
                if number > 1 and not _extends(after):
                    self._refuse(after.lineno, f"{qualname} has one definition more")
                self._bind(after, within, under)
            elif before is not None and name in remaining:
                self._refuse(before.lineno, f"{qualname} has one definition fewer")
            elif before is not None:
                self._unbind(before, {name}, within, under)
        gone, come = self._rest(rest, other_rest, within)
        for one in filter(_does_something, gone):
            if not _binds_names(one):
                self._refuse(one.lineno, "it has run, and the candidate has it no more")
            self._unbind(one, bound_by(one) - remaining, within, under)
        for one in filter(_does_something, come):
            self._bind(one, within, under)

    def _definition(self, qualname: str, old: Definition, new: Definition) -> None:
        if ast.dump(old) == ast.dump(new):
            return None
        if type(old) is not type(new):
            return self._refuse(new.lineno, f"{qualname} is of another kind")
        if list(map(dump, old.decorator_list)) != list(map(dump, new.decorator_list)):
            return self._refuse(new.lineno, f"the decorators of {qualname} are others")
        if list(map(dump, old.type_params)) != list(map(dump, new.type_params)):
            return self._refuse(new.lineno, f"the type parameters of {qualname} are others")
        if isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
            if class_head(old) != class_head(new):
                return self._refuse(new.lineno, f"the bases of {qualname} are others")
            return self.bodies(old.body, new.body, f"{qualname}.")
        assert not isinstance(old, ast.ClassDef)  # noqa: S101 - told apart above
        assert not isinstance(new, ast.ClassDef)  # noqa: S101
        if new.name in _AT_BIRTH:
            self.steps.notes.append(f"objects that live already were made without {qualname}")
        self.steps.swaps.append(Swap(qualname, old, new))
        return None

    def _rest(
        self, old: list[ast.stmt], new: list[ast.stmt], within: str
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Compare what defines nothing; return what is gone and what has come."""
        gone: list[ast.stmt] = []
        come: list[ast.stmt] = []
        for before, after in aligned(old, new):
            both = before is not None and after is not None
            if both and (_same_value(before, after) or self._compound(before, after, within)):
                continue
            if before is not None:
                gone.append(before)
            if after is not None:
                come.append(after)
        moved = Counter(map(ast.dump, gone)) & Counter(map(ast.dump, come))
        for side in (gone, come):
            left = Counter(moved)
            for one in list(side):
                if left[ast.dump(one)] > 0 and _binds_names(one):
                    left[ast.dump(one)] -= 1
                    side.remove(one)
        return gone, come

    def _compound(self, old: ast.stmt | None, new: ast.stmt | None, within: str) -> bool:
        """Compare the blocks of two statements that differ in these alone."""
        assert old is not None  # noqa: S101 - asked before
        assert new is not None  # noqa: S101
        blocks = list(blocks_of(old)), list(blocks_of(new))
        if type(old) is not type(new) or not blocks[0] or len(blocks[0]) != len(blocks[1]):
            return False
        if without_blocks(old) != without_blocks(new):
            return False
        test = ast.unparse(old.test) if isinstance(old, ast.If) else ""
        if test.rpartition(".")[2] == "TYPE_CHECKING":
            return True
        if self._main and "__name__" in test and MAIN in test:
            self._refuse(new.lineno, "the script's own statements have run")
            return True
        for before, after in zip(*blocks, strict=True):
            self.bodies(before, after, within, type(new).__name__.lower())
        return True

    def _bind(self, one: ast.stmt, within: str, under: str) -> None:
        if under:
            self._refuse(one.lineno, f"whether it runs depends on the `{under}` around it")
        elif isinstance(one, ast.ImportFrom) and one.module == "__future__":
            self._refuse(one.lineno, "it is for the whole file")
        elif "*" in bound_by(one) or not (_binds_names(one) or isinstance(one, DEFINITIONS)):
            self._refuse(one.lineno, "it would run once more than it has, in another order")
        elif "__slots__" in bound_by(one):
            self._refuse(one.lineno, "objects that live have their slots already")
        else:
            self.steps.binds.append(Bind(within, one, frozenset(bound_by(one))))

    def _unbind(self, one: ast.stmt, names: Iterable[str], within: str, under: str) -> None:
        if under:
            self._refuse(one.lineno, f"whether it ran depends on the `{under}` around it")
        self.steps.unbinds += [Unbind(within, name, one) for name in sorted(names)]


def _same_value(one: ast.stmt | None, other: ast.stmt | None) -> bool:
    """Whether two statements are the same, or bind a name to the same but are annotated."""
    if isinstance(one, ast.Assign | ast.AnnAssign) and isinstance(
        other, ast.Assign | ast.AnnAssign
    ):
        sides = [
            [
                dump(part)
                for part in (*getattr(each, "targets", ()), getattr(each, "target", None))
            ]
            for each in (one, other)
        ]
        targets = [[part for part in side if part != "None"] for side in sides]
        if one.value is not None and targets[0] == targets[1]:
            return dump(one.value) == dump(other.value)
    return dump(one) == dump(other)


def _does_something(statement: ast.stmt) -> bool:
    return not is_text(statement) and not isinstance(statement, ast.Pass)


def _extends(definition: Definition) -> bool:
    """Whether a second definition of a name adds to the first, as a property's setter does."""
    return any(
        isinstance(one, ast.Attribute) and one.attr in ("setter", "deleter", "getter")
        for one in definition.decorator_list
    )


def _binds_names(statement: ast.stmt) -> bool:
    """Whether a statement does nothing but bind names."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return isinstance(statement, _BINDING) and all(
        isinstance(part, ast.Name | ast.Tuple | ast.List | ast.Starred | ast.expr_context)
        for target in targets
        for part in ast.walk(target)
    )


def _follow(plan: Steps, old: ast.Module, new: ast.Module) -> None:
    """Add what was made at import from a name that is bound anew, over and over."""
    changed = {bound(bind.within + name) for bind in plan.binds for name in bind.names}
    changed |= {bound(unbind.within + unbind.name) for unbind in plan.unbinds}
    known = {id(bind.statement) for bind in plan.binds}
    statements = [one for one in simple(new.body, "") if id(one[0]) not in known]
    while True:
        met = [
            (one, within)
            for one, within in statements
            if read_by(one, in_class=bool(within)) & changed
        ]
        for one, within in met:
            statements.remove((one, within))
            names = frozenset(bound_by(one))
            changed |= {bound(within + name) for name in names}
            if _binds_names(one):
                plan.binds.append(Bind(within, one, names))
            elif one.lineno not in [line for line, _ in plan.obstacles]:
                plan.obstacles.append((one.lineno, "it ran with what is bound anew"))
        if not met:
            break
    _follow_heads(plan, old, new, changed)
    _look_below(plan, new)
    called = dict(_called_at_import(new))
    for swap in plan.swaps:
        if swap.qualname in called and not _same_outside(swap.old, swap.new):
            plan.obstacles.append(
                (called[swap.qualname], f"{swap.qualname} was called there at import")
            )


def _follow_heads(plan: Steps, old: ast.Module, new: ast.Module, changed: set[str]) -> None:
    """Look at what stands outside the body of each definition."""
    swaps = {id(swap.new): number for number, swap in enumerate(plan.swaps)}
    fresh = {id(bind.statement) for bind in plan.binds}
    before: dict[str, list[Definition]] = defaultdict(list)
    for definition, qualname in definitions(old):
        before[qualname].append(definition)
    for one, qualname in definitions(new):
        counterpart = before[qualname].pop(0) if before[qualname] else None
        if id(one) in fresh or any(qualname.startswith(f"{name}.") for name in _names(plan)):
            continue
        in_class = "." in qualname
        made_of = list(one.decorator_list)
        if isinstance(one, ast.ClassDef):
            made_of += [*one.bases, *(part.value for part in one.keywords)]
        if any(read_by(part, in_class=in_class) & changed for part in made_of):
            plan.obstacles.append((one.lineno, f"{qualname} was made with what is bound anew"))
        if isinstance(one, ast.ClassDef):
            continue
        parameters = frozenset(
            name
            for name, default in outside_of(one).items()
            if read_by(default, in_class=in_class) & changed
        )
        if parameters and id(one) in swaps:
            swap = plan.swaps[swaps[id(one)]]
            plan.swaps[swaps[id(one)]] = Swap(swap.qualname, swap.old, one, parameters)
        elif parameters and isinstance(counterpart, FUNCTIONS):
            plan.swaps.append(Swap(qualname, counterpart, one, parameters))


def _look_below(plan: Steps, new: ast.Module) -> None:
    """Refuse what would bind a name anew that a later statement binds as before."""
    fresh = {id(bind.statement) for bind in plan.binds}
    binders = [*simple(new.body, "")]
    binders += ((one, qualname[: -len(one.name)]) for one, qualname in definitions(new))
    binders = [(one, within) for one, within in binders if id(one) not in fresh]
    for bind in plan.binds:
        if isinstance(bind.statement, FUNCTIONS) and _extends(bind.statement):
            continue
        for one, within in binders:
            again = bind.names & bound_by(one) if within == bind.within else frozenset()
            if again and one.lineno > bind.statement.lineno:
                plan.obstacles.append((one.lineno, f"{min(again)} is bound there once more"))


def _names(plan: Steps) -> set[str]:
    """Return the classes that are new."""
    return {
        f"{bind.within}{bind.statement.name}"
        for bind in plan.binds
        if isinstance(bind.statement, ast.ClassDef)
    }


def _called_at_import(new: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the functions of a module that ran while it was imported, and a line of that."""
    functions = {
        one.name: one
        for one, qualname in definitions(new)
        if isinstance(one, FUNCTIONS) and "." not in qualname
    }
    waiting: list[tuple[str, int]] = []
    for one, _ in simple(new.body, ""):
        waiting += ((name, one.lineno) for name in _calls(one))
    for definition, _ in definitions(new):
        for part in definition.decorator_list:
            called = part.func if isinstance(part, ast.Call) else part
            waiting += ((name, part.lineno) for name in _named(called) | _calls(part))
    seen: set[str] = set()
    while waiting:
        name, line = waiting.pop()
        if name in functions and name not in seen:
            seen.add(name)
            yield name, line
            waiting += ((inner, line) for inner in _calls(functions[name]))


def _named(node: ast.AST) -> set[str]:
    return {node.id} if isinstance(node, ast.Name) else set()


def _calls(node: ast.AST) -> set[str]:
    """Return the names that are called when `node` runs, not when an inner function does."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(node.body) if isinstance(node, FUNCTIONS) else [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name):
            found.add(one.func.id)
        if not isinstance(one, (*FUNCTIONS, ast.Lambda)):
            waiting += ast.iter_child_nodes(one)
    return found


def _same_outside(old: Function, new: Function) -> bool:
    """Whether two functions differ in their inner functions alone."""

    class Blank(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
            return ast.Global([node.name])

        def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
            return ast.Global([node.name])

        def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
            return ast.Constant(len(node.args.args))

    sides = [
        [dump(Blank().visit(parsed(ast.unparse(part)))) for part in one.body]
        for one in (old, new)
    ]
    return sides[0] == sides[1] and dump(old.args) == dump(new.args)
