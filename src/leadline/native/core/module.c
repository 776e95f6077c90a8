/* The module `leadline.native._core`; what is in it is told by `_core.pyi`. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "around.h"
#include "clock.h"
#include "core.h"
#include "ending.h"
#include "interior.h"
#include "kept.h"
#include "keptcode.h"
#include "keptplan.h"
#include "keptwalk.h"
#include "outline.h"
#include "passage.h"
#include "program.h"
#include "ring.h"
#include "shape.h"
#include "stack.h"

/* know(learn, names, secret_name, name_rule, capture): what the walk asks Python for. */
static PyObject *
know(PyObject *Py_UNUSED(module), PyObject *args)
{
    Knowledge given;
    if (!PyArg_ParseTuple(args, "OO!OOO", &given.learn, &PyDict_Type, &given.names,
                          &given.secret_name, &given.name_rule, &given.capture)) {
        return NULL;
    }
    Py_XSETREF(knowledge.learn, Py_NewRef(given.learn));
    Py_XSETREF(knowledge.names, Py_NewRef(given.names));
    Py_XSETREF(knowledge.secret_name, Py_NewRef(given.secret_name));
    Py_XSETREF(knowledge.name_rule, Py_NewRef(given.name_rule));
    Py_XSETREF(knowledge.capture, Py_NewRef(given.capture));
    Py_RETURN_NONE;
}

static PyObject *
forget(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    shapes_forget();
    plans_forget();
    kept_plans_forget();
    Py_RETURN_NONE;
}

/* capture(value, limits, depth, items, text, room, outcome) -> (bytes, room): one value by itself;
   of an outcome what belongs to its process is only named. */
static PyObject *
capture(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *value;
    Limits limits = {0};
    long long room;
    if (!PyArg_ParseTuple(args, "OOlllL|p", &value, &limits.given, &limits.depth, &limits.items,
                          &limits.text, &room, &limits.outcome)) {
        return NULL;
    }
    if (knowledge.learn == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "`know` was not called");
        return NULL;
    }
    Text text = {0};
    PyObject *whole = NULL;
    if (walk_capture(&text, &room, &limits, value) == 0) {
        whole = text.failed ? PyErr_NoMemory()
                            : Py_BuildValue("y#L", text.bytes, (Py_ssize_t)text.size, room);
    }
    free(text.bytes);
    return whole;
}

/* captures() -> how many values were taken in Python since the process began. */
static PyObject *
captures(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyLong_FromLongLong(knowledge.captures);
}

/* outward(frame, skip, count) -> [code, globals, code, globals, ...] of the frames further out. */
static PyObject *
outward(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *given;
    int skip, count;
    if (!PyArg_ParseTuple(args, "O!ii", &PyFrame_Type, &given, &skip, &count)) {
        return NULL;
    }
    Frame *frame = frame_outer(frame_of_object(given));
    PyObject *found = PyList_New(0);
    for (int index = 0; found != NULL && frame != NULL && index < skip + count; index++) {
        if (index >= skip && (PyList_Append(found, (PyObject *)frame_code(frame)) < 0 ||
                              PyList_Append(found, frame_globals(frame)) < 0)) {
            Py_CLEAR(found);
        }
        frame = frame_outer(frame);
    }
    return found;
}

/* Return how many calls further in than `frame` this thread is, or -1 where that does not run
   here. */
static int
calls_within(PyObject *frame)
{
    Frame *wanted = frame_of_object(frame), *one = frame_innermost();
    int calls = 0;
    for (; one != NULL && one != wanted; one = frame_outer(one)) {
        calls++;
    }
    return one == NULL ? -1 : calls;
}

/* depth(frame) -> how many calls deep a running frame of this thread is, itself among them, as the
   interpreter counts them against its limit; 0 where it does not run here. */
static PyObject *
depth(PyObject *Py_UNUSED(module), PyObject *frame)
{
    if (!PyFrame_Check(frame)) {
        PyErr_SetString(PyExc_TypeError, "a frame was expected");
        return NULL;
    }
    PyThreadState *thread = PyThreadState_Get();
    int within = calls_within(frame);
    int calls = thread->py_recursion_limit - thread->py_recursion_remaining - within;
    return PyLong_FromLong(within < 0 ? 0 : calls);
}

/* deepen(frame, depth) -> by how many calls a running frame of this thread is deeper from now on,
   to be as deep as is wanted. That is at most as deep as the limit, which stays what it is. */
static PyObject *
deepen(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *frame;
    int wanted;
    if (!PyArg_ParseTuple(args, "O!i", &PyFrame_Type, &frame, &wanted)) {
        return NULL;
    }
    PyThreadState *thread = PyThreadState_Get();
    int within = calls_within(frame), limit = thread->py_recursion_limit;
    if (within < 0 || wanted < 1) {
        return PyLong_FromLong(0);
    }
    int left = limit - (wanted < limit ? wanted : limit) - within;
    int more = thread->py_recursion_remaining - left;
    thread->py_recursion_remaining = left;
    return PyLong_FromLong(more);
}

