/* Kept rows: nodes of exact containers, and of what is made of a few objects. Each is left to
   Python where it needs more than is known here. */
#ifndef LEADLINE_KEPTROWS_H
#define LEADLINE_KEPTROWS_H

#include "keptnode.h"

Outcome write_dict(KeptWalk *walk, PyObject *value);
Outcome write_row(KeptWalk *walk, PyObject *value, const char *opening); /* a list or tuple */
Outcome write_set(KeptWalk *walk, PyObject *value, const char *opening); /* or a frozenset */
Outcome write_deque(KeptWalk *walk, PyObject *value);
Outcome write_bytes(KeptWalk *walk, PyObject *value);
Outcome write_method(KeptWalk *walk, PyObject *value);
Outcome write_cell(KeptWalk *walk, PyObject *value);
Outcome write_pattern(KeptWalk *walk, PyObject *value);
Outcome write_partial(KeptWalk *walk, PyObject *value);

/* A node without parts. */
Outcome write_bare(KeptWalk *walk, const char *opening);

#endif
