#include "passage.h"

#include <structmember.h>

#include "text.h"

PyTypeObject *armed_type;
PyTypeObject *meter_type;
static PyTypeObject *taking_type;
static PyObject *fate_names; /* a tuple of the members of wire.probe.Fate */

/* Limits from a tuple of (CaptureLimits, depth, items, text). */
static int
read_limits(PyObject *given, void *limits)
{
    Limits *read = limits;
    if (!PyArg_ParseTuple(given, "Olll", &read->given, &read->depth, &read->items,
                          &read->text)) {
        return 0;
    }
    Py_INCREF(read->given);
    return 1;
}

/* Taking(kind, watches, programs, limits, further, room, frames, longest_ns, too_long) */
static PyObject *
taking_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    Taking *self = (Taking *)type->tp_alloc(type, 0);
    PyObject *watches, *programs, *too_long;
    int kind;
    if (self == NULL) {
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "iO!O!O&O&LlLU", &kind, &PyTuple_Type, &watches, &PyTuple_Type,
                          &programs, read_limits, &self->limits, read_limits, &self->further,
                          &self->room, &self->frames, &self->longest_ns, &too_long)) {
        Py_DECREF(self);
        return NULL;
    }
    self->kind = (TakeKind)kind;
    self->watches = Py_NewRef(watches);
    self->programs = Py_NewRef(programs);
    self->too_long = Py_NewRef(too_long);
    if (PyTuple_GET_SIZE(watches) != PyTuple_GET_SIZE(programs)) {
        PyErr_SetString(PyExc_ValueError, "there is a program, or None, for each watch");
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
taking_dealloc(Taking *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(self->watches);
    Py_XDECREF(self->programs);
    Py_XDECREF(self->limits.given);
    Py_XDECREF(self->further.given);
    Py_XDECREF(self->too_long);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot taking_slots[] = {
    {Py_tp_new, taking_new},
    {Py_tp_dealloc, taking_dealloc},
    {0, NULL},
};

static PyType_Spec taking_spec = {
    .name = "leadline.native._core.Taking",
    .basicsize = sizeof(Taking),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = taking_slots,
};

/* equip(condition or None, taking or None): what of it runs here from now on. Once for all: a hit
   that another thread is in the middle of goes by what it has begun with. */
static PyObject *
meter_equip(Meter *self, PyObject *args)
{
    PyObject *condition, *taking;
    if (!PyArg_ParseTuple(args, "OO", &condition, &taking)) {
        return NULL;
    }
    if (self->known_take != NULL) {
        Py_RETURN_NONE;
    }
    Py_XSETREF(self->known_holds, Py_XNewRef(self->holds));
    Py_XSETREF(self->known_take, Py_XNewRef(self->take));
    int known = Py_IS_TYPE(condition, program_type);
    Py_XSETREF(self->condition, known ? (Program *)Py_NewRef(condition) : NULL);
    known = Py_IS_TYPE(taking, taking_type);
    Py_XSETREF(self->taking, known ? (Taking *)Py_NewRef(taking) : NULL);
    Py_RETURN_NONE;
}

static PyObject *
meter_count(Meter *self, PyObject *index)
{
    long fate = PyLong_AsLong(index);
    if (fate < 0 || fate >= FATE_COUNT) {
        PyErr_SetString(PyExc_ValueError, "there is no such fate");
        return NULL;
    }
    self->fates[fate]++;
    Py_RETURN_NONE;
}

static PyObject *
meter_get_fates(Meter *self, void *Py_UNUSED(closure))
{
    PyObject *fates = PyDict_New();
    for (Py_ssize_t index = 0; fates != NULL && index < FATE_COUNT; index++) {
        PyObject *count = PyLong_FromLongLong(self->fates[index]);
        if (count == NULL ||
            PyDict_SetItem(fates, PyTuple_GET_ITEM(fate_names, index), count) < 0) {
            Py_CLEAR(fates);
        }
        Py_XDECREF(count);
    }
    return fates;
}

static int
meter_set_fates(Meter *self, PyObject *fates, void *Py_UNUSED(closure))
{
    if (fates == NULL || !PyDict_Check(fates)) {
        PyErr_SetString(PyExc_TypeError, "fates are a dictionary");
        return -1;
    }
    for (Py_ssize_t index = 0; index < FATE_COUNT; index++) {
        PyObject *count = PyDict_GetItemWithError(fates, PyTuple_GET_ITEM(fate_names, index));
        if (count != NULL) {
            self->fates[index] = PyLong_AsLongLong(count);
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int
meter_traverse(Meter *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->holds);
    Py_VISIT(self->take);
    Py_VISIT(self->hear);
    Py_VISIT(self->concerns);
    Py_VISIT(self->began);
    Py_VISIT(self->opens);
    Py_VISIT(self->follows);
    Py_VISIT(self->samples);
    Py_VISIT(self->known_holds);
    Py_VISIT(self->known_take);
    return 0;
}

static int
meter_clear(Meter *self)
{
    Py_CLEAR(self->holds);
    Py_CLEAR(self->take);
    Py_CLEAR(self->hear);
    Py_CLEAR(self->concerns);
    Py_CLEAR(self->began);
    Py_CLEAR(self->opens);
    Py_CLEAR(self->follows);
    Py_CLEAR(self->samples);
    Py_CLEAR(self->known_holds);
    Py_CLEAR(self->known_take);
    return 0;
}

static void
meter_dealloc(Meter *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    meter_clear(self);
    Py_CLEAR(self->condition);
    Py_CLEAR(self->taking);
    type->tp_free(self);
    Py_DECREF(type);
}

#define OBJECT(name) {#name, Py_T_OBJECT_EX, offsetof(Meter, name), 0, NULL}
#define NUMBER(name) {#name, Py_T_LONGLONG, offsetof(Meter, name), 0, NULL}

static PyMemberDef meter_members[] = {
    OBJECT(holds),
    OBJECT(take),
    OBJECT(hear),
    OBJECT(concerns),
    OBJECT(began),
    OBJECT(opens),
    OBJECT(follows),
    OBJECT(samples),
    NUMBER(hits_left),
    NUMBER(lost),
    NUMBER(entered),
    NUMBER(cost_ns),
    NUMBER(window_ns),
    NUMBER(allowance_ns),
    {"tokens", Py_T_DOUBLE, offsetof(Meter, tokens), 0, NULL},
    {"timed", Py_T_BOOL, offsetof(Meter, timed), 0, NULL},
    {"off", Py_T_BOOL, offsetof(Meter, off), 0, NULL},
    {"apart", Py_T_BOOL, offsetof(Meter, apart), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef meter_getset[] = {
    {"fates", (getter)meter_get_fates, (setter)meter_set_fates, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef meter_methods[] = {
    {"equip", (PyCFunction)meter_equip, METH_VARARGS, NULL},
    {"count", (PyCFunction)meter_count, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot meter_slots[] = {
    {Py_tp_dealloc, meter_dealloc},
    {Py_tp_traverse, meter_traverse},
    {Py_tp_clear, meter_clear},
    {Py_tp_members, meter_members},
    {Py_tp_getset, meter_getset},
    {Py_tp_methods, meter_methods},
    {0, NULL},
};

static PyType_Spec meter_spec = {
    .name = "leadline.native._core.Meter",
    .basicsize = sizeof(Meter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = meter_slots,
};

/* The names that `dataclass(slots=True)` finds here already. */
static int
name_slots(PyObject *type)
{
    PyObject *names = PyTuple_New(0);
    for (const PyMemberDef *member = meter_members; names != NULL && member->name; member++) {
        PyObject *one = Py_BuildValue("(s)", member->name);
        Py_XSETREF(names, one == NULL ? NULL : PySequence_Concat(names, one));
        Py_XDECREF(one);
    }
    PyObject *fates = Py_BuildValue("(s)", "fates");
    Py_XSETREF(names, names == NULL || fates == NULL ? NULL : PySequence_Concat(names, fates));
    Py_XDECREF(fates);
    int set = names == NULL ? -1 : PyObject_SetAttrString(type, "__slots__", names);
    Py_XDECREF(names);
    return set;
}

/* Find where the names of a program are in `code`; `special` has those of a call. */
static int *
where_of(PyObject *names, PyCodeObject *code, PyObject *special)
{
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    int *where = PyMem_Calloc((size_t)count + 1, sizeof(int));
    if (where == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *name = PyTuple_GET_ITEM(names, index);
        PyObject *given = PyDict_GetItemWithError(special, name);
        if (given != NULL) {
            where[index] = (int)PyLong_AsLong(given);
            continue;
        }
        where[index] = WHERE_GLOBAL;
        PyObject *own = code->co_localsplusnames;
        for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(own); at++) {
            if (text_same(PyTuple_GET_ITEM(own, at), name)) {
                where[index] = (int)at;
                break;
            }
        }
    }
    return where;
}

static int
find_names(Armed *self, PyCodeObject *code, PyObject *special)
{
    if (self->meter->condition != NULL) {
        self->condition_where = where_of(self->meter->condition->names, code, special);
    }
    const Taking *taking = self->meter->taking;
    Py_ssize_t count = taking == NULL ? 0 : PyTuple_GET_SIZE(taking->programs);
    self->watch_where = PyMem_Calloc((size_t)count + 1, sizeof(int *));
    self->watch_count = count;
    if (self->watch_where == NULL) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t index = 0; index < count && !PyErr_Occurred(); index++) {
        PyObject *program = PyTuple_GET_ITEM(taking->programs, index);
        if (Py_IS_TYPE(program, program_type)) {
            self->watch_where[index] = where_of(((Program *)program)->names, code, special);
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* Armed(passage, site, role, code or None, special): the last is name -> where. */
static PyObject *
armed_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    PyObject *meter, *site, *code, *special;
    int role;
    if (!PyArg_ParseTuple(args, "O!OiOO!", meter_type, &meter, &site, &role, &code,
                          &PyDict_Type, &special)) {
        return NULL;
    }
    Armed *self = (Armed *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->meter = (Meter *)Py_NewRef(meter);
    self->site = Py_NewRef(site);
    self->role = (Role)role;
    if (PyCode_Check(code) && ((PyCodeObject *)code)->co_flags & CO_OPTIMIZED) {
        self->code = (PyCodeObject *)Py_NewRef(code);
    }
    if (self->code != NULL && find_names(self, (PyCodeObject *)code, special) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int
armed_traverse(Armed *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->meter);
    Py_VISIT(self->site);
    return 0;
}

static void
armed_dealloc(Armed *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    for (Py_ssize_t index = 0; self->watch_where != NULL && index < self->watch_count; index++) {
        PyMem_Free(self->watch_where[index]);
    }
    PyMem_Free(self->watch_where);
    PyMem_Free(self->condition_where);
    Py_XDECREF(self->code);
    Py_XDECREF(self->meter);
    Py_XDECREF(self->site);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef armed_members[] = {
    {"passage", Py_T_OBJECT_EX, offsetof(Armed, meter), Py_READONLY, NULL},
    {"site", Py_T_OBJECT_EX, offsetof(Armed, site), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot armed_slots[] = {
    {Py_tp_new, armed_new},
    {Py_tp_dealloc, armed_dealloc},
    {Py_tp_traverse, armed_traverse},
    {Py_tp_members, armed_members},
    {0, NULL},
};

static PyType_Spec armed_spec = {
    .name = "leadline.native._core.Armed",
    .basicsize = sizeof(Armed),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = armed_slots,
};

/* name_fates(fates): the members of `Fate` in their order. */
PyObject *
passage_name_fates(PyObject *Py_UNUSED(module), PyObject *fates)
{
    if (!PyTuple_Check(fates) || PyTuple_GET_SIZE(fates) != FATE_COUNT) {
        PyErr_SetString(PyExc_ValueError, "other fates than these were expected");
        return NULL;
    }
    Py_XSETREF(fate_names, Py_NewRef(fates));
    Py_RETURN_NONE;
}

static PyTypeObject *
add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) < 0) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

int
passage_add_types(PyObject *module)
{
    taking_type = add_type(module, &taking_spec);
    meter_type = add_type(module, &meter_spec);
    armed_type = add_type(module, &armed_spec);
    if (taking_type == NULL || meter_type == NULL || armed_type == NULL) {
        return -1;
    }
    return name_slots((PyObject *)meter_type);
}
