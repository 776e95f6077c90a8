/* Interior: what a clone needs to know of the interpreter that it cannot be asked for.

   Compiled against CPython's own headers, for 3.12 and 3.13 only; see `core/interior.h`. */
#ifndef LEADLINE_TWIN_INTERIOR_H
#define LEADLINE_TWIN_INTERIOR_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Why this thread cannot clone the process now: an error number and what to say, or 0. */
int interior_obstacle(const char **text);

/* Around the clone, with the GIL held. The application's own hooks of a fork do not run in the
   parent: it does not fork. Those of the child run in the child, with `interior_in_child`. */
void interior_before(void);
void interior_in_parent(void);
void interior_in_child(void);

/* The function that a running frame is of; new reference, NULL without an error if there is
   none. */
PyObject *interior_function(PyFrameObject *frame);

#endif
