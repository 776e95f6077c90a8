/* Kept: what the arguments of a call are written down with, where Python would take long. */
#ifndef LEADLINE_KEPT_H
#define LEADLINE_KEPT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Functions of the module, see agent/capture/keeping.py: what stands for all that is in a
   container, and the room that is left; None, and nothing is taken, where any of it needs more
   than is known here.

   kept_attributes(names, memo, objects, known, left, most) -> ({name: ref}, left)
   kept_entries(entries, memo, objects, known, left, most) -> ([[ref, ref], ...], left)
   kept_items(items, memo, objects, left, most) -> ([ref, ...], left) */
PyObject *kept_attributes(PyObject *module, PyObject *args);
PyObject *kept_entries(PyObject *module, PyObject *args);
PyObject *kept_items(PyObject *module, PyObject *args);

typedef struct {
    PyObject *memo, *objects;
    long long left;
} Keeper;

/* What is asked before anything is taken, with the most that it can come to: whether there is
   room for it all, and nothing in it is known in Python only. */
typedef struct {
    PyObject *known; /* the rules of names */
    long long left;
    Py_ssize_t more; /* nodes that there may be */
} Budget;

/* Whether a value fits; whether a name is an ordinary one, under which nothing is held back (-1
   with an exception); whether any key is such a one, or no name at all; and whether that holds
   of all that is in a dictionary, whose keys are taken like values or are names of attributes
   (-1 with an exception). What is not known here is none. */
int kept_fits(Budget *budget, PyObject *value);
int kept_is_ordinary(const Budget *budget, PyObject *name);
int kept_is_no_name(const Budget *budget, PyObject *key);
int kept_fits_all(Budget budget, PyObject *names, int keys);

/* Return what `object.__hash__` says, a new reference. */
PyObject *kept_identity(PyObject *value);

/* Whether a value, by its identity, is in a dictionary of such; -1 with an exception. */
int kept_is_among(PyObject *dict, PyObject *value);

/* Whether two dictionaries hold the very same objects in the same order. */
int kept_same_entries(PyObject *one, PyObject *other);

/* Return the bytes of a value that stands for itself, or -1 for one that needs a node. */
long long kept_plain_bytes(PyObject *value);

/* Return the number of the node of a value; -1 with an exception. */
Py_ssize_t kept_number(Keeper *keeper, PyObject *value);

/* Return what stands for a value, and for what is in a dictionary and in a row: new
   references. */
PyObject *kept_ref(Keeper *keeper, PyObject *value);
PyObject *kept_pairs(Keeper *keeper, PyObject *entries);
PyObject *kept_row(Keeper *keeper, PyObject *const *items, Py_ssize_t count);

/* Put what stands for an attribute among the others of its instance; -1 with an exception. */
int kept_add(Keeper *keeper, PyObject *refs, PyObject *name, PyObject *value);

#endif
