#include "core.h"

#include <structmember.h>

#include "clock.h"
#include "shape.h"

/* Call the other listener to an event, if there is one and it wants to hear of this code;
   returns what it answers, or DISABLE. */
static PyObject *
tell_listener(Core *core, Event event, PyObject *const *arguments, Py_ssize_t count)
{
    const Listener *listener = &core->listeners[event];
    if (listener->callback == NULL) {
        return Py_NewRef(core->disable);
    }
    if (listener->codes != NULL) {
        Py_ssize_t index = 0;
        while (index < PyTuple_GET_SIZE(listener->codes) &&
               PyTuple_GET_ITEM(listener->codes, index) != arguments[0]) {
            index++;
        }
        if (index == PyTuple_GET_SIZE(listener->codes)) {
            return Py_NewRef(core->disable);
        }
    }
    PyObject *callback = Py_NewRef(listener->callback);
    PyObject *answer = PyObject_Vectorcall(callback, arguments, (size_t)count, NULL);
    Py_DECREF(callback);
    if (answer == NULL && PyErr_ExceptionMatches(PyExc_RecursionError)) {
        PyErr_Clear(); /* there is no room for a call */
        core->no_stack++;
        return Py_NewRef(Py_None);
    }
    return answer;
}

/* The interpreter always gives so many; somebody else may not. */
static int
enough(Py_ssize_t count, Py_ssize_t wanted)
{
    if (count < wanted) {
        PyErr_SetString(PyExc_TypeError, "this is called by sys.monitoring");
        return 0;
    }
    return 1;
}

static PyObject *
on_instruction(Core *core, PyObject *const *arguments, Py_ssize_t count)
{
    if (!enough(count, 2)) {
        return NULL;
    }
    Py_ssize_t offset = PyLong_AsSsize_t(arguments[1]);
    PyObject *armed = table_get(&core->tables[ON_INSTRUCTION], arguments[0], offset);
    if (armed == NULL) {
        return Py_NewRef(core->disable);
    }
    return visit_all(core, armed, NULL, NULL);
}

/* A function's entry, or its return with the result; both have another listener. */
static PyObject *
at(Core *core, Event event, PyObject *const *arguments, Py_ssize_t count)
{
    PyObject *armed = table_get(&core->tables[event], arguments[0], 0);
    PyObject *answer = Py_NewRef(core->disable);
    if (armed != NULL) {
        Py_SETREF(answer, visit_all(core, armed, event == ON_RETURN ? arguments[2] : NULL, NULL));
    }
    if (answer == NULL || core->listeners[event].callback == NULL) {
        return answer;
    }
    PyObject *other = tell_listener(core, event, arguments, count);
    if (other == NULL || answer == core->disable) {
        Py_DECREF(answer);
        return other;
    }
    Py_DECREF(other);
    return answer;
}

static PyObject *
on_start(Core *core, PyObject *const *arguments, Py_ssize_t count)
{
    return !enough(count, 2) ? NULL : at(core, ON_START, arguments, count);
}

static PyObject *
on_return(Core *core, PyObject *const *arguments, Py_ssize_t count)
{
    return !enough(count, 3) ? NULL : at(core, ON_RETURN, arguments, count);
}

/* Whether an exception begins here, instead of passing through on its way out, and is the
   application's; -1 with an exception. */
static int
is_origin(Core *core, PyCodeObject *code, PyObject *exception)
{
    PyObject *thread = PyLong_FromUnsignedLong(PyThread_get_thread_ident());
    int ours = thread == NULL ? -1 : PySet_Contains(core->our_threads, thread);
    Py_XDECREF(thread);
    if (ours == 0) {
        ours = (int)PyUnicode_Tailmatch(code->co_filename, core->our_path, 0, PY_SSIZE_T_MAX, -1);
    }
    if (ours != 0) {
        return ours < 0 ? -1 : 0;
    }
    PyObject *traceback = ((PyBaseExceptionObject *)exception)->traceback;
    return traceback == NULL || ((PyTracebackObject *)traceback)->tb_next == NULL;
}

/* An exception, which is heard of in all code. */
static PyObject *
threw(Core *core, Event event, PyObject *const *arguments)
{
    PyObject *armed = table_get(&core->tables[event], arguments[0], 0);
    if (armed != NULL) {
        PyObject *answer = visit_all(core, armed, NULL, arguments[2]);
        if (answer == NULL) {
            return NULL;
        }
        Py_DECREF(answer);
    }
    if (core->everywhere[event] != NULL) {
        int origin = is_origin(core, (PyCodeObject *)arguments[0], arguments[2]);
        if (origin < 0) {
            PyErr_Clear();
        }
        else if (origin) {
            PyObject *answer = visit_all(core, core->everywhere[event], NULL, arguments[2]);
            if (answer == NULL) {
                return NULL;
            }
            Py_DECREF(answer);
        }
    }
    Py_RETURN_NONE;
}

