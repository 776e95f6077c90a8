/* Kept walk: nodes of plain containers, instances and classes, one after the other. */
#ifndef LEADLINE_KEPTWALK_H
#define LEADLINE_KEPTWALK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* A function of the module, see `Keeper.walk` in agent/capture/keeping.py: write down the objects
   that come next, until there are no more, there is one that needs more than is known here, or
   `every` nodes more are done. Returns the room that is left.

   kept_nodes(objects, nodes, reach, memo, layouts, landmarks, pieces, modules, known, left, most,
              every) -> left */
PyObject *kept_nodes(PyObject *module, PyObject *args);

#endif
