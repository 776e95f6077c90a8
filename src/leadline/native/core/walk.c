#include "walk.h"

#include <structmember.h>

#include "forms.h"
#include "interior.h"

#define INT_BITS_FIT(overflow, number) (!(overflow) && (number) != LLONG_MIN)
#define MAX_KEY_CHARS 64

static const char *const NOTHING_OMITTED = NULL;
static const char ITEMS[] = "items", ROOM[] = "room", CHANGED[] = "changed";
static const char DRAINED[] = "drained", OPAQUE[] = "opaque";
static const char OPAQUE_NAME[] = "a name of an attribute is long, or no plain text";

static void
put_omitted(Text *text, const char *omitted)
{
    if (omitted != NULL) {
        TEXT_PUT(text, ",\"omitted\":\"");
        text_put(text, omitted, strlen(omitted));
        TEXT_PUT(text, "\"");
    }
}

/* Begin the object that stands for an instance: {"type":"..." */
void
walk_put_type(Walk *walk, const Shape *shape)
{
    TEXT_PUT(walk->text, "{\"type\":");
    text_put(walk->text, shape->json, shape->json_size);
}

static void
put_length(Walk *walk, Py_ssize_t length)
{
    TEXT_PUT(walk->text, ",\"length\":");
    text_integer(walk->text, length);
}

/* Tell why no further item may be taken, and count it if it may. */
static const char *
next_item(Walk *walk)
{
    if (walk->left <= 0) {
        return ITEMS;
    }
    if (*walk->room <= 0) {
        return ROOM;
    }
    walk->left--;
    return NULL;
}

/* Walk.take of the pure core: for what has no fast way here. */
static int
take_in_python(Walk *walk, PyObject *value, int level)
{
    knowledge.captures++;
    PyObject *path = PyList_New(walk->levels);
    if (path == NULL) {
        return -1;
    }
    for (int index = 0; index < walk->levels; index++) {
        PyList_SET_ITEM(path, index, Py_NewRef(walk->path[index]));
    }
    PyObject *answer = PyObject_CallFunction(
        knowledge.capture, "OiOlLO", value, level, walk->limits->given, walk->left,
        *walk->room, path);
    Py_DECREF(path);
    if (answer == NULL) {
        return -1;
    }
    const char *bytes;
    Py_ssize_t size;
    int read = PyArg_ParseTuple(answer, "y#lL", &bytes, &size, &walk->left, walk->room);
    if (read) {
        text_put(walk->text, bytes, (size_t)size);
    }
    Py_DECREF(answer);
    return read ? 0 : -1;
}

/* Walk.redacted */
int
walk_redacted(Walk *walk, PyObject *rule, PyObject *value)
{
    Shape *shape = shape_of(Py_TYPE(value));
    if (shape == NULL) {
        return -1;
    }
    *walk->room -= LITERAL_BYTES + NODE_BYTES + (long long)shape->json_size;
    walk_put_type(walk, shape);
    Py_DECREF(shape);
    TEXT_PUT(walk->text, ",\"omitted\":\"redacted\",\"rule\":");
    text_string(walk->text, rule, PyUnicode_GET_LENGTH(rule));
    TEXT_PUT(walk->text, "}");
    return 0;
}

int
walk_too_deep(Walk *walk, PyObject *value)
{
    Shape *shape = shape_of(Py_TYPE(value));
    if (shape == NULL) {
        return -1;
    }
    *walk->room -= NODE_BYTES + (long long)shape->json_size;
    walk_put_type(walk, shape);
    Py_DECREF(shape);
    TEXT_PUT(walk->text, ",\"omitted\":\"depth\"}");
    return 0;
}

/* Walk.cut, for a text of `length` of which `count` characters are shown at most. */
static void
take_string(Walk *walk, PyObject *string)
{
    Text *text = walk->text;
    Py_ssize_t length = PyUnicode_GET_LENGTH(string);
    Py_ssize_t most = length < walk->limits->text ? length : walk->limits->text;
    size_t begin = text->size;
    long long room = *walk->room;
    if (most == length && text_fitting(text, walk->room, string, length) == length) {
        return;
    }
    text->size = begin;
    *walk->room = room;
    TEXT_PUT(text, "{\"type\":\"str\",\"text\":");
    text_fitting(text, walk->room, string, most);
    *walk->room -= LITERAL_BYTES + NODE_BYTES + 5;
    put_length(walk, length);
    TEXT_PUT(text, ",\"omitted\":\"text\"}");
}

