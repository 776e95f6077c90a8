"""Fuzzing of the parser and the evaluator, led by coverage: `make fuzz`, outside of CI.

    python tests/expression/fuzz.py [SECONDS]

`text` feeds any text to conditions, watches and templates: they are accepted or refused with an
`ExpressionError`, nothing else, and whatever is accepted comes to a value or to `Unknown`.
`grammar` builds expressions that are mostly accepted, and compares each answer with Python's
own `eval` where all operands are tame. After every input, no object of the hostile zoo has run.

Without atheris, inputs are random and nothing leads them.
"""

import random
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

try:
    import atheris
except ImportError:
    atheris = None

if atheris is None:
    from leadline import expression
else:
    with atheris.instrument_imports(include=["leadline.expression"]):
        from leadline import expression

import hostile  # noqa: E402 - after the instrumentation
from expression_corpus import CORPUS, read_corpus, read_objects  # noqa: E402
from leadline.expression import ExpressionError, Unknown  # noqa: E402

TARGETS = ("text", "grammar")
SECONDS = 120
MAX_INPUT = 400
_SCOPE = read_objects().scope()
_TAME = """
i zero minus yes no none f nan inf tiny wide s empty name path cafe b xs tup st fs d names dq
order.total order.items order.customer.name order.customer.vip point point.x when.year color.value
order.items[0]['sku'] d['a']['b'] d['k'] xs[0] tup[1] s[1:3] xs[::-1]
""".split()
_WILD = [*_SCOPE, "order.customer.full_name", "customer.orders", "nonsense", "password"]
_LITERALS = ["0", "1", "-1", "7", "1.5", "1e308", "True", "None", "''", "'h'", "'hello'", "'k'",
             "(1, 7)", "[1, 2, 3]", "('a', None)", "()", "2", "0.0", "10000000000000000000"]  # fmt: skip
_BETWEEN = ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "+", "-", "*", "/",
            "//", "%", "== 7 ==", "< 9 <"]  # fmt: skip


class Bytes:
    """Turns an input into choices; at its end everything is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 on."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1] % limit

    def one_of(self, choices):
        """Return one of up to 256 choices."""
        return choices[self.below(len(choices))]


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def expression_of(data: bytes) -> tuple[str, bool]:
    """Return an expression, and whether Python can be asked for its answer."""
    choices = Bytes(data)
    tame = choices.below(4) != 0
    return _expression(choices, _TAME if tame else _WILD, 0), tame


def _expression(choices: Bytes, names: list[str], depth: int) -> str:
    kind = choices.below(12) if depth < 6 else choices.below(3)
    if kind <= 1:
        return choices.one_of(names)
    if kind == 2:
        return choices.one_of(_LITERALS)
    inner = _expression(choices, names, depth + 1)
    match kind:
        case 3:
            return f"not {inner}"
        case 4:
            return f"(- {inner})"
        case 5:
            return f"len({inner})"
        case 6:
            return f"({inner}).startswith({_expression(choices, names, depth + 1)})"
        case 7:
            return f"({inner})[{choices.one_of(_LITERALS)}]"
        case 8:
            return f"({inner})[{choices.below(3)}:{choices.below(9)}]"
        case _:
            other = _expression(choices, names, depth + 1)
            return f"({inner} {choices.one_of(_BETWEEN)} {other})"


def look(name: str) -> object:
    if name not in _SCOPE:
        raise Unknown(f"there is no variable {name}")
    return _SCOPE[name]


def answer(text: str) -> bool | None:
    """Return what a condition says; None where it is refused or has no answer."""
    try:
        return expression.compile_condition(text).holds(look)
    except (ExpressionError, Unknown):
        return None


def try_text(data: bytes) -> None:
    text = text_of(data)
    said = answer(text)
    assert said is None or type(said) is bool
    for compiled in (expression.compile_watch, expression.compile_template):
        try:
            made = compiled(text)
            for asked in getattr(made, "placeholders", (made,)):
                asked.evaluate(look)
        except (ExpressionError, Unknown):
            continue
    expect_silence(text)


def try_grammar(data: bytes) -> None:
    text, tame = expression_of(data)
    said = answer(text)
    expect_silence(text)
    if tame and said is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's compiler has doubts that are not ours
            python = bool(eval(text, {"__builtins__": {"len": len}}, _SCOPE))
        assert python == said, f"{text!r}: Python says {python}, we say {said}"


def expect_silence(text: str) -> None:
    if hostile.calls:
        raise AssertionError(f"{text!r} ran {hostile.calls}")


def lead(target: str, seconds: int) -> None:
    """Fuzz until the time is over; ends the process, with another status than 0 for a find."""
    warnings.simplefilter("error")  # a warning would print, or run a hook, in a service
    work = {"text": try_text, "grammar": try_grammar}[target]
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(_seeds()):
            (Path(folder) / str(number)).write_bytes(text.encode("utf-8", "surrogateescape"))
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={MAX_INPUT}",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, "-verbosity=0", folder], work)
        atheris.Fuzz()


def wander(target: str, seconds: int) -> int:
    """Try random inputs until the time is over; returns how many."""
    work = {"text": try_text, "grammar": try_grammar}[target]
    chosen, seeds, tried = random.Random(), list(_seeds()), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = bytearray(chosen.choice(seeds).encode("utf-8", "surrogateescape"))
        for _ in range(chosen.randrange(4)):
            data.insert(chosen.randrange(len(data) + 1), chosen.randrange(256))
        work(bytes(data[:MAX_INPUT]) if target == "text" else chosen.randbytes(40))
        tried += 1
    return tried


def _seeds():
    for path in sorted(CORPUS.glob("*.toml")):
        yield from (case.text for case in read_corpus(path.stem) if len(case.text) <= MAX_INPUT)


def main() -> int:
    """Run both targets, each in a process of its own."""
    words = sys.argv[1:]
    if words and words[0] in TARGETS:
        if atheris is not None:
            lead(words[0], int(words[1]))
        print(f"stat::number_of_executed_units: {wander(words[0], int(words[1]))}")
        return 0
    seconds, failed = (words or [str(SECONDS)])[0], 0
    for target in TARGETS:
        done = subprocess.run(
            [sys.executable, __file__, target, seconds],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        counted = [
            line
            for line in (done.stdout + done.stderr).splitlines()
            if "executed_units" in line
        ]
        how = "led by coverage" if atheris is not None else "at random"
        print(f"{target}: {seconds} s {how}, {counted[0].split()[-1] if counted else '?'} inputs, "
              f"{'nothing found' if done.returncode == 0 else 'FOUND:'}")  # fmt: skip
        if done.returncode:
            failed = 1
            print((done.stdout + done.stderr)[-3_000:])
    return failed


if __name__ == "__main__":
    sys.exit(main())
