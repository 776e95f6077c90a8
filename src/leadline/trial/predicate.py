"""What is asked of a call that was made again: the same question as of the live one."""

from leadline.expression.predicate import Predicate, compile_predicate

__all__ = ["Predicate", "compile_predicate"]
