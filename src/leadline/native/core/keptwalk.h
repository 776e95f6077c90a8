/* Kept walk: nodes of plain containers, instances, classes and functions, one by one. */
#ifndef LEADLINE_KEPTWALK_H
#define LEADLINE_KEPTWALK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* A function of the module, see `walked` in agent/capture/kept_quickly.py: write down the
   objects that come next, until there are no more, there is one that needs more than is known
   here, or the number of nodes can be divided by `every`. Returns the room that is left.

   kept_nodes(objects, nodes, reach, memo, layouts, landmarks, pieces, modules, known, left,
              most, every) -> left */
PyObject *kept_nodes(PyObject *module, PyObject *args);

#endif
