/* Fields: what lies in an object under names: attributes, and the items of a named tuple. */
#ifndef LEADLINE_FIELDS_H
#define LEADLINE_FIELDS_H

#include "shape.h"
#include "walk.h"

/* Walk.fields and Walk.named; -1 with an exception. */
int fields_take_object(Walk *walk, PyObject *value, const Shape *shape, int level);
int fields_take_tuple(Walk *walk, PyObject *value, const Shape *shape, int level);

/* Tell whether attributes can be written in the order that the class says. */
int fields_lie_in_order(PyObject *value, const Shape *shape);

#endif
