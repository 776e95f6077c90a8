/* Kept rows: nodes of exact containers, and of what is made of one or two objects. Each is left
   to Python where it needs more than is known here. */
#ifndef LEADLINE_KEPTROWS_H
#define LEADLINE_KEPTROWS_H

#include "keptnode.h"

Outcome write_dict(KeptWalk *walk, PyObject *value);
Outcome write_row(KeptWalk *walk, PyObject *value, Word kind); /* a list or a tuple */
Outcome write_set(KeptWalk *walk, PyObject *value, Word kind); /* or a frozenset */
Outcome write_bytes(KeptWalk *walk, PyObject *value);
Outcome write_method(KeptWalk *walk, PyObject *value);
Outcome write_cell(KeptWalk *walk, PyObject *value);

#endif
