#include "clock.h"

#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#define INVARIANT_LEAF 0x80000007u
#define INVARIANT_BIT (1u << 8)
#endif

static int has_counter;
static uint64_t first_ticks;
static int64_t first_ns;
static double ns_per_tick = 1.0;
static double believed; /* the first rate that was taken over long enough a time */

#define LONG_ENOUGH_NS 1000000
/* A counter that has jumped (a virtual machine that was moved) gives another rate than before;
   then it is not looked at any more. */
#define LARGEST_CHANGE 0.05

static int64_t
read_ns(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
counter_is_invariant(void)
{
#if defined(__x86_64__)
    unsigned int a, b, c, d;
    return __get_cpuid(INVARIANT_LEAF, &a, &b, &c, &d) && (d & INVARIANT_BIT);
#else
    return 0;
#endif
}

uint64_t
clock_ticks(void)
{
#if defined(__x86_64__)
    if (has_counter) {
        return __rdtsc();
    }
#endif
    return (uint64_t)read_ns(CLOCK_MONOTONIC);
}

void
clock_begin(void)
{
    has_counter = counter_is_invariant();
    first_ns = read_ns(CLOCK_MONOTONIC);
    first_ticks = clock_ticks();
    clock_adjust();
}

void
clock_adjust(void)
{
    if (!has_counter) {
        return;
    }
    int64_t ns = read_ns(CLOCK_MONOTONIC) - first_ns;
    uint64_t ticks = clock_ticks() - first_ticks;
    if (ns <= 0 || ticks == 0) {
        return;
    }
    double rate = (double)ns / (double)ticks;
    if (believed > 0 && (rate > believed * (1 + LARGEST_CHANGE) ||
                         rate < believed * (1 - LARGEST_CHANGE))) {
        has_counter = 0;
        ns_per_tick = 1.0;
        return;
    }
    ns_per_tick = rate;
    if (believed <= 0 && ns > LONG_ENOUGH_NS) {
        believed = rate;
    }
}

int64_t
clock_ns_between(uint64_t began, uint64_t ended)
{
    return ended > began ? (int64_t)((double)(ended - began) * ns_per_tick) : 0;
}

int64_t
clock_thread_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
clock_monotonic_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

double
clock_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
