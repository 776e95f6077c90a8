#include "keptwalk.h"

#include "interior.h"
#include "kept.h"
#include "shape.h"

/* As in agent/capture/keeping.py and the modules kept_*.py beside it. */
#define ATTRIBUTE_BYTES 8
#define ENTRY_BYTES 8
#define ITEM_BYTES 3
#define MORE_ENTRY_BYTES 4
#define CLASS_BYTES 32 /* a number, and a node if the class is a new one */
#define SLOT_NAME_BYTES 4
#define MAX_SLOTS 32
#define MAX_CLASS_CHARS 200 /* expression.layout */

/* agent/capture/kinds.py: how the instances of a class are written down. */
typedef enum { PLAN_OBJECT, PLAN_DICT, PLAN_LIST, PLAN_TUPLE, PLAN_CLASS } Plan;

/* Names that are asked for or said, made once. */
typedef enum {
    WORD_CLS, WORD_ORDER, WORD_KEEPING, WORD_MODULE, WORD_K, WORD_C, WORD_A, WORD_S, WORD_P, WORD_I,
    WORD_T, WORD_M, WORD_OBJECT, WORD_DICT, WORD_LIST, WORD_TUPLE, WORD_NAME, WORDS,
} Word; /* clang-format off */

static const char *const spelled[WORDS] = {
    "cls", "order", "keeping", "module", "k", "c", "a", "s", "p", "i",
    "t", "m", "object", "dict", "list", "tuple", "name",
}; /* clang-format on */
static PyObject *words[WORDS];

static int
words_begin(void)
{
    for (int word = 0; word < WORDS; word++) {
        if (words[word] == NULL &&
            (words[word] = PyUnicode_InternFromString(spelled[word])) == NULL) {
            return -1;
        }
    }
    return 0;
}

typedef struct {
    Keeper keeper;
    PyObject *known, *nodes, *reach, *layouts, *landmarks, *pieces, *modules;
    Py_ssize_t most;
} Walk;

/* What became of an object: it was written down, it was not and nothing was taken, or there is
   an exception. */
typedef enum { FAILED = -1, LEFT_TO_PYTHON, WRITTEN } Outcome;

static Budget
budget_of(const Walk *walk)
{
    return (Budget){
        .known = walk->known,
        .left = walk->keeper.left,
        .more = walk->most - PyList_GET_SIZE(walk->keeper.objects),
    };
}

/* A part of a node, whose reference is taken over. */
typedef struct {
    Word name;
    PyObject *one;
} Part;

/* Make a node of a kind and its parts; one that is NULL is an exception. */
static Outcome
write_node(Walk *walk, Py_ssize_t found, Word kind, Part *parts, int count)
{
    PyObject *node = PyDict_New(), *reach = PyLong_FromSsize_t(found);
    int whole = node != NULL && reach != NULL && PyDict_SetItem(node, words[WORD_K], words[kind]) == 0;
    for (int index = 0; index < count; index++) {
        PyObject *one = parts[index].one;
        whole = whole && one != NULL && PyDict_SetItem(node, words[parts[index].name], one) == 0;
        Py_XDECREF(one);
    }
    whole = whole && PyList_Append(walk->reach, reach) == 0 && PyList_Append(walk->nodes, node) == 0;
    Py_XDECREF(node);
    Py_XDECREF(reach);
    return whole ? WRITTEN : FAILED;
}

/* Return the layout of a class as expression/layout.py has it, borrowed, if the class is still
   laid out that way; else NULL, perhaps with an exception. */
static PyObject *
layout_of(const Walk *walk, PyTypeObject *cls)
{
    PyObject *key = kept_identity((PyObject *)cls);
    PyObject *layout = key == NULL ? NULL : PyDict_GetItemWithError(walk->layouts, key);
    Py_XDECREF(key);
    if (layout == NULL) {
        return NULL;
    }
    PyObject *whose = PyObject_GetAttr(layout, words[WORD_CLS]);
    PyObject *order = PyObject_GetAttr(layout, words[WORD_ORDER]);
    int same = whose == (PyObject *)cls && order != NULL && order == cls->tp_mro;
    Py_XDECREF(whose);
    Py_XDECREF(order);
    return same ? layout : NULL;
}

