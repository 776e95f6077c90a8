#include "shape.h"

#include <structmember.h>

#include "interior.h"

/* As expression.layout.MAX_LAYOUTS and wire.redaction: what is kept must not grow by us. */
#define MAX_SHAPES 4096
#define MAX_KNOWN_NAMES 4096
#define MAX_NAME_CHARS 200
#define MAX_KEY_CHARS 64
/* As expression.fuel.SPARSE_SLOTS and SPARSE_RATIO. */
#define SPARSE_SLOTS 100000
#define SPARSE_RATIO 10
#define SLOT_BYTES 16
/* Tables with fewer entries than this for sure have fewer slots than `SPARSE_SLOTS`. */
#define SURELY_SMALL_SET 16384

Knowledge knowledge;
PyTypeObject *shape_type;

static Table shapes;
static size_t shape_count;

Shape *
shape_of(PyTypeObject *cls)
{
    Shape *known = (Shape *)table_get(&shapes, cls, 0);
    if (known != NULL && known->order == cls->tp_mro) {
        return (Shape *)Py_NewRef(known);
    }
    PyObject *made = PyObject_CallOneArg(knowledge.learn, (PyObject *)cls);
    if (made == NULL) {
        return NULL;
    }
    if (!Py_IS_TYPE(made, shape_type)) {
        Py_DECREF(made);
        PyErr_SetString(PyExc_TypeError, "a shape was expected");
        return NULL;
    }
    if (((Shape *)made)->settled) {
        if (shape_count >= MAX_SHAPES) {
            shapes_forget();
        }
        if (table_put(&shapes, (PyObject *)cls, 0, made) < 0) {
            Py_DECREF(made);
            return NULL;
        }
        shape_count++;
    }
    return (Shape *)made;
}

void
shapes_forget(void)
{
    shape_count = 0;
    table_clear(&shapes);
}

PyObject *
rule_of_name(PyObject *name)
{
    if (PyUnicode_GET_LENGTH(name) > MAX_NAME_CHARS) {
        return PyObject_CallOneArg(knowledge.secret_name, name);
    }
    PyObject *known = PyDict_GetItemWithError(knowledge.names, name);
    if (known != NULL) {
        return Py_NewRef(known);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    return PyObject_CallOneArg(knowledge.secret_name, name); /* which remembers it */
}

PyObject *
rule_of_key(PyObject *key)
{
    PyTypeObject *type = Py_TYPE(key);
    if (type == &PyUnicode_Type) {
        return rule_of_name(key);
    }
    if (type == &PyLong_Type || type == &PyFloat_Type || type == &PyBool_Type ||
        type == &PyTuple_Type || type == &PyList_Type || type == &PyDict_Type ||
        key == Py_None) {
        Py_RETURN_NONE;
    }
    return PyObject_CallOneArg(knowledge.name_rule, key);
}

int
is_drained(PyObject *container, PyTypeObject *base, Py_ssize_t count)
{
    if (base == &PyDict_Type) {
        if (dict_is_small(container)) {
            return 0;
        }
    }
    else if (((PySetObject *)container)->mask < SURELY_SMALL_SET) {
        return 0;
    }
    PyObject *size = PyObject_CallMethod((PyObject *)base, "__sizeof__", "O", container);
    if (size == NULL) {
        return -1;
    }
    Py_ssize_t slots = PyLong_AsSsize_t(size) / SLOT_BYTES;
    Py_DECREF(size);
    return slots > SPARSE_SLOTS && slots > SPARSE_RATIO * count;
}

/* Write a name as JSON into memory of its own. */
static char *
as_json(PyObject *name, int colon, size_t *size)
{
    Text text = {0};
    text_string(&text, name, PyUnicode_GET_LENGTH(name));
    if (colon) {
        TEXT_PUT(&text, ":");
    }
    if (text.failed) {
        free(text.bytes);
        PyErr_NoMemory();
        return NULL;
    }
    *size = text.size;
    return text.bytes;
}

int
field_fill(Field *field, PyObject *name, PyObject *rule)
{
    field->name = Py_NewRef(name);
    field->rule = rule;
    if (rule == Py_None) {
        Py_CLEAR(field->rule);
    }
    if (PyUnicode_GET_LENGTH(name) <= MAX_KEY_CHARS) {
        field->json = as_json(name, 1, &field->json_size);
        return field->json == NULL ? -1 : 0;
    }
    return 0;
}

void
field_free(Field *field)
{
    Py_XDECREF(field->name);
    Py_XDECREF(field->rule);
    free(field->json);
}

/* Fill fields from a tuple of (name, rule or None, member descriptor or None). */
static Field *
fields_from(PyObject *given, Py_ssize_t *count)
{
    Py_ssize_t size = PyTuple_GET_SIZE(given);
    Field *fields = PyMem_Calloc((size_t)size + 1, sizeof(Field));
    if (fields == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    *count = size;
    for (Py_ssize_t index = 0; index < size; index++) {
        Field *field = &fields[index];
        PyObject *name, *rule, *member;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(given, index), "UOO", &name, &rule, &member)) {
            return fields; /* freed with the shape */
        }
        if (field_fill(field, name, Py_NewRef(rule)) < 0) {
            return fields;
        }
        if (Py_IS_TYPE(member, &PyMemberDescr_Type)) {
            field->member = ((PyMemberDescrObject *)member)->d_member;
        }
    }
    return fields;
}

