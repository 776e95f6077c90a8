"""What to say about each piece of Python that a person may try and that is not for here."""

import _ast as ast

CALLABLE = "only len(), isinstance(), .startswith() and .endswith() can be called"
NO_LOOP = "a loop has no bound; look at single items, such as items[0]"
NO_JOIN = "+ - * / // % are for numbers only; put texts side by side in the template"

CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.Lambda: f"a function cannot be defined here; {CALLABLE}",
    ast.IfExp: "a choice cannot be made here; use and, or, not, or two probes",
    ast.Dict: "a dictionary cannot be written here; compare single items, such as d['k'] == 1",
    ast.Set: "write a tuple instead of a set: x in (1, 2)",
    ast.ListComp: NO_LOOP,
    ast.SetComp: NO_LOOP,
    ast.DictComp: NO_LOOP,
    ast.GeneratorExp: NO_LOOP,
    ast.Await: "await would let other tasks of the application run; name a value that is there",
    ast.Yield: "yield would stop the application's function; name a value",
    ast.YieldFrom: "yield would stop the application's function; name a value",
    ast.JoinedStr: "an f-string formats values with their own code; compare the values",
    ast.NamedExpr: "an expression changes nothing, so := is not there; write == to compare",
    ast.Starred: "* cannot unpack here; name the values one by one",
    ast.Slice: "a slice stands in brackets after a value: x[1:3]",
}

OPERATORS: dict[type[ast.AST], str] = {
    ast.Pow: "** makes numbers without bound; write x * x",
    ast.LShift: "bits cannot be shifted; use * or //",
    ast.RShift: "bits cannot be shifted; use * or //",
    ast.BitAnd: "write and instead of &",
    ast.BitOr: "write or instead of |",
    ast.BitXor: "write != instead of ^",
    ast.MatMult: "@ runs code of the application; only + - * / // % are there, for numbers",
    ast.Invert: "write not instead of ~",
    ast.UAdd: "leave out the +",
}

_NO_CONVERSION = "values are compared as they are; leave out the conversion"
FUNCTIONS = {
    "any": NO_LOOP,
    "all": NO_LOOP,
    "sum": NO_LOOP,
    "min": NO_LOOP,
    "max": NO_LOOP,
    "sorted": NO_LOOP,
    "str": _NO_CONVERSION,
    "int": _NO_CONVERSION,
    "float": _NO_CONVERSION,
    "bool": _NO_CONVERSION,
    "repr": "repr() runs code of the application; in a template write {x!r}",
    "type": "write isinstance(x, Name) instead of type()",
    "abs": "write -5 < x < 5 instead of abs(x) < 5",
    "hasattr": "write x.name; a missing attribute makes the answer unknown",
    "getattr": "write x.name; a missing attribute makes the answer unknown",
    "eval": f"there is no eval here; {CALLABLE}",
}
METHODS = {
    "get": "write d['k'] instead of d.get('k'); a missing key makes the answer unknown",
    "keys": "in looks among the keys: write 'k' in d",
    "values": NO_LOOP,
    "items": NO_LOOP,
}
A_METHOD = f"a method call would run code of the application; {CALLABLE}"
A_CALL = f"a call would run code of the application; {CALLABLE}"

ATTRIBUTES = {
    "__class__": "write isinstance(x, Name) to ask for a class",
    "__dict__": "write x.name to read what an object holds",
}

MISSPELT = (
    ("&&", "write and instead of &&"),
    ("||", "write or instead of ||"),
    ("===", "write == instead of ==="),
    ("<>", "write != instead of <>"),
    ("++", "an expression changes nothing; write x + 1"),
    ("--", "an expression changes nothing; write x - 1"),
    ("+=", "an expression changes nothing; write == to compare"),
    ("-=", "an expression changes nothing; write == to compare"),
    ("=>", "write >= instead of =>"),
    ("=<", "write <= instead of =<"),
    ("=", "write == to compare"),
    ("!", "write not instead of !"),
    ("?", "a choice cannot be made here; use and, or, not, or two probes"),
    (";", "write one expression; a statement cannot be run here"),
    ("$", "write a name without $"),
    ("AND", "write and in small letters"),
    ("OR", "write or in small letters"),
    ("NOT", "write not in small letters"),
)
"""Tried where Python's own parser stumbles, longer ones first."""

A_STATEMENT = "write one expression that gives a value; a statement cannot be run here"