/* Walk.text of exact bytes or bytearray, or of an instance of a class derived from str. */
static void
take_text(Walk *walk, PyObject *value, const Shape *shape)
{
    const char *bytes = NULL;
    Py_ssize_t length;
    if (PyUnicode_Check(value)) {
        length = PyUnicode_GET_LENGTH(value);
    }
    else if (PyBytes_Check(value)) {
        bytes = PyBytes_AS_STRING(value);
        length = PyBytes_GET_SIZE(value);
    }
    else {
        bytes = PyByteArray_AS_STRING(value);
        length = PyByteArray_GET_SIZE(value);
    }
    Py_ssize_t most = length < walk->limits->text ? length : walk->limits->text;
    walk_put_type(walk, shape);
    TEXT_PUT(walk->text, ",\"text\":");
    most = bytes == NULL ? text_fitting(walk->text, walk->room, value, most)
                         : text_fitting_latin1(walk->text, walk->room, bytes, most);
    if (most < length) {
        *walk->room -= LITERAL_BYTES + NODE_BYTES + (long long)shape->json_size;
        put_length(walk, length);
        put_omitted(walk->text, "text");
    }
    TEXT_PUT(walk->text, "}");
}

static int
take_item(Walk *walk, PyObject *item, PyObject *rule, int level)
{
    Py_INCREF(item); /* what is taken in Python can take time, and items away */
    int taken = rule != NULL ? walk_redacted(walk, rule, item) : walk_take(walk, item, level + 1);
    Py_DECREF(item);
    return taken;
}

/* Walk.row of a list or tuple; `shape` may have names that hide items by their index, and the
   first of two items can be the name of the second (expression/hiding.py). */
static int
take_sequence(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    int is_list = PyList_Check(value);
    Py_ssize_t length = Py_SIZE(value);
    PyObject *pair = NULL;
    if (length == 2) {
        PyObject *first = is_list ? PyList_GET_ITEM(value, 0) : PyTuple_GET_ITEM(value, 0);
        Py_INCREF(first);
        pair = rule_of_key(first);
        Py_DECREF(first);
        if (pair == NULL) {
            return -1;
        }
    }
    walk_put_type(walk, shape);
    put_length(walk, length);
    TEXT_PUT(walk->text, ",\"items\":[");
    const char *omitted = NOTHING_OMITTED;
    for (Py_ssize_t index = 0; index < Py_SIZE(value); index++) {
        if ((omitted = next_item(walk)) != NULL) {
            break;
        }
        if (index) {
            TEXT_PUT(walk->text, ",");
        }
        PyObject *item = is_list ? PyList_GET_ITEM(value, index) : PyTuple_GET_ITEM(value, index);
        PyObject *rule = index < shape->field_count ? shape->fields[index].rule : NULL;
        rule = index == 1 && pair != NULL && pair != Py_None ? pair : rule;
        if (take_item(walk, item, rule, level) < 0) {
            Py_XDECREF(pair);
            return -1;
        }
    }
    Py_XDECREF(pair);
    TEXT_PUT(walk->text, "]");
    put_omitted(walk->text, omitted);
    TEXT_PUT(walk->text, "}");
    return 0;
}

/* views.queue: the longest that an exact deque may be, if it is bounded. */
static void
put_bound(Walk *walk, PyObject *deque)
{
    PyObject *longest = PyObject_GetAttrString(deque, "maxlen"); /* a getter in C */
    if (longest != NULL && PyLong_CheckExact(longest)) {
        *walk->room -= FORM_BYTES + 9 + LITERAL_BYTES;
        TEXT_PUT(walk->text, ",\"about\":{\"maxlen\":");
        text_integer(walk->text, PyLong_AsLongLong(longest));
        TEXT_PUT(walk->text, "}");
    }
    PyErr_Clear();
    Py_XDECREF(longest);
}

/* Walk.row of a set, which is gone through by the base type's own iterator; so is an exact
   deque. */
static int
take_set(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    int is_deque = shape->kind == SHAPE_DEQUE;
    PyTypeObject *base = is_deque                     ? Py_TYPE(value)
                         : PyFrozenSet_Check(value) ? &PyFrozenSet_Type
                                                      : &PySet_Type;
    Py_ssize_t length = is_deque ? Py_SIZE(value) : ((PySetObject *)value)->used;
    int drained = is_deque ? 0 : is_drained(value, base, length);
    PyObject *items = drained < 0 ? NULL : base->tp_iter(value);
    if (items == NULL) {
        return -1;
    }
    walk_put_type(walk, shape);
    put_length(walk, length);
    TEXT_PUT(walk->text, ",\"items\":[");
    const char *omitted = drained ? DRAINED : NOTHING_OMITTED;
    int first = 1, failed = 0;
    while (omitted == NULL && !failed) {
        PyObject *item = Py_TYPE(items)->tp_iternext(items);
        if (item == NULL) {
            if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
                PyErr_Clear(); /* raised by the iterator itself: no code of anybody ran */
                omitted = CHANGED;
            }
            failed = PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_StopIteration);
            if (!failed) {
                PyErr_Clear();
            }
            break;
        }
        if ((omitted = next_item(walk)) == NULL) {
            if (!first) {
                TEXT_PUT(walk->text, ",");
            }
            first = 0;
            failed = walk_take(walk, item, level + 1) < 0;
        }
        Py_DECREF(item);
    }
    Py_DECREF(items);
    TEXT_PUT(walk->text, "]");
    put_omitted(walk->text, omitted);
    if (is_deque && !failed) {
        put_bound(walk, value);
    }
    TEXT_PUT(walk->text, "}");
    return failed ? -1 : 0;
}

