#include "kept.h"

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

/* Return the bytes of a text as JSON, or -1 for one with half a character. */
static long long
json_bytes(PyObject *text)
{
    int kind = PyUnicode_KIND(text);
    const void *characters = PyUnicode_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    long long bytes = length + 2;
    for (Py_ssize_t index = 0; index < length; index++) {
        Py_UCS4 one = PyUnicode_READ(kind, characters, index);
        if (one >= ' ' && one <= '~' && one != '"' && one != '\\') {
            continue;
        }
        if (Py_UNICODE_IS_SURROGATE(one)) {
            return -1;
        }
        if (one == '"' || one == '\\' || one == '\n' || one == '\r' || one == '\t' ||
            one == '\f' || one == '\b') {
            bytes += 1;
        }
        else {
            bytes += one > 0xffff ? 11 : 5;
        }
    }
    return bytes;
}

long long
kept_plain_bytes(PyObject *value)
{
    if (PyUnicode_CheckExact(value)) {
        long long bytes = json_bytes(value);
        return bytes < 0 ? bytes : bytes + 1;
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

PyObject *
kept_identity(PyObject *value)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyLong_FromSsize_t(Py_HashPointer(value));
#else
    return PyLong_FromSsize_t(_Py_HashPointer(value));
#endif
}

int
kept_is_among(PyObject *dict, PyObject *value)
{
    if (PyDict_GET_SIZE(dict) == 0) {
        return 0;
    }
    PyObject *key = kept_identity(value);
    int found = key == NULL ? -1 : PyDict_Contains(dict, key);
    Py_XDECREF(key);
    return found;
}

/* Add a value to the objects; returns its number, a new reference, or NULL. */
static PyObject *
added(Keeper *keeper, PyObject *key, PyObject *value)
{
    PyObject *number = PyLong_FromSsize_t(PyList_GET_SIZE(keeper->objects));
    if (number != NULL && (PyDict_SetItem(keeper->memo, key, number) < 0 ||
                           PyList_Append(keeper->objects, value) < 0)) {
        Py_CLEAR(number);
    }
    keeper->left -= NODE_BYTES_KEPT;
    return number;
}

Py_ssize_t
kept_number(Keeper *keeper, PyObject *value)
{
    PyObject *key = kept_identity(value);
    PyObject *number = key == NULL ? NULL : PyDict_GetItemWithError(keeper->memo, key);
    Py_XINCREF(number);
    if (number == NULL && key != NULL && !PyErr_Occurred()) {
        number = added(keeper, key, value);
    }
    keeper->left -= REF_BYTES;
    Py_XDECREF(key);
    Py_ssize_t at = number == NULL ? -1 : PyLong_AsSsize_t(number);
    Py_XDECREF(number);
    return at;
}

/* Return [number of the node], a new reference. */
static PyObject *
node_of(Keeper *keeper, PyObject *value)
{
    Py_ssize_t number = kept_number(keeper, value);
    return number < 0 ? NULL : Py_BuildValue("[n]", number);
}

PyObject *
kept_ref(Keeper *keeper, PyObject *value)
{
    long long bytes = kept_plain_bytes(value);
    if (bytes < 0) {
        return node_of(keeper, value);
    }
    keeper->left -= bytes;
    return Py_NewRef(value);
}

int
kept_fits(Budget *budget, PyObject *value)
{
    if (PyUnicode_CheckExact(value) && PyUnicode_GET_LENGTH(value) > budget->left) {
        return 0;
    }
    long long bytes = kept_plain_bytes(value);
    budget->more -= bytes < 0;
    budget->left -= bytes < 0 ? NODE_BYTES_KEPT + REF_BYTES : bytes;
    return budget->left >= 0 && budget->more >= 0;
}

int
kept_is_ordinary(const Budget *budget, PyObject *name)
{
    if (!PyUnicode_CheckExact(name) || PyUnicode_GET_LENGTH(name) > MAX_NAME_CHARS) {
        return 0;
    }
    PyObject *rule = PyDict_GetItemWithError(budget->known, name);
    return rule == NULL && PyErr_Occurred() ? -1 : rule == Py_None;
}

int
kept_is_no_name(const Budget *budget, PyObject *key)
{
    if (PyUnicode_CheckExact(key)) {
        return kept_is_ordinary(budget, key);
    }
    if (PyBytes_CheckExact(key)) {
        Py_ssize_t length = PyBytes_GET_SIZE(key);
        PyObject *name = PyUnicode_DecodeLatin1(
            PyBytes_AS_STRING(key), length > MAX_NAME_CHARS ? MAX_NAME_CHARS : length, NULL);
        int ordinary = name == NULL ? -1 : kept_is_ordinary(budget, name);
        Py_XDECREF(name);
        return ordinary;
    }
    return key == Py_None || PyBool_Check(key) || PyLong_CheckExact(key) ||
           PyFloat_CheckExact(key) || PyTuple_CheckExact(key) || PyList_CheckExact(key) ||
           PyDict_CheckExact(key) || PyType_CheckExact(key);
}

int
kept_fits_all(Budget budget, PyObject *names, int keys)
{
    Py_ssize_t position = 0;
    PyObject *name, *value;
    while (PyDict_Next(names, &position, &name, &value)) {
        int ordinary =
            keys ? kept_is_no_name(&budget, name) : kept_is_ordinary(&budget, name);
        if (ordinary <= 0) {
            return ordinary;
        }
        budget.left -= keys ? 0 : PyUnicode_GET_LENGTH(name) + NAME_BYTES;
        if ((keys && !kept_fits(&budget, name)) || !kept_fits(&budget, value)) {
            return 0;
        }
    }
    return 1;
}

int
kept_add(Keeper *keeper, PyObject *refs, PyObject *name, PyObject *value)
{
    keeper->left -= PyUnicode_GET_LENGTH(name) + NAME_BYTES;
    PyObject *ref = kept_ref(keeper, value);
    int added = ref == NULL ? -1 : PyDict_SetItem(refs, name, ref);
    Py_XDECREF(ref);
    return added;
}

PyObject *
kept_pairs(Keeper *keeper, PyObject *entries)
{
    PyObject *pairs = PyList_New(0), *key, *value;
    Py_ssize_t position = 0;
    while (pairs != NULL && PyDict_Next(entries, &position, &key, &value)) {
        PyObject *first = kept_ref(keeper, key);
        PyObject *second = first == NULL ? NULL : kept_ref(keeper, value);
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
    return pairs;
}

PyObject *
kept_row(Keeper *keeper, PyObject *const *items, Py_ssize_t count)
{
    PyObject *refs = PyList_New(count);
    for (Py_ssize_t index = 0; refs != NULL && index < count; index++) {
        PyObject *ref = kept_ref(keeper, items[index]);
        if (ref == NULL) {
            Py_CLEAR(refs);
            break;
        }
        PyList_SET_ITEM(refs, index, ref);
    }
    return refs;
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
    int takeable = kept_fits_all(budget, names, 0);
    if (takeable <= 0) {
        return takeable < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *refs = PyDict_New(), *name, *value;
    Py_ssize_t position = 0;
    while (refs != NULL && PyDict_Next(names, &position, &name, &value)) {
        if (kept_add(&keeper, refs, name, value) < 0) {
            Py_CLEAR(refs);
        }
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
    int takeable = kept_fits_all(budget, entries, 1);
    if (takeable <= 0) {
        return takeable < 0 ? NULL : Py_NewRef(Py_None);
    }
    return done(&keeper, kept_pairs(&keeper, entries));
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
    Py_ssize_t count = PyList_GET_SIZE(items);
    for (Py_ssize_t index = 0; index < count; index++) {
        if (!kept_fits(&budget, PyList_GET_ITEM(items, index))) {
            Py_RETURN_NONE;
        }
    }
    return done(&keeper, kept_row(&keeper, ((PyListObject *)items)->ob_item, count));
}

int
kept_same_entries(PyObject *one, PyObject *other)
{
    PyObject *keys[2], *values[2];
    Py_ssize_t at = 0, there = 0;
    int same = PyDict_GET_SIZE(one) == PyDict_GET_SIZE(other);
    while (same && PyDict_Next(one, &at, &keys[0], &values[0])) {
        same = PyDict_Next(other, &there, &keys[1], &values[1]) && keys[0] == keys[1] &&
               values[0] == values[1];
    }
    return same;
}
