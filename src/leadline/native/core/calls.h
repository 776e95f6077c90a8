/* Calls: those that have begun and not ended, and the places that serve where a probe hits. */
#ifndef LEADLINE_CALLS_H
#define LEADLINE_CALLS_H

#include "core.h"

/* Take a passage through a place where the probe does not hit: ON, OFF, or FAILED. */
int calls_serve(Visit *visit);

/* Let the passage that sees calls end know of this one; -1 with an exception. */
int calls_open(Visit *visit);

/* Whether a passage that follows another one has nothing to wait for: ON, or OFF, and it is off. */
int calls_await(Meter *meter);

/* Find out how long this call has taken, if its beginning was seen; -1 with an exception. */
int calls_find_duration(Visit *visit);

#endif
