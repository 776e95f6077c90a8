/* Kept rows: nodes of exact containers, and of what is made of one or two objects. Each is left
   to Python where it needs more than is known here. */
#ifndef LEADLINE_KEPTROWS_H
#define LEADLINE_KEPTROWS_H

#include "keptnode.h"

Outcome write_dict(Walk *walk, PyObject *value);
Outcome write_row(Walk *walk, PyObject *value, Word kind); /* a list or a tuple */
Outcome write_set(Walk *walk, PyObject *value, Word kind); /* or a frozenset */
Outcome write_bytes(Walk *walk, PyObject *value);
Outcome write_method(Walk *walk, PyObject *value);
Outcome write_cell(Walk *walk, PyObject *value);

#endif
