"""A clock that somebody sets: a process started under it believes it to be hours away.

Only the time of day jumps, as when a machine's clock is set; the steady clock goes on.
"""

import subprocess
from pathlib import Path

SOURCE = """\
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
    char text[32] = "";
    const char *path = getenv("CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    return size > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += shift();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec fine;
    if (clock_gettime(CLOCK_REALTIME, &fine)) return -1;
    now->tv_sec = fine.tv_sec;
    now->tv_usec = fine.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    if (now) *now = fine.tv_sec;
    return fine.tv_sec;
}
"""


class Clock:
    """Set by `shift`; `env` is for the processes that are to go by it."""

    def __init__(self, folder: Path, compiler: str) -> None:
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(SOURCE, "utf-8")
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", library, source],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        self._file = folder / "shift"
        self.env = {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(self._file)}
        self.shift(0)

    def shift(self, seconds: int) -> None:
        """Set the clock so far from the right time, in one step."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds), "utf-8")
        new.replace(self._file)
