/* The module `leadline.native._twin`; what is in it is told by `_twin.pyi`. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "clone.h"
#include "interior.h"
#include "kernel.h"
#include "maps.h"
#include "means.h"
#include "refusals.h"
#include "seal.h"

/* As many paths and descriptors as a caller may name: an import path has a handful. */
#define NAMED_MAX 4096
#define LONGEST_LIFE_S 86400.0
#define WAIT_FOR_ALL 0x40000000 /* __WALL: also for those that end without a signal */

static PyObject *
landlock(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyLong_FromLong(means()->landlock);
}

/* missing() -> what this kernel lacks of what a twin needs, in words, or nothing. */
static PyObject *
missing(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    const char *text = "";
    if (!means()->filter) {
        text = "the kernel has no seccomp filters, or a sandbox refuses them";
    }
    else if (!means()->descriptors) {
        text = "the kernel has no descriptors of processes (Linux 5.3), or a sandbox refuses them";
    }
    else if (maps_size() < 0) {
        text = "there is no /proc";
    }
    return PyUnicode_FromString(text);
}

static int64_t
life_of(double seconds)
{
    if (!(seconds > 0) || seconds > LONGEST_LIFE_S) {
        PyErr_SetString(PyExc_ValueError, "a life is more than 0 and at most 86,400 seconds");
        return -1;
    }
    int64_t microseconds = (int64_t)(seconds * 1e6);
    return microseconds > 0 ? microseconds : 1;
}

/* The bytes of a tuple's items stay the tuple's. */
static const char **
texts_of(PyObject *tuple, int *count)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    if (size > NAMED_MAX) {
        PyErr_SetString(PyExc_ValueError, "too many paths");
        return NULL;
    }
    const char **texts = PyMem_Calloc((size_t)size + 1, sizeof *texts);
    if (texts == NULL) {
        return (const char **)PyErr_NoMemory();
    }
    for (Py_ssize_t index = 0; index < size; index++) {
        char *text;
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(tuple, index), &text, NULL) < 0) {
            PyMem_Free(texts);
            return NULL;
        }
        texts[index] = text;
    }
    *count = (int)size;
    return texts;
}

static int *
descriptors_of(PyObject *tuple, int *count)
{
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    int *numbers = PyMem_Calloc((size_t)size + 1, sizeof *numbers);
    if (numbers == NULL) {
        return (int *)PyErr_NoMemory();
    }
    for (Py_ssize_t index = 0; index < size; index++) {
        numbers[index] = (int)PyLong_AsLong(PyTuple_GET_ITEM(tuple, index));
        if (PyErr_Occurred()) {
            PyMem_Free(numbers);
            return NULL;
        }
    }
    *count = (int)size;
    return numbers;
}

static PyObject *
twin_of(PyObject *Py_UNUSED(module), PyObject *args, PyObject *named)
{
    static char *names[] = {"policy", "life_s", "cpu_s", "memory",
                            "keep",   "readable", "files", NULL};
    double life;
    long long processor, memory;
    PyObject *keep, *readable, *files = NULL;
    Plan plan = {0};
    if (!PyArg_ParseTupleAndKeywords(args, named, "idLLO!O!|O!", names, &plan.policy, &life,
                                     &processor, &memory, &PyTuple_Type, &keep, &PyTuple_Type,
                                     &readable, &PyTuple_Type, &files)) {
        return NULL;
    }
    plan.life_us = life_of(life);
    if (plan.life_us < 0) {
        return NULL;
    }
    if (plan.policy & ~POLICY_ALL || processor < 1 || memory < 0 || memory > 1LL << 46) {
        return PyErr_Format(PyExc_ValueError, "no such policy, or limits that are none");
    }
    plan.processor_s = processor;
    plan.memory = memory;
    PyObject *result = NULL;
    const char **folders = NULL, **single = NULL;
    int *kept = descriptors_of(keep, &plan.keep_count);
    PyObject *nothing = PyTuple_New(0);
    if (kept != NULL && nothing != NULL &&
        (folders = texts_of(readable, &plan.readable_count)) != NULL &&
        (single = texts_of(files != NULL ? files : nothing, &plan.files_count)) != NULL) {
        plan.keep = kept;
        plan.readable = folders;
        plan.files = single;
        int pid = clone_twin(&plan);
        result = pid >= 0 ? PyLong_FromLong(pid) : NULL;
    }
    PyMem_Free(kept);
    PyMem_Free(folders);
    PyMem_Free(single);
    Py_XDECREF(nothing);
    return result;
}

