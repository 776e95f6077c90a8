/* Trap: what happens at a system call that the filter does not let pass.

   Most are written down and answered with an error. A few are made after all, once they have
   been looked at: opening a regular file for reading, blocking signals (but never the one that
   a refusal comes as, or the next refused call would end the twin), signals to oneself,
   threads up to a number. It runs as a signal handler in any thread. */
#ifndef LEADLINE_TRAP_H
#define LEADLINE_TRAP_H

#include "filter.h"

/* Threads alive at a time in a twin that may have some. */
#define THREADS_MAX 64

/* Receive refused calls from now on; returns 0 or an error number. */
int trap_begin(const Rules *rules);

#endif
