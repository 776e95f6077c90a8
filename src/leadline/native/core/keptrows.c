#include "keptrows.h"

#include "interior.h"
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
        return drained < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    }
    int fit = kept_fits_all(budget, value, 1);
    if (fit <= 0) {
        return fit < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    }
    NODE_BEGIN(walk, "{\"k\":\"dict\",\"p\":[");
    PyObject *key, *item;
    Py_ssize_t position = 0;
    for (int first = 1; PyDict_Next(value, &position, &key, &item); first = 0) {
        PyObject *pair[] = {key, item};
        text_put(&walk->text, ",[", first ? 0 : 1);
        TEXT_PUT(&walk->text, "[");
        if (put_refs(walk, pair, 2) < 0) {
            return WITH_ERROR;
        }
        TEXT_PUT(&walk->text, "]");
    }
    TEXT_PUT(&walk->text, "]");
    walk->keeper.left -= count * MORE_ENTRY_BYTES;
    return node_end(walk, found);
}

/* `kept_values._row`. */
Outcome
write_row(KeptWalk *walk, PyObject *value, const char *opening)
{
    PyObject **items = PySequence_Fast_ITEMS(value);
    Py_ssize_t count = PySequence_Fast_GET_SIZE(value);
    Budget budget = budget_of(walk);
    if (budget.left < count * ITEM_BYTES) {
        return LEFT_TO_PYTHON;
    }
    int open = count == 2 ? kept_is_no_name(&budget, items[0]) : 1;
    if (open <= 0) {
        return open < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    }
    return write_items(walk, budget, items, count, opening);
}

/* Write what goes through in C: the items of a set or a deque. */
static Outcome
write_listed(KeptWalk *walk, PyObject *value, Budget budget, const char *opening)
{
    PyObject *items = PySequence_List(value);
    if (items == NULL) {
        return WITH_ERROR;
    }
    Outcome outcome = write_items(walk, budget, PySequence_Fast_ITEMS(items),
                                  PyList_GET_SIZE(items), opening);
    Py_DECREF(items);
    return outcome;
}

Outcome
write_set(KeptWalk *walk, PyObject *value, const char *opening)
{
    Py_ssize_t count = PySet_GET_SIZE(value);
    Budget budget = budget_of(walk);
    if (budget.left < count * ITEM_BYTES) {
        return LEFT_TO_PYTHON;
    }
    int drained = is_drained(value, Py_TYPE(value), count);
    if (drained) {
        return drained < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    }
    return write_listed(walk, value, budget, opening);
}

/* `kept_values._deque`, of one that may have any length. */
Outcome
write_deque(KeptWalk *walk, PyObject *value)
{
    Budget budget = budget_of(walk);
    Py_ssize_t count = PyObject_Size(value);
    PyObject *most = count < 0 ? NULL : PyObject_GetAttr(value, words[WORD_maxlen]);
    if (most == NULL) {
        return WITH_ERROR;
    }
    Py_DECREF(most);
    if (most != Py_None || budget.left < count * ITEM_BYTES) {
        return LEFT_TO_PYTHON;
    }
    return write_listed(walk, value, budget, "{\"k\":\"deque\",\"i\":[");
}

/* `kept_values._bytes`. */
Outcome
write_bytes(KeptWalk *walk, PyObject *value)
{
    Py_ssize_t length = PyBytes_GET_SIZE(value), found = PyList_GET_SIZE(walk->keeper.objects);
    const char *bytes = PyBytes_AS_STRING(value);
    if (length > walk->keeper.left) {
        return LEFT_TO_PYTHON;
    }
    for (Py_ssize_t index = 0; index < length; index++) {
        if ((unsigned char)bytes[index] > 127) {
            return LEFT_TO_PYTHON;
        }
    }
    NODE_BEGIN(walk, "{\"k\":\"bytes\",\"t\":");
    long long size = (long long)text_latin1(&walk->text, bytes, length);
    if (size > walk->keeper.left) {
        return LEFT_TO_PYTHON;
    }
    walk->keeper.left -= size;
    return node_end(walk, found);
}

/* `kept_forms._method`, and a variable that functions share: `kept_functions.cell`. */
Outcome
write_method(KeptWalk *walk, PyObject *value)
{
    PyObject *parts[] = {PyMethod_GET_FUNCTION(value), PyMethod_GET_SELF(value)};
    return write_items(walk, budget_of(walk), parts, 2, "{\"k\":\"method\",\"i\":[");
}

Outcome
write_cell(KeptWalk *walk, PyObject *value)
{
    PyObject *inside = PyCell_GET(value);
    return write_items(walk, budget_of(walk), &inside, inside != NULL,
                       "{\"k\":\"cell\",\"i\":[");
}

/* Write what members of C read. */
static Outcome
write_members(KeptWalk *walk, PyObject *value, const Word *names, int count,
              const char *opening)
{
    PyObject *parts[3];
    int read = 0;
    while (read < count && (parts[read] = PyObject_GetAttr(value, words[names[read]]))) {
        read++;
    }
    Outcome outcome = WITH_ERROR;
    if (read == count) {
        outcome = write_items(walk, budget_of(walk), parts, count, opening);
    }
    while (read > 0) {
        Py_DECREF(parts[--read]); /* each that is written is held by what it was read from */
    }
    return outcome;
}

/* `kept_forms._pattern` and `_partial`. */
Outcome
write_pattern(KeptWalk *walk, PyObject *value)
{
    static const Word parts[] = {WORD_pattern, WORD_flags};
    return write_members(walk, value, parts, 2, "{\"k\":\"pattern\",\"i\":[");
}

Outcome
write_partial(KeptWalk *walk, PyObject *value)
{
    static const Word parts[] = {WORD_func, WORD_args, WORD_keywords};
    Names names;
    names_begin(&names, value);
    if (names.kind != NAMES_NONE && (names.kind != NAMES_DICT || names.size)) {
        return LEFT_TO_PYTHON;
    }
    return write_members(walk, value, parts, 3, "{\"k\":\"partial\",\"i\":[");
}

Outcome
write_bare(KeptWalk *walk, const char *opening)
{
    walk->text.size = 0;
    text_put(&walk->text, opening, strlen(opening));
    return node_end(walk, PyList_GET_SIZE(walk->keeper.objects));
}
