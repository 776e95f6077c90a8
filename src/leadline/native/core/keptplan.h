/* Kept plan: how the instances of a class are written down, as `kinds.py` has found out. */
#ifndef LEADLINE_KEPTPLAN_H
#define LEADLINE_KEPTPLAN_H

#include "keptnode.h"

/* As in agent/capture/kinds.py. */
typedef enum {
    KEPT_OBJECT,
    KEPT_DICT,
    KEPT_LIST,
    KEPT_TUPLE,
    KEPT_SET,
    KEPT_FROZENSET,
    KEPT_BYTES,
    KEPT_METHOD,
    KEPT_CELL,
    KEPT_FUNCTION,
    KEPT_DEQUE,
    KEPT_PATTERN,
    KEPT_PARTIAL,
    KEPT_CLASS,
    KEPT_LOCK,
    KEPT_RLOCK,
    KEPT_OPAQUE,
} KeptKind;

typedef struct {
    KeptKind kind;
    int has_names; /* whether instances have a dictionary */
    int called; /* whether they can be called */
    PyObject *slots; /* a tuple of (name, what reads it, its descriptor), borrowed */
    PyObject *name; /* of the class, borrowed */
} KeptPlan;

/* Find the plan of a class: 1; 0 where its instances are left to Python; -1 with an exception. */
int kept_plan(const KeptWalk *walk, PyTypeObject *cls, KeptPlan *plan);

/* Return the layout of a class as expression/layout.py has it, borrowed, if the class is still
   laid out that way; else NULL, perhaps with an exception. */
PyObject *kept_layout(const KeptWalk *walk, PyTypeObject *cls);

/* Let go of every class. */
void kept_plans_forget(void);

#endif
