#include "fields.h"

#include <structmember.h>

#include "containers.h"
#include "interior.h"

#define MAX_KEY_CHARS 64 /* agent.capture.tree */
#define MOST_SLOTS 200 /* agent.capture.shapes, which lets Python take what has more */

static const char OPAQUE[] = "opaque";
static const char OPAQUE_NAME[] = "a name of an attribute is long, or no plain text";

/* What is being put together of an object: its fields, and why the rest is missing. */
typedef struct {
    int first;
    const char *omitted;
    int opaque;
} Fields;

static int
take_named(Walk *walk, Fields *fields, const Field *field, PyObject *value, int level)
{
    if (field->json == NULL) {
        fields->omitted = OPAQUE;
        fields->opaque = 1;
        return 0;
    }
    if (!fields->first) {
        TEXT_PUT(walk->text, ",");
    }
    fields->first = 0;
    text_put(walk->text, field->json, field->json_size);
    *walk->room -= (long long)field->json_size;
    if (field->rule != NULL && value != NULL) {
        return walk_take_item(walk, value, field->rule, level);
    }
    if (field->rule != NULL) { /* a secret that is not there is a secret all the same */
        *walk->room -= LITERAL_BYTES + NODE_BYTES + 10;
        TEXT_PUT(walk->text, "{\"type\":\"_Unbound\",\"omitted\":\"redacted\",\"rule\":");
        text_string(walk->text, field->rule, PyUnicode_GET_LENGTH(field->rule));
        TEXT_PUT(walk->text, "}");
        return 0;
    }
    if (value == NULL) {
        *walk->room -= NODE_BYTES;
        TEXT_PUT(walk->text, "{\"type\":\"?\",\"omitted\":\"unbound\"}");
        return 0;
    }
    return walk_take_item(walk, value, NULL, level);
}

/* As above for a name that lies in the object's own dictionary. */
static int
take_attribute(Walk *walk, Fields *fields, PyObject *name, PyObject *value, int level)
{
    if (!PyUnicode_CheckExact(name) || PyUnicode_GET_LENGTH(name) > MAX_KEY_CHARS) {
        fields->omitted = OPAQUE;
        fields->opaque = 1;
        return 0;
    }
    PyObject *rule = rule_of_name(name);
    if (rule == NULL) {
        return -1;
    }
    if (!fields->first) {
        TEXT_PUT(walk->text, ",");
    }
    fields->first = 0;
    *walk->room -= (long long)text_string(walk->text, name, PyUnicode_GET_LENGTH(name)) + 1;
    TEXT_PUT(walk->text, ":");
    int taken = walk_take_item(walk, value, rule == Py_None ? NULL : rule, level);
    Py_DECREF(rule);
    return taken;
}

static void
begin_fields(Walk *walk, const Shape *shape)
{
    walk_put_type(walk, shape);
    TEXT_PUT(walk->text, ",\"fields\":{");
}

static void
end_fields(Walk *walk, const Fields *fields)
{
    TEXT_PUT(walk->text, "}");
    walk_put_omitted(walk->text, fields->omitted);
    if (fields->opaque) {
        TEXT_PUT(walk->text, ",\"rule\":\"");
        TEXT_PUT(walk->text, OPAQUE_NAME);
        TEXT_PUT(walk->text, "\"");
    }
    TEXT_PUT(walk->text, "}");
}

int
fields_take_tuple(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    if (PyTuple_GET_SIZE(value) != shape->field_count) {
        return container_take_sequence(walk, value, shape, level);
    }
    Fields fields = {.first = 1};
    begin_fields(walk, shape);
    for (Py_ssize_t index = 0; index < shape->field_count; index++) {
        const char *why = walk_next(walk);
        if (why != NULL) {
            fields.omitted = why;
            break;
        }
        PyObject *item = PyTuple_GET_ITEM(value, index);
        if (take_named(walk, &fields, &shape->fields[index], item, level) < 0) {
            return -1;
        }
    }
    end_fields(walk, &fields);
    return 0;
}

/* Read what a slot holds: a new reference, or NULL where it was never filled (no exception) or
   with one. */
