#include "keptcode.h"

#include "keptfields.h"
#include "keptplan.h"

/* As in expression/layout.py and agent/capture/naming.py. */
#define MAX_NAME_CHARS 200
#define MAX_STEPS 8
/* As in agent/capture/kept_functions.py. */
#define HOME_BYTES 7
#define FUNCTION_BYTES 20
#define MAX_VARIABLES 32
#define ATTRIBUTE_BYTES 8 /* agent/capture/keeping.py */

/* Return the dictionary of a module that is loaded, borrowed, or NULL, perhaps with an
   exception. */
static PyObject *
names_of(PyObject *modules, PyObject *module)
{
    PyObject *loaded = PyDict_GetItemWithError(modules, module);
    return loaded != NULL && PyModule_CheckExact(loaded) ? PyModule_GetDict(loaded) : NULL;
}

/* A part of a text of ASCII. */
typedef struct {
    const char *begin;
    Py_ssize_t length;
} Step;

/* Return what lies under a name, borrowed, or NULL: no key is asked whether it is equal. */
static PyObject *
among(PyObject *names, Step step)
{
    Py_ssize_t position = 0;
    PyObject *key, *held;
    while (PyDict_Next(names, &position, &key, &held)) {
        if (PyUnicode_CheckExact(key) && PyUnicode_GET_LENGTH(key) == step.length &&
            PyUnicode_IS_ASCII(key) &&
            memcmp(PyUnicode_1BYTE_DATA(key), step.begin, (size_t)step.length) == 0) {
            return held;
        }
    }
    return NULL;
}

/* Whether a name is one that is looked for as it is. */
static int
is_short(PyObject *name)
{
    return name != NULL && PyUnicode_CheckExact(name) && PyUnicode_IS_ASCII(name) &&
           PyUnicode_GET_LENGTH(name) <= MAX_NAME_CHARS;
}

PyObject *
kept_found(PyObject *modules, PyObject *module, PyObject *name)
{
    if (!PyUnicode_CheckExact(module) || !is_short(name)) {
        return NULL;
    }
    PyObject *names = names_of(modules, module), *here = NULL;
    const char *begin = (const char *)PyUnicode_1BYTE_DATA(name);
    const char *end = begin + PyUnicode_GET_LENGTH(name);
    for (int steps = 0; names != NULL && steps <= MAX_STEPS; steps++) {
        const char *stop = memchr(begin, '.', (size_t)(end - begin));
        Step step = {begin, (stop == NULL ? end : stop) - begin};
        here = among(names, step);
        if (stop == NULL || here == NULL || !PyType_CheckExact(here)) {
            return stop == NULL ? here : NULL;
        }
        begin = stop + 1;
        names = PyType_GetDict((PyTypeObject *)here);
        Py_XDECREF(names); /* the class holds it */
    }
    return NULL;
}

PyObject *
kept_among(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *names, *name, *otherwise, *key, *held;
    Py_ssize_t position = 0;
    if (!PyArg_ParseTuple(args, "O!UO", &PyDict_Type, &names, &name, &otherwise)) {
        return NULL;
    }
    while (PyDict_Next(names, &position, &key, &held)) {
        if (PyUnicode_CheckExact(key) && text_same(key, name)) {
            return Py_NewRef(held);
        }
    }
    return Py_NewRef(otherwise);
}

static int
is_inner(PyObject *name)
{
    return memchr(PyUnicode_1BYTE_DATA(name), '<', (size_t)PyUnicode_GET_LENGTH(name)) != NULL;
}

/* Write the name of what its module has under that name. */
static Outcome
write_name(KeptWalk *walk, PyObject *module, PyObject *name, PyObject *value)
{
    if (module == NULL || !PyUnicode_CheckExact(module) || !is_short(name)) {
        return LEFT_TO_PYTHON;
    }
    long long bytes = PyUnicode_GET_LENGTH(module) + PyUnicode_GET_LENGTH(name);
    if (bytes > walk->keeper.left || is_inner(name) || kept_found(walk->modules, module, name) != value) {
        return PyErr_Occurred() ? WITH_ERROR : LEFT_TO_PYTHON;
    }
    walk->keeper.left -= bytes;
    NODE_BEGIN(walk, "{\"k\":\"name\",\"t\":");
    put_text(walk, name);
    TEXT_PUT(&walk->text, ",\"m\":");
    put_text(walk, module);
    return node_end(walk, PyList_GET_SIZE(walk->keeper.objects));
}