/* Walk.entry */
static int
take_entry(Walk *walk, PyObject *key, PyObject *value, int level)
{
    *walk->room -= PAIR_BYTES;
    PyObject *rule = rule_of_key(key);
    if (rule == NULL) {
        return -1;
    }
    TEXT_PUT(walk->text, "[");
    int taken = walk_take(walk, key, level + 1);
    if (taken == 0) {
        TEXT_PUT(walk->text, ",");
        taken = rule == Py_None ? walk_take(walk, value, level + 1)
                                : walk_redacted(walk, rule, value);
    }
    TEXT_PUT(walk->text, "]");
    Py_DECREF(rule);
    return taken;
}

/* Walk.mapping. `PyDict_Next` asks no key anything. */
static int
take_mapping(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    Py_ssize_t size = PyDict_GET_SIZE(value), position = 0;
    int drained = is_drained(value, &PyDict_Type, size);
    if (drained < 0) {
        return -1;
    }
    walk_put_type(walk, shape);
    put_length(walk, size);
    TEXT_PUT(walk->text, ",\"entries\":[");
    const char *omitted = drained ? DRAINED : NOTHING_OMITTED;
    int first = 1, failed = 0;
    PyObject *key, *item;
    while (omitted == NULL && !failed) {
        if (PyDict_GET_SIZE(value) != size) {
            omitted = CHANGED;
        }
        else if (!PyDict_Next(value, &position, &key, &item)) {
            break;
        }
        else if ((omitted = next_item(walk)) == NULL) {
            if (!first) {
                TEXT_PUT(walk->text, ",");
            }
            first = 0;
            Py_INCREF(key);
            Py_INCREF(item);
            failed = take_entry(walk, key, item, level) < 0;
            Py_DECREF(key);
            Py_DECREF(item);
        }
    }
    TEXT_PUT(walk->text, "]");
    put_omitted(walk->text, omitted);
    TEXT_PUT(walk->text, "}");
    return failed ? -1 : 0;
}

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
        return take_item(walk, value, field->rule, level);
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
    return take_item(walk, value, NULL, level);
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
    int taken = take_item(walk, value, rule == Py_None ? NULL : rule, level);
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
    put_omitted(walk->text, fields->omitted);
    if (fields->opaque) {
        TEXT_PUT(walk->text, ",\"rule\":\"");
        TEXT_PUT(walk->text, OPAQUE_NAME);
        TEXT_PUT(walk->text, "\"");
    }
    TEXT_PUT(walk->text, "}");
}

static int
take_tuple_by_name(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    if (PyTuple_GET_SIZE(value) != shape->field_count) {
        return take_sequence(walk, value, shape, level);
    }
    Fields fields = {.first = 1};
    begin_fields(walk, shape);
    for (Py_ssize_t index = 0; index < shape->field_count; index++) {
        const char *why = next_item(walk);
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
static int
lies_in_order(PyObject *value, const Shape *shape)
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

#define MOST_SLOTS 200 /* agent.capture.shapes, which lets Python take what has more */

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
        if (slot >= count) {
            continue; /* it is not shown */
        }
        /* each but the first is preceded by its comma */
        size_t first = begins[slot] + (slot > 0);
        if (at != to) {
            *at++ = ',';
        }
        memcpy(at, from + first, begins[slot + 1] - first);
        at += begins[slot + 1] - first;
    }
    memcpy(text->bytes + begin, to, size);
}

/* Walk.fields */
static int
take_fields(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    Names names = {.kind = NAMES_NONE};
    Fields fields = {.first = 1};
    size_t begins[MOST_SLOTS + 1];
    Py_ssize_t shown = 0;
    begin_fields(walk, shape);
    begins[0] = walk->text->size;
    for (Py_ssize_t index = 0; index < shape->slot_count; index++) {
        const char *why = next_item(walk);
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
            fields.omitted = DRAINED;
        }
        PyObject *name, *item;
        int more = 0, failed = drained < 0;
        while (!failed && !drained && (more = names_next(&names, &name, &item)) > 0) {
            const char *why = next_item(walk);
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
            fields.omitted = CHANGED;
        }
    }
    end_fields(walk, &fields);
    return 0;
}

