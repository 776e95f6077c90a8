#include "plain.h"

#include "shape.h"
#include "text.h"

/* As in expression/operations.py and expression/reading.py, which give the reasons. */
#define MAX_TEXT 10000
#define MAX_WALK 1000
#define MAX_KEY 1000
#define MAX_ELEMENTS 100
#define UNIT_CHARS 256

static Py_ssize_t
text_length(PyObject *text)
{
    return PyUnicode_CheckExact(text) ? PyUnicode_GET_LENGTH(text) : PyBytes_GET_SIZE(text);
}

/* operations._check_text */
static int
text_allowed(Moment *moment, PyObject *text)
{
    Py_ssize_t size = text_length(text);
    if (size > MAX_TEXT) {
        return 0;
    }
    return size < UNIT_CHARS || moment_burn(moment, size / UNIT_CHARS);
}

static int
text_equal(PyObject *left, PyObject *right)
{
    if (PyUnicode_CheckExact(left)) {
        return text_same(left, right);
    }
    return PyBytes_GET_SIZE(left) == PyBytes_GET_SIZE(right) &&
           memcmp(PyBytes_AS_STRING(left), PyBytes_AS_STRING(right),
                  (size_t)PyBytes_GET_SIZE(left)) == 0;
}

/* Compare two exact numbers, or two exact texts of one class; -1: not here. */
static int
compare(PyObject *left, PyObject *right, int operation)
{
    PyObject *answer = PyObject_RichCompare(left, right, operation);
    if (answer == NULL) {
        PyErr_Clear();
        return -1;
    }
    int holds = answer == Py_True;
    Py_DECREF(answer);
    return holds;
}

/* operations.equal for exact plain values; -1: not here. */
static int
equal(Moment *moment, PyObject *left, PyObject *right)
{
    if (!is_plain(left) || !is_plain(right)) {
        return -1;
    }
    if (is_number(left) && is_number(right)) {
        return is_small(left) && is_small(right) ? compare(left, right, Py_EQ) : -1;
    }
    if (Py_TYPE(left) != Py_TYPE(right)) {
        return 0;
    }
    if (!is_text(left)) {
        return 1; /* None */
    }
    if (text_length(left) != text_length(right)) {
        return 0;
    }
    if (left != right && !text_allowed(moment, left)) {
        return -1;
    }
    return text_equal(left, right);
}

/* operations._ordering */
static int
ordered(Moment *moment, PyObject *left, PyObject *right, int operation)
{
    if (is_number(left) && is_number(right)) {
        return is_small(left) && is_small(right) ? compare(left, right, operation) : -1;
    }
    if (Py_TYPE(left) != Py_TYPE(right) || !is_text(left)) {
        return -1;
    }
    if (!text_allowed(moment, left) || !text_allowed(moment, right)) {
        return -1;
    }
    return compare(left, right, operation);
}

/* reading._is_key for two exact plain values; -1: not here. */
static int
is_key(PyObject *candidate, PyObject *key)
{
    if (candidate == key) {
        return 1;
    }
    if (!is_plain(candidate)) {
        return -1;
    }
    if (is_number(candidate) && is_number(key)) {
        return is_small(candidate) && is_small(key) ? compare(candidate, key, Py_EQ) : -1;
    }
    if (Py_TYPE(candidate) != Py_TYPE(key)) {
        return 0;
    }
    if (!is_text(key)) {
        return 1;
    }
    if (text_length(candidate) != text_length(key)) {
        return 0;
    }
    return text_length(key) > MAX_KEY ? -1 : text_equal(candidate, key);
}

/* reading.entry of an exact dict: 1 and a borrowed value, 0: there is none, -1: not here. */
static int
entry(Moment *moment, PyObject *dict, PyObject *key, PyObject **value)
{
    if (PyDict_GET_SIZE(dict) > MAX_WALK || !dict_is_small(dict)) {
        return -1;
    }
    Py_ssize_t position = 0, looked = 0;
    PyObject *candidate;
    while (PyDict_Next(dict, &position, &candidate, value)) {
        looked++;
        int same = is_key(candidate, key);
        if (same) {
            return same > 0 && moment_burn(moment, looked) ? 1 : -1;
        }
    }
    return moment_burn(moment, looked) ? 0 : -1;
}