static PyObject *
on_unwind(Core *core, PyObject *const *arguments, Py_ssize_t count)
{
    return !enough(count, 3) ? NULL : threw(core, ON_UNWIND, arguments);
}

static PyObject *
on_raise(Core *core, PyObject *const *arguments, Py_ssize_t count)
{
    return !enough(count, 3) ? NULL : threw(core, ON_RAISE, arguments);
}

/* What a generator gives out. */
static PyObject *
on_yield(Core *core, PyObject *const *arguments, Py_ssize_t count)
{
    if (!enough(count, 3)) {
        return NULL;
    }
    PyObject *armed = table_get(&core->tables[ON_YIELD], arguments[0], 0);
    return armed == NULL ? Py_NewRef(core->disable) : visit_all(core, armed, arguments[2], NULL);
}

/* That a generator goes on is of interest where something was sent into it, which is rare. */
static PyObject *
on_resume(Core *core, PyObject *const *arguments, Py_ssize_t count)
{
    if (!enough(count, 2)) {
        return NULL;
    }
    PyObject *armed = table_get(&core->tables[ON_RESUME], arguments[0], 0);
    Frame *frame = frame_innermost();
    PyObject *sent = armed == NULL || frame == NULL ? NULL : frame_sent(frame);
    if (sent != NULL && sent != Py_None) {
        return visit_all(core, armed, NULL, NULL);
    }
    for (Py_ssize_t index = 0; armed != NULL && index < PyTuple_GET_SIZE(armed); index++) {
        if (!((Armed *)PyTuple_GET_ITEM(armed, index))->meter->off) {
            Py_RETURN_NONE;
        }
    }
    return Py_NewRef(core->disable);
}

static PyObject *
on_throw(Core *core, PyObject *const *arguments, Py_ssize_t count)
{
    return !enough(count, 3) ? NULL : threw(core, ON_THROW, arguments);
}

/* put(event, code or None, offset, tuple of Armed or None) */
static PyObject *
core_put(Core *core, PyObject *args)
{
    int event;
    PyObject *code, *armed;
    Py_ssize_t offset;
    if (!PyArg_ParseTuple(args, "iOnO", &event, &code, &offset, &armed)) {
        return NULL;
    }
    int fits = armed == Py_None || PyTuple_Check(armed);
    for (Py_ssize_t index = 0; fits && armed != Py_None && index < PyTuple_GET_SIZE(armed);
         index++) {
        fits = Py_IS_TYPE(PyTuple_GET_ITEM(armed, index), armed_type);
    }
    if (event < 0 || event >= EVENT_COUNT || !fits) {
        PyErr_SetString(PyExc_ValueError, "a known event and armed passages were expected");
        return NULL;
    }
    PyObject *value = armed == Py_None ? NULL : armed;
    clock_adjust();
    if (code == Py_None) {
        Py_XSETREF(core->everywhere[event], Py_XNewRef(value));
    }
    else if (table_put(&core->tables[event], code, offset, value) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* listen(event, callback or None, codes or None): have another listener called too. */
static PyObject *
core_listen(Core *core, PyObject *args)
{
    int event;
    PyObject *callback, *codes;
    if (!PyArg_ParseTuple(args, "iOO", &event, &callback, &codes)) {
        return NULL;
    }
    if (event < 0 || event >= EVENT_COUNT || (codes != Py_None && !PyTuple_Check(codes))) {
        PyErr_SetString(PyExc_ValueError, "a known event and a tuple of codes were expected");
        return NULL;
    }
    Listener *listener = &core->listeners[event];
    Py_XSETREF(listener->callback, callback == Py_None ? NULL : Py_NewRef(callback));
    Py_XSETREF(listener->codes, codes == Py_None ? NULL : Py_NewRef(codes));
    Py_RETURN_NONE;
}

/* Take everything out that is armed. */
static PyObject *
core_disarm_all(Core *core, PyObject *Py_UNUSED(none))
{
    for (int event = 0; event < EVENT_COUNT; event++) {
        table_clear(&core->tables[event]);
        Py_CLEAR(core->everywhere[event]);
    }
    Py_RETURN_NONE;
}

/* Forget counts. Memory that a thread was writing in is not here, in a forked child neither. */
static PyObject *
core_clear(Core *core, PyObject *Py_UNUSED(none))
{
    core->spent_ns = core->no_stack = 0;
    Py_RETURN_NONE;
}

/* Return what was spent since the last call. */
static PyObject *
core_spend(Core *core, PyObject *Py_UNUSED(none))
{
    long long spent = core->spent_ns;
    core->spent_ns = 0;
    clock_adjust();
    return PyLong_FromLongLong(spent);
}

#define HELPER(name) offsetof(Core, name)

static const struct {
    const char *name;
    size_t offset;
} helpers[] = {
    {"visit", HELPER(visit)},
    {"nothing", HELPER(nothing)},
    {"decide", HELPER(decide)},
    {"take", HELPER(take)},
    {"punted", HELPER(punted)},
    {"blame", HELPER(blame)},
    {"circumstances", HELPER(circumstances)},
    {"rest", HELPER(rest)},
    {"modules", HELPER(modules)},
    {"our_threads", HELPER(our_threads)},
    {"our_path", HELPER(our_path)},
    {"demo_path", HELPER(demo_path)},
    {"disable", HELPER(disable)},
};
#define HELPER_COUNT (sizeof helpers / sizeof *helpers)

static PyObject **
helper_at(Core *core, size_t index)
{
    return (PyObject **)((char *)core + helpers[index].offset);
}

/* Core(ring, budget_ns, helpers): the last is a dictionary, see agent/core/native.py. */
static PyObject *
core_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    PyObject *ring, *given;
    long long budget_ns;
    if (!PyArg_ParseTuple(args, "OLO!", &ring, &budget_ns, &PyDict_Type, &given)) {
        return NULL;
    }
    Core *core = (Core *)type->tp_alloc(type, 0);
    if (core == NULL) {
        return NULL;
    }
    core->ring = (Ring *)Py_NewRef(ring);
    core->budget_ns = budget_ns;
    for (size_t index = 0; index < HELPER_COUNT; index++) {
        PyObject *helper = PyDict_GetItemString(given, helpers[index].name);
        if (helper == NULL) {
            PyErr_SetString(PyExc_ValueError, "a helper is missing");
            Py_DECREF(core);
            return NULL;
        }
        *helper_at(core, index) = Py_NewRef(helper);
    }
    return (PyObject *)core;
}

static int
core_traverse(Core *core, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(core));
    Py_VISIT(core->ring);
    for (int event = 0; event < EVENT_COUNT; event++) {
        int stop = table_traverse(&core->tables[event], visit, arg);
        if (stop) {
            return stop;
        }
        Py_VISIT(core->everywhere[event]);
        Py_VISIT(core->listeners[event].callback);
        Py_VISIT(core->listeners[event].codes);
    }
    for (size_t index = 0; index < HELPER_COUNT; index++) {
        Py_VISIT(*helper_at(core, index));
    }
    return 0;
}

