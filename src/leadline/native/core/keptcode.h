/* Kept code: nodes of classes and functions: the name under which a module has them, or where
   the code of a function is and what it closes over. */
#ifndef LEADLINE_KEPTCODE_H
#define LEADLINE_KEPTCODE_H

#include "keptnode.h"

/* A function of the module: what lies under a name in a dictionary, of which no key is asked
   whether it is equal.

   kept_among(names, name, otherwise) -> what lies there, or otherwise */
PyObject *kept_among(PyObject *module, PyObject *args);

/* `naming.found`: what modules and classes hold under a dotted name, step by step; borrowed, or
   NULL, perhaps with an exception. Other names than short ones of ASCII are not looked for. */
PyObject *kept_found(PyObject *modules, PyObject *module, PyObject *name);

Outcome write_class(KeptWalk *walk, PyObject *value);
Outcome write_function(KeptWalk *walk, PyObject *value);

#endif
