/* Stack: the calls that led to a hit, each with its variables, as agent/capture/stack.py. */
#ifndef LEADLINE_STACK_H
#define LEADLINE_STACK_H

#include "core.h"

/* Write `"frames":[...],"omitted":N`; -1 with an exception. */
int stack_take(Core *core, Frame *frame, const Taking *taking, Text *text, long long *room);

/* Let go of every code object. */
void plans_forget(void);

PyTypeObject *stack_make_type(PyObject *module);

#endif
