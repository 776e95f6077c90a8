/* Surroundings: the task, the trace and the context that a hit happened in.

   What they are is read in Python (agent/capture/task.py, trace.py, contexts.py); here is only
   seen whether there are any. */
#ifndef LEADLINE_SURROUNDINGS_H
#define LEADLINE_SURROUNDINGS_H

#include "core.h"

/* Read the time, the thread, and the names of the task, trace and span; -1 with an
   exception. */
int circumstances_read(Core *core, Circumstances *at);

/* Write `,"tasks":[...],"context":{...}}`; -1 with an exception. */
int rest_take(Core *core, const Taking *taking, Text *text, long long room);

#endif
