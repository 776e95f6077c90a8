#include "keptlive.h"

/* Whether a weak reference is one to a value. */
static int
refers_to(PyObject *reference, PyObject *value)
{
    if (!PyWeakref_CheckRef(reference)) {
        return 0;
    }
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *object;
    if (PyWeakref_GetRef(reference, &object) < 0) {
        PyErr_Clear();
        return 0;
    }
    Py_XDECREF(object); /* not the last one: the walk holds the value */
    return object == value;
#else
    return PyWeakref_GET_OBJECT(reference) == value;
#endif
}

/* Return the number of a value, borrowed, or NULL, perhaps with an exception. */
static PyObject *
number_of(const KeptWalk *walk, PyObject *value)
{
    PyObject *key = PyLong_FromVoidPtr(value);
    PyObject *number = key == NULL ? NULL : PyDict_GetItemWithError(walk->numbers, key);
    Py_XDECREF(key);
    Py_ssize_t count = PyList_GET_SIZE(walk->slots);
    if (number == NULL || count == 0) {
        return NULL;
    }
    PyObject *slot = PyList_GET_ITEM(walk->slots, PyLong_AsSsize_t(number) % count);
    int known = PyTuple_CheckExact(slot) && PyTuple_GET_SIZE(slot) == 3 &&
                PyLong_AsSsize_t(PyTuple_GET_ITEM(slot, 0)) == PyLong_AsSsize_t(number) &&
                refers_to(PyTuple_GET_ITEM(slot, 2), value);
    return known ? number : NULL;
}

int
put_live(KeptWalk *walk, PyObject *value)
{
    PyObject *number = number_of(walk, value);
    if (number == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    TEXT_PUT(&walk->text, ",\"live\":[");
    put_text(walk, walk->token);
    TEXT_PUT(&walk->text, ",");
    text_integer(&walk->text, PyLong_AsLongLong(number));
    TEXT_PUT(&walk->text, "]");
    walk->keeper.left -= LIVE_BYTES;
    return 1;
}
