/* Kept live: how an object of this process is found in a twin of it (agent/capture/living.py). */
#ifndef LEADLINE_KEPTLIVE_H
#define LEADLINE_KEPTLIVE_H

#include "keptnode.h"

#define LIVE_BYTES 40 /* agent/capture/keeping.py */

/* Write the number that an object has already, with the comma before it: 1; 0 where it has none
   or is found by way of another, which Python says; -1 with an exception. */
int put_live(KeptWalk *walk, PyObject *value);

#endif
