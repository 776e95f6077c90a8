"""The safe expression language: asking a running process without running its code.

Conditions, log templates and watches are written in a small subset of Python. They are checked
where a probe is placed, compiled once, and answer true, false or *unknown*.
"""

from leadline.expression.check import check_expressions
from leadline.expression.condition import Condition, compile_condition
from leadline.expression.evaluation import Scope
from leadline.expression.pointing import ExpressionError
from leadline.expression.predicate import Predicate, compile_predicate
from leadline.expression.reading import Redacted, Unknown
from leadline.expression.template import Placeholder, Template, compile_template
from leadline.expression.watch import Watch, compile_watch

__all__ = [
    "Condition",
    "ExpressionError",
    "Placeholder",
    "Predicate",
    "Redacted",
    "Scope",
    "Template",
    "Unknown",
    "Watch",
    "check_expressions",
    "compile_condition",
    "compile_predicate",
    "compile_template",
    "compile_watch",
]
