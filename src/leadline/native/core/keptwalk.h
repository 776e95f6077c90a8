/* Kept walk: nodes of plain containers, instances, classes and functions, one by one. */
#ifndef LEADLINE_KEPTWALK_H
#define LEADLINE_KEPTWALK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* A function of the module, see `walked` in agent/capture/kept_quickly.py: write down the
   objects that come next, until there are no more, there is one that needs more than is known
   here, the number of nodes can be divided by `every`, or the last one is also to be found in
   a twin (`lives`). Returns the room that is left, too.

   kept_nodes((objects, nodes, reach, slots, memo, layouts, landmarks, pieces, modules, known,
               prints, numbers, token, held), left, most, every, names_absent) -> (left, lives) */
PyObject *kept_nodes(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