static PyObject *
grandchild(PyObject *Py_UNUSED(module), PyObject *seconds)
{
    double life = PyFloat_AsDouble(seconds);
    if (life == -1 && PyErr_Occurred()) {
        return NULL;
    }
    int64_t microseconds = life_of(life);
    int pid = microseconds < 0 ? -1 : clone_grandchild(microseconds);
    return pid >= 0 ? PyLong_FromLong(pid) : NULL;
}

static PyObject *
inside(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(clone_inside());
}

static int
append(PyObject *list, const char *what, const char *detail, long count)
{
    /* A path is bytes; what is no UTF-8 in it is kept as Python keeps it. */
    PyObject *text = PyUnicode_DecodeUTF8(detail, (Py_ssize_t)strlen(detail), "surrogateescape");
    PyObject *one = text != NULL ? Py_BuildValue("(sNl)", what, text, count) : NULL;
    int result = one != NULL ? PyList_Append(list, one) : -1;
    Py_XDECREF(one);
    return result;
}

/* refusals() -> [(what, detail, count)], oldest first; the rest under "others". */
static PyObject *
refusals(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    PyObject *list = PyList_New(0);
    int failed = list == NULL;
    for (int index = 0; !failed && index < refusals_count(); index++) {
        const Refusal *one = refusals_at(index);
        const char *name = refusals_name(one->number);
        char number[40];
        PyOS_snprintf(number, sizeof number, "system call %ld", one->number);
        failed = append(list, name != NULL ? name : number, one->detail, one->count) < 0;
    }
    if (!failed && refusals_beyond() > 0) {
        failed = append(list, "others", "", refusals_beyond()) < 0;
    }
    if (failed) {
        Py_CLEAR(list);
    }
    return list;
}

