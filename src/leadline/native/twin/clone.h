/* Clone: the copy of the process, and a copy of the copy.

   It is not a fork as libc makes one: the parent gets no signal when it ends, and no `wait` of
   the application's finds it. */
#ifndef LEADLINE_CLONE_H
#define LEADLINE_CLONE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "seal.h"

/* Whether this process is a twin, or a grandchild. */
int clone_inside(void);

/* Make a twin: its id in the parent, 0 in the twin, -1 with an error set. */
int clone_twin(const Plan *plan);

/* In a twin: make a grandchild, sealed as it is. */
int clone_grandchild(int64_t life_us);

/* In a twin: that one of its grandchildren is no more. */
void clone_grandchild_ended(void);

#endif
