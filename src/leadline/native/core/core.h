/* Core: what is armed where, the callbacks of the interpreter, and the way of a hit. */
#ifndef LEADLINE_CORE_H
#define LEADLINE_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "passage.h"
#include "ring.h"
#include "table.h"

/* The events that are listened to; the first has a place for each offset. */
typedef enum {
    ON_INSTRUCTION,
    ON_START,
    ON_RETURN,
    ON_UNWIND,
    ON_RAISE,
    ON_YIELD,
    ON_RESUME,
    ON_THROW,
    EVENT_COUNT,
} Event;

/* Another listener of ours to the same event, called after what is armed. */
typedef struct {
    PyObject *callback; /* NULL without one */
    PyObject *codes; /* a tuple of those that it wants to hear of, or NULL for all */
} Listener;

typedef struct {
    PyObject_HEAD
    Table tables[EVENT_COUNT];
    PyObject *everywhere[EVENT_COUNT]; /* armed in all code, or NULL */
    Listener listeners[EVENT_COUNT];
    Ring *ring;
    PyObject *disable;
    /* What is done in Python, by name of agent/core/native.py. */
    PyObject *visit, *nothing, *decide, *take, *punted, *blame, *circumstances, *rest;
    PyObject *modules; /* sys.modules */
    PyObject *our_threads, *our_path, *demo_path;
    long long spent_ns, budget_ns, no_stack;
    long long in_python; /* times that Python was asked */
    Text scratch; /* what is being written; taken by one hit at a time */
} Core;

/* Outcomes of a passage: whether the probe has any use for the next one here. */
enum { FAILED = -1, OFF = 0, ON = 1 };

/* One passage through one place. */
typedef struct {
    Core *core;
    Armed *armed;
    Meter *meter;
    Moment moment;
    int readable; /* whether variables lie in the frame, at the places that are known */
    PyObject *visit; /* the `Visit` for Python, once it was needed */
} Visit;

/* Take a passage through all that is armed here; returns None or DISABLE, or NULL with an
   exception that is the application's. */
PyObject *visit_all(Core *core, PyObject *armed, PyObject *result, PyObject *exception);

/* Return the `Visit` for Python, borrowed, or NULL with an exception. */
PyObject *visit_object(Visit *visit);

/* Write the values of all watches, as a list; -1 with an exception. */
int visit_values(Visit *visit, Text *text, long long *room);

/* Write a snapshot; -1 with an exception. */
int snapshot_take(Visit *visit, Text *text);

PyTypeObject *core_make_type(PyObject *module);

#endif