/* Return the plan of a layout, a new reference, or NULL, perhaps with an exception. */
static PyObject *
plan_of(PyObject *layout)
{
    PyObject *keeping = PyObject_GetAttr(layout, words[WORD_KEEPING]), *plan = NULL;
    if (keeping != NULL && PyList_CheckExact(keeping) && PyList_GET_SIZE(keeping) > 1) {
        plan = Py_NewRef(PyList_GET_ITEM(keeping, 1));
    }
    Py_XDECREF(keeping);
    return plan;
}

/* Whether what has an identity is in a dictionary of such; -1 with an exception. */
static int
is_among(PyObject *dict, PyObject *value)
{
    if (PyDict_GET_SIZE(dict) == 0) {
        return 0;
    }
    PyObject *key = kept_identity(value);
    int found = key == NULL ? -1 : PyDict_Contains(dict, key);
    Py_XDECREF(key);
    return found;
}

/* Of the filled slots of an instance: their names, borrowed, and what is in them. */
typedef struct {
    Py_ssize_t count;
    PyObject *names[MAX_SLOTS], *held[MAX_SLOTS];
} Slots;

static void
slots_let_go(Slots *slots)
{
    while (slots->count > 0) {
        Py_DECREF(slots->held[--slots->count]);
    }
}

static int
slots_read(Slots *slots, PyObject *given, PyObject *value)
{
    slots->count = 0;
    if (PyTuple_GET_SIZE(given) > MAX_SLOTS) {
        return 0;
    }
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(given); index++) {
        PyObject *slot = PyTuple_GET_ITEM(given, index);
        PyObject *held = PyObject_CallOneArg(PyTuple_GET_ITEM(slot, 1), value);
        if (held != NULL) {
            slots->names[slots->count] = PyTuple_GET_ITEM(slot, 0);
            slots->held[slots->count++] = held;
        }
        else if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear(); /* it was never filled */
        }
        else {
            return -1;
        }
    }
    return 1;
}

/* Whether all attributes of an instance fit: 1, 0, or -1 with an exception. */
static int
attributes_fit(Budget *budget, Names names, const Slots *slots)
{
    PyObject *name, *value;
    int more;
    while ((more = names_next(&names, &name, &value)) > 0) {
        int ordinary = kept_is_ordinary(budget, name);
        if (ordinary <= 0) {
            return ordinary;
        }
        budget->left -= PyUnicode_GET_LENGTH(name) + SLOT_NAME_BYTES;
        if (!kept_fits(budget, value)) {
            return 0;
        }
    }
    for (Py_ssize_t index = 0; index < slots->count; index++) {
        int ordinary = kept_is_ordinary(budget, slots->names[index]);
        if (ordinary <= 0) {
            return ordinary;
        }
        budget->left -= PyUnicode_GET_LENGTH(slots->names[index]) + SLOT_NAME_BYTES;
        if (!kept_fits(budget, slots->held[index])) {
            return 0;
        }
    }
    return more == 0;
}

static PyObject *
attributes_taken(Keeper *keeper, Names names)
{
    PyObject *refs = PyDict_New(), *name, *value;
    while (refs != NULL && names_next(&names, &name, &value) > 0) {
        if (kept_add(keeper, refs, name, value) < 0) {
            Py_CLEAR(refs);
        }
    }
    return refs;
}

static PyObject *
slots_taken(Keeper *keeper, const Slots *slots)
{
    PyObject *refs = PyDict_New();
    for (Py_ssize_t index = 0; refs != NULL && index < slots->count; index++) {
        if (kept_add(keeper, refs, slots->names[index], slots->held[index]) < 0) {
            Py_CLEAR(refs);
        }
    }
    return refs;
}

