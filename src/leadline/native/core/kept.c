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

/* Return what stands for a value, a new reference. */
static PyObject *
ref_of(Keeper *keeper, PyObject *value)
{
    long long bytes = plain_bytes(value);
    if (bytes < 0) {
        return node_of(keeper, value);
    }
    keeper->left -= bytes;
    return Py_NewRef(value);
}

/* What is asked before anything is taken, with the most that it can come to: whether there is
   room for it all, and nothing in it is known in Python only. */
typedef struct {
    PyObject *known; /* the rules of names */
    long long left;
    Py_ssize_t more; /* nodes that there may be */
} Budget;

static int
fits(Budget *budget, PyObject *value)
{
    if (PyUnicode_CheckExact(value) &&
        (!PyUnicode_IS_ASCII(value) || PyUnicode_GET_LENGTH(value) > budget->left)) {
        return 0;
    }
    long long bytes = plain_bytes(value);
    budget->more -= bytes < 0;
    budget->left -= bytes < 0 ? NODE_BYTES_KEPT + REF_BYTES : bytes;
    return budget->left >= 0 && budget->more >= 0;
}

/* Whether a name is an ordinary one, under which nothing is held back: 1, 0, or -1 with an
   exception. */
static int
is_ordinary(const Budget *budget, PyObject *name)
{
    if (!PyUnicode_CheckExact(name) || PyUnicode_GET_LENGTH(name) > MAX_NAME_CHARS) {
        return 0;
    }
    PyObject *rule = PyDict_GetItemWithError(budget->known, name);
    return rule == NULL && PyErr_Occurred() ? -1 : rule == Py_None;
}

/* The same of all that a dictionary holds; `keys` says whether its keys are taken like values. */
static int
is_takeable(PyObject *names, Budget budget, int keys)
{
    Py_ssize_t position = 0;
    PyObject *name, *value;
    while (PyDict_Next(names, &position, &name, &value)) {
        int ordinary = is_ordinary(&budget, name);
        if (ordinary <= 0) {
            return ordinary;
        }
        budget.left -= keys ? 0 : PyUnicode_GET_LENGTH(name) + NAME_BYTES;
        if ((keys && !fits(&budget, name)) || !fits(&budget, value)) {
            return 0;
        }
    }
    return 1;
}

static PyObject *
done(const Keeper *keeper, PyObject *taken)
{
    return taken == NULL ? NULL : Py_BuildValue("NL", taken, keeper->left);
}

PyObject *
kept_attributes(PyObject *Py_UNUSED(module), PyObject *args)
{
    Keeper keeper;
    Budget budget;
    PyObject *names;
    if (!PyArg_ParseTuple(args, "O!O!O!O!Ln", &PyDict_Type, &names, &PyDict_Type, &keeper.memo,
                          &PyList_Type, &keeper.objects, &PyDict_Type, &budget.known,
                          &keeper.left, &budget.more)) {
        return NULL;
    }
    budget.left = keeper.left;
    budget.more -= PyList_GET_SIZE(keeper.objects);
    int takeable = is_takeable(names, budget, 0);
    if (takeable <= 0) {
        return takeable < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *refs = PyDict_New(), *name, *value;
    Py_ssize_t position = 0;
    while (refs != NULL && PyDict_Next(names, &position, &name, &value)) {
        keeper.left -= PyUnicode_GET_LENGTH(name) + NAME_BYTES;
        PyObject *ref = ref_of(&keeper, value);
        if (ref == NULL || PyDict_SetItem(refs, name, ref) < 0) {
            Py_CLEAR(refs);
        }
        Py_XDECREF(ref);
    }
    return done(&keeper, refs);
}

PyObject *
kept_entries(PyObject *Py_UNUSED(module), PyObject *args)
{
    Keeper keeper;
    Budget budget;
    PyObject *entries;
    if (!PyArg_ParseTuple(args, "O!O!O!O!Ln", &PyDict_Type, &entries, &PyDict_Type,
                          &keeper.memo, &PyList_Type, &keeper.objects, &PyDict_Type,
                          &budget.known, &keeper.left, &budget.more)) {
        return NULL;
    }
    budget.left = keeper.left;
    budget.more -= PyList_GET_SIZE(keeper.objects);
    int takeable = is_takeable(entries, budget, 1);
    if (takeable <= 0) {
        return takeable < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *pairs = PyList_New(0), *key, *value;
    Py_ssize_t position = 0;
    while (pairs != NULL && PyDict_Next(entries, &position, &key, &value)) {
        PyObject *first = ref_of(&keeper, key);
        PyObject *second = first == NULL ? NULL : ref_of(&keeper, value);
        PyObject *pair = second == NULL ? NULL : PyList_New(2);
        if (pair == NULL) {
            Py_XDECREF(first);
            Py_XDECREF(second);
            Py_CLEAR(pairs);
            break;
        }
        PyList_SET_ITEM(pair, 0, first);
        PyList_SET_ITEM(pair, 1, second);
        if (PyList_Append(pairs, pair) < 0) {
            Py_CLEAR(pairs);
        }
        Py_DECREF(pair);
    }
    return done(&keeper, pairs);
}

PyObject *
kept_items(PyObject *Py_UNUSED(module), PyObject *args)
{
    Keeper keeper;
    Budget budget = {0};
    PyObject *items;
    if (!PyArg_ParseTuple(args, "O!O!O!Ln", &PyList_Type, &items, &PyDict_Type, &keeper.memo,
                          &PyList_Type, &keeper.objects, &keeper.left, &budget.more)) {
        return NULL;
    }
    budget.left = keeper.left;
    budget.more -= PyList_GET_SIZE(keeper.objects);
    for (Py_ssize_t index = 0; index < PyList_GET_SIZE(items); index++) {
        if (!fits(&budget, PyList_GET_ITEM(items, index))) {
            Py_RETURN_NONE;
        }
    }
    PyObject *refs = PyList_New(0);
    for (Py_ssize_t index = 0; refs != NULL && index < PyList_GET_SIZE(items); index++) {
        PyObject *ref = ref_of(&keeper, PyList_GET_ITEM(items, index));
        if (ref == NULL || PyList_Append(refs, ref) < 0) {
            Py_CLEAR(refs);
        }
        Py_XDECREF(ref);
    }
    return done(&keeper, refs);
}
