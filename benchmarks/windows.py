"""How everything on the application's thread is measured: short windows that take turns.

A busy machine only ever adds, so of many windows the shortest counts; what is reported is how
much longer the shortest one with the subject is than the shortest one without it, in the same
process and within the same second. The spread is over rounds of this.
"""

import gc
import sys
import time
from collections.abc import Callable

type Call = Callable[[], object]


def extra_ns(
    plain: Call,
    probed: Call,
    switch: Callable[[bool], None],
    between: Callable[[], None],
    *,
    windows: int,
    turns: int,
    calls: int,
) -> tuple[float, float]:
    """Return the nanoseconds of thread time of a plain call, and those that the subject adds.

    `switch` puts it in and takes it out, once a turn; `between` empties its buffers after
    each window.
    """
    off = on = sys.float_info.max
    for _ in range(turns):
        switch(False)
        off = min(off, *(window_ns(plain, calls) for _ in range(max(2, windows // turns))))
        switch(True)
        probed()  # the first passage after arming
        for _ in range(max(2, windows // turns)):
            on = min(on, window_ns(probed, calls))
            between()
        switch(False)
    return off, on - off


def window_ns(call: Call, calls: int) -> float:
    """Return the thread time of one call, by a window of so many."""
    repeated = range(calls)
    gc.disable()
    began = time.thread_time_ns()
    for _ in repeated:
        call()
    took = time.thread_time_ns() - began
    gc.enable()
    return took / calls


def pauses_ns(call: Call, calls: int, between: Callable[[], None] = lambda: None) -> list[int]:
    """Return the time of each call, the longest last.

    By the wall's clock, because waiting is the subject's doing; but where the kernel took the
    processor away for somebody else, which is the machine's, the thread's own time counts.
    """
    import resource

    def aside() -> int:
        return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw

    times = []
    for _ in range(calls):
        before, began, used = aside(), time.perf_counter_ns(), time.thread_time_ns()
        call()
        took, own = time.perf_counter_ns() - began, time.thread_time_ns() - used
        times.append(took if aside() == before else own)
        between()
    return sorted(times)
