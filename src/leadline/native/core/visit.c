#include "core.h"

#include "calls.h"
#include "measure.h"
#include "surroundings.h"

#define MAX_SAMPLES 20000 /* agent.core.passage.MAX_SAMPLES */

PyObject *
visit_object(Visit *visit)
{
    if (visit->visit == NULL) {
        const Moment *moment = &visit->moment;
        visit->core->in_python++;
        PyObject *frame = (PyObject *)PyEval_GetFrame();
        PyObject *duration =
            moment->has_duration ? PyFloat_FromDouble(moment->duration_s) : Py_NewRef(Py_None);
        PyObject *unheard = PyLong_FromLongLong(moment->unheard);
        if (duration != NULL && unheard != NULL && frame != NULL) {
            visit->visit = PyObject_CallFunctionObjArgs(
                visit->core->visit, visit->armed->meter, visit->armed->site, frame,
                moment->result != NULL ? moment->result : visit->core->nothing,
                moment->exception != NULL ? moment->exception : Py_None, duration,
                unheard, NULL);
        }
        Py_XDECREF(duration);
        Py_XDECREF(unheard);
        if (visit->visit == NULL && !PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "a hit without a frame");
        }
    }
    return visit->visit;
}

/* Let Python evaluate a watch from the beginning: its value (a new reference), or what stands
   for it, which is then written already (None and no exception: `*written`). */
static PyObject *
watch_in_python(Visit *visit, PyObject *watch, int more, Text *text, long long *room,
                int *written)
{
    PyObject *object = visit_object(visit);
    if (object == NULL) {
        return NULL;
    }
    PyObject *answer = PyObject_CallFunction(visit->core->punted, "OOilL", watch, object, more,
                                             visit->moment.fuel, *room);
    if (answer == NULL) {
        return NULL;
    }
    PyObject *bytes, *value;
    if (!PyArg_ParseTuple(answer, "OOlL", &bytes, &value, &visit->moment.fuel, room)) {
        Py_DECREF(answer);
        return NULL;
    }
    *written = PyBytes_Check(bytes);
    if (*written) {
        text_put(text, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    }
    Py_INCREF(value);
    Py_DECREF(answer);
    return value;
}

/* Return the program of a watch, if it can be tried here. */
static Program *
program_here(Visit *visit, Py_ssize_t index)
{
    PyObject *program = PyTuple_GET_ITEM(visit->meter->taking->programs, index);
    if (!visit->readable || !Py_IS_TYPE(program, program_type) ||
        index >= visit->armed->watch_count) {
        return NULL;
    }
    visit->moment.where = visit->armed->watch_where[index];
    return (Program *)program;
}

/* watching.values_of */
int
visit_values(Visit *visit, Text *text, long long *room)
{
    const Taking *taking = visit->meter->taking;
    visit->moment.fuel = FULL_TANK;
    TEXT_PUT(text, "[");
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(taking->watches); index++) {
        if (index) {
            TEXT_PUT(text, ",");
        }
        long fuel = visit->moment.fuel;
        int written = 0;
        Program *program = program_here(visit, index);
        PyObject *value = program == NULL ? NULL : program_value(program, &visit->moment);
        if (value == NULL && PyErr_Occurred()) {
            return -1;
        }
        if (value == NULL) {
            visit->moment.fuel = fuel;
            value = watch_in_python(visit, PyTuple_GET_ITEM(taking->watches, index), index > 0,
                                    text, room, &written);
        }
        if (value == NULL) {
            return -1;
        }
        int taken = written ? 0 : walk_capture(text, room, &taking->limits, value);
        Py_DECREF(value);
        if (taken < 0) {
            return -1;
        }
    }
    TEXT_PUT(text, "]");
    return 0;
}

/* The finite float that an exact number is; -1: to be judged in Python. */
static int
finite_number(PyObject *value, double *number)
{
    if (PyFloat_CheckExact(value)) {
        *number = PyFloat_AS_DOUBLE(value);
    }
    else if (PyLong_CheckExact(value) || PyBool_Check(value)) {
        *number = PyLong_AsDouble(value);
        if (*number == -1.0 && PyErr_Occurred()) {
            PyErr_Clear();
            return -1;
        }
    }
    else {
        return -1;
    }
    return *number - *number == 0 ? 0 : -1;
}

static int
add_sample(Meter *meter, double number)
{
    Py_ssize_t size = PyObject_Size(meter->samples);
    if (size < 0) {
        return -1;
    }
    if (size >= MAX_SAMPLES) {
        meter->lost++;
        return 0;
    }
    PyObject *sample = PyFloat_FromDouble(number);
    PyObject *name = PyUnicode_InternFromString("append");
    PyObject *none = sample == NULL || name == NULL
                         ? NULL
                         : PyObject_CallMethodOneArg(meter->samples, name, sample);
    Py_XDECREF(sample);
    Py_XDECREF(name);
    Py_XDECREF(none);
    return none == NULL ? -1 : 0;
}

