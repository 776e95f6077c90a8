#include "around.h"

#include "kept.h"
#include "keptcode.h"

static int
is_handling(void)
{
    PyObject *handled = PyErr_GetHandledException();
    Py_XDECREF(handled);
    return handled != NULL && handled != Py_None;
}

/* Whether no context variable is set; -1 with an exception. */
static int
has_no_context(void)
{
    PyObject *context = PyContext_CopyCurrent();
    Py_ssize_t size = context == NULL ? -1 : PyObject_Size(context);
    Py_XDECREF(context);
    return size < 0 ? -1 : size == 0;
}

static int
has_own_streams(void)
{
    static const char *const pairs[][2] = {
        {"stdin", "__stdin__"}, {"stdout", "__stdout__"}, {"stderr", "__stderr__"}};
    for (size_t index = 0; index < sizeof pairs / sizeof *pairs; index++) {
        if (PySys_GetObject(pairs[index][0]) != PySys_GetObject(pairs[index][1])) {
            return 0;
        }
    }
    return 1;
}

/* Whether this thread has nothing in a local that lies at a place; -1 with an exception. */
static int
is_empty(PyObject *modules, PyObject *place, PyObject *cls, PyObject *members)
{
    if (!PyTuple_CheckExact(place) || PyTuple_GET_SIZE(place) != 2) {
        return 0;
    }
    PyObject *name = PyTuple_GET_ITEM(place, 1);
    PyObject *local = kept_found(modules, PyTuple_GET_ITEM(place, 0), name);
    if (local == NULL || (PyObject *)Py_TYPE(local) != cls) {
        return PyErr_Occurred() ? -1 : 1;
    }
    PyObject *held = PyObject_CallFunction(members, "Os", local, "__dict__");
    int empty = held == NULL ? -1 : !PyDict_CheckExact(held) || PyDict_GET_SIZE(held) == 0;
    Py_XDECREF(held);
    return empty;
}

PyObject *
around_is_bare(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *locals, *modules, *cls, *members, *environment, *before;
    if (!PyArg_ParseTuple(args, "O!O!OOO!O!", &PyList_Type, &locals, &PyDict_Type, &modules, &cls,
                          &members, &PyDict_Type, &environment, &PyDict_Type, &before)) {
        return NULL;
    }
    int bare = !is_handling() && has_own_streams() && kept_same_entries(environment, before);
    bare = bare ? has_no_context() : 0;
    for (Py_ssize_t index = 0; bare > 0 && index < PyList_GET_SIZE(locals); index++) {
        bare = is_empty(modules, PyList_GET_ITEM(locals, index), cls, members);
    }
    return bare < 0 ? NULL : PyBool_FromLong(bare);
}
