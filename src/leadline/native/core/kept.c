#include "kept.h"

#include "shape.h"

/* As in agent/capture/keeping.py. */
#define REF_BYTES 8
#define NUMBER_BYTES 21
#define SMALL_NUMBER_BYTES 9
#define SMALL_NUMBER 99999999
#define REAL_BYTES 25
#define WORD_BYTES 5
#define NODE_BYTES_KEPT 24
#define NAME_BYTES 4
#define MAX_NAME_CHARS 200 /* wire.redaction */

typedef struct {
    PyObject *memo, *objects;
    long long left;
} Keeper;

/* Return the bytes of a text of ASCII as JSON. */
static long long
json_bytes(PyObject *text)
{
    const Py_UCS1 *characters = PyUnicode_1BYTE_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    long long bytes = length + 2;
    for (Py_ssize_t index = 0; index < length; index++) {
        Py_UCS1 one = characters[index];
        if (one == '"' || one == '\\' || one == '\n' || one == '\r' || one == '\t' ||
            one == '\f' || one == '\b') {
            bytes += 1;
        }
        else if (one < ' ' || one > '~') {
            bytes += 5;
        }
    }
    return bytes;
}

/* Return what a value takes that stands for itself, or -1 for one that needs a node. */
static long long
plain_bytes(PyObject *value)
{
    if (PyUnicode_CheckExact(value)) {
        return json_bytes(value) + 1;
    }
    if (value == Py_None || PyBool_Check(value)) {
        return WORD_BYTES;
    }
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (overflow || number == LLONG_MIN) {
            return -1;
        }
        return number > SMALL_NUMBER ? NUMBER_BYTES : SMALL_NUMBER_BYTES;
    }
    if (PyFloat_CheckExact(value)) {
        double number = PyFloat_AS_DOUBLE(value);
        return number - number == 0 ? REAL_BYTES : -1;
    }
    return -1;
}

/* What `object.__hash__` says. */
static PyObject *
identity(PyObject *value)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyLong_FromSsize_t(Py_HashPointer(value));
#else
    return PyLong_FromSsize_t(_Py_HashPointer(value));
#endif
}

/* Return [number of the node], a new reference. */
static PyObject *
node_of(Keeper *keeper, PyObject *value)
{
    PyObject *key = identity(value);
    PyObject *number = key == NULL ? NULL : PyDict_GetItemWithError(keeper->memo, key);
    Py_XINCREF(number);
    if (number == NULL && key != NULL && !PyErr_Occurred()) {
        number = PyLong_FromSsize_t(PyList_GET_SIZE(keeper->objects));
        if (number == NULL || PyDict_SetItem(keeper->memo, key, number) < 0 ||
            PyList_Append(keeper->objects, value) < 0) {
            Py_CLEAR(number);
        }
        keeper->left -= NODE_BYTES_KEPT;
    }
    keeper->left -= REF_BYTES;
    Py_XDECREF(key);
    PyObject *ref = number == NULL ? NULL : PyList_New(1);
    if (ref == NULL) {
        Py_XDECREF(number);
        return NULL;
    }
    PyList_SET_ITEM(ref, 0, number);
    return ref;
}

/* Whether all of it can be taken here, with nothing that is held back and room to spare: 1, 0,
   or -1 with an exception. */
static int
is_ordinary(PyObject *names, PyObject *known, long long left, Py_ssize_t more)
{
    Py_ssize_t position = 0;
    PyObject *name, *value;
    while (PyDict_Next(names, &position, &name, &value)) {
        if (!PyUnicode_CheckExact(name) || PyUnicode_GET_LENGTH(name) > MAX_NAME_CHARS) {
            return 0;
        }
        PyObject *rule = PyDict_GetItemWithError(known, name);
        if (rule != Py_None) {
            return rule == NULL && PyErr_Occurred() ? -1 : 0;
        }
        if (PyUnicode_CheckExact(value) &&
            (!PyUnicode_IS_ASCII(value) || PyUnicode_GET_LENGTH(value) > left)) {
            return 0;
        }
        long long bytes = plain_bytes(value);
        more -= bytes < 0;
        left -= bytes < 0 ? NODE_BYTES_KEPT + REF_BYTES : bytes;
        left -= PyUnicode_GET_LENGTH(name) + NAME_BYTES;
        if (left < 0 || more < 0) {
            return 0;
        }
    }
    return 1;
}

PyObject *
kept_attributes(PyObject *Py_UNUSED(module), PyObject *args)
{
    Keeper keeper;
    PyObject *names, *known;
    Py_ssize_t most;
    if (!PyArg_ParseTuple(args, "O!O!O!O!Ln", &PyDict_Type, &names, &PyDict_Type, &keeper.memo,
                          &PyList_Type, &keeper.objects, &PyDict_Type, &known, &keeper.left,
                          &most)) {
        return NULL;
    }
    most -= PyList_GET_SIZE(keeper.objects);
    int ordinary = is_ordinary(names, known, keeper.left, most);
    if (ordinary <= 0) {
        return ordinary < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *refs = PyDict_New(), *name, *value;
    Py_ssize_t position = 0;
    while (refs != NULL && PyDict_Next(names, &position, &name, &value)) {
        long long bytes = plain_bytes(value);
        PyObject *ref = bytes < 0 ? node_of(&keeper, value) : Py_NewRef(value);
        keeper.left -= (bytes < 0 ? 0 : bytes) + PyUnicode_GET_LENGTH(name) + NAME_BYTES;
        if (ref == NULL || PyDict_SetItem(refs, name, ref) < 0) {
            Py_CLEAR(refs);
        }
        Py_XDECREF(ref);
    }
    return refs == NULL ? NULL : Py_BuildValue("NL", refs, keeper.left);
}
