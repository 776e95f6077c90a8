/* Outline: what is cheap to see of the arguments of a call, to tell calls apart. */
#ifndef LEADLINE_OUTLINE_H
#define LEADLINE_OUTLINE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* A function of the module, see `shape_of_call` in agent/probes/choosing.py: two calls have the
   same bytes where that finds them to be of one shape.

   outline(named) -> bytes */
PyObject *outline(PyObject *module, PyObject *named);

#endif
