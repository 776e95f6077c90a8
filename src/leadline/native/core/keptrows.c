#include "keptrows.h"

#include "shape.h"

/* As in agent/capture/kept_values.py. */
#define ENTRY_BYTES 8
#define ITEM_BYTES 3
#define MORE_ENTRY_BYTES 4

/* `kept_values.entries`. */
Outcome
write_dict(KeptWalk *walk, PyObject *value)
{
    Py_ssize_t count = PyDict_GET_SIZE(value), found = PyList_GET_SIZE(walk->keeper.objects);
    Budget budget = budget_of(walk);
    if (budget.left < count * ENTRY_BYTES) {
        return LEFT_TO_PYTHON;
    }
    budget.left -= count * MORE_ENTRY_BYTES;
    int drained = is_drained(value, &PyDict_Type, count);
    if (drained) {
        return drained < 0 ? FAILED : LEFT_TO_PYTHON;
    }
    int fit = kept_fits_all(budget, value, 1);
    if (fit <= 0) {
        return fit < 0 ? FAILED : LEFT_TO_PYTHON;
    }
    Part part = {WORD_p, kept_pairs(&walk->keeper, value)};
    walk->keeper.left -= count * MORE_ENTRY_BYTES;
    return write_node(walk, found, WORD_dict, &part, 1);
}

/* Whether the first of two items is no name under which the second is a secret, as far as that
   is known here; -1 with an exception. */
static int
is_no_name(const Budget *budget, PyObject *first)
{
    if (PyUnicode_CheckExact(first)) {
        return kept_is_ordinary(budget, first);
    }
    return first == Py_None || PyBool_Check(first) || PyLong_CheckExact(first) ||
           PyFloat_CheckExact(first) || PyTuple_CheckExact(first) || PyList_CheckExact(first) ||
           PyDict_CheckExact(first);
}

/* `kept_values._row`. */
Outcome
write_row(KeptWalk *walk, PyObject *value, Word kind)
{
    PyObject **items = PySequence_Fast_ITEMS(value);
    Py_ssize_t count = PySequence_Fast_GET_SIZE(value);
    Budget budget = budget_of(walk);
    if (budget.left < count * ITEM_BYTES) {
        return LEFT_TO_PYTHON;
    }
    int open = count == 2 ? is_no_name(&budget, items[0]) : 1;
    if (open <= 0) {
        return open < 0 ? FAILED : LEFT_TO_PYTHON;
    }
    return write_items(walk, budget, items, count, kind);
}

Outcome
write_set(KeptWalk *walk, PyObject *value, Word kind)
{
    Py_ssize_t count = PySet_GET_SIZE(value);
    Budget budget = budget_of(walk);
    if (budget.left < count * ITEM_BYTES) {
        return LEFT_TO_PYTHON;
    }
    int drained = is_drained(value, Py_TYPE(value), count);
    if (drained) {
        return drained < 0 ? FAILED : LEFT_TO_PYTHON;
    }
    PyObject *items = PySequence_List(value);
    if (items == NULL) {
        return FAILED;
    }
    Outcome outcome = write_items(walk, budget, PySequence_Fast_ITEMS(items),
                                  PyList_GET_SIZE(items), kind);
    Py_DECREF(items);
    return outcome;
}

/* `kept_values._bytes`. */
Outcome
write_bytes(KeptWalk *walk, PyObject *value)
{
    Py_ssize_t length = PyBytes_GET_SIZE(value), found = PyList_GET_SIZE(walk->keeper.objects);
    if (length > walk->keeper.left) {
        return LEFT_TO_PYTHON;
    }
    PyObject *text = PyUnicode_DecodeLatin1(PyBytes_AS_STRING(value), length, NULL);
    if (text == NULL) {
        return FAILED;
    }
    Budget budget = budget_of(walk);
    if (!kept_fits(&budget, text)) { /* that it is ASCII is asked there, too */
        Py_DECREF(text);
        return LEFT_TO_PYTHON;
    }
    walk->keeper.left = budget.left + 1; /* of the text alone, without a comma */
    Part part = {WORD_t, text};
    return write_node(walk, found, WORD_bytes, &part, 1);
}

/* `kept_forms._method`, and a variable that functions share: `kept_functions.cell`. */
Outcome
write_method(KeptWalk *walk, PyObject *value)
{
    PyObject *parts[] = {PyMethod_GET_FUNCTION(value), PyMethod_GET_SELF(value)};
    return write_items(walk, budget_of(walk), parts, 2, WORD_method);
}

Outcome
write_cell(KeptWalk *walk, PyObject *value)
{
    PyObject *inside = PyCell_GET(value);
    return write_items(walk, budget_of(walk), &inside, inside != NULL, WORD_cell);
}
