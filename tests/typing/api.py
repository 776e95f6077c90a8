"""Checked by mypy, never run: the types that users of the public names rely on."""

from typing import assert_type

import leadline
from leadline.wire.probe import LogProbe
from leadline.wire.target import Target

assert_type(leadline.start(), bool)
assert_type(leadline.start("shop", url="http://127.0.0.1:7357", key="lla_x"), bool)
assert_type(leadline.__version__, str)
assert_type(Target.parse("app.py:3"), Target)
assert_type(LogProbe("p1", Target("app.py", 3), "t={t}").condition, str | None)
