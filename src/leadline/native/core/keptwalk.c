#include "keptwalk.h"

#include "interior.h"
#include "keptnode.h"
#include "keptrows.h"

/* As in agent/capture/keeping.py and expression/layout.py. */
#define ATTRIBUTE_BYTES 8
#define CLASS_BYTES 32 /* a number, and a node if the class is a new one */
#define SLOT_NAME_BYTES 4
#define MAX_SLOTS 32
#define MAX_CLASS_CHARS 200

/* agent/capture/kinds.py: how the instances of a class are written down. */
typedef enum {
    PLAN_OBJECT,
    PLAN_DICT,
    PLAN_LIST,
    PLAN_TUPLE,
    PLAN_SET,
    PLAN_FROZENSET,
    PLAN_BYTES,
    PLAN_METHOD,
    PLAN_CELL,
    PLAN_FUNCTION,
    PLAN_CLASS,
} Plan;

/* Return the layout of a class as expression/layout.py has it, borrowed, if the class is still
   laid out that way; else NULL, perhaps with an exception. */
static PyObject *
layout_of(const KeptWalk *walk, PyTypeObject *cls)
{
    PyObject *key = kept_identity((PyObject *)cls);
    PyObject *layout = key == NULL ? NULL : PyDict_GetItemWithError(walk->layouts, key);
    Py_XDECREF(key);
    if (layout == NULL) {
        return NULL;
    }
    PyObject *whose = PyObject_GetAttr(layout, words[WORD_cls]);
    PyObject *order = PyObject_GetAttr(layout, words[WORD_order]);
    int same = whose == (PyObject *)cls && order != NULL && order == cls->tp_mro;
    Py_XDECREF(whose);
    Py_XDECREF(order);
    return same ? layout : NULL;
}

