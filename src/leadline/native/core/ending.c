#include "ending.h"

#include <stdlib.h>

#include "interior.h"
#include "program.h"
#include "shape.h"
#include "walk.h"

#define MAX_NAMES 16 /* of one predicate */

static int
parameter_count(const PyCodeObject *code)
{
    return code->co_argcount + code->co_kwonlyargcount +
           ((code->co_flags & CO_VARARGS) != 0) + ((code->co_flags & CO_VARKEYWORDS) != 0);
}

PyObject *
parameters_of(PyObject *Py_UNUSED(module), PyObject *given)
{
    if (!PyFrame_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a frame was expected");
        return NULL;
    }
    Frame *frame = frame_of_object(given);
    PyCodeObject *code = frame_code(frame);
    PyObject *found = PyList_New(0);
    for (int index = 0; found != NULL && index < parameter_count(code); index++) {
        PyObject *value = frame_variable(frame, index);
        if (value == NULL) {
            continue;
        }
        PyObject *name = PyTuple_GET_ITEM(code->co_localsplusnames, index);
        PyObject *pair = PyTuple_Pack(2, name, value);
        if (pair == NULL || PyList_Append(found, pair) < 0) {
            Py_CLEAR(found);
        }
        Py_XDECREF(pair);
    }
    return found;
}

/* Write a secret, of which the name is told and no more. */
static void
put_secret(Text *text, PyObject *rule)
{
    TEXT_PUT(text, "{\"type\":\"?\",\"omitted\":\"redacted\",\"rule\":");
    text_string(text, rule, PyUnicode_GET_LENGTH(rule));
    TEXT_PUT(text, "}");
}

/* Put one parameter among the shown; -1 with an exception. */
static int
show(PyObject *shown, PyObject *name, PyObject *value, const Limits *limits, long long *room)
{
    PyObject *rule = rule_of_name(name), *json = NULL;
    Text text = {0};
    if (rule == NULL) {
        return -1;
    }
    int taken = 0;
    if (rule != Py_None) {
        put_secret(&text, rule);
    }
    else {
        taken = walk_capture(&text, room, limits, value);
    }
    Py_DECREF(rule);
    if (text.failed) {
        PyErr_NoMemory();
    }
    else if (taken == 0) {
        json = PyBytes_FromStringAndSize(text.bytes, (Py_ssize_t)text.size);
    }
    free(text.bytes);
    int put = json == NULL ? -1 : PyDict_SetItem(shown, name, json);
    Py_XDECREF(json);
    return put;
}

PyObject *
parameters_shown(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *given;
    Limits limits = {.outcome = 1};
    long long room;
    if (!PyArg_ParseTuple(args, "O!OlllL", &PyFrame_Type, &given, &limits.given, &limits.depth,
                          &limits.items, &limits.text, &room)) {
        return NULL;
    }
    if (knowledge.learn == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "`know` was not called");
        return NULL;
    }
    Frame *frame = frame_of_object(given);
    PyCodeObject *code = frame_code(frame);
    PyObject *shown = PyDict_New();
    for (int index = 0; shown != NULL && index < parameter_count(code); index++) {
        PyObject *value = Py_XNewRef(frame_variable(frame, index));
        PyObject *name = PyTuple_GET_ITEM(code->co_localsplusnames, index);
        if (value != NULL && show(shown, name, value, &limits, &room) < 0) {
            Py_CLEAR(shown);
        }
        Py_XDECREF(value);
    }
    return shown == NULL ? NULL : Py_BuildValue("NL", shown, room);
}

/* Find where a name is: a parameter, or one of the call's; 0 where it is neither. */
static int
find_name(const PyCodeObject *code, PyObject *name, int *where)
{
    if (PyUnicode_CompareWithASCIIString(name, "result") == 0) {
        *where = WHERE_RESULT;
        return 1;
    }
    if (PyUnicode_CompareWithASCIIString(name, "exception") == 0) {
        *where = WHERE_EXCEPTION;
        return 1;
    }
    if (PyUnicode_CompareWithASCIIString(name, "duration") == 0) {
        return 0;
    }
    for (int index = 0; index < parameter_count(code); index++) {
        PyObject *one = PyTuple_GET_ITEM(code->co_localsplusnames, index);
        if (text_same(one, name)) {
            *where = index;
            return 1;
        }
    }
    return 0;
}

PyObject *
answer(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *asked, *given, *result;
    int where[MAX_NAMES];
    if (!PyArg_ParseTuple(args, "O!O!O", program_type, &asked, &PyFrame_Type, &given, &result)) {
        return NULL;
    }
    Program *program = (Program *)asked;
    Frame *frame = frame_of_object(given);
    int here = program->name_count <= MAX_NAMES;
    for (Py_ssize_t index = 0; here && index < program->name_count; index++) {
        here = find_name(frame_code(frame), PyTuple_GET_ITEM(program->names, index),
                         &where[index]);
    }
    if (!here) {
        Py_RETURN_NONE;
    }
    Moment moment = {.frame = frame, .result = result, .where = where, .fuel = FULL_TANK};
    int holds = program_holds(program, &moment);
    if (holds < 0) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    return PyBool_FromLong(holds);
}