/* Whether the second of two items may lie under a secret name (expression/hiding.py). */
int
plain_may_hide(PyObject *value)
{
    if ((!PyList_CheckExact(value) && !PyTuple_CheckExact(value)) || Py_SIZE(value) != 2) {
        return 0;
    }
    PyObject *first =
        PyList_CheckExact(value) ? PyList_GET_ITEM(value, 0) : PyTuple_GET_ITEM(value, 0);
    if (!PyUnicode_CheckExact(first)) {
        return !is_number(first) && first != Py_None;
    }
    PyObject *rule = rule_of_name(first);
    int open = rule == Py_None;
    Py_XDECREF(rule);
    return !open;
}

/* reading.item */
PyObject *
plain_item(PyObject *container, PyObject *key, Moment *moment)
{
    PyObject *value;
    if (!is_plain(key)) {
        return NULL;
    }
    if (PyDict_CheckExact(container)) {
        return entry(moment, container, key, &value) > 0 ? Py_NewRef(value) : NULL;
    }
    if ((!PyLong_CheckExact(key) && !PyBool_Check(key)) || plain_may_hide(container)) {
        return NULL;
    }
    Py_ssize_t index = PyLong_AsSsize_t(key);
    if (index == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return NULL;
    }
    if (!PyList_CheckExact(container) && !PyTuple_CheckExact(container) && !is_text(container)) {
        return NULL;
    }
    Py_ssize_t size =
        is_text(container) ? text_length(container) : (Py_ssize_t)Py_SIZE(container);
    index += index < 0 ? size : 0;
    if (index < 0 || index >= size) {
        return NULL;
    }
    if (PyUnicode_CheckExact(container)) {
        return PyUnicode_Substring(container, index, index + 1);
    }
    if (PyBytes_CheckExact(container)) {
        return PyLong_FromLong((unsigned char)PyBytes_AS_STRING(container)[index]);
    }
    return Py_NewRef(PyList_CheckExact(container) ? PyList_GET_ITEM(container, index)
                                                  : PyTuple_GET_ITEM(container, index));
}

Py_ssize_t
plain_length(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyList_Type || type == &PyTuple_Type) {
        return Py_SIZE(value);
    }
    if (type == &PyDict_Type) {
        return PyDict_GET_SIZE(value);
    }
    if (is_text(value)) {
        return text_length(value);
    }
    if (type == &PySet_Type || type == &PyFrozenSet_Type) {
        return ((PySetObject *)value)->used;
    }
    return -1;
}

/* operations.truth; -1: not here. */
int
plain_truth(PyObject *value)
{
    if (value == Py_True || value == Py_False || value == Py_None) {
        return value == Py_True;
    }
    if (PyLong_CheckExact(value)) {
        return compare(value, Py_False, Py_NE);
    }
    if (PyFloat_CheckExact(value)) {
        return PyFloat_AS_DOUBLE(value) != 0.0;
    }
    Py_ssize_t size = plain_length(value);
    if (size >= 0) {
        return size > 0;
    }
    const PyTypeObject *type = Py_TYPE(value);
    int decides = (type->tp_as_number != NULL && type->tp_as_number->nb_bool != NULL) ||
                  (type->tp_as_mapping != NULL && type->tp_as_mapping->mp_length != NULL) ||
                  (type->tp_as_sequence != NULL && type->tp_as_sequence->sq_length != NULL);
    return decides ? -1 : 1;
}

/* operations._contains_element of a set. */
static int
in_set(PyObject *needle, PyObject *hay, Moment *moment)
{
    PyObject *items = PySet_Type.tp_iter(hay), *element;
    Py_ssize_t looked = 0;
    int same = 0;
    if (items == NULL) {
        PyErr_Clear();
        return -1;
    }
    while (same == 0 && (element = Py_TYPE(items)->tp_iternext(items)) != NULL) {
        looked++;
        same = element == needle ? 1 : equal(moment, element, needle);
        Py_DECREF(element);
    }
    PyErr_Clear();
    Py_DECREF(items);
    return moment_burn(moment, looked) ? same : -1;
}

