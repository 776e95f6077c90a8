#include "core.h"

#include "clock.h"
#include "surroundings.h"

/* As in agent/core/passage.py. */
#define MAX_OPEN_CALLS 4096
#define MAX_ENTRIES 1000
#define MAX_SAMPLES 20000

/* Of passages that are only counted one in so many is measured, and counts for all of them:
   reading the clock twice would cost more than the counting. */
#define MEASURED_OF_COUNTED 16
/* What is done in C takes no longer: 56,000 bytes of values. A passage that seems to take longer
   either went through Python, or its thread had to wait for a processor, which is no work. So
   it counts as this long, and the next ones are measured by the thread's own clock. */
#define LONGEST_IN_C_NS 200000

/* Outcomes of a passage: whether the probe has any use for the next one here. */
enum { FAILED = -1, OFF = 0, ON = 1 };

PyObject *
visit_object(Visit *visit)
{
    if (visit->visit == NULL) {
        const Moment *moment = &visit->moment;
        visit->core->in_python++;
        PyObject *frame = (PyObject *)PyEval_GetFrame();
        PyObject *duration =
            moment->has_duration ? PyFloat_FromDouble(moment->duration_s) : Py_NewRef(Py_None);
        if (duration != NULL && frame != NULL) {
            visit->visit = PyObject_CallFunctionObjArgs(
                visit->core->visit, visit->armed->meter, visit->armed->site, frame,
                moment->result != NULL ? moment->result : visit->core->nothing,
                moment->exception != NULL ? moment->exception : Py_None, duration, NULL);
        }
        Py_XDECREF(duration);
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

static PyObject *
call_key(const Visit *visit)
{
    return PyLong_FromVoidPtr(visit->moment.frame);
}

/* Make room for calls that begin, as agent.core.pure does: the older half is forgotten. */
static int
forget_oldest(Meter *meter)
{
    PyObject *calls = PyDict_Keys(meter->began);
    if (calls == NULL) {
        return -1;
    }
    for (Py_ssize_t index = 0; index < MAX_OPEN_CALLS / 2; index++) {
        if (PyDict_DelItem(meter->began, PyList_GET_ITEM(calls, index)) < 0) {
            PyErr_Clear();
            continue;
        }
        meter->lost++;
    }
    Py_DECREF(calls);
    return 0;
}

/* Take a key out; 0 if it was not there. */
static int
take_out(PyObject *dict, PyObject *key)
{
    int there = PyDict_Contains(dict, key);
    return there > 0 && PyDict_DelItem(dict, key) < 0 ? -1 : there;
}

/* A place where the probe does not hit, but that serves those where it does. */
static int
serve(Visit *visit)
{
    Meter *meter = visit->meter;
    if (visit->armed->role == ROLE_ENTRY) {
        meter->entered++;
        for (int fate = 0; fate < FATE_COUNT; fate++) {
            if (meter->fates[fate]) {
                return OFF;
            }
        }
        return meter->entered < MAX_ENTRIES ? ON : OFF;
    }
    if (meter->began == NULL || !PyDict_CheckExact(meter->began)) {
        return ON;
    }
    PyObject *key = call_key(visit), *now = NULL;
    int done = key == NULL ? -1 : 0;
    if (done == 0 && visit->armed->role == ROLE_BEGIN) {
        if (PyDict_GET_SIZE(meter->began) >= MAX_OPEN_CALLS) {
            done = forget_oldest(meter);
        }
        now = PyLong_FromLongLong(clock_monotonic_ns());
        done = done < 0 || now == NULL ? -1 : take_out(meter->began, key);
        done = done < 0 ? -1 : PyDict_SetItem(meter->began, key, now);
    }
    else if (done == 0) {
        done = take_out(meter->began, key);
    }
    Py_XDECREF(key);
    Py_XDECREF(now);
    return done < 0 ? FAILED : ON;
}

/* Find out how long this call has taken, if its beginning was seen. */
static int
find_duration(Visit *visit)
{
    Meter *meter = visit->meter;
    if (meter->began == NULL || !PyDict_CheckExact(meter->began) ||
        PyDict_GET_SIZE(meter->began) == 0) {
        return 0;
    }
    PyObject *key = call_key(visit);
    PyObject *began = key == NULL ? NULL : PyDict_GetItemWithError(meter->began, key);
    int found = 0;
    if (began != NULL) {
        visit->moment.duration_s =
            (double)(clock_monotonic_ns() - PyLong_AsLongLong(began)) / 1e9;
        visit->moment.has_duration = 1;
        found = PyDict_DelItem(meter->began, key);
    }
    Py_XDECREF(key);
    return found < 0 || PyErr_Occurred() ? -1 : 0;
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
        return serve(visit);
    }
    if (find_duration(visit) < 0) {
        return FAILED;
    }
    if (meter->timed && !visit->moment.has_duration) {
        return ON;
    }
    if (core->spent_ns > core->budget_ns) {
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
    return take(visit);
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

static void
add_cost(Core *core, Meter *meter, int64_t ns)
{
    meter->cost_ns += ns;
    meter->window_ns += ns;
    core->spent_ns += ns;
}

/* How a passage is measured, and the readings at its beginning. */
typedef struct {
    enum { NOT, BY_TICKS, BY_THREAD } way;
    int weight;
    uint64_t ticks;
    int64_t thread_ns;
} Measure;

static Measure
begin_measure(Meter *meter)
{
    Measure measure = {.way = BY_TICKS, .weight = 1};
    if (meter->holds == Py_None && meter->take == Py_None) {
        measure.weight = MEASURED_OF_COUNTED;
        if (++meter->beat % MEASURED_OF_COUNTED != 0) {
            measure.way = NOT;
            return measure;
        }
    }
    if (meter->slow) {
        meter->slow--;
        measure.way = BY_THREAD;
        measure.thread_ns = clock_thread_ns();
    }
    measure.ticks = clock_ticks();
    return measure;
}

static void
end_measure(const Measure *measure, Core *core, Meter *meter)
{
    if (measure->way == NOT) {
        return;
    }
    int64_t ns = clock_ns_between(measure->ticks, clock_ticks());
    if (measure->way == BY_THREAD) {
        ns = clock_thread_ns() - measure->thread_ns;
    }
    if (ns > LONGEST_IN_C_NS) {
        meter->slow = MEASURED_EXACTLY;
        if (measure->way == BY_TICKS) {
            add_cost(core, meter, LONGEST_IN_C_NS);
            return;
        }
    }
    add_cost(core, meter, ns * measure->weight);
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
        Measure measure = begin_measure(meter);
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
        end_measure(&measure, core, meter);
    }
    Py_DECREF(armed);
    return on ? Py_NewRef(Py_None) : Py_NewRef(core->disable);
}
