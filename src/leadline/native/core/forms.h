/* Forms: what has a readable form of its own and is common: functions, methods, classes,
   members of enums, dates. As agent/capture/callables.py, records.py and moments.py. */
#ifndef LEADLINE_FORMS_H
#define LEADLINE_FORMS_H

#include "shape.h"
#include "walk.h"

/* Take a value whose shape names one of these forms. Returns 1 when it is written, 0 when Python
   has to take it and nothing was written, -1 with an exception. */
int form_take(Walk *walk, PyObject *value, const Shape *shape, int level);

#endif