/* Find the order in which slots are shown: that of the fields, then the others. */
static int
find_order(Shape *self)
{
    self->shown = PyMem_Calloc((size_t)self->slot_count + 1, sizeof(Py_ssize_t));
    char *found = PyMem_Calloc((size_t)self->slot_count + 1, 1);
    if (self->shown == NULL || found == NULL) {
        PyMem_Free(found);
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t count = 0;
    for (Py_ssize_t field = 0; field <= self->field_count; field++) {
        for (Py_ssize_t slot = 0; slot < self->slot_count; slot++) {
            if (!found[slot] && (field == self->field_count ||
                                 text_same(self->fields[field].name, self->slots[slot].name))) {
                self->shown[count++] = slot;
                found[slot] = 1;
            }
        }
    }
    PyMem_Free(found);
    return 0;
}

static PyObject *
shape_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    PyObject *cls, *name, *slots, *fields;
    int kind, settled, dictionary, ordered, readable, resource;
    if (!PyArg_ParseTuple(args, "O!UiiO!iO!iii", &PyType_Type, &cls, &name, &kind, &settled,
                          &PyTuple_Type, &slots, &dictionary, &PyTuple_Type, &fields,
                          &ordered, &readable, &resource)) {
        return NULL;
    }
    Shape *self = (Shape *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->cls = Py_NewRef(cls);
    self->order = Py_XNewRef(((PyTypeObject *)cls)->tp_mro);
    self->name = Py_NewRef(name);
    self->kind = (ShapeKind)kind;
    self->settled = settled;
    self->dictionary = dictionary;
    self->ordered = ordered;
    self->readable = readable;
    self->resource = resource;
    self->members = Py_NewRef(slots);
    self->json = as_json(name, 0, &self->json_size);
    self->cost = NODE_BYTES + (long long)self->json_size;
    self->slots = fields_from(slots, &self->slot_count);
    if (!PyErr_Occurred()) {
        self->fields = fields_from(fields, &self->field_count);
    }
    if (PyErr_Occurred() || find_order(self) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int
shape_traverse(Shape *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->cls);
    Py_VISIT(self->order);
    Py_VISIT(self->members);
    return 0;
}

static int
shape_clear(Shape *self)
{
    Py_CLEAR(self->cls);
    Py_CLEAR(self->order);
    Py_CLEAR(self->members);
    return 0;
}

static void
fields_free(Field *fields, Py_ssize_t count)
{
    for (Py_ssize_t index = 0; fields != NULL && index < count; index++) {
        field_free(&fields[index]);
    }
    PyMem_Free(fields);
}

static void
shape_dealloc(Shape *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    fields_free(self->slots, self->slot_count);
    fields_free(self->fields, self->field_count);
    PyMem_Free(self->shown);
    free(self->json);
    Py_XDECREF(self->name);
    shape_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot slots_of_type[] = {
    {Py_tp_new, shape_new},
    {Py_tp_traverse, shape_traverse},
    {Py_tp_clear, shape_clear},
    {Py_tp_dealloc, shape_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "leadline.native._core.Shape",
    .basicsize = sizeof(Shape),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots_of_type,
};

PyTypeObject *
shape_make_type(PyObject *module)
{
    shape_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return shape_type;
}
