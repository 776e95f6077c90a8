#include "stack.h"

#include "clock.h"
#include "shape.h"
#include "surroundings.h"

/* As in agent/capture/stack.py, which gives the reasons. */
#define MAX_CALLS 1000
#define MAX_VARIABLES 100
#define NEAR 3
#define MAX_FILE_CHARS 500
#define MAX_FUNCTION_CHARS 200
#define MAX_PLANS 4096 /* code objects whose variables are known; each is kept alive */

typedef struct {
    int index;
    Field field;
} Variable;

/* What is known of the variables of one code object. */
typedef struct {
    PyObject_HEAD
    PyCodeObject *code;
    int ours;
    int lasti; /* of the line that was asked for last */
    int line;
    Py_ssize_t count;
    Variable *variables;
} Plan;

static PyTypeObject *plan_type;
static Table plans;
static size_t plan_count;

static int
add_variable(Plan *plan, int index)
{
    PyObject *name = PyTuple_GET_ITEM(plan->code->co_localsplusnames, index);
    for (Py_ssize_t known = 0; known < plan->count; known++) {
        if (plan->variables[known].index == index) {
            return 0;
        }
    }
    if (!PyUnicode_IsIdentifier(name)) {
        return 0;
    }
    PyObject *rule = rule_of_name(name);
    if (rule == NULL) {
        return -1;
    }
    Variable *variable = &plan->variables[plan->count++];
    variable->index = index;
    return field_fill(&variable->field, name, rule);
}

/* The order of `co_varnames + co_cellvars + co_freevars`, of which the first are taken. */
static int
find_variables(Plan *plan)
{
    const char *own = PyBytes_AS_STRING(plan->code->co_localspluskinds);
    int count = plan->code->co_nlocalsplus, most = MAX_VARIABLES;
    plan->variables = PyMem_Calloc(MAX_VARIABLES, sizeof(Variable));
    if (plan->variables == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int sort = 0; sort < 3; sort++) {
        for (int index = 0; index < count && most > 0; index++) {
            if (own[index] & variable_sorts[sort]) {
                most--;
                if (add_variable(plan, index) < 0) {
                    return -1;
                }
            }
        }
    }
    return 0;
}

static int
begins(PyObject *file, PyObject *folder)
{
    return PyUnicode_Tailmatch(file, folder, 0, PY_SSIZE_T_MAX, -1) == 1;
}

static Plan *
plan_of(Core *core, PyCodeObject *code)
{
    Plan *plan = (Plan *)table_get(&plans, code, 0);
    if (plan != NULL) {
        return (Plan *)Py_NewRef(plan);
    }
    plan = (Plan *)plan_type->tp_alloc(plan_type, 0);
    if (plan == NULL) {
        return NULL;
    }
    plan->code = (PyCodeObject *)Py_NewRef(code);
    plan->lasti = -1;
    plan->ours = begins(code->co_filename, core->our_path) &&
                 !begins(code->co_filename, core->demo_path); /* an application like any other */
    if (plan_count >= MAX_PLANS) {
        plans_forget();
    }
    if (find_variables(plan) < 0 || table_put(&plans, (PyObject *)code, 0, (PyObject *)plan) < 0) {
        Py_DECREF(plan);
        return NULL;
    }
    plan_count++;
    return plan;
}

void
plans_forget(void)
{
    plan_count = 0;
    table_clear(&plans);
}

static int
line_of(Plan *plan, Frame *frame)
{
    int lasti = frame_offset(frame);
    if (lasti != plan->lasti) {
        int line = PyCode_Addr2Line(plan->code, lasti);
        plan->line = line > 0 ? line : 0;
        plan->lasti = lasti;
    }
    return plan->line;
}

/* When a stack was begun. A thread that waits for a processor is not at work, so what is past
   by the clock on the wall is asked of the thread's own, from that moment on: it is given the
   same time once more. */
typedef struct {
    uint64_t began;
    int64_t thread_ns; /* 0 as long as nothing is past */
} Since;

static int
over(Since *since, const Taking *taking)
{
    if (taking->longest_ns <= 0) {
        return 1;
    }
    if (clock_ns_between(since->began, clock_ticks()) <= taking->longest_ns) {
        return 0;
    }
    if (since->thread_ns == 0) {
        since->thread_ns = clock_thread_ns();
    }
    return clock_thread_ns() - since->thread_ns > taking->longest_ns;
}

/* Count the name of a variable, as `Room.text` does; it is written in any case. */
static void
count_name(Text *text, long long *room, const Field *field)
{
    size_t begin = text->size;
    text_fitting(text, room, field->name, PyUnicode_GET_LENGTH(field->name));
    text->size = begin;
}

static int
is_scalar(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type ||
           type == &PyBool_Type || value == Py_None;
}

/* Write the variables that have a value; returns 1 when they are all there, 0 when it took
   too long, -1 with an exception. */
