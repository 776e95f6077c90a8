/* Ending: what is seen of a captured call where it ends: the answer to its predicate, and its
   parameters as they are then. */
#ifndef LEADLINE_ENDING_H
#define LEADLINE_ENDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Functions of the module.

   parameters_of(frame) -> [(name, value), ...] of those that have a value, in their order
   parameters_shown(frame, limits, depth, items, text, room) -> ({name: JSON}, room)
   answer(program, frame, result) -> of a call that returned: whether the predicate holds; None:
       not here */
PyObject *parameters_of(PyObject *module, PyObject *frame);
PyObject *parameters_shown(PyObject *module, PyObject *args);
PyObject *answer(PyObject *module, PyObject *args);

#endif
