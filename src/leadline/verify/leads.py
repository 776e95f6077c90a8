"""What of one function a change leads to, by its statements and names."""

import ast
import re
from collections.abc import Collection, Iterator, Sequence

from leadline.trial.scopes import FUNCTIONS, Function, head
from leadline.trial.syntax import last_of, locals_of
from leadline.verify.deeds import Text, called, own_nodes
from leadline.verify.naming import root_of
from leadline.verify.steady import (
    Given,
    Steady,
    goes_on,
    is_class_name,
    is_set,
    is_steady_function,
    stored,
    swallows,
    within_of,
)

_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break, ast.Assert)
_DECIDE = (ast.If, ast.While, ast.For, ast.AsyncFor, ast.Match, ast.Try, ast.TryStar)
_MADE_ANEW = frozenset(("add", "create"))
"""Methods that make a row anew each time, whatever is there."""
_ON_OTHERS = _MADE_ANEW | {"save"}
_WRITES = frozenset(("execute", "executemany"))
_NAME = r"[\w.\"`]+"
_AS_PLAIN = re.compile(
    rf"\s*insert\s+into\s+{_NAME}\s*(?:\([^()]*\)\s*)?values\s*\(.*\)\s*;?\s*"
    rf"|\s*update\s+{_NAME}\s+set\s+(?:{_NAME}\s*=\s*[?:]\w*\s*,?\s*)+where\s.*",
    re.IGNORECASE | re.DOTALL,
)
"""Statements that write what they are given, whatever is there."""
_DEPENDS = re.compile(
    r"\b(conflict|ignore|replace|select|coalesce|ifnull|case)\b", re.IGNORECASE
)


