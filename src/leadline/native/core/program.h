/* Program: an expression as it is evaluated here: over exact builtin values, and objects whose
   attributes only lie there.

   There are two outcomes: a value, or "not here". The second is no answer: the expression is
   then evaluated by the package `expression`, which knows every case and gives the reasons.
   Since both only read, nothing is lost by having begun. */
#ifndef LEADLINE_PROGRAM_H
#define LEADLINE_PROGRAM_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "moment.h"

typedef struct {
    PyObject_HEAD
    struct Node *root;
    Py_ssize_t name_count;
    PyObject *names; /* a tuple */
} Program;

extern PyTypeObject *program_type;

/* Return the value, a new reference, or NULL: not here. With an exception, one has struck while
   Python was asked for a class or a name; it is for the caller to judge. */
PyObject *program_value(Program *program, Moment *moment);

/* Return 1 or 0 as a condition, -1: not here, as above. */
int program_holds(Program *program, Moment *moment);

PyTypeObject *program_make_type(PyObject *module);

#endif
