/* Attribute: what `object.name` is where it only lies there, as expression/reading.py. */
#ifndef LEADLINE_ATTRIBUTE_H
#define LEADLINE_ATTRIBUTE_H

#include "moment.h"

/* Return the value, a new reference, or NULL: not here, with an exception if one has struck. */
PyObject *attribute_read(PyObject *object, PyObject *name, Moment *moment);

#endif