class Names:
    """Names of what is changed, or leads there."""

    def __init__(self) -> None:
        self._plain: set[str] = set()
        self._of_classes: set[str] = set()

    def __len__(self) -> int:
        return len(self._plain) + len(self._of_classes)

    def add(self, *qualnames: str) -> None:
        """Add functions and what is bound, by their qualified names."""
        for name in qualnames:
            (self._of_classes if "." in name else self._plain).add(called(name))

    def is_at(self, node: ast.AST, text: Text, own: Collection[str] = ()) -> bool:
        """Tell whether a node is such a name: of a class that of an attribute of whatever
        object, else also of another module's. `own` are names of the function's own."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return name not in own and (name in self._plain or name in self._of_classes)
            case ast.Attribute(attr=name, ctx=ast.Load()):
                is_imported = root_of(node) in text.foreign
                return name in self._of_classes or (is_imported and name in self._plain)
        return False

    def are_in(self, node: ast.AST, text: Text, own: Collection[str] = ()) -> bool:
        """Tell whether a node asks for any; of a function all of it."""
        if not isinstance(node, FUNCTIONS):
            return any(self.is_at(one, text, own) for one in own_nodes(node))
        own = locals_of(node)
        return any(self.is_at(one, text, own) for one in ast.walk(node))


class Leading:
    """What leads to what in one function."""

    def __init__(
        self,
        text: Text,
        function: Function,
        lines: frozenset[int],
        names: Names,
        steady: Steady,
        *,
        is_hooked: bool,
        own_methods: Collection[str] = (),
        trusts_text: bool = True,
    ) -> None:
        """`own_methods` are names of functions of the service's that have run. What is set each
        time counts, too, unless `trusts_text`."""
        self._own_methods, self._trusts_text = own_methods, trusts_text
        self._text, self._lines, self._names = text, lines, names
        self._steady, self._is_hooked = steady, is_hooked
        self._own, self._name = locals_of(function), function.name
        self._fresh = text.fresh_names(function)
        self._statements = list(within_of(function))
        self._led: set[str] = set()
        self._filled: set[str] = set()
        """Names of which only attributes are led to."""
        count = -1
        while count != len(self._led | self._filled):
            count = len(self._led | self._filled)
            for statement, above in self._statements:
                if self._is_led(statement) or any(map(self._is_decided, above)):
                    filled = _filled(statement)
                    self._led |= set(stored(statement)) - filled - self._told(statement)
                    self._filled |= filled
                self._led |= self._carried(statement)

    def _carried(self, statement: ast.stmt) -> set[str]:
        """Return the names by which what is led to is carried on: of a function that is defined
        within and asks for it, of an exception that may hold it."""
        names: set[str] = set()
        within: Sequence[ast.AST] = ()
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            names, within = {statement.name}, statement.body
        elif isinstance(statement, ast.Try | ast.TryStar):
            names, within = {one.name for one in statement.handlers if one.name}, statement.body
        inner = (one for each in within for one in ast.walk(each) if names)
        return names if any(isinstance(one, ast.stmt) and self._is_led(one)
                            for one in inner) else set()  # fmt: skip

    def deeds(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that set something which the change leads to; of changed ones that
        set it each time, whatever is there, also what."""
        left = min(
            (one.lineno for one, above in self._statements if self._leaves(one, above)),
            default=0,
        )
        count = 0
        for statement, above in self._statements:
            if not self._text.is_deed(statement, self._fresh):
                continue
            count += 1
            if any(map(self._is_decided, above)) or 0 < left < statement.lineno:
                yield statement.lineno, ""
            elif self._is_touched(statement):
                if not self._is_trusted(statement):
                    yield statement.lineno, ""
                    continue
                what = self._set_anew(statement) if self._is_sure(statement, above) else ""
                yield statement.lineno, what or self._called(statement, above, count)
            elif self._sets_led(statement) and not (
                self._is_trusted(statement) and self._is_as_plain(statement, above)
            ):
                yield statement.lineno, ""

    def _is_trusted(self, statement: ast.stmt) -> bool:
        """Tell whether it is known what a statement does that looks like a write: one of the
        service's own that is called `execute` may do anything."""
        calls = (one for one in own_nodes(statement) if isinstance(one, ast.Call))
        names = {last_of(one.func) for one in calls} & (_WRITES | _ON_OTHERS)
        return self._trusts_text and names.isdisjoint(self._own_methods)

    def _is_touched(self, statement: ast.stmt) -> bool:
        return bool(self._lines) and not self._lines.isdisjoint(head(statement))

    def _is_led(self, node: ast.AST) -> bool:
        """Tell whether a statement or expression is changed, or asks for what is led to."""
        if isinstance(node, ast.stmt) and self._is_touched(node):
            return True
        led = self._led | self._filled
        return self._names.are_in(node, self._text, self._own) or bool(_loads(node) & led)

    def _sets_led(self, statement: ast.stmt) -> bool:
        """Tell whether what an unchanged statement sets is led to. A function that is called is
        looked at itself: here what it is given counts."""
        if not self._is_led(statement):
            return False
        calls = self._text.only_calls(statement, self._fresh)
        return not calls or any(map(self._is_given_led, calls))

    def _is_given_led(self, call: ast.Call) -> bool:
        if not self._callees(call.func):
            return self._is_led(call)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        given = [*call.args, *(one.value for one in call.keywords), *filter(None, [owner])]
        return any(map(self._is_led, given))

    def _callees(self, func: ast.expr) -> list[Function]:
        """As of the text; of what the function itself has defined nothing is known."""
        is_own = isinstance(func, ast.Name) and func.id in self._own
        return [] if is_own else self._text.callees(func)

    def _told(self, statement: ast.stmt) -> set[str]:
        """Return the name of a connection, or session, that is only told what to write."""
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name) as func)):
                root = root_of(func)
                writes = name in _WRITES or (name in _ON_OTHERS and root not in self._fresh)
                known = [] if self._is_hooked else self._callees(func)
                helps = bool(known) and all(_only_writes(self._text, one) for one in known)
                return {root} if writes or helps else set()
        return set()

    def _is_decided(self, above: ast.stmt) -> bool:
        """Tell whether the change decides whether the body of a statement runs."""
        if isinstance(above, ast.Try | ast.TryStar):
            return self._is_touched(above) or (goes_on(above) and self._may_raise(above))
        if isinstance(above, ast.With | ast.AsyncWith):
            return swallows(self._text, above) and self._may_raise(above)
        return isinstance(above, _DECIDE) and self._is_led(above)

    def _may_raise(self, above: ast.Try | ast.TryStar | ast.With | ast.AsyncWith) -> bool:
        """Tell whether the change may decide what is caught."""
        return any(
            self._is_touched(one) or self._names.are_in(one, self._text, self._own)
            for statement in above.body
            for one in ast.walk(statement)
            if isinstance(one, ast.stmt)
        )

    def _leaves(self, statement: ast.stmt, above: Sequence[ast.stmt]) -> bool:
        """Tell whether the change decides whether what comes after a statement is reached."""
        if not isinstance(statement, _LEAVES):
            return False
        decided = any(map(self._is_decided, above))
        if isinstance(statement, ast.Assert):
            return decided or self._is_led(statement)
        return decided or self._is_touched(statement)

    def _is_as_plain(self, statement: ast.stmt, above: Sequence[ast.stmt]) -> bool:
        """Tell whether a statement sets what it is led to each time, whatever is there before:
        then another value shows, in what is written."""
        led = _loads(statement) & self._led
        if not all(map(self._steady.has, led)) or not self._are_steady(statement):
            return False
        if not self._is_sure(statement, above):
            return False
        places = [
            one
            for one in own_nodes(statement)
            if isinstance(one, ast.Subscript | ast.Attribute) and is_set(one)
        ]
        if not all(map(self._is_plain_place, places)):
            return False
        return all(self._steady.is_steady(one) or self._is_beside(one)
                   for one in self._pieces(statement))  # fmt: skip

    def _is_beside(self, piece: ast.AST) -> bool:
        """Tell whether a piece has nothing to do with the change, and chooses nothing."""
        is_plain = isinstance(piece, ast.Name | ast.Attribute | ast.Subscript)
        return not self._is_led(piece) and (is_plain or not self._steady.has_own(piece))

    def _pieces(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a statement sets each time, piece by piece: of the values in what is
        displayed, in a row that is made, and in what a call writes that it is given."""
        match node:
            case ast.Expr(value=value) | ast.Assign(value=value) | ast.Await(value=value):
                yield from self._pieces(value)
            case ast.Tuple(elts=values) | ast.List(elts=values) | ast.Set(elts=values):
                for one in values:
                    yield from self._pieces(one)
            case ast.Dict(keys=keys, values=values):
                for each in (*filter(None, keys), *values):
                    yield from self._pieces(each)
            case ast.Call(args=args, keywords=keywords) if self._sets_anew(node):
                for each in (*args, *(one.value for one in keywords)):
                    yield from self._pieces(each)
            case _:
                yield node

    def _are_steady(self, statement: ast.stmt) -> bool:
        """Tell whether all functions that lead to the change are steady ones, as it calls
        them."""
        for one in own_nodes(statement):
            if self._names.is_at(one, self._text, self._own) and not (
                isinstance(one, ast.Name)
                and one.id in self._text.named
                and all(
                    is_steady_function(self._text, function, frozenset())
                    for function in self._text.callees(one)
                )
            ):
                return False
        return True

    def _set_anew(self, statement: ast.stmt) -> str:
        """Return what a statement sets, if it is set to what is steady; else nothing."""
        match statement:
            case ast.Assign(targets=[ast.Attribute() as target], value=value):
                is_plain = self._is_plain_place(target) and self._steady.is_steady(value)
                return ast.dump(target) if is_plain else ""
            case (
                ast.Expr(value=ast.Call() as call)
                | ast.Assign(targets=[ast.Name()], value=ast.Call() as call)
            ) if self._sets_anew(call):
                said = ast.dump(call.args[0]) if call.args and _text(call.args[0]) else ""
                given = [*call.args, *call.keywords]
                if all(map(self._steady.is_steady, given)):
                    return f"{ast.dump(call.func)} {said}"
        return ""

    def _called(self, statement: ast.stmt, above: Sequence[ast.stmt], count: int) -> str:
        """Return what a statement calls, and where, if it sets nothing otherwise, and nothing
        that is called is led to; else nothing. `count` tells which deed of its function it
        is."""
        calls = self._text.only_calls(statement, self._fresh)
        led = self._led | self._filled
        for call in calls:
            if self._names.are_in(call, self._text, self._own) or _loads(call) & led:
                return ""
        leaves = [one for one, _ in self._statements
                  if isinstance(one, _LEAVES) and one.lineno < statement.lineno]  # fmt: skip
        beneath = [_branch(one, statement) for one in above]
        said = [self._name, count, len(leaves), *beneath, *map(ast.dump, calls)]
        return " ".join(map(str, said)) if calls else ""

    def _is_plain_place(self, place: ast.Attribute | ast.Subscript) -> bool:
        """Tell whether what is set there is kept as it is, and written with its object: no
        item of a table, which may be written later or not, and nothing with a setter."""
        is_attribute = isinstance(place, ast.Attribute) and place.attr not in self._text.named
        return is_attribute and not self._is_hooked

    def _is_sure(self, statement: ast.stmt, above: Sequence[ast.stmt]) -> bool:
        """Tell whether a statement has run when the call was made as it runs now: nothing
        before could have left the function otherwise."""
        return all(map(self._steady.is_sure, above)) and all(
            all(map(self._steady.is_sure, above))
            and (self._steady.is_steady(leaf) or not isinstance(leaf, ast.Assert))
            for leaf, above in self._statements
            if isinstance(leaf, _LEAVES) and leaf.lineno < statement.lineno
        )

    def _sets_anew(self, call: ast.Call) -> bool:
        """Tell it of a call that is given, or made on, what is led to."""
        name = last_of(call.func)
        if name in _WRITES:
            return _writes_plainly(call)
        if self._is_hooked or name in self._own or name in self._text.named:
            known = [] if self._is_hooked else self._callees(call.func)
            always = bool(known) and all(_only_writes(self._text, one) for one in known)
            return always or self._steady.is_steady(call)
        if name == "save" and not (call.args or call.keywords):
            return True  # of Django: all columns, as they are
        if name in _MADE_ANEW:
            return _makes_anew(call)
        return name[:1].isupper() or self._steady.is_steady(call)


def _as_given(call: ast.Call, steady: Steady) -> bool:
    """Tell whether what is written is what the function is given, or has nothing to do with
    it, such as the time: no choice between that and what is there."""
    waiting: list[ast.expr] = [*call.args, *(one.value for one in call.keywords)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Tuple | ast.List):
            waiting += one.elts
        elif isinstance(one, ast.Dict):
            waiting += filter(None, [*one.keys, *one.values])
        elif isinstance(one, ast.Call) and is_class_name(last_of(one.func)):
            waiting += [*one.args, *(each.value for each in one.keywords)]
        elif not steady.is_steady(one) and steady.has_own(one):
            return False
    return True


def _branch(above: ast.stmt, statement: ast.stmt) -> str:
    """Return the head of what a statement is in, and in which part of it that is."""
    part = next(
        name
        for name, held in ast.iter_fields(above)
        for one in (held if isinstance(held, list) else [held])
        if isinstance(one, ast.AST) and any(each is statement for each in ast.walk(one))
    )
    said = [one for one in ast.iter_child_nodes(above) if not isinstance(one, ast.stmt)]
    return f"{part} of {[ast.dump(one) for one in said]}"


def _writes_plainly(call: ast.Call) -> bool:
    """Tell whether SQL writes what it is given, whatever is there."""
    text = _text(call.args[0]) if call.args else ""
    return not _DEPENDS.search(text) and _AS_PLAIN.fullmatch(text) is not None


def inserts(call: ast.Call) -> bool:
    """Tell whether SQL adds the row that it is given, whatever is there."""
    return _writes_plainly(call) and _text(call.args[0]).lstrip()[:6].lower() == "insert"


def _makes_anew(call: ast.Call) -> bool:
    return last_of(call.func) != "add" or len(call.args) == 1  # of two: to a cache, perhaps


def _only_writes(text: Text, function: Function) -> bool:
    """Tell whether a function sets something each time, and sets what it is given."""
    fresh, *statements = text.fresh_names(function), *within_of(function)
    steady, writes = Steady(text, function, Given.LOOKED_AT), False
    for number, (statement, above) in enumerate(statements, 1):
        if isinstance(statement, (*_DECIDE, *_LEAVES)) and number < len(statements):
            return False
        if not all(isinstance(one, ast.With | ast.AsyncWith) for one in above):
            return False
        if not text.is_deed(statement, fresh) or isinstance(
            statement, ast.With | ast.AsyncWith
        ):
            continue
        match statement:
            case (
                ast.Expr(value=ast.Call() as call)
                | ast.Assign(targets=[ast.Name()], value=ast.Call() as call)
            ) if last_of(call.func) in _WRITES:
                if not _writes_plainly(call) or not _as_given(call, steady):
                    return False
                writes = True
            case ast.Expr(value=ast.Call() as call) if last_of(call.func) in _MADE_ANEW:
                if not _makes_anew(call) or not _as_given(call, steady):
                    return False
                writes = True
            case _:
                return False
    return writes


def _text(node: ast.expr) -> str:
    said = node.value if isinstance(node, ast.Constant) else ""
    return said if isinstance(said, str) else ""


def _filled(statement: ast.stmt) -> set[str]:
    """Return the names of which a statement sets attributes, and nothing else."""
    if not isinstance(statement, ast.Assign):
        return set()
    found = {root_of(one) for one in statement.targets if isinstance(one, ast.Attribute)}
    return found if len(found) == len(statement.targets) else set()


def _loads(node: ast.AST) -> set[str]:
    return {one.id for one in own_nodes(node) if isinstance(one, ast.Name) and not is_set(one)}