/* `kinds._object`: the plan has whether it has a dictionary, and its slots. */
static Outcome
write_object(Walk *walk, PyObject *value, PyObject *plan)
{
    Names names = {.kind = NAMES_NONE};
    if (PyTuple_GET_ITEM(plan, 1) == Py_True) {
        names_begin(&names, value);
    }
    if (names.kind == NAMES_ELSEWHERE ||
        (names.kind == NAMES_DICT && !PyDict_CheckExact(names.dict))) {
        return LEFT_TO_PYTHON;
    }
    Budget budget = budget_of(walk);
    budget.left -= CLASS_BYTES;
    budget.more -= 1;
    Py_ssize_t count = names_count(&names), found = PyList_GET_SIZE(walk->keeper.objects);
    if (budget.left < count * ATTRIBUTE_BYTES || budget.more < 0) {
        return LEFT_TO_PYTHON;
    }
    Slots slots;
    int fit = slots_read(&slots, PyTuple_GET_ITEM(plan, 3), value);
    fit = fit <= 0 ? fit : attributes_fit(&budget, names, &slots);
    if (fit <= 0) {
        slots_let_go(&slots);
        return fit < 0 ? FAILED : LEFT_TO_PYTHON;
    }
    Part parts[3] = {{WORD_C, kept_number(&walk->keeper, (PyObject *)Py_TYPE(value))}};
    int many = 1;
    if (count) {
        parts[many++] = (Part){WORD_A, attributes_taken(&walk->keeper, names)};
    }
    if (slots.count) {
        parts[many++] = (Part){WORD_S, slots_taken(&walk->keeper, &slots)};
    }
    slots_let_go(&slots);
    return write_node(walk, found, WORD_OBJECT, parts, many);
}

/* `kept_values.entries`. */
static Outcome
write_dict(Walk *walk, PyObject *value)
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
    Part part = {WORD_P, kept_pairs(&walk->keeper, value)};
    walk->keeper.left -= count * MORE_ENTRY_BYTES;
    return write_node(walk, found, WORD_DICT, &part, 1);
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
static Outcome
write_row(Walk *walk, PyObject *value, Word kind)
{
    PyObject **items = PySequence_Fast_ITEMS(value);
    Py_ssize_t count = PySequence_Fast_GET_SIZE(value);
    Py_ssize_t found = PyList_GET_SIZE(walk->keeper.objects);
    Budget budget = budget_of(walk);
    if (budget.left < count * ITEM_BYTES) {
        return LEFT_TO_PYTHON;
    }
    int fit = count == 2 ? is_no_name(&budget, items[0]) : 1;
    for (Py_ssize_t index = 0; fit > 0 && index < count; index++) {
        fit = kept_fits(&budget, items[index]);
    }
    if (fit <= 0) {
        return fit < 0 ? FAILED : LEFT_TO_PYTHON;
    }
    Part part = {WORD_I, kept_row(&walk->keeper, items, count)};
    return write_node(walk, found, kind, &part, 1);
}

/* Whether a module holds a value under a name; no key of its is asked, and one that is not the
   very same text is not found. */
static int
holds(PyObject *modules, PyObject *module, PyObject *name, PyObject *value)
{
    PyObject *loaded = PyDict_GetItemWithError(modules, module), *key, *held;
    if (loaded == NULL || !PyModule_CheckExact(loaded)) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *names = PyModule_GetDict(loaded);
    Py_ssize_t position = 0;
    while (PyDict_Next(names, &position, &key, &held)) {
        if (key == name) {
            return held == value;
        }
    }
    return 0;
}

