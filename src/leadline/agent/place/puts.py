"""Whether code does no more with what a name leads to than to put something into it.

What it holds does not come out then: a place in which it holds something else comes to the
same result. Read from the instructions, by how deep the value lies on the stack.
"""

import dis
from collections.abc import Sequence

_PUTS = frozenset(
    """
    append appendleft add extend update insert put put_nowait discard clear inc observe
    """.split()
)
"""Methods that take something in, and whose result is thrown away."""
_JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))
_SETS = frozenset(("STORE_ATTR", "STORE_GLOBAL", "STORE_NAME"))


def only_put_into(name: str, rest: Sequence[dis.Instruction]) -> bool:
    """Tell it of the value that an instruction has just put onto the stack, under a `name`;
    `rest` are those that follow."""
    depth, calls, is_copied, method = 1, 0, False, ""
    for one in rest:
        if one.opcode in _JUMPS:
            return False
        effect = dis.stack_effect(one.opcode, one.arg, jump=False)
        before, depth = depth, depth + effect
        if one.opname == "COPY":
            is_copied = True
        if depth <= 0:
            return _ends_well(name, one, before, calls, is_copied=is_copied)
        if one.opname in ("LOAD_ATTR", "LOAD_METHOD") and before == 1:
            method = str(one.argval)
        elif one.opname.startswith("CALL") and depth == 1:
            calls += 1
            if calls > 1 or method not in _PUTS:
                return False
    return False


def _ends_well(
    name: str, one: dis.Instruction, before: int, calls: int, *, is_copied: bool
) -> bool:
    """Tell whether the instruction that takes the value away lets nothing of it out."""
    if one.opname == "POP_TOP":
        return calls == 1
    if calls:
        return False
    if one.opname == "STORE_SUBSCR":
        return before == 2 or is_copied
    if one.opname in _SETS:
        is_target = one.opname == "STORE_ATTR" and before == 1
        return is_target or one.argval == name
    return False
