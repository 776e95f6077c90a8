"""The candidate's diff in a report is one that can be read again, whatever ends its lines."""

import pytest

from leadline.trial.candidate import from_diff, from_file
from leadline.verify.report import patch_of

OLD = "x = 1\ny = 2\nz = '\f\u2028'\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, OLD.replace("2", "3")),
        (OLD, OLD.rstrip("\n")),
        (OLD.rstrip("\n"), OLD),
        (OLD.rstrip("\n"), OLD.replace("1", "4").rstrip("\n")),
        (OLD, ""),
        ("", OLD),
    ],
)
def test_the_diff_of_a_candidate_makes_the_candidate(old, new):
    def read(name):
        return ("/srv/app.py", old) if name.endswith("app.py") else None

    candidate = from_file("app.py", new, read)
    again = from_diff(patch_of(candidate).diff, read)
    assert [(one.file, one.new or "") for one in again.changes] == [("/srv/app.py", new)]
