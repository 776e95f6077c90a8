#include "walk.h"

#include "containers.h"
#include "fields.h"
#include "forms.h"

#define INT_BITS_FIT(overflow, number) (!(overflow) && (number) != LLONG_MIN)

const char WALK_ITEMS[] = "items", WALK_ROOM[] = "room", WALK_CHANGED[] = "changed";
const char WALK_DRAINED[] = "drained";

void
walk_put_omitted(Text *text, const char *omitted)
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

void
walk_put_length(Walk *walk, Py_ssize_t length)
{
    TEXT_PUT(walk->text, ",\"length\":");
    text_integer(walk->text, length);
}

/* Tell why no further item may be taken, and count it if it may. */
const char *
walk_next(Walk *walk)
{
    if (walk->left <= 0) {
        return WALK_ITEMS;
    }
    if (*walk->room <= 0) {
        return WALK_ROOM;
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
    walk_put_length(walk, length);
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
        walk_put_length(walk, length);
        walk_put_omitted(walk->text, "text");
    }
    TEXT_PUT(walk->text, "}");
}

int
walk_take_item(Walk *walk, PyObject *item, PyObject *rule, int level)
{
    Py_INCREF(item); /* what is taken in Python can take time, and items away */
    int taken = rule != NULL ? walk_redacted(walk, rule, item) : walk_take(walk, item, level + 1);
    Py_DECREF(item);
    return taken;
}

static int
take_inside(Walk *walk, PyObject *value, const Shape *shape, int level)
{
    switch (shape->kind) {
    case SHAPE_LIST:
    case SHAPE_TUPLE:
        return container_take_sequence(walk, value, shape, level);
    case SHAPE_NAMED:
        return fields_take_tuple(walk, value, shape, level);
    case SHAPE_SET:
    case SHAPE_DEQUE:
        return container_take_set(walk, value, shape, level);
    case SHAPE_DICT:
        return container_take_mapping(walk, value, shape, level);
    case SHAPE_OPAQUE:
        walk_put_type(walk, shape);
        TEXT_PUT(walk->text, ",\"omitted\":\"opaque\"}");
        return 0;
    default:
        return fields_take_object(walk, value, shape, level);
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
        walk_put_length(walk, Py_SIZE(value));
        break;
    case SHAPE_SET:
        walk_put_length(walk, ((PySetObject *)value)->used);
        break;
    case SHAPE_DICT:
        walk_put_length(walk, PyDict_GET_SIZE(value));
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
    if (shape->resource == RESOURCE && walk->limits->outcome) {
        *walk->room -= NODE_BYTES + (long long)shape->json_size;
        walk_put_type(walk, shape);
        TEXT_PUT(walk->text, ",\"omitted\":\"opaque\",\"rule\":\"resource\"}");
    }
    else if (shape->resource && walk->limits->outcome) {
        taken = take_in_python(walk, value, level);
    }
    else if (shape->kind >= SHAPE_FUNCTION) {
        taken = form_take(walk, value, shape, level);
        taken = taken == 0 ? take_in_python(walk, value, level) : taken < 0 ? -1 : 0;
    }
    else if (shape->kind == SHAPE_PYTHON ||
        (shape->ordered && level < walk->limits->depth && !fields_lie_in_order(value, shape))) {
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
