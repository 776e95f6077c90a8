/* Measure: what a passage costs the application's thread; docs/adr/0030 has the argument. */
#ifndef LEADLINE_MEASURE_H
#define LEADLINE_MEASURE_H

#include <stdint.h>

#include "core.h"

/* How a passage is measured, and the readings at its beginning. */
typedef struct {
    enum { NOT, BY_TICKS, BY_THREAD } way;
    int weight;
    uint64_t ticks;
    int64_t thread_ns;
} Measure;

Measure measure_begin(Meter *meter);

/* Add what it came to to the probe's cost and to what was spent of the budget. */
void measure_end(const Measure *measure, Core *core, Meter *meter);

#endif
