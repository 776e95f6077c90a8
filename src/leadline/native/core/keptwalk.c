#include "keptwalk.h"

#include <stdlib.h>
#include <structmember.h>

#include "interior.h"
#include "keptcode.h"
#include "keptplan.h"
#include "keptrows.h"

/* As in agent/capture/keeping.py and expression/layout.py. */
#define ATTRIBUTE_BYTES 8
#define CLASS_BYTES 32 /* a number, and a node if the class is a new one */
#define NAME_BYTES 4
#define LIVE_BYTES 40
#define MAX_SLOTS 32

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

/* Read a slot by its descriptor, or by what Python reads it with: a new reference, or NULL where
   it was never filled (no exception) or with one. */
static PyObject *
slot_held(PyObject *slot, PyObject *value)
{
    PyObject *descriptor = PyTuple_GET_ITEM(slot, 2);
    if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) {
        PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
        if (member->type == Py_T_OBJECT_EX) {
            return Py_XNewRef(*(PyObject **)((char *)value + member->offset));
        }
    }
    PyObject *held = PyObject_CallOneArg(PyTuple_GET_ITEM(slot, 1), value);
    if (held == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    return held;
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
        PyObject *held = slot_held(slot, value);
        if (held != NULL) {
            slots->names[slots->count] = PyTuple_GET_ITEM(slot, 0);
            slots->held[slots->count++] = held;
        }
        else if (PyErr_Occurred()) {
            return -1;
        }
    }
    return 1;
}

/* Whether an attribute fits: 1, 0, or -1 with an exception. */
static int
attribute_fits(Budget *budget, PyObject *name, PyObject *value)
{
    int ordinary = kept_is_ordinary(budget, name);
    if (ordinary <= 0) {
        return ordinary;
    }
    budget->left -= PyUnicode_GET_LENGTH(name) + NAME_BYTES;
    return kept_fits(budget, value);
}

/* Whether all attributes of an instance fit: 1, 0, or -1 with an exception. */
static int
attributes_fit(Budget *budget, Names names, const Slots *slots)
{
    PyObject *name, *value;
    int more, fit = 1;
    while (fit > 0 && (more = names_next(&names, &name, &value)) != 0) {
        fit = more < 0 ? 0 : attribute_fits(budget, name, value);
    }
    for (Py_ssize_t index = 0; fit > 0 && index < slots->count; index++) {
        fit = attribute_fits(budget, slots->names[index], slots->held[index]);
    }
    return fit;
}

static int
put_attribute(KeptWalk *walk, PyObject *name, PyObject *value, int first)
{
    text_put(&walk->text, ",", first ? 0 : 1);
    put_text(walk, name);
    TEXT_PUT(&walk->text, ":");
    walk->keeper.left -= PyUnicode_GET_LENGTH(name) + NAME_BYTES;
    return put_ref(walk, value);
}

static int
put_names(KeptWalk *walk, Names names)
{
    PyObject *name, *value;
    TEXT_PUT(&walk->text, ",\"a\":{");
    for (int first = 1; names_next(&names, &name, &value) > 0; first = 0) {
        if (put_attribute(walk, name, value, first) < 0) {
            return -1;
        }
    }
    TEXT_PUT(&walk->text, "}");
    return 0;
}

static int
put_slots(KeptWalk *walk, const Slots *slots)
{
    TEXT_PUT(&walk->text, ",\"s\":{");
    for (Py_ssize_t index = 0; index < slots->count; index++) {
        if (put_attribute(walk, slots->names[index], slots->held[index], index == 0) < 0) {
            return -1;
        }
    }
    TEXT_PUT(&walk->text, "}");
    return 0;
}

static Outcome
put_object(KeptWalk *walk, PyObject *value, Names names, const Slots *slots)
{
    Py_ssize_t found = PyList_GET_SIZE(walk->keeper.objects);
    NODE_BEGIN(walk, "{\"k\":\"object\",\"c\":");
    Py_ssize_t number = kept_number(&walk->keeper, (PyObject *)Py_TYPE(value));
    text_integer(&walk->text, number);
    if (number < 0 || (names_count(&names) && put_names(walk, names) < 0) ||
        (slots->count && put_slots(walk, slots) < 0)) {
        return WITH_ERROR;
    }
    return node_end(walk, found);
}

/* `kinds._object`, and how it is found in a twin if there is to be said so. */
static Outcome
write_object(KeptWalk *walk, PyObject *value, const KeptPlan *plan, int lives)
{
    Names names = {.kind = NAMES_NONE};
    if (plan->has_names) {
        names_begin(&names, value);
    }
    if (names.kind == NAMES_ELSEWHERE ||
        (names.kind == NAMES_DICT && !PyDict_CheckExact(names.dict))) {
        return LEFT_TO_PYTHON;
    }
    Budget budget = budget_of(walk);
    budget.left -= CLASS_BYTES + (lives ? LIVE_BYTES : 0);
    budget.more -= 1;
    if (budget.left < names_count(&names) * ATTRIBUTE_BYTES || budget.more < 0) {
        return LEFT_TO_PYTHON;
    }
    Slots slots;
    int fit = slots_read(&slots, plan->slots, value);
    fit = fit <= 0 ? fit : attributes_fit(&budget, names, &slots);
    Outcome outcome = fit < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    if (fit > 0) {
        outcome = put_object(walk, value, names, &slots);
    }
    slots_let_go(&slots);
    return outcome;
}

