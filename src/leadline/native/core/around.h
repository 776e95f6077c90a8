/* Around: whether a call is made in anything that has to be written down beside its arguments. */
#ifndef LEADLINE_AROUND_H
#define LEADLINE_AROUND_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* A function of the module, see `are_none` in agent/capture/kept_surroundings.py: whether there
   is no exception being handled, no context variable, nothing in the thread's locals (each a
   module and a name; `local` is their class, `members` reads their attributes), no standard
   stream but the process' own, and no other environment than before. False is no answer.

   around_is_bare(thread_locals, modules, local, members, environment, before) -> bool */
PyObject *around_is_bare(PyObject *module, PyObject *args);

#endif
