#include "ring.h"

#include <stdlib.h>
#include <structmember.h>

#define FIRST_CAPACITY 256

static int
make_room(Ring *ring)
{
    if (ring->count < ring->capacity) {
        return 1;
    }
    Py_ssize_t capacity = ring->capacity ? ring->capacity * 2 : FIRST_CAPACITY;
    Kept **kept = malloc((size_t)capacity * sizeof(Kept *));
    if (kept == NULL) {
        return 0;
    }
    for (Py_ssize_t index = 0; index < ring->count; index++) {
        kept[index] = ring->kept[(ring->first + index) % ring->capacity];
    }
    free(ring->kept);
    ring->kept = kept;
    ring->capacity = capacity;
    ring->first = 0;
    return 1;
}

int
ring_has_room(Ring *ring, size_t size)
{
    if ((long long)size > ring->most_record_bytes) {
        ring->too_large++;
        return 0;
    }
    if (ring->count >= ring->most_records || ring->bytes + (long long)size > ring->most_bytes ||
        !make_room(ring)) {
        ring->full++;
        return 0;
    }
    return 1;
}

void
circumstances_let_go(Circumstances *at)
{
    Py_CLEAR(at->task);
    Py_CLEAR(at->trace);
    Py_CLEAR(at->span);
}

int
ring_put(Ring *ring, Armed *armed, const char *payload, size_t size, Circumstances *at)
{
    Kept *kept = NULL;
    if (ring_has_room(ring, size)) {
        kept = malloc(sizeof(Kept) + size);
        ring->full += kept == NULL;
    }
    if (kept == NULL) {
        circumstances_let_go(at);
        return 0;
    }
    *kept = (Kept){.armed = (Armed *)Py_NewRef(armed), .at = *at, .size = size};
    memcpy(kept->payload, payload, size);
    ring->kept[(ring->first + ring->count) % ring->capacity] = kept;
    ring->count++;
    ring->bytes += (long long)size;
    return 1;
}

static Kept *
take_first(Ring *ring)
{
    Kept *kept = ring->kept[ring->first];
    ring->first = (ring->first + 1) % ring->capacity;
    ring->count--;
    ring->bytes -= (long long)kept->size;
    return kept;
}

static void
let_go(Kept *kept)
{
    Py_XDECREF(kept->armed);
    circumstances_let_go(&kept->at);
    free(kept);
}

static PyObject *
or_empty(PyObject *text)
{
    return text != NULL ? Py_NewRef(text) : PyUnicode_FromStringAndSize("", 0);
}

/* take(most, record): remove the oldest, at most so many, as calls of `record`. */
static PyObject *
ring_take(Ring *ring, PyObject *args)
{
    Py_ssize_t most;
    PyObject *make;
    if (!PyArg_ParseTuple(args, "nO", &most, &make)) {
        return NULL;
    }
    PyObject *taken = PyList_New(0);
    while (taken != NULL && most-- > 0 && ring->count > 0) {
        Kept *kept = take_first(ring);
        PyObject *record = PyObject_CallFunction(
            make, "OOdky#NNN", kept->armed->meter, kept->armed->site, kept->at.time,
            kept->at.thread, kept->payload, (Py_ssize_t)kept->size, or_empty(kept->at.task),
            or_empty(kept->at.trace), or_empty(kept->at.span));
        let_go(kept);
        if (record == NULL || PyList_Append(taken, record) < 0) {
            Py_CLEAR(taken);
        }
        Py_XDECREF(record);
    }
    return taken;
}

static PyObject *
ring_clear(Ring *ring, PyObject *Py_UNUSED(none))
{
    while (ring->count > 0) {
        let_go(take_first(ring));
    }
    ring->full = ring->too_large = 0;
    Py_RETURN_NONE;
}

static PyObject *
ring_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    long long most_records, most_bytes, most_record_bytes;
    if (!PyArg_ParseTuple(args, "LLL", &most_records, &most_bytes, &most_record_bytes)) {
        return NULL;
    }
    Ring *ring = (Ring *)type->tp_alloc(type, 0);
    if (ring != NULL) {
        ring->most_records = most_records;
        ring->most_bytes = most_bytes;
        ring->most_record_bytes = most_record_bytes;
    }
    return (PyObject *)ring;
}

static Py_ssize_t
ring_length(Ring *ring)
{
    return ring->count;
}

static int
ring_traverse(Ring *ring, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(ring));
    for (Py_ssize_t index = 0; index < ring->count; index++) {
        Py_VISIT(ring->kept[(ring->first + index) % ring->capacity]->armed);
    }
    return 0;
}

static int
ring_forget(Ring *ring)
{
    Py_XDECREF(ring_clear(ring, NULL));
    return 0;
}

static void
ring_dealloc(Ring *ring)
{
    PyTypeObject *type = Py_TYPE(ring);
    PyObject_GC_UnTrack(ring);
    ring_forget(ring);
    free(ring->kept);
    type->tp_free(ring);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"take", (PyCFunction)ring_take, METH_VARARGS, NULL},
    {"clear", (PyCFunction)ring_clear, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"most_records", Py_T_LONGLONG, offsetof(Ring, most_records), 0, NULL},
    {"most_bytes", Py_T_LONGLONG, offsetof(Ring, most_bytes), 0, NULL},
    {"most_record_bytes", Py_T_LONGLONG, offsetof(Ring, most_record_bytes), 0, NULL},
    {"full", Py_T_LONGLONG, offsetof(Ring, full), Py_READONLY, NULL},
    {"too_large", Py_T_LONGLONG, offsetof(Ring, too_large), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, ring_new},
    {Py_tp_dealloc, ring_dealloc},
    {Py_tp_traverse, ring_traverse},
    {Py_tp_clear, ring_forget},
    {Py_sq_length, ring_length},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "leadline.native._core.Ring",
    .basicsize = sizeof(Ring),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyTypeObject *
ring_make_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
