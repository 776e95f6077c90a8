/* Kept: what the arguments of a call are written down with, where Python would take long. */
#ifndef LEADLINE_KEPT_H
#define LEADLINE_KEPT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Functions of the module, see agent/capture/keeping.py: what stands for all that is in a
   container, and the room that is left; None, and nothing is taken, where any of it needs more
   than is known here.

   kept_attributes(names, memo, objects, known, left, most) -> ({name: ref}, left)
   kept_entries(entries, memo, objects, known, left, most) -> ([[ref, ref], ...], left)
   kept_items(items, memo, objects, left, most) -> ([ref, ...], left) */
PyObject *kept_attributes(PyObject *module, PyObject *args);
PyObject *kept_entries(PyObject *module, PyObject *args);
PyObject *kept_items(PyObject *module, PyObject *args);

#endif
