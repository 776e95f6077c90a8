#include "surroundings.h"

#include "clock.h"

/* Return what a loaded module has under a name, borrowed, or NULL. */
static PyObject *
loaded(Core *core, PyObject **kept_name, const char *name)
{
    if (*kept_name == NULL) {
        *kept_name = PyUnicode_InternFromString(name);
    }
    PyObject *module = *kept_name == NULL || !PyDict_CheckExact(core->modules)
                           ? NULL
                           : PyDict_GetItemWithError(core->modules, *kept_name);
    PyErr_Clear();
    return module;
}

/* Whether an event loop of asyncio runs on this thread. Where asyncio is not as expected,
   Python is asked. */
static int
has_task(Core *core)
{
    static PyObject *name, *function_name;
    PyObject *module = loaded(core, &name, "_asyncio");
    if (module == NULL) {
        return 0;
    }
    if (function_name == NULL) {
        function_name = PyUnicode_InternFromString("_get_running_loop");
    }
    PyObject *names = PyModule_CheckExact(module) ? PyModule_GetDict(module) : NULL;
    PyObject *running = names == NULL || function_name == NULL
                            ? NULL
                            : PyDict_GetItemWithError(names, function_name);
    if (running == NULL || !PyCFunction_CheckExact(running)) {
        PyErr_Clear();
        return 1;
    }
    PyObject *loop = PyObject_CallNoArgs(running);
    PyErr_Clear();
    int runs = loop != Py_None;
    Py_XDECREF(loop);
    return runs;
}

static int
has_trace(Core *core)
{
    static PyObject *name;
    return loaded(core, &name, "opentelemetry.context") != NULL;
}

int
circumstances_read(Core *core, Circumstances *at)
{
    at->time = clock_time();
    at->thread = PyThread_get_thread_ident();
    if (!has_task(core) && !has_trace(core)) {
        return 0;
    }
    PyObject *told = PyObject_CallNoArgs(core->circumstances);
    if (told == NULL) {
        return -1;
    }
    PyObject *task, *trace, *span;
    int read = PyArg_ParseTuple(told, "UUU", &task, &trace, &span);
    if (read) {
        at->task = Py_NewRef(task);
        at->trace = Py_NewRef(trace);
        at->span = Py_NewRef(span);
    }
    Py_DECREF(told);
    return read ? 0 : -1;
}

/* How many context variables are set; -1 with an exception. */
static Py_ssize_t
context_size(void)
{
    PyObject *context = PyContext_CopyCurrent();
    if (context == NULL) {
        return -1;
    }
    Py_ssize_t size = PyObject_Size(context);
    Py_DECREF(context);
    return size;
}

int
rest_take(Core *core, const Taking *taking, Text *text, long long room)
{
    Py_ssize_t size = context_size();
    if (size < 0) {
        return -1;
    }
    if (size == 0 && !has_task(core)) {
        TEXT_PUT(text, ",\"tasks\":[],\"context\":{}}");
        return 0;
    }
    PyObject *told = PyObject_CallFunction(core->rest, "OL", taking->limits.given, room);
    const char *bytes;
    Py_ssize_t length;
    if (told == NULL) {
        return -1;
    }
    int read = PyBytes_CheckExact(told);
    if (read) {
        bytes = PyBytes_AS_STRING(told);
        length = PyBytes_GET_SIZE(told);
        text_put(text, bytes, (size_t)length);
    }
    Py_DECREF(told);
    if (!read) {
        PyErr_SetString(PyExc_TypeError, "bytes were expected");
    }
    return read ? 0 : -1;
}