/* operations.contains; -1: not here. */
static int
contains(PyObject *needle, PyObject *hay, Moment *moment)
{
    PyObject *value;
    if (!is_plain(needle)) {
        return -1;
    }
    if (is_text(hay)) {
        if (Py_TYPE(needle) != Py_TYPE(hay) || !PyUnicode_CheckExact(hay) ||
            !text_allowed(moment, needle) || !text_allowed(moment, hay)) {
            return -1;
        }
        int inside = PyUnicode_Contains(hay, needle);
        PyErr_Clear();
        return inside;
    }
    if (PyDict_CheckExact(hay)) {
        return entry(moment, hay, needle, &value);
    }
    if (plain_length(hay) < 0 || plain_length(hay) > MAX_WALK) {
        return -1;
    }
    if (PyAnySet_Check(hay)) {
        return ((PySetObject *)hay)->mask <= MAX_WALK * 10 ? in_set(needle, hay, moment) : -1;
    }
    for (Py_ssize_t index = 0; index < Py_SIZE(hay); index++) {
        PyObject *element =
            PyList_CheckExact(hay) ? PyList_GET_ITEM(hay, index) : PyTuple_GET_ITEM(hay, index);
        int same = element == needle ? 1 : equal(moment, element, needle);
        if (same) {
            return same > 0 && moment_burn(moment, index + 1) ? 1 : -1;
        }
    }
    return moment_burn(moment, Py_SIZE(hay)) ? 0 : -1;
}

int
plain_related(Comparison comparison, PyObject *left, PyObject *right, Moment *moment)
{
    int answer;
    switch (comparison) {
    case IS_EQUAL:
        return equal(moment, left, right);
    case IS_UNEQUAL:
        answer = equal(moment, left, right);
        return answer < 0 ? -1 : !answer;
    case IS_LESS:
        return ordered(moment, left, right, Py_LT);
    case IS_AT_MOST:
        return ordered(moment, left, right, Py_LE);
    case IS_MORE:
        return ordered(moment, left, right, Py_GT);
    case IS_AT_LEAST:
        return ordered(moment, left, right, Py_GE);
    case IS_IN:
        return contains(left, right, moment);
    case IS_NOT_IN:
        answer = contains(left, right, moment);
        return answer < 0 ? -1 : !answer;
    case IS_SAME:
        return left == right;
    default:
        return left != right;
    }
}

PyObject *
plain_calculated(Arithmetic operation, PyObject *left, PyObject *right)
{
    if (!is_number(left) || !is_number(right) || !is_small(left) || !is_small(right)) {
        return NULL;
    }
    PyObject *result = NULL;
    switch (operation) {
    case ADD: result = PyNumber_Add(left, right); break;
    case SUBTRACT: result = PyNumber_Subtract(left, right); break;
    case MULTIPLY: result = PyNumber_Multiply(left, right); break;
    case DIVIDE: result = PyNumber_TrueDivide(left, right); break;
    case FLOOR: result = PyNumber_FloorDivide(left, right); break;
    case REMAINDER: result = PyNumber_Remainder(left, right); break;
    }
    PyErr_Clear(); /* a division by zero: the reason is given in Python */
    return result;
}

/* operations.has_affix of an exact str, for an exact str or a tuple of them. */
PyObject *
plain_has_affix(PyObject *value, PyObject *affix, int end, Moment *moment)
{
    int is_tuple = PyTuple_CheckExact(affix);
    Py_ssize_t count = is_tuple ? PyTuple_GET_SIZE(affix) : 1;
    if (!PyUnicode_CheckExact(value) || plain_may_hide(affix)) {
        return NULL;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        if (index == MAX_ELEMENTS) {
            return NULL;
        }
        PyObject *part = is_tuple ? PyTuple_GET_ITEM(affix, index) : affix;
        if (!PyUnicode_CheckExact(part) || !text_allowed(moment, part)) {
            return NULL;
        }
        Py_ssize_t told = PyUnicode_Tailmatch(value, part, 0, PY_SSIZE_T_MAX, end ? 1 : -1);
        if (told != 0) {
            PyErr_Clear();
            return told > 0 ? Py_NewRef(Py_True) : NULL;
        }
    }
    Py_RETURN_FALSE;
}
