/* Kept: what the arguments of a call are written down with, where Python would take long. */
#ifndef LEADLINE_KEPT_H
#define LEADLINE_KEPT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* kept_attributes(names, memo, objects, known, left, most) -> (refs, left) or None, a function of
   the module: see agent/capture/keeping.py, `Keeper.attributes`. */
PyObject *kept_attributes(PyObject *module, PyObject *args);

#endif