static int
captured(Meter *meter)
{
    meter->hits_left--;
    meter->fates[CAPTURED]++;
    return ON;
}

/* What Python takes: bytes for the ring, None where it has added to the samples, False where
   there was no answer. */
static int
take_in_python(Visit *visit, PyObject **payload)
{
    PyObject *object = visit_object(visit);
    *payload = object == NULL ? NULL
                              : PyObject_CallFunctionObjArgs(visit->core->take, visit->meter,
                                                             object, NULL);
    return *payload == NULL ? -1 : 0;
}

static int
put(Visit *visit, const char *payload, size_t size)
{
    Circumstances at = {0};
    if (!ring_has_room(visit->core->ring, size)) {
        visit->meter->fates[DROPPED]++;
        return ON;
    }
    if (circumstances_read(visit->core, &at) < 0) {
        return FAILED;
    }
    /* Asked again: Python may have run meanwhile, and other threads. */
    if (!ring_put(visit->core->ring, visit->armed, payload, size, &at)) {
        visit->meter->fates[DROPPED]++;
        return ON;
    }
    return captured(visit->meter);
}

/* Take the memory that hits are written in; a hit that another thread is in the middle of, in
   Python, has it, and then there is new memory. */
static Text
borrow_scratch(Core *core)
{
    Text text = core->scratch;
    core->scratch = (Text){0};
    text.size = 0;
    text.failed = 0;
    return text;
}

static void
return_scratch(Core *core, Text *text)
{
    if (core->scratch.bytes == NULL) {
        core->scratch = *text;
    }
    else {
        free(text->bytes);
    }
}

static int
take_text(Visit *visit)
{
    Core *core = visit->core;
    Text text = borrow_scratch(core);
    long long room = visit->meter->taking->room;
    int taken = visit->meter->taking->kind == TAKE_SNAPSHOT
                    ? snapshot_take(visit, &text)
                    : visit_values(visit, &text, &room);
    int outcome = FAILED;
    if (taken == 0 && text.failed) {
        PyErr_NoMemory();
    }
    else if (taken == 0) {
        outcome = put(visit, text.bytes, text.size);
    }
    return_scratch(core, &text);
    return outcome;
}

/* A metric's number, where the expression and the number are plain; -1: not here. */
static int
metric_here(Visit *visit, double *number)
{
    Program *program = program_here(visit, 0);
    if (program == NULL) {
        return -1;
    }
    visit->moment.fuel = FULL_TANK;
    PyObject *value = program_value(program, &visit->moment);
    int plain = value == NULL ? -1 : finite_number(value, number);
    Py_XDECREF(value);
    return plain;
}

static int
take(Visit *visit)
{
    Meter *meter = visit->meter;
    double number = visit->moment.duration_s;
    if (meter->take == Py_None) {
        return captured(meter);
    }
    if (meter_knows_take(meter)) {
        switch (meter->taking->kind) {
        case TAKE_LOG:
            return take_text(visit);
        case TAKE_SNAPSHOT:
            if (visit->moment.exception == NULL) {
                return take_text(visit);
            }
            break; /* the frames that an exception has left are read in Python */
        case TAKE_METRIC:
            if (metric_here(visit, &number) == 0) {
                return add_sample(meter, number) < 0 ? FAILED : captured(meter);
            }
            if (PyErr_Occurred()) {
                return FAILED;
            }
            break;
        case TAKE_TIMER:
            if (visit->moment.has_duration) {
                return add_sample(meter, number) < 0 ? FAILED : captured(meter);
            }
            break;
        }
    }
    PyObject *payload;
    if (take_in_python(visit, &payload) < 0) {
        return FAILED;
    }
    int outcome = ON;
    if (payload == Py_False) {
        meter->fates[CONDITION_UNKNOWN]++;
    }
    else if (PyBytes_CheckExact(payload)) {
        outcome = put(visit, PyBytes_AS_STRING(payload), (size_t)PyBytes_GET_SIZE(payload));
    }
    else {
        captured(meter);
    }
    Py_DECREF(payload);
    return outcome;
}

/* Whether the condition holds: 1, 0, -1 for unknown, which is counted, or -2 with an
   exception. */
static int
holds(Visit *visit)
{
    Meter *meter = visit->meter;
    if (meter->holds == Py_None) {
        return 1;
    }
    if (visit->readable && meter_knows_holds(meter) &&
        visit->armed->condition_where != NULL) {
        visit->moment.where = visit->armed->condition_where;
        visit->moment.fuel = FULL_TANK;
        int answer = program_holds(meter->condition, &visit->moment);
        if (answer >= 0 || PyErr_Occurred()) {
            return answer >= 0 ? answer : -2;
        }
    }
    PyObject *object = visit_object(visit);
    PyObject *told = object == NULL ? NULL
                                    : PyObject_CallFunctionObjArgs(visit->core->decide, meter,
                                                                   object, NULL);
    if (told == NULL) {
        return -2;
    }
    int answer = told == Py_None ? -1 : told == Py_True;
    Py_DECREF(told);
    return answer;
}