static int
core_forget(Core *core)
{
    Py_XDECREF(core_disarm_all(core, NULL));
    for (int event = 0; event < EVENT_COUNT; event++) {
        Py_CLEAR(core->listeners[event].callback);
        Py_CLEAR(core->listeners[event].codes);
    }
    return 0;
}

static void
core_dealloc(Core *core)
{
    PyTypeObject *type = Py_TYPE(core);
    PyObject_GC_UnTrack(core);
    core_forget(core);
    for (size_t index = 0; index < HELPER_COUNT; index++) {
        Py_CLEAR(*helper_at(core, index));
    }
    Py_CLEAR(core->ring);
    free(core->scratch.bytes);
    type->tp_free(core);
    Py_DECREF(type);
}

#define CALLBACK(name, function) {name, (PyCFunction)(void (*)(void))(function), METH_FASTCALL, NULL}

static PyMethodDef methods[] = {
    CALLBACK("on_instruction", on_instruction),
    CALLBACK("on_start", on_start),
    CALLBACK("on_return", on_return),
    CALLBACK("on_unwind", on_unwind),
    CALLBACK("on_raise", on_raise),
    CALLBACK("on_yield", on_yield),
    CALLBACK("on_resume", on_resume),
    CALLBACK("on_throw", on_throw),
    {"put", (PyCFunction)core_put, METH_VARARGS, NULL},
    {"listen", (PyCFunction)core_listen, METH_VARARGS, NULL},
    {"disarm_all", (PyCFunction)core_disarm_all, METH_NOARGS, NULL},
    {"clear", (PyCFunction)core_clear, METH_NOARGS, NULL},
    {"spend", (PyCFunction)core_spend, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"spent_ns", Py_T_LONGLONG, offsetof(Core, spent_ns), 0, NULL},
    {"budget_ns", Py_T_LONGLONG, offsetof(Core, budget_ns), 0, NULL},
    {"no_stack", Py_T_LONGLONG, offsetof(Core, no_stack), 0, NULL},
    {"in_python", Py_T_LONGLONG, offsetof(Core, in_python), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, core_new},
    {Py_tp_dealloc, core_dealloc},
    {Py_tp_traverse, core_traverse},
    {Py_tp_clear, core_forget},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "leadline.native._core.Core",
    .basicsize = sizeof(Core),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyTypeObject *
core_make_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