/* `kinds.class_`, of a class that its module has under its name. */
Outcome
write_class(KeptWalk *walk, PyObject *value)
{
    if (!PyType_Check(value) ||
        !PyType_HasFeature((PyTypeObject *)value, Py_TPFLAGS_HEAPTYPE)) {
        return LEFT_TO_PYTHON;
    }
    PyObject *layout = kept_layout(walk, (PyTypeObject *)value);
    if (layout == NULL) {
        return PyErr_Occurred() ? WITH_ERROR : LEFT_TO_PYTHON;
    }
    PyObject *module = PyObject_GetAttr(layout, words[WORD_module]);
    if (module == NULL) {
        return WITH_ERROR;
    }
    PyObject *name = ((PyHeapTypeObject *)value)->ht_qualname;
    Outcome outcome = write_name(walk, module, name, value);
    Py_DECREF(module);
    return outcome;
}

/* `kept_functions._home`: the module in whose names a function looks, borrowed, or NULL, perhaps
   with an exception. */
static PyObject *
home_of(const KeptWalk *walk, const PyFunctionObject *function)
{
    PyObject *said = function->func_module, *names = function->func_globals;
    if (said == NULL || !PyUnicode_CheckExact(said)) {
        return NULL;
    }
    if (names_of(walk->modules, said) == names) {
        return said;
    }
    Step step = {"__name__", 8};
    PyObject *name = PyErr_Occurred() ? NULL : among(names, step);
    return name != NULL && PyUnicode_CheckExact(name) && names_of(walk->modules, name) == names ? name
                                                                                      : NULL;
}

/* Return the fingerprint of code that has been taken before, borrowed, or NULL, perhaps with an
   exception. */
static PyObject *
print_of(const KeptWalk *walk, PyObject *code)
{
    PyObject *key = kept_identity(code);
    PyObject *known = key == NULL ? NULL : PyDict_GetItemWithError(walk->prints, key);
    Py_XDECREF(key);
    if (known == NULL || PyTuple_GET_ITEM(known, 0) != code) {
        return NULL;
    }
    return PyTuple_GET_ITEM(known, 1);
}

/* What is written of a function of which no module has the name. */
typedef struct {
    PyFunctionObject *function;
    PyObject *home, *print, *free_names; /* borrowed */
    PyObject *parts[2 + MAX_VARIABLES]; /* defaults, and what it closes over */
    Py_ssize_t variables;
    int elsewhere; /* whether it says that it is of another module than it is */
    Names attributes;
    long long bytes;
} Made;

/* Find out all that is to be written: 1; 0 where Python has to do it; -1 with an exception. */
static int
made_read(const KeptWalk *walk, Made *made)
{
    PyFunctionObject *function = made->function;
    PyObject *closure = function->func_closure, *code = function->func_code;
    made->home = home_of(walk, function);
    made->print = made->home == NULL ? NULL : print_of(walk, code);
    made->variables = PyTuple_GET_SIZE(made->free_names);
    Py_ssize_t closed = closure == NULL ? 0 : PyTuple_GET_SIZE(closure);
    if (made->print == NULL || made->variables != closed || closed > MAX_VARIABLES) {
        return PyErr_Occurred() ? -1 : 0;
    }
    made->parts[0] = function->func_defaults == NULL ? Py_None : function->func_defaults;
    made->parts[1] = function->func_kwdefaults == NULL ? Py_None : function->func_kwdefaults;
    for (Py_ssize_t index = 0; index < closed; index++) {
        made->parts[2 + index] = PyTuple_GET_ITEM(closure, index);
    }
    made->elsewhere = !text_same(made->home, function->func_module);
    if (function->func_dict != NULL && PyDict_GET_SIZE(function->func_dict)) {
        made->attributes = (Names){.kind = NAMES_DICT, .dict = function->func_dict};
        made->attributes.size = PyDict_GET_SIZE(function->func_dict);
    }
    return 1;
}

