/* Kept fields: what lies in an object under names: in its dictionary, and in its slots. */
#ifndef LEADLINE_KEPTFIELDS_H
#define LEADLINE_KEPTFIELDS_H

#include "interior.h"
#include "keptnode.h"

#define MAX_SLOTS 32

/* Of the filled slots of an instance: their names, borrowed, and what is in them. */
typedef struct {
    Py_ssize_t count;
    PyObject *names[MAX_SLOTS], *held[MAX_SLOTS];
} Slots;

/* Read the slots of an instance, as its plan tells them: 1; 0 where there are too many; -1 with
   an exception. */
int slots_read(Slots *slots, PyObject *given, PyObject *value);
void slots_let_go(Slots *slots);

/* Whether all attributes of an instance fit: 1, 0, or -1 with an exception. */
int attributes_fit(Budget *budget, Names names, const Slots *slots);

/* Write attributes, with the comma before them; -1 with an exception. */
int put_names(KeptWalk *walk, Names names);
int put_slots(KeptWalk *walk, const Slots *slots);

#endif