/* rise(calls): take back what `deepen` has returned. */
static PyObject *
rise(PyObject *Py_UNUSED(module), PyObject *given)
{
    int calls = (int)PyLong_AsLong(given);
    if (calls == -1 && PyErr_Occurred()) {
        return NULL;
    }
    PyThreadState_Get()->py_recursion_remaining += calls;
    Py_RETURN_NONE;
}

/* Return the name of a caller that is known, borrowed, or NULL, perhaps with an exception. */
static PyObject *
known_name(PyObject *names, PyObject *code)
{
    PyObject *key = kept_identity(code);
    PyObject *known = key == NULL ? NULL : PyDict_GetItemWithError(names, key);
    Py_XDECREF(key);
    if (known == NULL || !PyTuple_CheckExact(known) || PyTuple_GET_ITEM(known, 0) != code) {
        return NULL;
    }
    return PyTuple_GET_ITEM(known, 1);
}

/* callers(frame, names, frames, most) -> the names of the frames further out that have one, of
   so many frames; None where one is not known yet. */
static PyObject *
callers(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *given, *names;
    int frames;
    Py_ssize_t most;
    if (!PyArg_ParseTuple(args, "O!O!in", &PyFrame_Type, &given, &PyDict_Type, &names, &frames,
                          &most)) {
        return NULL;
    }
    Frame *frame = frame_outer(frame_of_object(given));
    PyObject *found = PyList_New(0);
    while (found != NULL && frame != NULL && frames-- > 0 && PyList_GET_SIZE(found) < most) {
        PyObject *name = known_name(names, (PyObject *)frame_code(frame));
        if (name == NULL) {
            Py_DECREF(found);
            return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
        }
        if (PyUnicode_GET_LENGTH(name) && PyList_Append(found, name) < 0) {
            Py_CLEAR(found);
        }
        frame = frame_outer(frame);
    }
    return found;
}

/* generator_of(frame) -> a weak reference to the generator that it belongs to, or None. */
static PyObject *
generator_of(PyObject *Py_UNUSED(module), PyObject *frame)
{
    PyObject *reference = PyFrame_Check(frame) ? frame_generator(frame) : NULL;
    if (reference == NULL && PyErr_Occurred()) {
        return NULL;
    }
    return reference != NULL ? reference : Py_NewRef(Py_None);
}

/* is_over(reference) -> whether the generator is gone or has come to its end. */
static PyObject *
is_over(PyObject *Py_UNUSED(module), PyObject *reference)
{
    if (!PyWeakref_CheckRef(reference)) {
        PyErr_SetString(PyExc_TypeError, "a weak reference to a generator was expected");
        return NULL;
    }
    return PyBool_FromLong(generator_is_over(reference));
}

/* unwrapped(value) -> what an asynchronous generator gives out, of what the interpreter makes of
   it. */
static int
note_held(PyObject *held, void *into)
{
    *(PyObject **)into = held;
    return 0;
}

static PyObject *
unwrapped(PyObject *Py_UNUSED(module), PyObject *value)
{
    PyObject *held = NULL;
    if (Py_TYPE(value)->tp_traverse != NULL) {
        Py_TYPE(value)->tp_traverse(value, note_held, &held);
    }
    return Py_NewRef(held != NULL ? held : value);
}

static PyMethodDef functions[] = {
    {"know", know, METH_VARARGS, NULL},
    {"forget", forget, METH_NOARGS, NULL},
    {"capture", capture, METH_VARARGS, NULL},
    {"captures", captures, METH_NOARGS, NULL},
    {"name_fates", passage_name_fates, METH_O, NULL},
    {"parameters_of", parameters_of, METH_O, NULL},
    {"parameters_shown", parameters_shown, METH_VARARGS, NULL},
    {"answer", answer, METH_VARARGS, NULL},
    {"kept_attributes", kept_attributes, METH_VARARGS, NULL},
    {"kept_entries", kept_entries, METH_VARARGS, NULL},
    {"kept_items", kept_items, METH_VARARGS, NULL},
    {"kept_nodes", (PyCFunction)(void (*)(void))kept_nodes, METH_FASTCALL, NULL},
    {"kept_among", kept_among, METH_VARARGS, NULL},
    {"around_is_bare", around_is_bare, METH_VARARGS, NULL},
    {"outline", outline, METH_O, NULL},
    {"callers", callers, METH_VARARGS, NULL},
    {"outward", outward, METH_VARARGS, NULL},
    {"depth", depth, METH_O, NULL},
    {"deepen", deepen, METH_VARARGS, NULL},
    {"rise", rise, METH_O, NULL},
    {"generator_of", generator_of, METH_O, NULL},
    {"is_over", is_over, METH_O, NULL},
    {"unwrapped", unwrapped, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int
execute(PyObject *module)
{
    clock_begin();
    PyTypeObject *(*const makers[])(PyObject *) = {
        shape_make_type, program_make_type, ring_make_type, core_make_type,
        stack_make_type,
    };
    for (size_t index = 0; index < sizeof makers / sizeof *makers; index++) {
        PyTypeObject *type = makers[index](module);
        if (type == NULL || PyModule_AddType(module, type) < 0) {
            return -1;
        }
    }
    return passage_add_types(module);
}

/* One interpreter: the agent is one per process. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "leadline.native._core",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