/* `Keeper._absent`, of what lives in its process. */
static Outcome
write_absent(KeptWalk *walk, const KeptPlan *plan)
{
    long long bytes = PyUnicode_GET_LENGTH(plan->name);
    if (!walk->names_absent || walk->keeper.left < bytes + LIVE_BYTES) {
        return LEFT_TO_PYTHON;
    }
    walk->keeper.left -= bytes;
    NODE_BEGIN(walk, "{\"k\":\"withheld\",\"t\":");
    put_text(walk, plan->name);
    TEXT_PUT(&walk->text, ",\"rule\":\"process\"");
    return node_end(walk, PyList_GET_SIZE(walk->keeper.objects));
}

/* Whether a module may hold such a one under a name, by which it is written then. */
static int
may_be_named(KeptKind kind)
{
    return kind == KEPT_OBJECT || kind == KEPT_DICT || kind == KEPT_LIST || kind == KEPT_SET ||
           kind == KEPT_DEQUE || kind == KEPT_LOCK || kind == KEPT_RLOCK || kind == KEPT_OPAQUE;
}

static Outcome
write_by(KeptWalk *walk, PyObject *value, const KeptPlan *plan, int lives)
{
    switch (plan->kind) {
    case KEPT_OBJECT:
        return write_object(walk, value, plan, lives);
    case KEPT_DICT:
        return write_dict(walk, value);
    case KEPT_LIST:
        return write_row(walk, value, "{\"k\":\"list\",\"i\":[");
    case KEPT_TUPLE:
        return write_row(walk, value, "{\"k\":\"tuple\",\"i\":[");
    case KEPT_SET:
        return write_set(walk, value, "{\"k\":\"set\",\"i\":[");
    case KEPT_FROZENSET:
        return write_set(walk, value, "{\"k\":\"frozenset\",\"i\":[");
    case KEPT_DEQUE:
        return write_deque(walk, value);
    case KEPT_BYTES:
        return write_bytes(walk, value);
    case KEPT_METHOD:
        return write_method(walk, value);
    case KEPT_CELL:
        return write_cell(walk, value);
    case KEPT_PATTERN:
        return write_pattern(walk, value);
    case KEPT_PARTIAL:
        return write_partial(walk, value);
    case KEPT_FUNCTION:
        return write_function(walk, value);
    case KEPT_CLASS:
        return write_class(walk, value);
    case KEPT_LOCK:
        return write_bare(walk, "{\"k\":\"lock\"");
    case KEPT_RLOCK:
        return write_bare(walk, "{\"k\":\"rlock\"");
    case KEPT_OPAQUE:
        return write_absent(walk, plan);
    }
    return LEFT_TO_PYTHON;
}

/* Write the next object. Of one that is also to be found in a twin, `lives` tells so. */
static Outcome
write_next(KeptWalk *walk, int *lives)
{
    PyObject *value = PyList_GET_ITEM(walk->keeper.objects, PyList_GET_SIZE(walk->nodes));
    KeptPlan plan;
    int known = kept_plan(walk, Py_TYPE(value), &plan);
    if (known <= 0) {
        return known < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    }
    int named = may_be_named(plan.kind) ? kept_is_among(walk->landmarks, value) : 0;
    int served = named ? named : kept_is_among(walk->pieces, value);
    if (served) {
        return served < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    }
    *lives = plan.kind == KEPT_OPAQUE ||
             (plan.kind == KEPT_OBJECT && plan.called && PyDict_GET_SIZE(walk->pieces));
    Py_INCREF(value);
    Py_INCREF(plan.slots);
    Py_INCREF(plan.name);
    Outcome outcome = write_by(walk, value, &plan, *lives);
    Py_DECREF(plan.name);
    Py_DECREF(plan.slots);
    Py_DECREF(value);
    return outcome;
}

static int
write_all(KeptWalk *walk, Py_ssize_t every, int *lives)
{
    while (PyList_GET_SIZE(walk->nodes) < PyList_GET_SIZE(walk->keeper.objects)) {
        Outcome outcome = write_next(walk, lives);
        if (outcome == LEFT_TO_PYTHON) {
            *lives = 0;
        }
        if (outcome != WRITTEN) {
            return outcome;
        }
        if (*lives || PyList_GET_SIZE(walk->nodes) % every == 0) {
            break;
        }
    }
    return 0;
}

/* Take what a walk is done with; 0 where it is not as expected. */
static int
walk_with(KeptWalk *walk, PyObject *hands)
{
    PyObject **into[] = {
        &walk->keeper.objects, &walk->nodes,     &walk->reach,  &walk->keeper.memo,
        &walk->layouts,        &walk->landmarks, &walk->pieces, &walk->modules,
        &walk->known,          &walk->prints,
    };
    const Py_ssize_t lists = 3, count = (Py_ssize_t)(sizeof into / sizeof *into);
    if (!PyTuple_CheckExact(hands) || PyTuple_GET_SIZE(hands) != count) {
        return 0;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *one = PyTuple_GET_ITEM(hands, index);
        if (!Py_IS_TYPE(one, index < lists ? &PyList_Type : &PyDict_Type)) {
            return 0;
        }
        *into[index] = one;
    }
    return 1;
}

PyObject *
kept_nodes(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    KeptWalk walk = {.text = {0}};
    int lives = 0;
    if (count != 5 || !walk_with(&walk, args[0])) {
        PyErr_SetString(PyExc_TypeError, "what a walk is done with was expected");
        return NULL;
    }
    walk.keeper.left = PyLong_AsLongLong(args[1]);
    walk.most = PyLong_AsSsize_t(args[2]);
    Py_ssize_t every = PyLong_AsSsize_t(args[3]);
    walk.names_absent = args[4] == Py_True;
    if (PyErr_Occurred() || every < 1 || words_begin() < 0) {
        return NULL;
    }
    int failed = write_all(&walk, every, &lives) < 0;
    free(walk.text.bytes);
    return failed ? NULL : Py_BuildValue("LO", walk.keeper.left, lives ? Py_True : Py_False);
}