/* Return the plan of a layout, a new reference, or NULL, perhaps with an exception. */
static PyObject *
plan_of(PyObject *layout)
{
    PyObject *keeping = PyObject_GetAttr(layout, words[WORD_keeping]), *plan = NULL;
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
write_object(KeptWalk *walk, PyObject *value, PyObject *plan)
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
    Part parts[3] = {{WORD_c, kept_number(&walk->keeper, (PyObject *)Py_TYPE(value))}};
    int many = 1;
    if (count) {
        parts[many++] = (Part){WORD_a, attributes_taken(&walk->keeper, names)};
    }
    if (slots.count) {
        parts[many++] = (Part){WORD_s, slots_taken(&walk->keeper, &slots)};
    }
    slots_let_go(&slots);
    return write_node(walk, found, WORD_object, parts, many);
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

/* Write the name of what its module has under that name. */
static Outcome
write_name(KeptWalk *walk, PyObject *module, PyObject *name, PyObject *value)
{
    if (module == NULL || !PyUnicode_CheckExact(module) || !PyUnicode_CheckExact(name) ||
        PyUnicode_GET_LENGTH(name) > MAX_CLASS_CHARS) {
        return LEFT_TO_PYTHON;
    }
    long long bytes = PyUnicode_GET_LENGTH(module) + PyUnicode_GET_LENGTH(name);
    int known = bytes > walk->keeper.left ? 0 : holds(walk->modules, module, name, value);
    if (known <= 0) {
        return known < 0 ? FAILED : LEFT_TO_PYTHON;
    }
    walk->keeper.left -= bytes;
    Part parts[] = {{WORD_t, Py_NewRef(name)}, {WORD_m, Py_NewRef(module)}};
    return write_node(walk, PyList_GET_SIZE(walk->keeper.objects), WORD_name, parts, 2);
}

/* `kinds.class_`, of a class that its module has under its name. */
static Outcome
write_class(KeptWalk *walk, PyObject *value)
{
    if (!PyType_Check(value) ||
        !PyType_HasFeature((PyTypeObject *)value, Py_TPFLAGS_HEAPTYPE)) {
        return LEFT_TO_PYTHON;
    }
    PyObject *layout = layout_of(walk, (PyTypeObject *)value);
    if (layout == NULL) {
        return PyErr_Occurred() ? FAILED : LEFT_TO_PYTHON;
    }
    PyObject *module = PyObject_GetAttr(layout, words[WORD_module]);
    if (module == NULL) {
        return FAILED;
    }
    PyObject *name = ((PyHeapTypeObject *)value)->ht_qualname;
    Outcome outcome = write_name(walk, module, name, value);
    Py_DECREF(module);
    return outcome;
}

/* `kept_functions.function`, of one that its module has under its name. */
static Outcome
write_function(KeptWalk *walk, PyObject *value)
{
    PyFunctionObject *function = (PyFunctionObject *)value;
    return write_name(walk, function->func_module, function->func_qualname, value);
}

/* Whether a module may hold such a one under a name, by which it is written then. */
static int
may_be_named(Plan plan)
{
    return plan == PLAN_OBJECT || plan == PLAN_DICT || plan == PLAN_LIST || plan == PLAN_SET;
}

static Outcome
write_by(KeptWalk *walk, PyObject *value, Plan kind, PyObject *plan)
{
    switch (kind) {
    case PLAN_OBJECT:
        return write_object(walk, value, plan);
    case PLAN_DICT:
        return write_dict(walk, value);
    case PLAN_LIST:
        return write_row(walk, value, WORD_list);
    case PLAN_TUPLE:
        return write_row(walk, value, WORD_tuple);
    case PLAN_SET:
        return write_set(walk, value, WORD_set);
    case PLAN_FROZENSET:
        return write_set(walk, value, WORD_frozenset);
    case PLAN_BYTES:
        return write_bytes(walk, value);
    case PLAN_METHOD:
        return write_method(walk, value);
    case PLAN_CELL:
        return write_cell(walk, value);
    case PLAN_FUNCTION:
        return write_function(walk, value);
    case PLAN_CLASS:
        return write_class(walk, value);
    }
    return LEFT_TO_PYTHON;
}

static Outcome
write_next(KeptWalk *walk)
{
    PyObject *value = PyList_GET_ITEM(walk->keeper.objects, PyList_GET_SIZE(walk->nodes));
    PyObject *layout = layout_of(walk, Py_TYPE(value));
    PyObject *plan = layout == NULL ? NULL : plan_of(layout);
    if (plan == NULL) {
        return PyErr_Occurred() ? FAILED : LEFT_TO_PYTHON;
    }
    Plan kind = (Plan)PyLong_AsLong(PyTuple_GET_ITEM(plan, 0));
    int served = is_among(walk->pieces, value);
    int named = may_be_named(kind) ? is_among(walk->landmarks, value) : 0;
    int apart = PyDict_GET_SIZE(walk->pieces) && PyTuple_GET_ITEM(plan, 2) == Py_True;
    Outcome outcome = LEFT_TO_PYTHON;
    if (served < 0 || named < 0) {
        outcome = FAILED;
    }
    else if (!served && !named && !apart) {
        Py_INCREF(value);
        outcome = write_by(walk, value, kind, plan);
        Py_DECREF(value);
    }
    Py_DECREF(plan);
    return outcome;
}

PyObject *
kept_nodes(PyObject *Py_UNUSED(module), PyObject *args)
{
    KeptWalk walk;
    Py_ssize_t every;
    if (!PyArg_ParseTuple(
            args, "O!O!O!O!O!O!O!O!O!Lnn", &PyList_Type, &walk.keeper.objects, &PyList_Type,
            &walk.nodes, &PyList_Type, &walk.reach, &PyDict_Type, &walk.keeper.memo,
            &PyDict_Type, &walk.layouts, &PyDict_Type, &walk.landmarks, &PyDict_Type,
            &walk.pieces, &PyDict_Type, &walk.modules, &PyDict_Type, &walk.known,
            &walk.keeper.left, &walk.most, &every)) {
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
