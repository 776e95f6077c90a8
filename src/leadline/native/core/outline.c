#include "outline.h"

#include <stdlib.h>

#include "text.h"

/* As in agent/probes/choosing.py. */
#define MAX_KEYS 12
#define MAX_ITEMS 3
#define MAX_LEVELS 3
#define SMALL 3
#define MAX_KEY_CHARS 200

static void outline_of(Text *text, PyObject *value, int level);

static void
put_sign(Text *text, const char *kind, int sign)
{
    text_put(text, kind, 1);
    text_put(text, &"-0+"[sign + 1], 1);
}

/* Write how long something is; returns whether there is anything in it to be looked at. */
static int
put_size(Text *text, const char *kind, Py_ssize_t size, int level)
{
    text_put(text, kind, 1);
    text_put(text, &"0123m"[size > SMALL ? SMALL + 1 : size], 1);
    return size > 0 && level < MAX_LEVELS;
}

static void
put_items(Text *text, PyObject *const *items, Py_ssize_t count, int level)
{
    TEXT_PUT(text, "[");
    for (Py_ssize_t index = 0; index < count && index < MAX_ITEMS; index++) {
        outline_of(text, items[index], level + 1);
    }
    TEXT_PUT(text, "]");
}

static void
put_entries(Text *text, PyObject *entries, int level)
{
    Py_ssize_t position = 0;
    PyObject *key, *item;
    TEXT_PUT(text, "{");
    for (int count = 0; count < MAX_KEYS && PyDict_Next(entries, &position, &key, &item);
         count++) {
        if (PyUnicode_CheckExact(key)) {
            Py_ssize_t length = PyUnicode_GET_LENGTH(key);
            text_string(text, key, length > MAX_KEY_CHARS ? MAX_KEY_CHARS : length);
        }
        else {
            TEXT_PUT(text, "?");
        }
        outline_of(text, item, level + 1);
    }
    TEXT_PUT(text, "}");
}

static int
is_looked_into(Text *text, PyObject *value, int level)
{
    if (PyDict_CheckExact(value)) {
        return put_size(text, "d", PyDict_GET_SIZE(value), level);
    }
    if (PyList_CheckExact(value)) {
        return put_size(text, "l", PyList_GET_SIZE(value), level);
    }
    return put_size(text, "t", PyTuple_GET_SIZE(value), level);
}

static int
number_sign(PyObject *value)
{
    if (PyFloat_CheckExact(value)) {
        double number = PyFloat_AS_DOUBLE(value);
        return number == 0 ? 0 : number > 0 ? 1 : -1;
    }
    return _PyLong_Sign(value);
}

static void
outline_of(Text *text, PyObject *value, int level)
{
    PyTypeObject *cls = Py_TYPE(value);
    if (value == Py_None || cls == &PyBool_Type) {
        text_put(text, value == Py_None ? "N" : value == Py_True ? "T" : "F", 1);
    }
    else if (cls == &PyLong_Type || cls == &PyFloat_Type) {
        put_sign(text, cls == &PyLong_Type ? "i" : "f", number_sign(value));
    }
    else if (cls == &PyUnicode_Type) {
        put_size(text, "s", PyUnicode_GET_LENGTH(value), level);
    }
    else if (cls == &PyBytes_Type) {
        put_size(text, "b", PyBytes_GET_SIZE(value), level);
    }
    else if (cls == &PyByteArray_Type) {
        put_size(text, "y", PyByteArray_GET_SIZE(value), level);
    }
    else if (cls == &PySet_Type || cls == &PyFrozenSet_Type) {
        put_size(text, cls == &PySet_Type ? "e" : "z", PySet_GET_SIZE(value), level);
    }
    else if (cls == &PyDict_Type || cls == &PyList_Type || cls == &PyTuple_Type) {
        if (!is_looked_into(text, value, level)) {
            return;
        }
        if (cls == &PyDict_Type) {
            put_entries(text, value, level);
        }
        else {
            put_items(text, PySequence_Fast_ITEMS(value), PySequence_Fast_GET_SIZE(value),
                      level);
        }
    }
    else {
        TEXT_PUT(text, "<");
        text_put(text, cls->tp_name, strlen(cls->tp_name));
        TEXT_PUT(text, ">");
    }
}

PyObject *
outline(PyObject *Py_UNUSED(module), PyObject *named)
{
    if (!PyList_CheckExact(named)) {
        PyErr_SetString(PyExc_TypeError, "a list of pairs was expected");
        return NULL;
    }
    Text text = {0};
    for (Py_ssize_t index = 0; index < PyList_GET_SIZE(named); index++) {
        PyObject *pair = PyList_GET_ITEM(named, index);
        if (PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair) == 2) {
            outline_of(&text, PyTuple_GET_ITEM(pair, 1), 0);
        }
    }
    PyObject *whole = text.failed ? PyErr_NoMemory()
                                  : PyBytes_FromStringAndSize(text.bytes,
                                                              (Py_ssize_t)text.size);
    free(text.bytes);
    return whole;
}
