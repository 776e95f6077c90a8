/* Moment: where an expression is evaluated, and how much it may still look at. */
#ifndef LEADLINE_MOMENT_H
#define LEADLINE_MOMENT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "interior.h"

/* expression.fuel.FULL */
#define FULL_TANK 5000

/* Where a name is found, if it is no variable of the code itself. */
enum { WHERE_GLOBAL = -1, WHERE_DURATION = -2, WHERE_RESULT = -3, WHERE_EXCEPTION = -4 };

typedef struct {
    Frame *frame;
    PyObject *result; /* NULL where there is none */
    PyObject *exception; /* NULL where there is none */
    double duration_s;
    int has_duration;
    long long unheard; /* turns of the call that were counted only */
    const int *where; /* of each name of the program */
    long fuel;
} Moment;

/* Take from the fuel of the hit; returns 0 when there is none left. */
static inline int
moment_burn(Moment *moment, Py_ssize_t units)
{
    moment->fuel -= (long)units;
    return moment->fuel >= 0;
}

#endif