static int
take_variables(Plan *plan, Frame *frame, const Taking *taking, const Limits *limits,
               Since *since, Text *text, long long *room)
{
    int first = 1, look = 0;
    for (Py_ssize_t index = 0; index < plan->count; index++) {
        const Variable *variable = &plan->variables[index];
        PyObject *value = frame_variable(frame, variable->index);
        if (value == NULL) {
            continue;
        }
        if (look && over(since, taking)) {
            return 0;
        }
        look = !is_scalar(value);
        count_name(text, room, &variable->field);
        if (!first) {
            TEXT_PUT(text, ",");
        }
        first = 0;
        text_string(text, variable->field.name, PyUnicode_GET_LENGTH(variable->field.name));
        TEXT_PUT(text, ":");
        if (variable->field.rule != NULL) {
            TEXT_PUT(text, "{\"type\":\"?\",\"omitted\":\"redacted\",\"rule\":");
            PyObject *rule = variable->field.rule;
            text_string(text, rule, PyUnicode_GET_LENGTH(rule));
            TEXT_PUT(text, "}");
            continue;
        }
        Py_INCREF(value);
        int taken = walk_capture(text, room, limits, value);
        Py_DECREF(value);
        if (taken < 0) {
            return -1;
        }
    }
    return 1;
}

static void
put_text(Text *text, const char *plain)
{
    text_put(text, plain, strlen(plain));
}

static void
put_too_long(Text *text, const Taking *taking)
{
    PyObject *sentence = taking->too_long;
    TEXT_PUT(text, ",\"omitted\":");
    text_string(text, sentence, PyUnicode_GET_LENGTH(sentence));
}

static void
put_start(Text *text, long long *room, PyObject *string, Py_ssize_t most)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(string);
    text_fitting(text, room, string, length < most ? length : most);
}

static int
take_call(Core *core, Frame *frame, const Taking *taking, const Limits *limits, Since *since,
          Text *text, long long *room)
{
    Plan *plan = plan_of(core, frame_code(frame));
    if (plan == NULL) {
        return -1;
    }
    TEXT_PUT(text, "{\"file\":");
    put_start(text, room, plan->code->co_filename, MAX_FILE_CHARS);
    TEXT_PUT(text, ",\"line\":");
    text_integer(text, line_of(plan, frame));
    TEXT_PUT(text, ",\"function\":");
    put_start(text, room, plan->code->co_qualname, MAX_FUNCTION_CHARS);
    int complete = 1;
    if (plan->ours) { /* it has keys among its variables */
        put_text(text, ",\"omitted\":\"it is Leadline's own\"");
    }
    else if (!(plan->code->co_flags & CO_OPTIMIZED)) {
        put_text(text, ",\"omitted\":\"its variables are the module's or the class's own\"");
    }
    else if (over(since, taking)) {
        put_too_long(text, taking);
    }
    else if (*room <= 0) {
        put_text(text, ",\"omitted\":\"the frames before took all the room of a hit\"");
    }
    else {
        TEXT_PUT(text, ",\"locals\":{");
        complete = take_variables(plan, frame, taking, limits, since, text, room);
        TEXT_PUT(text, "}");
        if (complete == 0) {
            put_too_long(text, taking);
        }
    }
    TEXT_PUT(text, "}");
    Py_DECREF(plan);
    return complete < 0 ? -1 : 0;
}

int
stack_take(Core *core, Frame *frame, const Taking *taking, Text *text, long long *room)
{
    Since since = {.began = clock_ticks()};
    long shown = 0, count = 0;
    TEXT_PUT(text, "\"frames\":[");
    for (; frame != NULL && count < MAX_CALLS; frame = frame_outer(frame), count++) {
        if (count >= taking->frames) {
            continue;
        }
        if (shown) {
            TEXT_PUT(text, ",");
        }
        const Limits *limits = shown < NEAR ? &taking->limits : &taking->further;
        if (take_call(core, frame, taking, limits, &since, text, room) < 0) {
            return -1;
        }
        shown++;
    }
    TEXT_PUT(text, "],\"omitted\":");
    text_integer(text, count - shown);
    return 0;
}

/* snapshot.Camera.take, where no exception is looked at. */
int
snapshot_take(Visit *visit, Text *text)
{
    const Taking *taking = visit->meter->taking;
    long long room = taking->room;
    TEXT_PUT(text, "{\"values\":");
    if (visit_values(visit, text, &room) < 0) {
        return -1;
    }
    if (visit->moment.result != NULL) {
        TEXT_PUT(text, ",\"returned\":true,\"result\":");
        if (walk_capture(text, &room, &taking->limits, visit->moment.result) < 0) {
            return -1;
        }
    }
    TEXT_PUT(text, ",\"duration_s\":");
    if (!visit->moment.has_duration || !text_real(text, visit->moment.duration_s)) {
        TEXT_PUT(text, "null");
    }
    TEXT_PUT(text, ",");
    if (stack_take(visit->core, visit->moment.frame, taking, text, &room) < 0) {
        return -1;
    }
    return rest_take(visit->core, taking, text, room);
}

static void
plan_dealloc(Plan *plan)
{
    PyTypeObject *type = Py_TYPE(plan);
    for (Py_ssize_t index = 0; index < plan->count; index++) {
        field_free(&plan->variables[index].field);
    }
    PyMem_Free(plan->variables);
    Py_XDECREF(plan->code);
    type->tp_free(plan);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, plan_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "leadline.native._core.Plan",
    .basicsize = sizeof(Plan),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyTypeObject *
stack_make_type(PyObject *module)
{
    plan_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return plan_type;
}
