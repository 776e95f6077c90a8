#include "measure.h"

#include "clock.h"

/* Of passages that are only counted one in so many is measured, and counts for all of them:
   reading the clock twice would cost more than the counting. */
#define MEASURED_OF_COUNTED 16
/* What is done in C takes no longer: 56,000 bytes of values. A passage that seems to take longer
   either went through Python, or its thread had to wait for a processor, which is no work. So
   it counts as this long, and the next ones are measured by the thread's own clock. */
#define LONGEST_IN_C_NS 200000

static void
add_cost(Core *core, Meter *meter, int64_t ns)
{
    meter->cost_ns += ns;
    if (!meter->apart) {
        meter->window_ns += ns;
        core->spent_ns += ns;
    }
}

Measure
measure_begin(Meter *meter)
{
    Measure measure = {.way = BY_TICKS, .weight = 1};
    if (meter->holds == Py_None && meter->take == Py_None) {
        measure.weight = MEASURED_OF_COUNTED;
        if (++meter->beat % MEASURED_OF_COUNTED != 0) {
            measure.way = NOT;
            return measure;
        }
    }
    if (meter->slow) {
        meter->slow--;
        measure.way = BY_THREAD;
        measure.thread_ns = clock_thread_ns();
    }
    measure.ticks = clock_ticks();
    return measure;
}

void
measure_end(const Measure *measure, Core *core, Meter *meter)
{
    if (measure->way == NOT) {
        return;
    }
    int64_t ns = clock_ns_between(measure->ticks, clock_ticks());
    if (measure->way == BY_THREAD) {
        ns = clock_thread_ns() - measure->thread_ns;
    }
    if (ns > LONGEST_IN_C_NS) {
        meter->slow = MEASURED_EXACTLY;
        if (measure->way == BY_TICKS) {
            add_cost(core, meter, LONGEST_IN_C_NS);
            return;
        }
    }
    add_cost(core, meter, ns * measure->weight);
}
