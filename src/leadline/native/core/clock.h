/* Clock: how long our own code takes of the application's thread.

   The thread's CPU clock is a call into the kernel: 0.2 to 1 us, more than most of what is to
   be measured. So a counter in the processor is read where it runs at a constant rate, and
   compared with the monotonic clock; docs/adr/0030 has the whole argument. */
#ifndef LEADLINE_CLOCK_H
#define LEADLINE_CLOCK_H

#include <stdint.h>

/* Choose the counter, and take the first of the two readings that its rate follows from. */
void clock_begin(void);

/* Read the counter. */
uint64_t clock_ticks(void);

/* Nanoseconds between two readings; 0 if the second lies before the first. */
int64_t clock_ns_between(uint64_t began, uint64_t ended);

/* Take the rate of the counter once more: it is the better the longer `clock_begin` is ago. */
void clock_adjust(void);

/* Nanoseconds of processor time that this thread has used. */
int64_t clock_thread_ns(void);

/* Nanoseconds of the monotonic clock. */
int64_t clock_monotonic_ns(void);

/* Seconds since 1970. */
double clock_time(void);

#endif