static int
take_inside(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    switch (shape->kind) {
    case SHAPE_LIST:
    case SHAPE_TUPLE:
        return take_sequence(walk, value, shape, level);
    case SHAPE_NAMED:
        return take_tuple_by_name(walk, value, shape, level);
    case SHAPE_SET:
    case SHAPE_DEQUE:
        return take_set(walk, value, shape, level);
    case SHAPE_DICT:
        return take_mapping(walk, value, shape, level);
    case SHAPE_OPAQUE:
        walk_put_type(walk, shape);
        TEXT_PUT(walk->text, ",\"omitted\":\"opaque\"}");
        return 0;
    default:
        return take_fields(walk, value, shape, level);
    }
}

/* A container that lies too deep tells its size. */
static void
put_size(Walk *walk, PyObject *value, const Shape *shape)
{
    switch (shape->kind) {
    case SHAPE_LIST:
    case SHAPE_TUPLE:
    case SHAPE_NAMED:
    case SHAPE_DEQUE:
        put_length(walk, Py_SIZE(value));
        break;
    case SHAPE_SET:
        put_length(walk, ((PySetObject *)value)->used);
        break;
    case SHAPE_DICT:
        put_length(walk, PyDict_GET_SIZE(value));
        break;
    default:
        break;
    }
}

static int
take_container(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    if (level >= walk->limits->depth || walk->levels >= MAX_LEVELS) {
        walk_put_type(walk, shape);
        TEXT_PUT(walk->text, ",\"omitted\":\"depth\"");
        put_size(walk, value, shape);
        TEXT_PUT(walk->text, "}");
        return 0;
    }
    for (int outer = 0; outer < walk->levels; outer++) {
        if (walk->path[outer] == value) {
            walk_put_type(walk, shape);
            TEXT_PUT(walk->text, ",\"omitted\":\"cycle\"}");
            return 0;
        }
    }
    walk->path[walk->levels++] = value;
    int taken = take_inside(walk, value, shape, level);
    walk->levels--;
    return taken;
}

/* What is no plain scalar: by the shape of its class. */
static int
take_shaped(Walk *walk, PyObject *value, int level)
{
    Shape *shape = shape_of(Py_TYPE(value));
    if (shape == NULL) {
        return -1;
    }
    int taken = 0;
    if (shape->kind >= SHAPE_FUNCTION) {
        taken = form_take(walk, value, shape, level);
        taken = taken == 0 ? take_in_python(walk, value, level) : taken < 0 ? -1 : 0;
    }
    else if (shape->kind == SHAPE_PYTHON ||
        (shape->ordered && level < walk->limits->depth && !lies_in_order(value, shape))) {
        taken = take_in_python(walk, value, level);
    }
    else {
        *walk->room -= LITERAL_BYTES + shape->cost;
        if (shape->kind == SHAPE_BYTES || shape->kind == SHAPE_TEXT) {
            take_text(walk, value, shape);
        }
        else {
            taken = take_container(walk, value, shape, level);
        }
    }
    Py_DECREF(shape);
    return taken;
}

/* Walk.take */
int
walk_take(Walk *walk, PyObject *value, int level)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyUnicode_Type) {
        take_string(walk, value);
        return 0;
    }
    if (type == &PyLong_Type) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (!INT_BITS_FIT(overflow, number)) {
            return take_in_python(walk, value, level);
        }
        *walk->room -= LITERAL_BYTES;
        text_integer(walk->text, number);
        return 0;
    }
    if (value == Py_None || type == &PyBool_Type) {
        *walk->room -= LITERAL_BYTES;
        const char *word = value == Py_None ? "null" : value == Py_True ? "true" : "false";
        text_put(walk->text, word, strlen(word));
        return 0;
    }
    if (type == &PyFloat_Type && text_real(walk->text, PyFloat_AS_DOUBLE(value))) {
        *walk->room -= LITERAL_BYTES;
        return 0;
    }
    return take_shaped(walk, value, level);
}

int
walk_capture(Text *text, long long *room, const Limits *limits, PyObject *value)
{
    if (*room <= 0) {
        TEXT_PUT(text, "{\"type\":\"?\",\"omitted\":\"room\"}");
        return 0;
    }
    Walk walk = {.text = text, .room = room, .limits = limits, .left = limits->items};
    return walk_take(&walk, value, 0);
}
