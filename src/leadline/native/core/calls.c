#include "calls.h"

#include "clock.h"

/* As in agent/core/passage.py. */
#define MAX_OPEN_CALLS 4096
#define MAX_ENTRIES 1000

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

enum { GIVEN, SENT, THROWN }; /* agent.core.passage.Heard */

/* Tell Python of a turn; from now on its call's turns are only counted if it has heard enough. */
static int
tell_turn(Visit *visit, PyObject *key, PyObject *began, int turn, PyObject *value)
{
    Meter *meter = visit->meter;
    PyObject *frame = (PyObject *)PyEval_GetFrame();
    if (frame == NULL || meter->hear == Py_None) {
        return 0;
    }
    int counted = PyList_CheckExact(began);
    visit->core->in_python++;
    Py_INCREF(value); /* it lies on the generator's stack */
    Py_INCREF(began);
    PyObject *more = PyObject_CallFunction(meter->hear, "OiOO", frame, turn, value,
                                           counted ? PyList_GET_ITEM(began, 1) : Py_None);
    Py_DECREF(value);
    int done = more == NULL ? -1 : 0;
    if (more == Py_False && !counted) {
        int there = PyDict_Contains(meter->began, key); /* Python has run meanwhile */
        PyObject *both = there > 0 ? Py_BuildValue("[Oi]", began, 0) : NULL;
        done = there < 0 || (there && both == NULL) ? -1 : 0;
        if (both != NULL) {
            done = PyDict_SetItem(meter->began, key, both);
            Py_DECREF(both);
        }
    }
    Py_DECREF(began);
    Py_XDECREF(more);
    return done;
}

static int
count_turn(PyObject *counted)
{
    PyObject *one = PyLong_FromLongLong(PyLong_AsLongLong(PyList_GET_ITEM(counted, 1)) + 1);
    return one == NULL ? -1 : PyList_SetItem(counted, 1, one);
}

/* What a generator gives out, is sent, or has thrown into it, if its beginning was seen. */
static int
hear_turn(Visit *visit)
{
    Meter *meter = visit->meter;
    PyObject *value = visit->moment.result;
    int turn = GIVEN;
    if (visit->moment.exception != NULL) {
        value = visit->moment.exception;
        turn = THROWN;
    }
    else if (value == NULL) {
        value = frame_sent(visit->moment.frame);
        turn = SENT;
        if (value == NULL || value == Py_None) {
            return ON;
        }
    }
    PyObject *key = call_key(visit);
    PyObject *began = key == NULL ? NULL : PyDict_GetItemWithError(meter->began, key);
    int done = began == NULL && PyErr_Occurred() ? -1 : 0;
    if (began != NULL) {
        done = turn == GIVEN && PyList_CheckExact(began)
                   ? count_turn(began)
                   : tell_turn(visit, key, began, turn, value);
    }
    Py_XDECREF(key);
    return done < 0 ? FAILED : calls_await(meter);
}

/* A place where the probe does not hit, but that serves those where it does. */
int
calls_serve(Visit *visit)
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
    if (visit->armed->role == ROLE_TURN) {
        return hear_turn(visit);
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
    return done < 0 ? FAILED : calls_await(meter);
}

/* Enter this call among those whose end another passage sees. */
int
calls_open(Visit *visit)
{
    Meter *meter = visit->meter;
    if (meter->opens == NULL || !PyDict_CheckExact(meter->opens)) {
        return 0;
    }
    PyObject *key = call_key(visit);
    PyObject *now = key == NULL ? NULL : PyLong_FromLongLong(clock_monotonic_ns());
    int done = now == NULL ? -1 : PyDict_SetItem(meter->opens, key, now);
    Py_XDECREF(key);
    Py_XDECREF(now);
    return done;
}

/* What follows another passage is of no use once that is off and all its calls have ended. */
int
calls_await(Meter *meter)
{
    PyObject *first = meter->follows;
    if (first == NULL || !Py_IS_TYPE(first, Py_TYPE(meter)) || !((Meter *)first)->off ||
        (meter->began != NULL && PyDict_CheckExact(meter->began) &&
         PyDict_GET_SIZE(meter->began) > 0)) {
        return ON;
    }
    meter->off = 1;
    return OFF;
}

/* Find out how long this call has taken, if its beginning was seen. */
int
calls_find_duration(Visit *visit)
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
        if (PyList_CheckExact(began)) {
            visit->moment.unheard = PyLong_AsLongLong(PyList_GET_ITEM(began, 1));
            began = PyList_GET_ITEM(began, 0);
        }
        visit->moment.duration_s =
            (double)(clock_monotonic_ns() - PyLong_AsLongLong(began)) / 1e9;
        visit->moment.has_duration = 1;
        found = PyDict_DelItem(meter->began, key);
    }
    Py_XDECREF(key);
    return found < 0 || PyErr_Occurred() ? -1 : 0;
}
