#include "keptwalk.h"

#include <stdlib.h>

#include "interior.h"
#include "keptcode.h"
#include "keptfields.h"
#include "keptlive.h"
#include "keptplan.h"
#include "keptrows.h"

/* As in agent/capture/keeping.py and expression/layout.py. */
#define ATTRIBUTE_BYTES 8
#define CLASS_BYTES 32 /* a number, and a node if the class is a new one */

/* Write how an object is found in a twin, if there is to be said so, as far as that is known
   here; what is left to say stays in `lives`. -1 with an exception. */
static int
say_live(KeptWalk *walk, PyObject *value, int *lives)
{
    int said = *lives ? put_live(walk, value) : 0;
    *lives = *lives && said == 0;
    return said;
}

static Outcome
put_object(KeptWalk *walk, PyObject *value, Names names, const Slots *slots, int *lives)
{
    Py_ssize_t found = PyList_GET_SIZE(walk->keeper.objects);
    NODE_BEGIN(walk, "{\"k\":\"object\",\"c\":");
    Py_ssize_t number = kept_number(&walk->keeper, (PyObject *)Py_TYPE(value));
    text_integer(&walk->text, number);
    if (number < 0 || (names_count(&names) && put_names(walk, names) < 0) ||
        (slots->count && put_slots(walk, slots) < 0) || say_live(walk, value, lives) < 0) {
        return WITH_ERROR;
    }
    return node_end(walk, found);
}

/* `kinds._object`, and how it is found in a twin if there is to be said so. */
static Outcome
write_object(KeptWalk *walk, PyObject *value, const KeptPlan *plan, int *lives)
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
    budget.left -= CLASS_BYTES + (*lives ? LIVE_BYTES : 0);
    budget.more -= 1;
    if (budget.left < names_count(&names) * ATTRIBUTE_BYTES || budget.more < 0) {
        return LEFT_TO_PYTHON;
    }
    Slots slots;
    int fit = slots_read(&slots, plan->slots, value);
    fit = fit <= 0 ? fit : attributes_fit(&budget, names, &slots);
    Outcome outcome = fit < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    if (fit > 0) {
        outcome = put_object(walk, value, names, &slots, lives);
    }
    slots_let_go(&slots);
    return outcome;
}

/* `Keeper._absent`, of what lives in its process. */
static Outcome
write_absent(KeptWalk *walk, PyObject *value, const KeptPlan *plan, int *lives)
{
    long long bytes = PyUnicode_GET_LENGTH(plan->name);
    if (!walk->names_absent || walk->keeper.left < bytes + LIVE_BYTES) {
        return LEFT_TO_PYTHON;
    }
    walk->keeper.left -= bytes;
    NODE_BEGIN(walk, "{\"k\":\"withheld\",\"t\":");
    put_text(walk, plan->name);
    TEXT_PUT(&walk->text, ",\"rule\":\"process\"");
    if (say_live(walk, value, lives) < 0) {
        return WITH_ERROR;
    }
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
write_by(KeptWalk *walk, PyObject *value, const KeptPlan *plan, int *lives)
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
        return write_absent(walk, value, plan, lives);
    }
    return LEFT_TO_PYTHON;
}

/* `Held.node`. */
static Outcome
write_held(KeptWalk *walk, PyObject *value)
{
    PyObject *name = PyObject_GetAttr(value, words[WORD_name]);
    PyObject *rule = name == NULL ? NULL : PyObject_GetAttr(value, words[WORD_rule]);
    Outcome outcome = rule == NULL ? WITH_ERROR : LEFT_TO_PYTHON;
    if (rule != NULL && PyUnicode_CheckExact(name) && PyUnicode_CheckExact(rule)) {
        NODE_BEGIN(walk, "{\"k\":\"withheld\",\"t\":");
        put_text(walk, name);
        TEXT_PUT(&walk->text, ",\"rule\":");
        put_text(walk, rule);
        outcome = node_end(walk, PyList_GET_SIZE(walk->keeper.objects));
    }
    Py_XDECREF(name);
    Py_XDECREF(rule);
    return outcome;
}

/* Write the next object. Of one that is also to be found in a twin, `lives` tells so. */
static Outcome
write_next(KeptWalk *walk, int *lives)
{
    PyObject *value = PyList_GET_ITEM(walk->keeper.objects, PyList_GET_SIZE(walk->nodes));
    if ((PyObject *)Py_TYPE(value) == walk->held) {
        return write_held(walk, value);
    }
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
    Outcome outcome = write_by(walk, value, &plan, lives);
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
    PyObject **lists[] = {&walk->keeper.objects, &walk->nodes, &walk->reach, &walk->slots};
    PyObject **dicts[] = {&walk->keeper.memo, &walk->layouts, &walk->landmarks, &walk->pieces,
                          &walk->modules,     &walk->known,   &walk->prints,    &walk->numbers};
    const Py_ssize_t few = sizeof lists / sizeof *lists, many = sizeof dicts / sizeof *dicts;
    if (!PyTuple_CheckExact(hands) || PyTuple_GET_SIZE(hands) != few + many + 2) {
        return 0;
    }
    int right = 1;
    for (Py_ssize_t index = 0; index < few; index++) {
        *lists[index] = PyTuple_GET_ITEM(hands, index);
        right = right && PyList_CheckExact(*lists[index]);
    }
    for (Py_ssize_t index = 0; index < many; index++) {
        *dicts[index] = PyTuple_GET_ITEM(hands, few + index);
        right = right && PyDict_CheckExact(*dicts[index]);
    }
    walk->token = PyTuple_GET_ITEM(hands, few + many);
    walk->held = PyTuple_GET_ITEM(hands, few + many + 1);
    return right && PyUnicode_CheckExact(walk->token);
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