/* reap(pid) -> its status if it has ended, None while it lives. */
static PyObject *
reap(PyObject *Py_UNUSED(module), PyObject *number)
{
    int pid = (int)PyLong_AsLong(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (pid <= 0) {
        return PyErr_Format(PyExc_ValueError, "not the id of one process");
    }
    int status = 0;
    long answer = kernel(SYS_wait4, pid, &status, WAIT_FOR_ALL | WNOHANG, 0);
    if (answer < 0) {
        errno = (int)-answer;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (answer == 0) {
        Py_RETURN_NONE;
    }
    clone_grandchild_ended();
    return PyLong_FromLong(status);
}

static PyObject *
pidfd(PyObject *Py_UNUSED(module), PyObject *number)
{
    int pid = (int)PyLong_AsLong(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    long answer = kernel(CALL_PIDFD_OPEN, pid, 0);
    if (answer < 0) {
        errno = (int)-answer;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(answer);
}

/* channel() -> two ends of one stream, both closed on exec. Ours never waits. */
static PyObject *
channel(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    int ends[2];
    long answer = kernel(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    if (answer == 0) {
        answer = kernel(SYS_fcntl, ends[0], F_SETFL, O_RDWR | O_NONBLOCK);
    }
    if (answer < 0) {
        errno = (int)-answer;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return Py_BuildValue("(ii)", ends[0], ends[1]);
}

/* end(pid): ends a twin that was not reaped yet, so the number is still its own. Unlike
   os.kill it tells no audit hook. */
static PyObject *
end(PyObject *Py_UNUSED(module), PyObject *number)
{
    int pid = (int)PyLong_AsLong(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (pid <= 1) {
        return PyErr_Format(PyExc_ValueError, "not the id of one process");
    }
    kernel(SYS_kill, pid, SIGKILL);
    Py_RETURN_NONE;
}

/* why(status) -> what a twin ended by, in words. */
static PyObject *
why(PyObject *Py_UNUSED(module), PyObject *given)
{
    int status = (int)PyLong_AsLong(given);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (WIFEXITED(status)) {
        const char *step = seal_why(WEXITSTATUS(status));
        if (step != NULL) {
            return PyUnicode_FromFormat("it was not sealed and ended: %s", step);
        }
        return PyUnicode_FromFormat("it ended with %d", WEXITSTATUS(status));
    }
    switch (WTERMSIG(status)) {
    case SIGALRM:
        return PyUnicode_FromString("its time was over");
    case SIGKILL:
        return PyUnicode_FromString(
            "it was killed: by its limit of processor time, for memory, or from outside");
    case SIGSYS:
        return PyUnicode_FromString("it made a system call of another kind (32 bit), or one that a sandbox does not bear");
    case SIGSEGV:
        return PyUnicode_FromString("it crashed (SIGSEGV)");
    default:
        return PyUnicode_FromFormat("it was ended by signal %d", WTERMSIG(status));
    }
}

static long long
microseconds(int64_t from, int64_t to)
{
    return (to - from) / 1000;
}

static PyObject *
facts(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    const Done *done = &seal_done;
    if (!clone_inside()) {
        PyErr_SetString(PyExc_RuntimeError, "this is no twin");
        return NULL;
    }
    return Py_BuildValue(
        "{s:L,s:L,s:L,s:i,s:i,s:i,s:i,s:i,s:i,s:L,s:i,s:i,s:i,s:s,s:s,s:s,s:i}",
        "clone_us", microseconds(done->cloned_ns, done->begun_ns), "seal_us",
        microseconds(done->begun_ns, done->sealed_ns), "hooks_us",
        microseconds(done->sealed_ns, done->hooked_ns), "reopened", done->reopened, "cut",
        done->cut, "kept", done->kept, "shared_copied", done->shared_copied, "shared_readonly",
        done->shared_readonly, "shared_closed", done->shared_closed, "shared_bytes",
        (long long)done->shared_bytes, "landlock", done->landlock, "readable", done->rules,
        "readable_missing", done->rules_missing, "unshare",
        done->unshare ? strerror(done->unshare) : "done", "oom_score",
        done->oom ? strerror(done->oom) : "done", "thread_id",
        done->thread_id ? "set right" : "stale", "filter", done->filter);
}

static PyObject *
function_of(PyObject *Py_UNUSED(module), PyObject *frame)
{
    if (!PyFrame_Check(frame)) {
        return PyErr_Format(PyExc_TypeError, "not a frame");
    }
    PyObject *function = interior_function((PyFrameObject *)frame);
    return function != NULL ? function : Py_NewRef(Py_None);
}

static PyObject *
shared_writable(PyObject *Py_UNUSED(module), PyObject *given)
{
    long long limit = PyLong_AsLongLong(given);
    if (PyErr_Occurred()) {
        return NULL;
    }
    int64_t bytes = maps_shared_writable(limit);
    if (bytes < 0) {
        errno = EIO;
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, "/proc/self/maps");
    }
    return PyLong_FromLongLong(bytes);
}

static PyMethodDef functions[] = {
    {"landlock", landlock, METH_NOARGS, NULL},
    {"missing", missing, METH_NOARGS, NULL},
    {"clone", (PyCFunction)(void (*)(void))twin_of, METH_VARARGS | METH_KEYWORDS, NULL},
    {"grandchild", grandchild, METH_O, NULL},
    {"inside", inside, METH_NOARGS, NULL},
    {"refusals", refusals, METH_NOARGS, NULL},
    {"reap", reap, METH_O, NULL},
    {"pidfd", pidfd, METH_O, NULL},
    {"channel", channel, METH_NOARGS, NULL},
    {"end", end, METH_O, NULL},
    {"why", why, METH_O, NULL},
    {"facts", facts, METH_NOARGS, NULL},
    {"function_of", function_of, METH_O, NULL},
    {"shared_writable", shared_writable, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int
execute(PyObject *module)
{
    static const struct {
        const char *name;
        long value;
    } constants[] = {
        {"STRICT", POLICY_STRICT},
        {"READONLY", POLICY_READONLY},
        {"THREADS", POLICY_THREADS},
        {"GRANDCHILDREN", POLICY_GRANDCHILDREN},
    };
    for (size_t index = 0; index < sizeof constants / sizeof *constants; index++) {
        if (PyModule_AddIntConstant(module, constants[index].name, constants[index].value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* One interpreter: a process with others is not cloned. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "leadline.native._twin",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__twin(void);

PyMODINIT_FUNC
PyInit__twin(void)
{
    return PyModuleDef_Init(&definition);
}
