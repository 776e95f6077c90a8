"""The third answer: what an expression says when only the application's own code could tell."""


class Unknown(Exception):  # noqa: N818 - an answer, not a failure
    """There is no answer; `reason` is one sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Exhausted(Unknown):
    """The hit has no fuel left: nothing more is looked at, whoever asks."""


class Impossible(Unknown):
    """Nobody's code decides: Python raises an error there, as `None["cost"]` does. Of what has
    to hold of a call that is the answer no."""


class Redacted(Unknown):
    """There is an answer and it stays home; `rule` names why, such as `name:password`."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"the value is redacted by the rule {rule}")
        self.rule = rule