/* `kinds.class_`, of a class that its module has under its name. */
static Outcome
write_class(Walk *walk, PyObject *value)
{
    Py_ssize_t found = PyList_GET_SIZE(walk->keeper.objects);
    if (!PyType_Check(value) ||
        !PyType_HasFeature((PyTypeObject *)value, Py_TPFLAGS_HEAPTYPE)) {
        return LEFT_TO_PYTHON;
    }
    PyObject *layout = layout_of(walk, (PyTypeObject *)value);
    if (layout == NULL) {
        return PyErr_Occurred() ? FAILED : LEFT_TO_PYTHON;
    }
    PyObject *name = ((PyHeapTypeObject *)value)->ht_qualname;
    PyObject *module = PyObject_GetAttr(layout, words[WORD_MODULE]);
    if (module == NULL) {
        return FAILED;
    }
    long long bytes = PyUnicode_CheckExact(module) && PyUnicode_CheckExact(name)
                          ? PyUnicode_GET_LENGTH(module) + PyUnicode_GET_LENGTH(name)
                          : walk->keeper.left + 1;
    int known = 0;
    if (bytes <= walk->keeper.left && PyUnicode_GET_LENGTH(name) <= MAX_CLASS_CHARS) {
        known = holds(walk->modules, module, name, value);
    }
    if (known <= 0) {
        Py_DECREF(module);
        return known < 0 ? FAILED : LEFT_TO_PYTHON;
    }
    walk->keeper.left -= bytes;
    Part parts[] = {{WORD_T, Py_NewRef(name)}, {WORD_M, module}};
    return write_node(walk, found, WORD_NAME, parts, 2);
}

static Outcome
write_next(Walk *walk)
{
    PyObject *value = PyList_GET_ITEM(walk->keeper.objects, PyList_GET_SIZE(walk->nodes));
    PyObject *layout = layout_of(walk, Py_TYPE(value));
    PyObject *plan = layout == NULL ? NULL : plan_of(layout);
    if (plan == NULL) {
        return PyErr_Occurred() ? FAILED : LEFT_TO_PYTHON;
    }
    Plan kind = (Plan)PyLong_AsLong(PyTuple_GET_ITEM(plan, 0));
    int served = is_among(walk->pieces, value);
    int named = kind == PLAN_TUPLE || kind == PLAN_CLASS ? 0 : is_among(walk->landmarks, value);
    int apart = PyDict_GET_SIZE(walk->pieces) && PyTuple_GET_ITEM(plan, 2) == Py_True;
    Outcome outcome = LEFT_TO_PYTHON;
    if (served < 0 || named < 0) {
        outcome = FAILED;
    }
    else if (!served && !named && !apart) {
        Py_INCREF(value);
        switch (kind) {
        case PLAN_OBJECT:
            outcome = write_object(walk, value, plan);
            break;
        case PLAN_DICT:
            outcome = write_dict(walk, value);
            break;
        case PLAN_LIST:
            outcome = write_row(walk, value, WORD_LIST);
            break;
        case PLAN_TUPLE:
            outcome = write_row(walk, value, WORD_TUPLE);
            break;
        case PLAN_CLASS:
            outcome = write_class(walk, value);
            break;
        }
        Py_DECREF(value);
    }
    Py_DECREF(plan);
    return outcome;
}

PyObject *
kept_nodes(PyObject *Py_UNUSED(module), PyObject *args)
{
    Walk walk;
    Py_ssize_t every;
    if (!PyArg_ParseTuple(
            args, "O!O!O!O!O!O!O!O!O!Lnn", &PyList_Type, &walk.keeper.objects, &PyList_Type,
            &walk.nodes, &PyList_Type, &walk.reach, &PyDict_Type, &walk.keeper.memo, &PyDict_Type,
            &walk.layouts, &PyDict_Type, &walk.landmarks, &PyDict_Type, &walk.pieces,
            &PyDict_Type, &walk.modules, &PyDict_Type, &walk.known, &walk.keeper.left,
            &walk.most, &every)) {
        return NULL;
    }
    if (words_begin() < 0) {
        return NULL;
    }
    while (PyList_GET_SIZE(walk.nodes) < PyList_GET_SIZE(walk.keeper.objects)) {
        Outcome outcome = write_next(&walk);
        if (outcome == FAILED) {
            return NULL;
        }
        if (outcome == LEFT_TO_PYTHON || PyList_GET_SIZE(walk.nodes) % every == 0) {
            break;
        }
    }
    return PyLong_FromLongLong(walk.keeper.left);
}
