/* Ring: the bounded buffer between the application's threads and the sender, as
   agent/core/ring.py: full, it drops what is new, and counts that. */
#ifndef LEADLINE_RING_H
#define LEADLINE_RING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "passage.h"

typedef struct {
    Armed *armed;
    PyObject *task, *trace, *span; /* exact strs, or NULL for empty ones */
    double time;
    unsigned long thread;
    size_t size;
    char payload[];
} Kept;

typedef struct {
    PyObject_HEAD
    Kept **kept; /* a circle */
    Py_ssize_t capacity;
    Py_ssize_t first;
    Py_ssize_t count;
    long long bytes;
    long long most_records;
    long long most_bytes;
    long long most_record_bytes;
    long long full;
    long long too_large;
} Ring;

/* Put a copy of `size` bytes; returns NULL when there is no room, and counts why. The rest of
   what is kept is filled in by the caller. */
Kept *ring_put(Ring *ring, Armed *armed, const char *payload, size_t size);

PyTypeObject *ring_make_type(PyObject *module);

#endif
