#include "keptfields.h"

#include <structmember.h>

#define NAME_BYTES 4 /* agent/capture/keeping.py */

void
slots_let_go(Slots *slots)
{
    while (slots->count > 0) {
        Py_DECREF(slots->held[--slots->count]);
    }
}

/* Read a slot by its descriptor, or by what Python reads it with: a new reference, or NULL where
   it was never filled (no exception) or with one. */
static PyObject *
slot_held(PyObject *slot, PyObject *value)
{
    PyObject *descriptor = PyTuple_GET_ITEM(slot, 2);
    if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) {
        PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
        if (member->type == Py_T_OBJECT_EX) {
            return Py_XNewRef(*(PyObject **)((char *)value + member->offset));
        }
    }
    PyObject *held = PyObject_CallOneArg(PyTuple_GET_ITEM(slot, 1), value);
    if (held == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    return held;
}

int
slots_read(Slots *slots, PyObject *given, PyObject *value)
{
    slots->count = 0;
    if (PyTuple_GET_SIZE(given) > MAX_SLOTS) {
        return 0;
    }
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(given); index++) {
        PyObject *slot = PyTuple_GET_ITEM(given, index);
        PyObject *held = slot_held(slot, value);
        if (held != NULL) {
            slots->names[slots->count] = PyTuple_GET_ITEM(slot, 0);
            slots->held[slots->count++] = held;
        }
        else if (PyErr_Occurred()) {
            return -1;
        }
    }
    return 1;
}

/* Whether an attribute fits: 1, 0, or -1 with an exception. */
static int
attribute_fits(Budget *budget, PyObject *name, PyObject *value)
{
    int ordinary = kept_is_ordinary(budget, name);
    if (ordinary <= 0) {
        return ordinary;
    }
    budget->left -= PyUnicode_GET_LENGTH(name) + NAME_BYTES;
    return kept_fits(budget, value);
}

int
attributes_fit(Budget *budget, Names names, const Slots *slots)
{
    PyObject *name, *value;
    int more, fit = 1;
    while (fit > 0 && (more = names_next(&names, &name, &value)) != 0) {
        fit = more < 0 ? 0 : attribute_fits(budget, name, value);
    }
    for (Py_ssize_t index = 0; fit > 0 && index < slots->count; index++) {
        fit = attribute_fits(budget, slots->names[index], slots->held[index]);
    }
    return fit;
}

static int
put_attribute(KeptWalk *walk, PyObject *name, PyObject *value, int first)
{
    text_put(&walk->text, ",", first ? 0 : 1);
    put_text(walk, name);
    TEXT_PUT(&walk->text, ":");
    walk->keeper.left -= PyUnicode_GET_LENGTH(name) + NAME_BYTES;
    return put_ref(walk, value);
}

int
put_names(KeptWalk *walk, Names names)
{
    PyObject *name, *value;
    TEXT_PUT(&walk->text, ",\"a\":{");
    for (int first = 1; names_next(&names, &name, &value) > 0; first = 0) {
        if (put_attribute(walk, name, value, first) < 0) {
            return -1;
        }
    }
    TEXT_PUT(&walk->text, "}");
    return 0;
}

int
put_slots(KeptWalk *walk, const Slots *slots)
{
    TEXT_PUT(&walk->text, ",\"s\":{");
    for (Py_ssize_t index = 0; index < slots->count; index++) {
        if (put_attribute(walk, slots->names[index], slots->held[index], index == 0) < 0) {
            return -1;
        }
    }
    TEXT_PUT(&walk->text, "}");
    return 0;
}
