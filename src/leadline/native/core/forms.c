#include "forms.h"

#include <datetime.h>
#include <stdio.h>
#include <structmember.h>

#include "interior.h"

#define MAX_NAME_CHARS 200 /* expression.layout.MAX_NAME_CHARS */
#define MAX_MEMBER_NAMES 1000 /* capture.held.MAX_NAMES */
#define MAX_MODULE_NAMES 1000 /* capture.callables.MAX_MODULE_NAMES */

/* Put a text, and how long it is where it is cut; `type_bytes` are those of the type's name. */
static void
put_cut(Walk *walk, PyObject *words, long long type_bytes)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(words);
    Py_ssize_t most = length < walk->limits->text ? length : walk->limits->text;
    TEXT_PUT(walk->text, ",\"text\":");
    if (text_fitting(walk->text, walk->room, words, most) < length) {
        *walk->room -= LITERAL_BYTES + NODE_BYTES + type_bytes;
        TEXT_PUT(walk->text, ",\"length\":");
        text_integer(walk->text, length);
        TEXT_PUT(walk->text, ",\"omitted\":\"text\"");
    }
}

/* Walk.words: begin the form of a value by a text; the object is left open. */
static void
put_words(Walk *walk, const Shape *shape, PyObject *words)
{
    walk_put_type(walk, shape);
    put_cut(walk, words, (long long)shape->json_size);
}

static int
put_name(Walk *walk, const Shape *shape, PyObject *name)
{
    if (name == NULL) {
        return -1;
    }
    *walk->room -= LITERAL_BYTES + shape->cost;
    put_words(walk, shape, name);
    TEXT_PUT(walk->text, ",\"form\":\"name\"}");
    Py_DECREF(name);
    return 1;
}

/* callables.function_name; NULL without an exception where Python has to say it. */
static PyObject *
function_name(PyObject *value)
{
    PyFunctionObject *function = (PyFunctionObject *)value;
    PyObject *name = function->func_qualname, *module = function->func_module;
    if (!PyUnicode_CheckExact(name) || PyUnicode_GET_LENGTH(name) > MAX_NAME_CHARS) {
        return NULL;
    }
    if (module == NULL || !PyUnicode_CheckExact(module)) {
        return Py_NewRef(name);
    }
    return PyUnicode_FromFormat("%U.%U", module, name);
}

static int
take_function(Walk *walk, PyObject *value, const Shape *shape)
{
    PyObject *name = function_name(value);
    if (name == NULL && !PyErr_Occurred()) {
        return 0;
    }
    return put_name(walk, shape, name);
}

