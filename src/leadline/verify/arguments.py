"""What the functions of the service are given, over those that call them.

The parameters of the entry are as they were when the call was made. What another function is
given is so too where all that call it give it what is steady.
"""

import ast
from collections.abc import Collection, Iterator, Mapping

from leadline.trial.scopes import Function
from leadline.trial.syntax import last_of
from leadline.verify.deeds import Text, called
from leadline.verify.effects import is_entry_of
from leadline.verify.steady import REQUEST, Given, Steady

type Place = tuple[str, str]
"""A function: its file, and its qualified name."""


class Arguments:
    """What is steady in functions that have run."""

    def __init__(self, texts: Mapping[str, Text], ran: Collection[Place], entry: str) -> None:
        """Where nothing is known to have run, all functions count; `entry` is
        `module:name`."""
        self._entry = entry
        self._functions: list[tuple[Place, Text, Function]] = [
            ((file, qualname), text, function)
            for file, text in texts.items()
            for qualname, function in text.functions
            if not ran or (file, qualname) in ran
        ]
        self._unsteady: dict[Place, set[str]] = {
            place: set(_kept_by(function)) for place, _, function in self._functions
        }
        self._known: dict[Place, tuple[frozenset[str], Steady]] = {}
        self._leave_out_unknown()
        self._named: dict[str, list[tuple[Place, Function]]] = {}
        for place, _, function in self._functions:
            self._named.setdefault(called(place[1]), []).append((place, function))
        calls = [
            [one for one in ast.walk(function)
             if isinstance(one, ast.Call) and last_of(one.func) in self._named]
            for _, _, function in self._functions
        ]  # fmt: skip
        count = -1
        while count != sum(map(len, self._unsteady.values())):
            count = sum(map(len, self._unsteady.values()))
            for (place, text, function), made in zip(self._functions, calls, strict=True):
                for call in made:
                    self._give(call, self.steady(place, text, function))

    def steady(self, place: Place, text: Text, function: Function) -> Steady:
        """Return what is steady in a function."""
        if place not in self._unsteady:
            return Steady(text, function, Given.UNKNOWN)
        given = Given.KEPT if self._is_entry(place) else Given.LOOKED_AT
        unsteady = frozenset(self._unsteady[place])
        known = self._known.get(place)
        if known is None or known[0] != unsteady:
            made = Steady(text, function, given, unsteady=unsteady)
            self._known[place] = known = unsteady, made
        return known[1]

    def _is_entry(self, place: Place) -> bool:
        return is_entry_of(*place, self._entry)

    def _leave_out_unknown(self) -> None:
        """Of a function that no text calls, or hands on, nobody knows what it is given."""
        calls = {
            id(node.func)
            for _, _, function in self._functions
            for node in ast.walk(function)
            if isinstance(node, ast.Call)
        }
        asked: set[str] = set()
        handed: set[str] = set()
        for _, _, function in self._functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Name | ast.Attribute):
                    (asked if id(node) in calls else handed).add(last_of(node))
        for place, _, function in self._functions:
            name = called(place[1])
            is_known = name in asked and name not in handed
            if not (is_known and not function.decorator_list) and not self._is_entry(place):
                # by a library: a request, if it is called so, and else whatever
                self._unsteady[place] = {*_parameters(function)} - {REQUEST}

    def _give(self, call: ast.Call, steady: Steady) -> None:
        for place, function in self._named.get(last_of(call.func), ()):
            parameters = _parameters(function)
            if not self._is_entry(place):
                self._unsteady[place] |= set(_unsteady_in(call, parameters, steady))


def _unsteady_in(call: ast.Call, parameters: list[str], steady: Steady) -> Iterator[str]:
    """Yield the parameters that are given something else than what is steady."""
    skipped = 1 if parameters[:1] in (["self"], ["cls"]) else 0
    yield from parameters[:skipped]
    for number, given in enumerate(call.args, skipped):
        if isinstance(given, ast.Starred):
            yield from parameters
        elif not steady.is_steady(given):
            yield from parameters[min(number, len(parameters) - 1) :][:1]
    for one in call.keywords:
        if one.arg is None:
            yield from parameters
        elif not steady.is_steady(one.value):
            yield one.arg if one.arg in parameters else parameters[-1]


def _kept_by(function: Function) -> Iterator[str]:
    """Yield the parameters of which the function itself keeps what they are, `known={}`."""
    told = function.args
    optional = [*told.posonlyargs, *told.args][-len(told.defaults) or None :]
    pairs = [*zip(optional, told.defaults, strict=False)] if told.defaults else []
    pairs += [
        (one, held) for one, held in zip(told.kwonlyargs, told.kw_defaults, strict=True) if held
    ]
    yield from (one.arg for one, held in pairs if not isinstance(held, ast.Constant))


def _parameters(function: Function) -> list[str]:
    told = function.args
    every = [*told.posonlyargs, *told.args, *told.kwonlyargs, told.vararg, told.kwarg]
    return [one.arg for one in every if one is not None]
