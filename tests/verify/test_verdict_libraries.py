"""What is not shown of tables, arrays and models is compared all the same."""

import pytest
from test_verdict_second_eyes import became, only

from leadline.verify.verdict import Candidate

MORE = """
import numpy, pandas, pydantic

class Model(pydantic.BaseModel):
    a: int
    b: str = "x"

def frame(**more):
    return pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}, **more)
"""
ROWS = 'pandas.MultiIndex.from_tuples([("a", 1), ("b", {})])'
KINDS = '[pandas.Series(pandas.Categorical(["a", "b"], categories={}))]'
UNKNOWN = {
    "rows": (f"return pandas.Series([1, 2], index={ROWS.format(1)})",
             f"return pandas.Series([1, 2], index={ROWS.format(2)})"),
    "index": ("return frame()", "return frame(index=[1, 2])"),
    "attributes": ("return frame()", "f = frame()\nf.attrs['k'] = 1\nreturn f"),
    "name": ("return frame()", "f = frame()\nf.index.name = 'q'\nreturn f"),
    "kinds": (f"return {KINDS.format(['a', 'b'])}", f"return {KINDS.format(['b', 'a'])}"),
    "closed": ("return pandas.Interval(0, 1)", "return pandas.Interval(0, 1, closed='left')"),
    "period": ("return pandas.Period('2020-01')", "return pandas.Period('2020-02')"),
    "delta": ("return pandas.Timedelta(1)", "return pandas.Timedelta(2)"),
    "fields": ("return numpy.array([(1, 2)], dtype=[('a', 'i4'), ('b', 'i8')])",
               "return numpy.array([(1, 3)], dtype=[('a', 'i4'), ('b', 'i8')])"),
    "mask": ("return numpy.ma.array([1, 2], mask=[0, 1])",
             "return numpy.ma.array([1, 2], mask=[1, 0])"),
    "order": ("return numpy.array([1, 2])", "return numpy.array([1, 2], dtype='>i8')"),
    "set": ("return Model(a=1)", "return Model(a=1, b='x')"),
}  # fmt: skip
SAME = {
    "frame": ("return frame()", "f = frame()\nreturn f[['a', 'b']]"),
    "array": ("return numpy.array([1, 2])", "return numpy.arange(1, 3)"),
    "model": ("return Model(a=1)", "return Model.model_validate({'a': 1})"),
}


def test_what_is_not_shown_leaves_it_unknown(tmp_path):
    pytest.importorskip("pandas")
    found = became(tmp_path, UNKNOWN | SAME, MORE)
    alike = {name for name, one in found.items() if one is Candidate.SAME}
    assert alike == set(SAME)
    assert found == {**found, **only(Candidate.SAME, SAME)}
