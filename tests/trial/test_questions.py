"""What is asked of a call at its end, in every place alike."""

from leadline.trial.calls import Call, given_to
from leadline.trial.questions import Questions


def test_a_candidate_does_not_answer_by_binding_a_parameter_anew():
    asked = Questions("x == 0", "x > 0", {"x": 0})
    asked.ask({"x": 5}, True, "done")
    assert (asked.fails, asked.expect, asked.unknown) == (True, False, "")
    assert (asked.returned, asked.value) == (True, "done")


def test_the_live_call_is_asked_with_what_the_names_stand_for_at_the_end():
    asked = Questions("x == 5", "", {"x": 0})
    asked.ask({"x": 5}, True, None)
    assert (asked.fails, asked.expect) == (True, None)


def test_what_has_no_answer_says_why():
    asked = Questions("y == 0", "result > 0", {})
    asked.ask({"x": 5}, True, 1)
    assert (asked.fails, asked.expect, asked.unknown) == (None, True, "there is no y")


def test_what_a_call_is_made_with():
    def sample(a, b=2, *rest, c=3, **more):
        """Takes all sorts."""

    call = Call(sample, (1, 2, 3, 4), {"c": 5, "d": 6}, sample.__code__)
    assert given_to(call) == {"a": 1, "b": 2, "c": 5, "d": 6}
