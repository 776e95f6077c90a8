/* Ring: the bounded buffer between the application's threads and the sender, as
   agent/core/ring.py: full, it drops what is new, and counts that. */
#ifndef LEADLINE_RING_H
#define LEADLINE_RING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "passage.h"

/* When and where a hit happened. */
typedef struct {
    PyObject *task, *trace, *span; /* owned strs, or NULL for empty ones */
    double time;
    unsigned long thread;
} Circumstances;

typedef struct {
    Armed *armed;
    Circumstances at;
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

/* Tell whether there is room for so many bytes; count why if there is none. */
int ring_has_room(Ring *ring, size_t size);

/* Put a copy of `size` bytes with the circumstances, whose references are taken over; returns 0
   when there is no room, and counts why. A record is complete when it is put: from then on it
   is the sender's, who may take it as soon as another thread can run. */
int ring_put(Ring *ring, Armed *armed, const char *payload, size_t size, Circumstances *at);

void circumstances_let_go(Circumstances *at);

PyTypeObject *ring_make_type(PyObject *module);

#endif
