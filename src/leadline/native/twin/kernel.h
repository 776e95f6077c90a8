/* Kernel: system calls that go straight to it, past libc.

   Between the clone and the first line of Python, and in the handler of refused calls, nothing
   may run that keeps state of its own: no lock (another thread, which is not there any more,
   may have held it), no `errno`, no cached ids. So the calls are made here, and answer as the
   kernel does: a negative number is an error. */
#ifndef LEADLINE_KERNEL_H
#define LEADLINE_KERNEL_H

#if !defined(__linux__) || !defined(__x86_64__)
#error "the twin is written for Linux on x86-64; elsewhere it is not built"
#endif

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/* Of the kernel, and too young for some of libc's headers. */
#define CALL_PIDFD_OPEN 434
#define CALL_LANDLOCK_CREATE_RULESET 444
#define CALL_LANDLOCK_ADD_RULE 445
#define CALL_LANDLOCK_RESTRICT_SELF 446
#define CALL_MSEAL 462

static inline long
kernel6(long number, long a, long b, long c, long d, long e, long f)
{
    long answer;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    /* What lets a call pass the filter lies in r9: it must not be found there by the next one. */
    __asm__ volatile("syscall\n\txorl %%r9d, %%r9d"
                     : "=a"(answer), "+r"(r9)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "cc", "memory");
    return answer;
}

/* As many arguments as are given, the others zero: each call says what it passes. */
#define KERNEL_PICK(n, a, b, c, d, e, f, ...) \
    kernel6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define kernel(...) KERNEL_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

static inline _Noreturn void
kernel_exit(int code)
{
    for (;;) {
        kernel(SYS_exit_group, code);
    }
}

/* Nanoseconds of the monotonic clock. */
static inline int64_t
kernel_now(void)
{
    struct {
        int64_t seconds, nanoseconds;
    } now = {0, 0};
    kernel(SYS_clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
    return now.seconds * 1000000000 + now.nanoseconds;
}

#define NUMBER_ROOM 24

/* Write a number at `to` in decimal and end the text; returns where it ends. */
static inline char *
kernel_decimal(char *to, uint64_t number)
{
    char digits[NUMBER_ROOM];
    int count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (count) {
        *to++ = digits[--count];
    }
    *to = 0;
    return to;
}

/* Copy a text to `to`, as much as fits before `end`, and end it; returns where it ends. */
static inline char *
kernel_text(char *to, const char *end, const char *text)
{
    while (to + 1 < end && *text) {
        *to++ = *text++;
    }
    *to = 0;
    return to;
}

/* The path by which a descriptor is opened once more. */
static inline void
kernel_descriptor_path(char path[40], long descriptor)
{
    char *at = kernel_text(path, path + 40, "/proc/self/fd/");
    kernel_decimal(at, (uint64_t)descriptor);
}

#endif
