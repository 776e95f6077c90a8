#include "containers.h"

/* Walk.row of a list or tuple; `shape` may have names that hide items by their index, and the
   first of two items can be the name of the second (expression/hiding.py). */
int
container_take_sequence(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    int is_list = PyList_Check(value);
    Py_ssize_t length = Py_SIZE(value);
    PyObject *pair = NULL;
    if (length == 2) {
        PyObject *first = is_list ? PyList_GET_ITEM(value, 0) : PyTuple_GET_ITEM(value, 0);
        Py_INCREF(first);
        pair = rule_of_key(first);
        Py_DECREF(first);
        if (pair == NULL) {
            return -1;
        }
    }
    walk_put_type(walk, shape);
    walk_put_length(walk, length);
    TEXT_PUT(walk->text, ",\"items\":[");
    const char *omitted = NULL;
    for (Py_ssize_t index = 0; index < Py_SIZE(value); index++) {
        if ((omitted = walk_next(walk)) != NULL) {
            break;
        }
        if (index) {
            TEXT_PUT(walk->text, ",");
        }
        PyObject *item = is_list ? PyList_GET_ITEM(value, index) : PyTuple_GET_ITEM(value, index);
        PyObject *rule = index < shape->field_count ? shape->fields[index].rule : NULL;
        rule = index == 1 && pair != NULL && pair != Py_None ? pair : rule;
        if (walk_take_item(walk, item, rule, level) < 0) {
            Py_XDECREF(pair);
            return -1;
        }
    }
    Py_XDECREF(pair);
    TEXT_PUT(walk->text, "]");
    walk_put_omitted(walk->text, omitted);
    TEXT_PUT(walk->text, "}");
    return 0;
}

/* views.queue: the longest that an exact deque may be, if it is bounded. */
static void
put_bound(Walk *walk, PyObject *deque)
{
    PyObject *longest = PyObject_GetAttrString(deque, "maxlen"); /* a getter in C */
    if (longest != NULL && PyLong_CheckExact(longest)) {
        *walk->room -= FORM_BYTES + 9 + LITERAL_BYTES;
        TEXT_PUT(walk->text, ",\"about\":{\"maxlen\":");
        text_integer(walk->text, PyLong_AsLongLong(longest));
        TEXT_PUT(walk->text, "}");
    }
    PyErr_Clear();
    Py_XDECREF(longest);
}

/* Walk.row of a set, which is gone through by the base type's own iterator; so is an exact
   deque. */
int
container_take_set(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    int is_deque = shape->kind == SHAPE_DEQUE;
    PyTypeObject *base = is_deque                     ? Py_TYPE(value)
                         : PyFrozenSet_Check(value) ? &PyFrozenSet_Type
                                                      : &PySet_Type;
    Py_ssize_t length = is_deque ? Py_SIZE(value) : ((PySetObject *)value)->used;
    int drained = is_deque ? 0 : is_drained(value, base, length);
    PyObject *items = drained < 0 ? NULL : base->tp_iter(value);
    if (items == NULL) {
        return -1;
    }
    walk_put_type(walk, shape);
    walk_put_length(walk, length);
    TEXT_PUT(walk->text, ",\"items\":[");
    const char *omitted = drained ? WALK_DRAINED : NULL;
    int first = 1, failed = 0;
    while (omitted == NULL && !failed) {
        PyObject *item = Py_TYPE(items)->tp_iternext(items);
        if (item == NULL) {
            if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
                PyErr_Clear(); /* raised by the iterator itself: no code of anybody ran */
                omitted = WALK_CHANGED;
            }
            failed = PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_StopIteration);
            if (!failed) {
                PyErr_Clear();
            }
            break;
        }
        if ((omitted = walk_next(walk)) == NULL) {
            if (!first) {
                TEXT_PUT(walk->text, ",");
            }
            first = 0;
            failed = walk_take(walk, item, level + 1) < 0;
        }
        Py_DECREF(item);
    }
    Py_DECREF(items);
    TEXT_PUT(walk->text, "]");
    walk_put_omitted(walk->text, omitted);
    if (is_deque && !failed) {
        put_bound(walk, value);
    }
    TEXT_PUT(walk->text, "}");
    return failed ? -1 : 0;
}

/* Walk.entry */
static int
take_entry(Walk *walk, PyObject *key, PyObject *value, int level)
{
    *walk->room -= PAIR_BYTES;
    PyObject *rule = rule_of_key(key);
    if (rule == NULL) {
        return -1;
    }
    TEXT_PUT(walk->text, "[");
    int taken = walk_take(walk, key, level + 1);
    if (taken == 0) {
        TEXT_PUT(walk->text, ",");
        taken = rule == Py_None ? walk_take(walk, value, level + 1)
                                : walk_redacted(walk, rule, value);
    }
    TEXT_PUT(walk->text, "]");
    Py_DECREF(rule);
    return taken;
}

/* Walk.mapping. `PyDict_Next` asks no key anything. */
int
container_take_mapping(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    Py_ssize_t size = PyDict_GET_SIZE(value), position = 0;
    int drained = is_drained(value, &PyDict_Type, size);
    if (drained < 0) {
        return -1;
    }
    walk_put_type(walk, shape);
    walk_put_length(walk, size);
    TEXT_PUT(walk->text, ",\"entries\":[");
    const char *omitted = drained ? WALK_DRAINED : NULL;
    int first = 1, failed = 0;
    PyObject *key, *item;
    while (omitted == NULL && !failed) {
        if (PyDict_GET_SIZE(value) != size) {
            omitted = WALK_CHANGED;
        }
        else if (!PyDict_Next(value, &position, &key, &item)) {
            break;
        }
        else if ((omitted = walk_next(walk)) == NULL) {
            if (!first) {
                TEXT_PUT(walk->text, ",");
            }
            first = 0;
            Py_INCREF(key);
            Py_INCREF(item);
            failed = take_entry(walk, key, item, level) < 0;
            Py_DECREF(key);
            Py_DECREF(item);
        }
    }
    TEXT_PUT(walk->text, "]");
    walk_put_omitted(walk->text, omitted);
    TEXT_PUT(walk->text, "}");
    return failed ? -1 : 0;
}