/* Whether all of it fits: 1, 0, or -1 with an exception. */
static int
made_fits(const KeptWalk *walk, Made *made)
{
    PyFunctionObject *function = made->function;
    Budget budget = budget_of(walk);
    made->bytes = PyUnicode_GET_LENGTH(made->home) + FUNCTION_BYTES +
                  PyUnicode_GET_LENGTH(((PyCodeObject *)function->func_code)->co_qualname) +
                  PyUnicode_GET_LENGTH(function->func_name) +
                  PyUnicode_GET_LENGTH(function->func_qualname);
    if (made->elsewhere) {
        made->bytes += PyUnicode_GET_LENGTH(function->func_module) + HOME_BYTES;
    }
    for (Py_ssize_t index = 0; index < made->variables; index++) {
        PyObject *name = PyTuple_GET_ITEM(made->free_names, index);
        int ordinary = kept_is_ordinary(&budget, name);
        if (ordinary <= 0) {
            return ordinary;
        }
        made->bytes += PyUnicode_GET_LENGTH(name);
    }
    budget.left -= made->bytes + made->attributes.size * ATTRIBUTE_BYTES;
    for (Py_ssize_t index = 0; index < made->variables + 2; index++) {
        if (!kept_fits(&budget, made->parts[index])) {
            return 0;
        }
    }
    Slots none = {.count = 0};
    return budget.left < 0 ? 0 : attributes_fit(&budget, made->attributes, &none);
}

static Outcome
made_put(KeptWalk *walk, const Made *made)
{
    const PyFunctionObject *function = made->function;
    const PyCodeObject *code = (PyCodeObject *)function->func_code;
    Py_ssize_t found = PyList_GET_SIZE(walk->keeper.objects);
    NODE_BEGIN(walk, "{\"k\":\"function\",\"m\":");
    put_text(walk, made->home);
    TEXT_PUT(&walk->text, ",\"t\":");
    put_text(walk, code->co_qualname);
    TEXT_PUT(&walk->text, ",\"n\":[");
    text_integer(&walk->text, code->co_firstlineno);
    TEXT_PUT(&walk->text, ",");
    text_integer(&walk->text, PyLong_AsLongLong(made->print));
    TEXT_PUT(&walk->text, "],\"i\":[");
    if (PyErr_Occurred() || put_refs(walk, made->parts, made->variables + 2) < 0) {
        return WITH_ERROR;
    }
    walk->keeper.left -= made->bytes;
    TEXT_PUT(&walk->text, "],\"q\":[");
    put_text(walk, function->func_name);
    TEXT_PUT(&walk->text, ",");
    put_text(walk, function->func_qualname);
    for (Py_ssize_t index = 0; index < made->variables; index++) {
        TEXT_PUT(&walk->text, ",");
        put_text(walk, PyTuple_GET_ITEM(made->free_names, index));
    }
    TEXT_PUT(&walk->text, "]");
    if (made->elsewhere) {
        TEXT_PUT(&walk->text, ",\"w\":");
        put_text(walk, function->func_module);
    }
    if (made->attributes.size && put_names(walk, made->attributes) < 0) {
        return WITH_ERROR;
    }
    return node_end(walk, found);
}

/* `kept_functions.function`. */
Outcome
write_function(KeptWalk *walk, PyObject *value)
{
    PyFunctionObject *function = (PyFunctionObject *)value;
    PyCodeObject *code = (PyCodeObject *)function->func_code;
    if (!is_short(function->func_qualname)) {
        return LEFT_TO_PYTHON;
    }
    if (!is_inner(function->func_qualname)) {
        return write_name(walk, function->func_module, function->func_qualname, value);
    }
    int plain = function->func_dict == NULL || PyDict_CheckExact(function->func_dict);
    int named = kept_is_among(walk->landmarks, value);
    PyObject *file = code->co_filename;
    if (named < 0) {
        return WITH_ERROR;
    }
    if (named || !plain || !is_short(function->func_name) || !PyUnicode_CheckExact(code->co_qualname) ||
        !PyUnicode_GET_LENGTH(file) || PyUnicode_READ_CHAR(file, 0) == '<') {
        return LEFT_TO_PYTHON; /* as a dataclass makes them: of no source */
    }
    PyObject *free_names = PyCode_GetFreevars(code);
    if (free_names == NULL) {
        return WITH_ERROR;
    }
    Made made = {.function = function, .free_names = free_names};
    int fit = made_read(walk, &made);
    fit = fit > 0 ? made_fits(walk, &made) : fit;
    Outcome outcome = fit < 0 ? WITH_ERROR : LEFT_TO_PYTHON;
    if (fit > 0) {
        outcome = made_put(walk, &made);
    }
    Py_DECREF(free_names);
    return outcome;
}
