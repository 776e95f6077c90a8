#define Py_BUILD_CORE 1
#define PY_SSIZE_T_CLEAN

#pragma GCC diagnostic push
/* CPython's own headers are not free of these. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <Python.h>

#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"
#pragma GCC diagnostic pop

#include "interior.h"

#include <errno.h>

#if PY_VERSION_HEX < 0x030C0000 || PY_VERSION_HEX >= 0x030E0000
#error "the interior of this interpreter is not known; there are no twins there"
#endif
#ifdef Py_GIL_DISABLED
#error "free-threaded builds are refused"
#endif

#if PY_VERSION_HEX >= 0x030D0000
#define NOBODY 0
#define is_ending() Py_IsFinalizing()
#else
#define NOBODY PYTHREAD_INVALID_THREAD_ID
#define is_ending() _Py_IsFinalizing()
#endif

int
interior_obstacle(const char **text)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    if (is_ending()) {
        *text = "the interpreter is ending";
        return EBUSY;
    }
    if (interpreter != PyInterpreterState_Main() ||
        PyInterpreterState_Next(PyInterpreterState_Head()) != NULL) {
        *text = "there are subinterpreters";
        return EOPNOTSUPP;
    }
    /* It is taken for the clone, and waiting for it would be waiting for the application. */
    unsigned long holder = (unsigned long)interpreter->imports.lock.thread;
    if (holder != NOBODY && holder != PyThread_get_thread_ident()) {
        *text = "another thread holds the import lock";
        return EAGAIN;
    }
    return 0;
}

typedef struct {
    PyObject *before, *after;
} Hooks;

static Hooks
take_hooks(PyInterpreterState *interpreter)
{
    Hooks hooks = {interpreter->before_forkers, interpreter->after_forkers_parent};
    interpreter->before_forkers = NULL;
    interpreter->after_forkers_parent = NULL;
    return hooks;
}

static void
give_hooks(PyInterpreterState *interpreter, Hooks hooks)
{
    interpreter->before_forkers = hooks.before;
    interpreter->after_forkers_parent = hooks.after;
}

void
interior_before(void)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    Hooks hooks = take_hooks(interpreter);
    PyOS_BeforeFork();
    give_hooks(interpreter, hooks);
}

void
interior_in_parent(void)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    Hooks hooks = take_hooks(interpreter);
    PyOS_AfterFork_Parent();
    give_hooks(interpreter, hooks);
}

void
interior_in_child(void)
{
    PyOS_AfterFork_Child();
}

PyObject *
interior_function(PyFrameObject *frame)
{
    struct _PyInterpreterFrame *interior = frame->f_frame;
    PyObject *function = interior != NULL ? interior->f_funcobj : NULL;
    return function != NULL && PyFunction_Check(function) ? Py_NewRef(function) : NULL;
}
