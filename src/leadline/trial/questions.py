"""The two questions of a verify, put to a call at its end: is it a failing one, is it right."""

from collections.abc import Mapping
from typing import Any

from leadline.expression.predicate import Predicate, compile_predicate
from leadline.expression.unknown import Impossible, Unknown


class Questions:
    """Asks both; an empty text asks nothing. Its answers are None where there is none, and
    `unknown` says why of the first. `returned` and `value` are what the call came to."""

    def __init__(self, fails: str, expect: str, given: Mapping[str, Any]) -> None:
        """`given` is what the call was made with, by parameter. Raises `ExpressionError`."""
        self._given = given
        self.returned = True
        self.value: object = None
        self._fails = compile_predicate(fails) if fails else None
        self._expect = compile_predicate(expect) if expect else None
        self.fails: bool | None = None
        self.expect: bool | None = None
        self.unknown = ""

    def ask(self, bound: Mapping[str, Any], returned: bool, value: object) -> None:
        """Ask both of a call that has ended. `bound` is what the names of the parameters stand
        for then. The live call was asked with those; a candidate must not answer for itself by
        binding them anew, so it is asked with what was given too."""
        self.returned, self.value = returned, value
        passed = {**bound, **self._given}
        self.fails = self._failing(bound, returned, value)
        if self.fails is False:
            self.fails = self._failing(passed, returned, value)
        try:
            self.expect = self._answer(self._expect, passed, returned, value)
        except Impossible:  # Python would raise there: it does not hold
            self.expect = False

    def _failing(self, bound: Mapping[str, Any], returned: bool, value: object) -> bool | None:
        """Answer whether it is a failing call: where Python would raise, nobody has said so."""
        try:
            return self._answer(self._fails, bound, returned, value)
        except Impossible as impossible:
            self.unknown = self.unknown or impossible.reason
            return None

    def _answer(
        self,
        predicate: Predicate | None,
        bound: Mapping[str, Any],
        returned: bool,
        value: object,
    ) -> bool | None:
        if predicate is None:
            return None

        def scope(name: str) -> object:
            try:
                return bound[name]
            except KeyError:
                raise Unknown(f"there is no {name}") from None

        try:
            return predicate.holds(scope, returned, value)
        except Impossible:
            raise
        except Unknown as unknown:
            self.unknown = self.unknown or unknown.reason
            return None
