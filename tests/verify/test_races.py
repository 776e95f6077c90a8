"""What a thread that a call has started comes to, and when, is no difference."""

import threading
from concurrent.futures import Future

import pytest

from leadline.agent.place.deep import deep_taker


@pytest.mark.parametrize("is_over", [False, True])
def test_whether_a_thread_still_runs_is_not_told(is_over):
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    if is_over:
        release.set()
        thread.join()
    told = deep_taker()(thread)
    release.set()
    thread.join()
    assert "alive" not in str(told)


def test_whether_a_future_is_done_is_not_told():
    open_, done = Future(), Future()
    done.set_result(1)
    assert deep_taker()(open_) == deep_taker()(done)
