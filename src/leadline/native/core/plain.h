/* Plain: what can be asked of exact builtin values, as expression/operations.py and reading.py
   answer it. -1 or NULL says "not here". */
#ifndef LEADLINE_PLAIN_H
#define LEADLINE_PLAIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "moment.h"

/* The order of these is that of agent/core/program.py. */
typedef enum {
    IS_EQUAL,
    IS_UNEQUAL,
    IS_LESS,
    IS_AT_MOST,
    IS_MORE,
    IS_AT_LEAST,
    IS_IN,
    IS_NOT_IN,
    IS_SAME,
    IS_NOT_SAME,
} Comparison;

typedef enum { ADD, SUBTRACT, MULTIPLY, DIVIDE, FLOOR, REMAINDER } Arithmetic;

static inline int
is_number(PyObject *value)
{
    return PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyBool_Check(value);
}

static inline int
is_text(PyObject *value)
{
    return PyUnicode_CheckExact(value) || PyBytes_CheckExact(value);
}

static inline int
is_plain(PyObject *value)
{
    return is_number(value) || is_text(value) || value == Py_None;
}

/* A whole number that fits a machine word can be calculated with; larger ones are not here. */
static inline int
is_small(PyObject *value)
{
    if (!PyLong_Check(value)) {
        return 1;
    }
    int overflow;
    PyLong_AsLongLongAndOverflow(value, &overflow);
    return !overflow;
}

/* `left comparison right`: 1, 0, or -1. */
int plain_related(Comparison comparison, PyObject *left, PyObject *right, Moment *moment);

/* What two numbers come to, or what an item is: a new reference, or NULL. */
PyObject *plain_calculated(Arithmetic operation, PyObject *left, PyObject *right);
PyObject *plain_item(PyObject *container, PyObject *key, Moment *moment);

/* Whether a value is true: 1, 0, or -1. */
int plain_truth(PyObject *value);

/* How many items, characters or bytes there are, or -1. */
Py_ssize_t plain_length(PyObject *value);

/* Whether the second of two items may lie under a secret name; also where that could not be
   found out. */
int plain_may_hide(PyObject *value);

/* `value.startswith(affix)`, or `endswith`: True or False, or NULL. */
PyObject *plain_has_affix(PyObject *value, PyObject *affix, int end, Moment *moment);

#endif