static PyObject *
slot_value(PyObject *object, PyMemberDef *member)
{
    if (member->type == Py_T_OBJECT_EX) {
        return Py_XNewRef(*(PyObject **)((char *)object + member->offset));
    }
    return PyMember_GetOne((const char *)object, member);
}

/* Whether attributes lie in the order that the class says, as they nearly always do; if not,
   they are put in order in Python. Slots are put in order here. */
int
fields_lie_in_order(PyObject *value, const Shape *shape)
{
    if (!shape->dictionary) {
        return 1;
    }
    if (shape->slot_count) {
        return 0;
    }
    Py_ssize_t at = 0;
    Names names;
    PyObject *name, *item;
    names_begin(&names, value);
    for (; at < shape->field_count; at++) {
        int more = names_next(&names, &name, &item);
        if (more <= 0) {
            return more == 0;
        }
        if (name != shape->fields[at].name &&
            (!PyUnicode_CheckExact(name) || !text_same(name, shape->fields[at].name))) {
            return 0;
        }
    }
    return 1;
}

/* Put what was written of slots, which the interpreter keeps by their names, in the order of
   the class. `begins` is where each one begins; the last is where they end. */
static void
put_in_order(Text *text, const Shape *shape, const size_t *begins, Py_ssize_t count)
{
    size_t begin = begins[0], size = begins[count] - begin;
    if (count < 2 || !text_reserve(text, size) || text->failed) {
        return;
    }
    const char *from = text->bytes;
    char *to = text->bytes + text->size, *at = to;
    for (Py_ssize_t index = 0; index < shape->slot_count; index++) {
        Py_ssize_t slot = shape->shown[index];
        if (slot >= count || begins[slot] == begins[slot + 1]) {
            continue; /* it is not shown, or its name is too long to be */
        }
        /* each but the first that is shown is preceded by its comma */
        size_t first = begins[slot] + (text->bytes[begins[slot]] == ',');
        if (at != to) {
            *at++ = ',';
        }
        memcpy(at, from + first, begins[slot + 1] - first);
        at += begins[slot + 1] - first;
    }
    memcpy(text->bytes + begin, to, size);
}

/* Walk.fields */
int
fields_take_object(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    Names names = {.kind = NAMES_NONE};
    Fields fields = {.first = 1};
    size_t begins[MOST_SLOTS + 1];
    Py_ssize_t shown = 0;
    begin_fields(walk, shape);
    begins[0] = walk->text->size;
    for (Py_ssize_t index = 0; index < shape->slot_count; index++) {
        const char *why = walk_next(walk);
        if (why != NULL) {
            fields.omitted = why;
            break;
        }
        PyObject *item = slot_value(value, shape->slots[index].member);
        if (item == NULL && PyErr_Occurred()) {
            return -1;
        }
        int taken = take_named(walk, &fields, &shape->slots[index], item, level);
        Py_XDECREF(item);
        if (taken < 0) {
            return -1;
        }
        begins[++shown] = walk->text->size;
    }
    if (shape->ordered && shown > 1) {
        put_in_order(walk->text, shape, begins, shown);
    }
    if (shape->dictionary) {
        names_begin(&names, value);
        Py_XINCREF(names.dict);
        int drained = names.kind == NAMES_DICT && is_drained(names.dict, &PyDict_Type, names.size);
        if (drained) {
            fields.omitted = WALK_DRAINED;
        }
        PyObject *name, *item;
        int more = 0, failed = drained < 0;
        while (!failed && !drained && (more = names_next(&names, &name, &item)) > 0) {
            const char *why = walk_next(walk);
            if (why != NULL) {
                fields.omitted = why;
                break;
            }
            Py_INCREF(name);
            Py_INCREF(item);
            failed = take_attribute(walk, &fields, name, item, level) < 0;
            Py_DECREF(name);
            Py_DECREF(item);
        }
        Py_XDECREF(names.dict);
        if (failed) {
            return -1;
        }
        if (more < 0) {
            fields.omitted = WALK_CHANGED;
        }
    }
    end_fields(walk, &fields);
    return 0;
}