/* callables.method, of an ordinary function bound to an instance. */
static int
take_method(Walk *walk, PyObject *value, const Shape *shape)
{
    PyObject *function = PyMethod_GET_FUNCTION(value), *owner = PyMethod_GET_SELF(value);
    if (!Py_IS_TYPE(function, &PyFunction_Type) || PyType_Check(owner)) {
        return 0;
    }
    PyObject *called = function_name(function);
    if (called == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Shape *of = shape_of(Py_TYPE(owner));
    PyObject *name = of == NULL ? NULL : PyUnicode_FromFormat("%U of %U", called, of->name);
    Py_XDECREF(of);
    Py_DECREF(called);
    return put_name(walk, shape, name);
}

/* callables.builtin */
static int
take_builtin(Walk *walk, PyObject *value, const Shape *shape)
{
    const char *called = ((PyCFunctionObject *)value)->m_ml->ml_name;
    PyObject *owner = PyCFunction_GET_SELF(value);
    if (strlen(called) > MAX_NAME_CHARS) {
        return 0;
    }
    if (owner == NULL || Py_IS_TYPE(owner, &PyModule_Type)) {
        return put_name(walk, shape, PyUnicode_FromString(called));
    }
    Shape *of = shape_of(PyType_Check(owner) ? (PyTypeObject *)owner : Py_TYPE(owner));
    PyObject *name = of == NULL ? NULL : PyUnicode_FromFormat("%U.%s", of->name, called);
    Py_XDECREF(of);
    return put_name(walk, shape, name);
}

/* callables.module: its name as it lies among its variables. */
static int
take_module(Walk *walk, PyObject *value, const Shape *shape)
{
    PyObject *names = PyModule_GetDict(value), *key, *item;
    Py_ssize_t position = 0, looked = 0;
    if (names == NULL || !PyDict_CheckExact(names) || !dict_is_small(names)) {
        return 0;
    }
    while (looked++ < MAX_MODULE_NAMES && PyDict_Next(names, &position, &key, &item)) {
        if (PyUnicode_CheckExact(key) &&
            PyUnicode_CompareWithASCIIString(key, "__name__") == 0) {
            return PyUnicode_CheckExact(item) ? put_name(walk, shape, Py_NewRef(item)) : 0;
        }
    }
    return 0;
}

/* A class shows its name. */
static int
take_class(Walk *walk, PyObject *value, const Shape *shape)
{
    Shape *itself = shape_of((PyTypeObject *)value);
    if (itself == NULL) {
        return -1;
    }
    *walk->room -= LITERAL_BYTES + shape->cost;
    TEXT_PUT(walk->text, "{\"type\":\"type\"");
    put_cut(walk, itself->name, sizeof("\"type\"") - 1);
    TEXT_PUT(walk->text, "}");
    Py_DECREF(itself);
    return 1;
}

/* What an enum's member holds under its two names, borrowed. */
static int
find_member(PyObject *value, PyObject **name, PyObject **inner)
{
    Names names;
    PyObject *key, *item;
    names_begin(&names, value);
    if (names.kind == NAMES_ELSEWHERE || names_count(&names) > MAX_MEMBER_NAMES ||
        (names.kind == NAMES_DICT && !dict_is_small(names.dict))) {
        return 0;
    }
    int more;
    while ((more = names_next(&names, &key, &item)) > 0) {
        if (!PyUnicode_CheckExact(key)) {
            continue;
        }
        if (PyUnicode_CompareWithASCIIString(key, "_name_") == 0) {
            *name = item;
        }
        else if (PyUnicode_CompareWithASCIIString(key, "_value_") == 0) {
            *inner = item;
        }
    }
    return more == 0 && *name != NULL && *inner != NULL && PyUnicode_CheckExact(*name);
}

/* records.member */
static int
take_member(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    PyObject *name = NULL, *inner = NULL;
    if (!shape->dictionary || !find_member(value, &name, &inner)) {
        return 0;
    }
    Py_INCREF(name); /* the rule may be asked for in Python, which takes time */
    Py_INCREF(inner);
    PyObject *rule = rule_of_name(name);
    if (rule == NULL) {
        Py_DECREF(name);
        Py_DECREF(inner);
        return -1;
    }
    *walk->room -= LITERAL_BYTES + shape->cost;
    put_words(walk, shape, name);
    TEXT_PUT(walk->text, ",\"form\":\"member\",\"about\":{\"value\":");
    int taken;
    if (rule != Py_None) {
        taken = walk_redacted(walk, rule, inner);
    }
    else {
        *walk->room -= FORM_BYTES + 8;
        taken = level > walk->limits->depth ? walk_too_deep(walk, inner)
                                            : walk_take(walk, inner, level + 1);
    }
    TEXT_PUT(walk->text, "}}");
    Py_DECREF(name);
    Py_DECREF(inner);
    Py_DECREF(rule);
    return taken < 0 ? -1 : 1;
}

/* moments.date and moments.datetime_, without a zone or in UTC. */
static int
take_moment(Walk *walk, PyObject *value, const Shape *shape)
{
    char digits[40];
    int size = snprintf(digits, sizeof digits, "%04d-%02d-%02d", PyDateTime_GET_YEAR(value),
                        PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value));
    if (PyDateTime_CheckExact(value)) {
        PyObject *zone = PyDateTime_DATE_GET_TZINFO(value);
        int microsecond = PyDateTime_DATE_GET_MICROSECOND(value);
        if ((zone != Py_None && zone != PyDateTime_TimeZone_UTC) ||
            PyDateTime_DATE_GET_FOLD(value)) {
            return 0;
        }
        size += snprintf(digits + size, sizeof digits - (size_t)size, "T%02d:%02d:%02d",
                         PyDateTime_DATE_GET_HOUR(value), PyDateTime_DATE_GET_MINUTE(value),
                         PyDateTime_DATE_GET_SECOND(value));
        if (microsecond) {
            size += snprintf(digits + size, sizeof digits - (size_t)size, ".%06d", microsecond);
        }
        if (zone != Py_None) {
            size += snprintf(digits + size, sizeof digits - (size_t)size, "+00:00");
        }
    }
    PyObject *words = PyUnicode_FromStringAndSize(digits, size);
    if (words == NULL) {
        return -1;
    }
    *walk->room -= LITERAL_BYTES + shape->cost;
    put_words(walk, shape, words);
    TEXT_PUT(walk->text, "}");
    Py_DECREF(words);
    return 1;
}

/* records.path, of one that has been put together. */
static int
take_path(Walk *walk, PyObject *value, const Shape *shape)
{
    const PyMemberDef *member = shape->slot_count == 1 ? shape->slots[0].member : NULL;
    if (member == NULL || member->type != Py_T_OBJECT_EX) {
        return 0;
    }
    PyObject *words = *(PyObject **)((char *)value + member->offset);
    if (words == NULL || !PyUnicode_CheckExact(words)) {
        return 0;
    }
    *walk->room -= LITERAL_BYTES + shape->cost;
    put_words(walk, shape, words);
    TEXT_PUT(walk->text, "}");
    return 1;
}

int
form_take(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    switch (shape->kind) {
    case SHAPE_FUNCTION:
        return PyFunction_Check(value) ? take_function(walk, value, shape) : 0;
    case SHAPE_METHOD:
        return PyMethod_Check(value) ? take_method(walk, value, shape) : 0;
    case SHAPE_BUILTIN:
        return PyCFunction_CheckExact(value) ? take_builtin(walk, value, shape) : 0;
    case SHAPE_MODULE:
        return PyModule_CheckExact(value) ? take_module(walk, value, shape) : 0;
    case SHAPE_CLASS:
        return PyType_Check(value) ? take_class(walk, value, shape) : 0;
    case SHAPE_MEMBER:
        return take_member(walk, value, shape, level);
    case SHAPE_PATH:
        return take_path(walk, value, shape);
    case SHAPE_MOMENT:
        if (PyDateTimeAPI == NULL) {
            PyDateTime_IMPORT; /* which the process has loaded: here is a date */
        }
        if (PyDateTimeAPI == NULL) {
            PyErr_Clear();
            return 0;
        }
        return PyDateTime_CheckExact(value) || PyDate_CheckExact(value)
                   ? take_moment(walk, value, shape)
                   : 0;
    default:
        return 0;
    }
}
