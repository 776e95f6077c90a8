#include "attribute.h"

#include <structmember.h>

#include "shape.h"
#include "text.h"

#define MAX_WALK 1000 /* expression.reading.MAX_WALK */

/* The class attribute of that name as it lies there, borrowed, or NULL. */
static PyObject *
class_attribute(PyTypeObject *cls, PyObject *name)
{
    PyObject *order = cls->tp_mro;
    for (Py_ssize_t index = 0; order != NULL && index < PyTuple_GET_SIZE(order); index++) {
        PyObject *members = PyType_GetDict((PyTypeObject *)PyTuple_GET_ITEM(order, index));
        if (members == NULL) {
            continue;
        }
        PyObject *found = PyDict_GetItemWithError(members, name);
        Py_DECREF(members);
        if (found != NULL) {
            return found;
        }
    }
    PyErr_Clear();
    return NULL;
}

/* Whether `descriptor` reads memory of instances of `cls`, and nothing else. */
static int
is_slot(PyObject *descriptor, PyTypeObject *cls)
{
    return Py_IS_TYPE(descriptor, &PyMemberDescr_Type) &&
           !(((PyMemberDescrObject *)descriptor)->d_member->flags & Py_AUDIT_READ) &&
           PyType_IsSubtype(cls, PyDescr_TYPE(descriptor));
}

static PyObject *
slot(PyObject *object, PyObject *descriptor)
{
    PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
    PyObject *value = PyMember_GetOne((const char *)object, member);
    PyErr_Clear(); /* never filled: the reason is given in Python */
    return value;
}

/* What the object's own dictionary holds: 1 and a new reference, 0, or -1: not here. */
static int
held(Moment *moment, PyObject *object, PyObject *name, PyObject **value)
{
    Names names;
    PyObject *candidate, *item;
    names_begin(&names, object);
    if (names.kind == NAMES_ELSEWHERE || names_count(&names) > MAX_WALK ||
        (names.kind == NAMES_DICT && !dict_is_small(names.dict))) {
        return -1;
    }
    Py_ssize_t looked = 0;
    int more;
    while ((more = names_next(&names, &candidate, &item)) > 0) {
        looked++;
        if (candidate != name) {
            if (!PyUnicode_CheckExact(candidate)) {
                return -1;
            }
            if (!text_same(candidate, name)) {
                continue;
            }
        }
        *value = Py_NewRef(item);
        if (moment_burn(moment, looked)) {
            return 1;
        }
        Py_CLEAR(*value);
        return -1;
    }
    return more < 0 || !moment_burn(moment, looked) ? -1 : 0;
}

/* reading.attribute */
PyObject *
attribute_read(PyObject *object, PyObject *name, Moment *moment)
{
    PyTypeObject *cls = Py_TYPE(object);
    Shape *shape = shape_of(cls);
    if (shape == NULL) {
        return NULL;
    }
    int readable = shape->readable, dictionary = shape->dictionary;
    Py_DECREF(shape);
    if (!readable) {
        return NULL;
    }
    PyObject *found = class_attribute(cls, name), *value = NULL;
    if (found != NULL && is_slot(found, cls)) {
        return slot(object, found);
    }
    if (found != NULL && Py_TYPE(found)->tp_descr_set != NULL) {
        return NULL;
    }
    int there = dictionary ? held(moment, object, name, &value) : 0;
    if (there != 0) {
        return value;
    }
    if (found == NULL || Py_TYPE(found)->tp_descr_get != NULL) {
        return NULL;
    }
    return Py_NewRef(found);
}