/* One passage, in the fixed order: limiter, condition, capture. */
static int
pass(Visit *visit)
{
    Core *core = visit->core;
    Meter *meter = visit->meter;
    if (visit->moment.exception != NULL && meter->concerns != Py_None) {
        PyObject *told = PyObject_CallOneArg(meter->concerns, visit->moment.exception);
        if (told == NULL) {
            return FAILED;
        }
        int concerns = told == Py_True;
        Py_DECREF(told);
        if (!concerns) {
            return ON;
        }
    }
    if (visit->armed->role != ROLE_HIT) {
        return calls_serve(visit);
    }
    if (calls_find_duration(visit) < 0) {
        return FAILED;
    }
    if (meter->timed && !visit->moment.has_duration) {
        return calls_await(meter);
    }
    int spent = core->spent_ns >= core->budget_ns || meter->window_ns > meter->allowance_ns;
    if (spent && !meter->apart) {
        meter->fates[OVER_BUDGET]++;
        meter->off = 1;
        return OFF;
    }
    if (meter->tokens < 1 || meter->hits_left <= 0) {
        meter->fates[RATE_LIMITED] += meter->hits_left > 0;
        meter->off = 1;
        return OFF;
    }
    if (meter->holds == Py_None && meter->take == Py_None) {
        return captured(meter);
    }
    int answer = holds(visit);
    if (answer <= 0) {
        if (answer > -2) {
            meter->fates[answer == 0 ? CONDITION_FALSE : CONDITION_UNKNOWN]++;
        }
        return answer == -2 ? FAILED : ON;
    }
    meter->tokens -= 1;
    int taken = take(visit);
    return taken == FAILED || calls_open(visit) < 0 ? FAILED : taken;
}

/* Judge the exception that ended a passage: 0 when it was ours, which is counted and over; -1
   when it struck from outside, and is the application's. */
static int
judge(Core *core, Meter *meter)
{
    PyObject *error = PyErr_GetRaisedException();
    if (error == NULL) { /* a failure that does not say which: ours in any case */
        PyErr_SetString(PyExc_SystemError, "a passage failed without an exception");
        error = PyErr_GetRaisedException();
    }
    int ordinary = PyErr_GivenExceptionMatches(error, PyExc_Exception);
    meter->fates[DROPPED] += ordinary;
    if (Py_IS_TYPE(error, (PyTypeObject *)PyExc_RecursionError)) {
        core->no_stack++;
        Py_DECREF(error);
        return 0;
    }
    PyObject *place = PyUnicode_FromString(ordinary ? "capture" : "hit");
    PyObject *told = place == NULL ? NULL
                                   : PyObject_CallFunctionObjArgs(core->blame, place, error, NULL);
    Py_XDECREF(place);
    if (told == NULL) {
        Py_DECREF(error);
        if (!PyErr_ExceptionMatches(PyExc_Exception)) {
            return -1; /* Ctrl-C, just now */
        }
        core->no_stack += PyErr_ExceptionMatches(PyExc_RecursionError);
        PyErr_Clear();
        return 0;
    }
    int outside = told == Py_True;
    Py_DECREF(told);
    if (outside) {
        PyErr_SetRaisedException(error);
        return -1;
    }
    Py_DECREF(error);
    return 0;
}

PyObject *
visit_all(Core *core, PyObject *armed, PyObject *result, PyObject *exception)
{
    int on = 0;
    Py_INCREF(armed); /* it may be disarmed while a part of this runs in Python */
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(armed); index++) {
        Armed *one = (Armed *)PyTuple_GET_ITEM(armed, index);
        Meter *meter = one->meter;
        if (meter->off) {
            continue;
        }
        Measure measure = measure_begin(meter);
        Visit visit = {
            .core = core,
            .armed = one,
            .meter = meter,
            .moment = {.frame = frame_innermost(), .result = result, .exception = exception},
        };
        visit.readable = one->code != NULL && visit.moment.frame != NULL &&
                         frame_code(visit.moment.frame) == one->code;
        int outcome = pass(&visit);
        if (outcome == FAILED && judge(core, meter) < 0) {
            Py_XDECREF(visit.visit);
            Py_DECREF(armed);
            return NULL;
        }
        on += outcome != OFF;
        Py_XDECREF(visit.visit);
        measure_end(&measure, core, meter);
    }
    Py_DECREF(armed);
    return on ? Py_NewRef(Py_None) : Py_NewRef(core->disable);
}
