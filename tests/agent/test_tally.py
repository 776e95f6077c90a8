"""What a probe adds up can be sent whatever the numbers are."""

import json
import sys
from collections import deque

import pytest

from leadline.agent.core.passage import Passage
from leadline.agent.probes.tally import Tally
from leadline.wire.hit import InstanceInfo, Report
from leadline.wire.messages import encode

INFO = InstanceInfo("i1", "shop", 1, "host", "app.py", "3.13.0", "0.1.0", "pure", 1.0)
MOST = sys.float_info.max


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([1.5, -0.5], 1.0),
        ([MOST, MOST], MOST),
        ([-MOST, -MOST], -MOST),
        ([MOST, MOST, -MOST], 0.0),
        ([5e-324, 0.0], 5e-324),
    ],
)
def test_a_point_is_json_that_every_reader_takes(values, total):
    passage = Passage("p1", None, None, 10, 1.0, 1.0, samples=deque(values))
    point = Tally(passage).point("p1", "i1", 0, last=True)
    assert (point.count, point.total) == (len(values), total)
    assert (point.low, point.high) == (min(values), max(values))
    assert sum(point.buckets.values()) == len(values)

    def refuse(word):
        raise AssertionError(word)

    json.loads(encode(Report(INFO, points=[point])), parse_constant=refuse)
