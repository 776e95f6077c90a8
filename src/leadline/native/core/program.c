#include "program.h"

#include <structmember.h>

#include "shape.h"
#include "text.h"

/* As in expression/operations.py and expression/reading.py, which give the reasons. */
#define MAX_TEXT 10000
#define MAX_WALK 1000
#define MAX_KEY 1000
#define MAX_NAMES 10000
#define NAMES_PER_UNIT 10
#define UNIT_CHARS 256
#define MAX_NESTING 64 /* expression.parsing.MAX_DEPTH, twice */

/* The order of these is that of agent/core/program.py. */
typedef enum {
    OP_NAME,
    OP_ATTRIBUTE,
    OP_ITEM,
    OP_LITERAL,
    OP_COMPARE,
    OP_AND,
    OP_OR,
    OP_NOT,
    OP_NEGATIVE,
    OP_ARITHMETIC,
    OP_LENGTH,
    OP_IS_INSTANCE,
    OP_STARTS,
    OP_ENDS,
    OP_COUNT,
} Operation;

typedef enum {
    IS_EQUAL,
    IS_UNEQUAL,
    IS_LESS,
    IS_AT_MOST,
    IS_MORE,
    IS_AT_LEAST,
    IS_IN,
    IS_NOT_IN,
    IS_SAME,
    IS_NOT_SAME,
} Comparison;

typedef enum { ADD, SUBTRACT, MULTIPLY, DIVIDE, FLOOR, REMAINDER } Arithmetic;

typedef struct Node {
    Operation operation;
    int whole; /* of a comparison: operands are compared with all that is in them */
    int *comparisons;
    long aux; /* the index of a name, the operator */
    PyObject *object; /* a literal, an attribute's name, what tells a class */
    PyObject *cls; /* the class that was told last, and whether it was one */
    PyObject *order;
    int told;
    int count;
    struct Node **parts;
} Node;

PyTypeObject *program_type;

static PyObject *evaluate(Node *node, Moment *moment);

static int
burn(Moment *moment, Py_ssize_t units)
{
    moment->fuel -= (long)units;
    return moment->fuel >= 0;
}

static inline int
is_number(PyObject *value)
{
    return PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyBool_Check(value);
}

static inline int
is_text(PyObject *value)
{
    return PyUnicode_CheckExact(value) || PyBytes_CheckExact(value);
}

static inline int
is_plain(PyObject *value)
{
    return is_number(value) || is_text(value) || value == Py_None;
}

/* A whole number that fits a machine word can be calculated with; larger ones are not here. */
static int
is_small(PyObject *value)
{
    if (!PyLong_Check(value)) {
        return 1;
    }
    int overflow;
    PyLong_AsLongLongAndOverflow(value, &overflow);
    return !overflow;
}

static Py_ssize_t
text_length(PyObject *text)
{
    return PyUnicode_CheckExact(text) ? PyUnicode_GET_LENGTH(text) : PyBytes_GET_SIZE(text);
}

/* operations._check_text */
static int
text_allowed(Moment *moment, PyObject *text)
{
    Py_ssize_t size = text_length(text);
    if (size > MAX_TEXT) {
        return 0;
    }
    return size < UNIT_CHARS || burn(moment, size / UNIT_CHARS);
}

static int
text_equal(PyObject *left, PyObject *right)
{
    if (PyUnicode_CheckExact(left)) {
        return text_same(left, right);
    }
    return PyBytes_GET_SIZE(left) == PyBytes_GET_SIZE(right) &&
           memcmp(PyBytes_AS_STRING(left), PyBytes_AS_STRING(right),
                  (size_t)PyBytes_GET_SIZE(left)) == 0;
}

/* Compare two exact numbers, or two exact texts of one class; -1: not here. */
static int
compare(PyObject *left, PyObject *right, int operation)
{
    PyObject *answer = PyObject_RichCompare(left, right, operation);
    if (answer == NULL) {
        PyErr_Clear();
        return -1;
    }
    int holds = answer == Py_True;
    Py_DECREF(answer);
    return holds;
}

/* operations.equal for exact plain values; -1: not here. */
static int
equal(Moment *moment, PyObject *left, PyObject *right)
{
    if (!is_plain(left) || !is_plain(right)) {
        return -1;
    }
    if (is_number(left) && is_number(right)) {
        return is_small(left) && is_small(right) ? compare(left, right, Py_EQ) : -1;
    }
    if (Py_TYPE(left) != Py_TYPE(right)) {
        return 0;
    }
    if (!is_text(left)) {
        return 1; /* None */
    }
    if (text_length(left) != text_length(right)) {
        return 0;
    }
    if (left != right && !text_allowed(moment, left)) {
        return -1;
    }
    return text_equal(left, right);
}

/* operations._ordering */
static int
ordered(Moment *moment, PyObject *left, PyObject *right, int operation)
{
    if (is_number(left) && is_number(right)) {
        return is_small(left) && is_small(right) ? compare(left, right, operation) : -1;
    }
    if (Py_TYPE(left) != Py_TYPE(right) || !is_text(left)) {
        return -1;
    }
    if (!text_allowed(moment, left) || !text_allowed(moment, right)) {
        return -1;
    }
    return compare(left, right, operation);
}

/* reading._is_key for two exact plain values; -1: not here. */
static int
is_key(PyObject *candidate, PyObject *key)
{
    if (candidate == key) {
        return 1;
    }
    if (!is_plain(candidate)) {
        return -1;
    }
    if (is_number(candidate) && is_number(key)) {
        return is_small(candidate) && is_small(key) ? compare(candidate, key, Py_EQ) : -1;
    }
    if (Py_TYPE(candidate) != Py_TYPE(key)) {
        return 0;
    }
    if (!is_text(key)) {
        return 1;
    }
    if (text_length(candidate) != text_length(key)) {
        return 0;
    }
    return text_length(key) > MAX_KEY ? -1 : text_equal(candidate, key);
}

/* reading.entry of an exact dict: 1 and a borrowed value, 0: there is none, -1: not here. */
static int
entry(Moment *moment, PyObject *dict, PyObject *key, PyObject **value)
{
    if (PyDict_GET_SIZE(dict) > MAX_WALK || !dict_is_small(dict)) {
        return -1;
    }
    Py_ssize_t position = 0, looked = 0;
    PyObject *candidate;
    while (PyDict_Next(dict, &position, &candidate, value)) {
        looked++;
        int same = is_key(candidate, key);
        if (same) {
            return same > 0 && burn(moment, looked) ? 1 : -1;
        }
    }
    return burn(moment, looked) ? 0 : -1;
}

/* walking.lookup among the variables of a module: a new reference or NULL. */
static PyObject *
global(Moment *moment, PyObject *name)
{
    PyObject *globals = frame_globals(moment->frame), *key, *value;
    if (globals == NULL || !PyDict_CheckExact(globals)) {
        return NULL;
    }
    Py_ssize_t size = PyDict_GET_SIZE(globals), position = 0;
    if (size > MAX_NAMES || !dict_is_small(globals) ||
        !burn(moment, 1 + size / NAMES_PER_UNIT)) {
        return NULL;
    }
    while (PyDict_Next(globals, &position, &key, &value)) {
        if (key == name || (PyUnicode_CheckExact(key) && text_same(key, name))) {
            return Py_NewRef(value);
        }
    }
    return NULL;
}

static PyObject *
variable(Node *node, Moment *moment)
{
    int where = moment->where[node->aux];
    if (where >= 0) {
        return Py_XNewRef(frame_variable(moment->frame, where));
    }
    switch (where) {
    case WHERE_DURATION:
        return moment->has_duration ? PyFloat_FromDouble(moment->duration_s) : NULL;
    case WHERE_RESULT:
        return Py_XNewRef(moment->result);
    case WHERE_EXCEPTION:
        return Py_NewRef(moment->exception != NULL ? moment->exception : Py_None);
    default:
        return global(moment, node->object);
    }
}

/* The class attribute of that name as it lies there, borrowed, or NULL. */
static PyObject *
class_attribute(PyTypeObject *cls, PyObject *name)
{
    PyObject *order = cls->tp_mro;
    for (Py_ssize_t index = 0; order != NULL && index < PyTuple_GET_SIZE(order); index++) {
        PyObject *members = PyType_GetDict((PyTypeObject *)PyTuple_GET_ITEM(order, index));
        if (members == NULL) {
            continue;
        }
        PyObject *found = PyDict_GetItemWithError(members, name);
        Py_DECREF(members);
        if (found != NULL) {
            return found;
        }
    }
    PyErr_Clear();
    return NULL;
}

/* Whether `descriptor` reads memory of instances of `cls`, and nothing else. */
static int
is_slot(PyObject *descriptor, PyTypeObject *cls)
{
    return Py_IS_TYPE(descriptor, &PyMemberDescr_Type) &&
           !(((PyMemberDescrObject *)descriptor)->d_member->flags & Py_AUDIT_READ) &&
           PyType_IsSubtype(cls, PyDescr_TYPE(descriptor));
}

static PyObject *
slot(PyObject *object, PyObject *descriptor)
{
    PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
    PyObject *value = PyMember_GetOne((const char *)object, member);
    PyErr_Clear(); /* never filled: the reason is given in Python */
    return value;
}

/* What the object's own dictionary holds: 1 and a new reference, 0, or -1: not here. */
static int
held(Moment *moment, PyObject *object, PyObject *name, PyObject **value)
{
    Names names;
    PyObject *candidate, *item;
    names_begin(&names, object);
    if (names.kind == NAMES_ELSEWHERE || names_count(&names) > MAX_WALK ||
        (names.kind == NAMES_DICT && !dict_is_small(names.dict))) {
        return -1;
    }
    Py_ssize_t looked = 0;
    int more;
    while ((more = names_next(&names, &candidate, &item)) > 0) {
        looked++;
        if (candidate != name) {
            if (!PyUnicode_CheckExact(candidate)) {
                return -1;
            }
            if (!text_same(candidate, name)) {
                continue;
            }
        }
        *value = Py_NewRef(item);
        if (burn(moment, looked)) {
            return 1;
        }
        Py_CLEAR(*value);
        return -1;
    }
    return more < 0 || !burn(moment, looked) ? -1 : 0;
}

/* reading.attribute */
static PyObject *
attribute(PyObject *object, PyObject *name, Moment *moment)
{
    PyTypeObject *cls = Py_TYPE(object);
    Shape *shape = shape_of(cls);
    if (shape == NULL) {
        return NULL;
    }
    int readable = shape->readable, dictionary = shape->dictionary;
    Py_DECREF(shape);
    if (!readable) {
        return NULL;
    }
    PyObject *found = class_attribute(cls, name), *value = NULL;
    if (found != NULL && is_slot(found, cls)) {
        return slot(object, found);
    }
    if (found != NULL && Py_TYPE(found)->tp_descr_set != NULL) {
        return NULL;
    }
    int there = dictionary ? held(moment, object, name, &value) : 0;
    if (there != 0) {
        return value;
    }
    if (found == NULL || Py_TYPE(found)->tp_descr_get != NULL) {
        return NULL;
    }
    return Py_NewRef(found);
}

/* Whether the second of two items may lie under a secret name (expression/hiding.py). */
static int
may_hide(PyObject *value)
{
    if ((!PyList_CheckExact(value) && !PyTuple_CheckExact(value)) || Py_SIZE(value) != 2) {
        return 0;
    }
    PyObject *first =
        PyList_CheckExact(value) ? PyList_GET_ITEM(value, 0) : PyTuple_GET_ITEM(value, 0);
    if (!PyUnicode_CheckExact(first)) {
        return !is_number(first) && first != Py_None;
    }
    PyObject *rule = rule_of_name(first);
    int open = rule == Py_None;
    Py_XDECREF(rule);
    return !open;
}

/* reading.item */
static PyObject *
item(PyObject *container, PyObject *key, Moment *moment)
{
    PyObject *value;
    if (!is_plain(key)) {
        return NULL;
    }
    if (PyDict_CheckExact(container)) {
        return entry(moment, container, key, &value) > 0 ? Py_NewRef(value) : NULL;
    }
    if ((!PyLong_CheckExact(key) && !PyBool_Check(key)) || may_hide(container)) {
        return NULL;
    }
    Py_ssize_t index = PyLong_AsSsize_t(key);
    if (index == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return NULL;
    }
    if (!PyList_CheckExact(container) && !PyTuple_CheckExact(container) && !is_text(container)) {
        return NULL;
    }
    Py_ssize_t size =
        is_text(container) ? text_length(container) : (Py_ssize_t)Py_SIZE(container);
    index += index < 0 ? size : 0;
    if (index < 0 || index >= size) {
        return NULL;
    }
    if (PyUnicode_CheckExact(container)) {
        return PyUnicode_Substring(container, index, index + 1);
    }
    if (PyBytes_CheckExact(container)) {
        return PyLong_FromLong((unsigned char)PyBytes_AS_STRING(container)[index]);
    }
    return Py_NewRef(PyList_CheckExact(container) ? PyList_GET_ITEM(container, index)
                                                  : PyTuple_GET_ITEM(container, index));
}

static Py_ssize_t
length(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyList_Type || type == &PyTuple_Type) {
        return Py_SIZE(value);
    }
    if (type == &PyDict_Type) {
        return PyDict_GET_SIZE(value);
    }
    if (is_text(value)) {
        return text_length(value);
    }
    if (type == &PySet_Type || type == &PyFrozenSet_Type) {
        return ((PySetObject *)value)->used;
    }
    return -1;
}

/* operations.truth; -1: not here. */
static int
truth(PyObject *value)
{
    if (value == Py_True || value == Py_False || value == Py_None) {
        return value == Py_True;
    }
    if (PyLong_CheckExact(value)) {
        return compare(value, Py_False, Py_NE);
    }
    if (PyFloat_CheckExact(value)) {
        return PyFloat_AS_DOUBLE(value) != 0.0;
    }
    Py_ssize_t size = length(value);
    if (size >= 0) {
        return size > 0;
    }
    const PyTypeObject *type = Py_TYPE(value);
    int decides = (type->tp_as_number != NULL && type->tp_as_number->nb_bool != NULL) ||
                  (type->tp_as_mapping != NULL && type->tp_as_mapping->mp_length != NULL) ||
                  (type->tp_as_sequence != NULL && type->tp_as_sequence->sq_length != NULL);
    return decides ? -1 : 1;
}

/* operations._contains_element of a set. */
static int
in_set(PyObject *needle, PyObject *hay, Moment *moment)
{
    PyObject *items = PySet_Type.tp_iter(hay), *element;
    Py_ssize_t looked = 0;
    int same = 0;
    if (items == NULL) {
        PyErr_Clear();
        return -1;
    }
    while (same == 0 && (element = Py_TYPE(items)->tp_iternext(items)) != NULL) {
        looked++;
        same = element == needle ? 1 : equal(moment, element, needle);
        Py_DECREF(element);
    }
    PyErr_Clear();
    Py_DECREF(items);
    return burn(moment, looked) ? same : -1;
}

/* operations.contains; -1: not here. */
static int
contains(PyObject *needle, PyObject *hay, Moment *moment)
{
    PyObject *value;
    if (!is_plain(needle)) {
        return -1;
    }
    if (is_text(hay)) {
        if (Py_TYPE(needle) != Py_TYPE(hay) || !PyUnicode_CheckExact(hay) ||
            !text_allowed(moment, needle) || !text_allowed(moment, hay)) {
            return -1;
        }
        int inside = PyUnicode_Contains(hay, needle);
        PyErr_Clear();
        return inside;
    }
    if (PyDict_CheckExact(hay)) {
        return entry(moment, hay, needle, &value);
    }
    if (length(hay) < 0 || length(hay) > MAX_WALK) {
        return -1;
    }
    if (PyAnySet_Check(hay)) {
        return ((PySetObject *)hay)->mask <= MAX_WALK * 10 ? in_set(needle, hay, moment) : -1;
    }
    for (Py_ssize_t index = 0; index < Py_SIZE(hay); index++) {
        PyObject *element =
            PyList_CheckExact(hay) ? PyList_GET_ITEM(hay, index) : PyTuple_GET_ITEM(hay, index);
        int same = element == needle ? 1 : equal(moment, element, needle);
        if (same) {
            return same > 0 && burn(moment, index + 1) ? 1 : -1;
        }
    }
    return burn(moment, Py_SIZE(hay)) ? 0 : -1;
}

static int
related(Comparison comparison, PyObject *left, PyObject *right, Moment *moment)
{
    int answer;
    switch (comparison) {
    case IS_EQUAL:
        return equal(moment, left, right);
    case IS_UNEQUAL:
        answer = equal(moment, left, right);
        return answer < 0 ? -1 : !answer;
    case IS_LESS:
        return ordered(moment, left, right, Py_LT);
    case IS_AT_MOST:
        return ordered(moment, left, right, Py_LE);
    case IS_MORE:
        return ordered(moment, left, right, Py_GT);
    case IS_AT_LEAST:
        return ordered(moment, left, right, Py_GE);
    case IS_IN:
        return contains(left, right, moment);
    case IS_NOT_IN:
        answer = contains(left, right, moment);
        return answer < 0 ? -1 : !answer;
    case IS_SAME:
        return left == right;
    default:
        return left != right;
    }
}

/* evaluation._bare: an operand whose items must not tell a secret. */
static PyObject *
operand(Node *node, int whole, Moment *moment)
{
    PyObject *value = evaluate(node, moment);
    if (value == NULL || !whole || node->operation == OP_LITERAL) {
        return value;
    }
    if (!(is_plain(value) || length(value) >= 0) || may_hide(value)) {
        Py_DECREF(value);
        return NULL;
    }
    return value;
}

static PyObject *
compared(Node *node, Moment *moment)
{
    PyObject *left = operand(node->parts[0], node->whole, moment);
    int answer = 1;
    for (int index = 1; left != NULL && index < node->count && answer > 0; index++) {
        PyObject *right = operand(node->parts[index], node->whole, moment);
        answer = right == NULL ? -1
                               : related((Comparison)node->comparisons[index - 1], left, right,
                                         moment);
        Py_DECREF(left);
        left = right;
    }
    if (left == NULL) {
        return NULL;
    }
    Py_DECREF(left);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}

/* `and` and `or`: the value that decides, as in Python. */
static PyObject *
joined(Node *node, Moment *moment)
{
    int decides = node->operation == OP_OR;
    for (int index = 0; index < node->count - 1; index++) {
        PyObject *value = evaluate(node->parts[index], moment);
        int answer = value == NULL ? -1 : truth(value);
        if (answer == decides) {
            return value;
        }
        Py_XDECREF(value);
        if (answer < 0) {
            return NULL;
        }
    }
    return evaluate(node->parts[node->count - 1], moment);
}

static PyObject *
calculated(Arithmetic operation, PyObject *left, PyObject *right)
{
    if (!is_number(left) || !is_number(right) || !is_small(left) || !is_small(right)) {
        return NULL;
    }
    PyObject *result = NULL;
    switch (operation) {
    case ADD: result = PyNumber_Add(left, right); break;
    case SUBTRACT: result = PyNumber_Subtract(left, right); break;
    case MULTIPLY: result = PyNumber_Multiply(left, right); break;
    case DIVIDE: result = PyNumber_TrueDivide(left, right); break;
    case FLOOR: result = PyNumber_FloorDivide(left, right); break;
    case REMAINDER: result = PyNumber_Remainder(left, right); break;
    }
    PyErr_Clear(); /* a division by zero: the reason is given in Python */
    return result;
}

static PyObject *
instance_told(Node *node, PyObject *value)
{
    PyTypeObject *cls = Py_TYPE(value);
    if (node->cls != (PyObject *)cls || node->order != cls->tp_mro) {
        PyObject *answer = PyObject_CallOneArg(node->object, (PyObject *)cls);
        if (answer == NULL) {
            return NULL;
        }
        node->told = answer == Py_True;
        Py_DECREF(answer);
        Py_XSETREF(node->cls, Py_NewRef((PyObject *)cls));
        Py_XSETREF(node->order, Py_XNewRef(cls->tp_mro));
    }
    return PyBool_FromLong(node->told);
}

/* operations.has_affix of an exact str, for an exact str or a literal's tuple of them. */
static PyObject *
affix_told(Node *node, PyObject *value, PyObject *affix, Moment *moment)
{
    int is_tuple = PyTuple_CheckExact(affix);
    Py_ssize_t count = is_tuple ? PyTuple_GET_SIZE(affix) : 1;
    if (!PyUnicode_CheckExact(value) || may_hide(affix)) {
        return NULL;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *part = is_tuple ? PyTuple_GET_ITEM(affix, index) : affix;
        if (!PyUnicode_CheckExact(part) || !text_allowed(moment, part)) {
            return NULL;
        }
        int end = node->operation == OP_ENDS;
        Py_ssize_t told = PyUnicode_Tailmatch(value, part, 0, PY_SSIZE_T_MAX, end ? 1 : -1);
        if (told != 0) {
            PyErr_Clear();
            return told > 0 ? Py_NewRef(Py_True) : NULL;
        }
    }
    Py_RETURN_FALSE;
}

static PyObject *
of_one(Node *node, PyObject *value, Moment *moment)
{
    int answer;
    switch (node->operation) {
    case OP_ATTRIBUTE:
        return attribute(value, node->object, moment);
    case OP_NOT:
        answer = truth(value);
        return answer < 0 ? NULL : PyBool_FromLong(!answer);
    case OP_NEGATIVE:
        return is_number(value) && is_small(value) ? PyNumber_Negative(value) : NULL;
    case OP_LENGTH:
        return length(value) < 0 ? NULL : PyLong_FromSsize_t(length(value));
    default:
        return instance_told(node, value);
    }
}

static PyObject *
of_two(Node *node, PyObject *left, PyObject *right, Moment *moment)
{
    switch (node->operation) {
    case OP_ITEM:
        if (node->parts[1]->operation != OP_LITERAL) {
            PyObject *rule = PyUnicode_CheckExact(right) ? rule_of_name(right) : NULL;
            int open = rule == Py_None || PyLong_CheckExact(right);
            Py_XDECREF(rule);
            if (!open) {
                return NULL;
            }
        }
        return item(left, right, moment);
    case OP_ARITHMETIC:
        return calculated((Arithmetic)node->aux, left, right);
    default:
        return affix_told(node, left, right, moment);
    }
}

static PyObject *
evaluate(Node *node, Moment *moment)
{
    switch (node->operation) {
    case OP_NAME:
        return variable(node, moment);
    case OP_LITERAL:
        return Py_NewRef(node->object);
    case OP_COMPARE:
        return compared(node, moment);
    case OP_AND:
    case OP_OR:
        return joined(node, moment);
    default:
        break;
    }
    PyObject *first = evaluate(node->parts[0], moment);
    if (first == NULL) {
        return NULL;
    }
    PyObject *value = NULL;
    if (node->count == 1) {
        value = of_one(node, first, moment);
    }
    else {
        PyObject *second = evaluate(node->parts[1], moment);
        value = second == NULL ? NULL : of_two(node, first, second, moment);
        Py_XDECREF(second);
    }
    Py_DECREF(first);
    return value;
}

PyObject *
program_value(Program *program, Moment *moment)
{
    return evaluate(program->root, moment);
}

int
program_holds(Program *program, Moment *moment)
{
    PyObject *value = evaluate(program->root, moment);
    if (value == NULL) {
        return -1;
    }
    int answer = truth(value);
    Py_DECREF(value);
    return answer;
}

static void
node_free(Node *node)
{
    if (node == NULL) {
        return;
    }
    for (int index = 0; index < node->count; index++) {
        node_free(node->parts[index]);
    }
    Py_XDECREF(node->object);
    Py_XDECREF(node->cls);
    Py_XDECREF(node->order);
    PyMem_Free(node->comparisons);
    PyMem_Free(node->parts);
    PyMem_Free(node);
}

/* The operators of a chain of comparisons. */
static int
read_comparisons(Node *node, PyObject *given)
{
    Py_ssize_t count = PyTuple_Check(given) ? PyTuple_GET_SIZE(given) : 0;
    if (count == 0 || count != node->count - 1) {
        PyErr_SetString(PyExc_ValueError, "a comparison has an operator for each operand");
        return -1;
    }
    node->comparisons = PyMem_Calloc((size_t)count, sizeof(int));
    if (node->comparisons == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        int operation = (int)PyLong_AsLong(PyTuple_GET_ITEM(given, index));
        node->comparisons[index] = operation;
        node->whole |= operation == IS_EQUAL || operation == IS_UNEQUAL ||
                       operation == IS_IN || operation == IS_NOT_IN;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int
part_count_of(Operation operation)
{
    switch (operation) {
    case OP_NAME:
    case OP_LITERAL:
        return 0;
    case OP_ITEM:
    case OP_ARITHMETIC:
    case OP_STARTS:
    case OP_ENDS:
        return 2;
    case OP_COMPARE:
    case OP_AND:
    case OP_OR:
        return -1; /* any number */
    default:
        return 1;
    }
}

/* Build a node from (operation, number, object, parts). */
static Node *
node_from(PyObject *given, Py_ssize_t name_count, int nesting)
{
    int operation;
    long aux;
    PyObject *object, *parts;
    if (nesting > MAX_NESTING || !PyTuple_Check(given) ||
        !PyArg_ParseTuple(given, "ilOO!", &operation, &aux, &object, &PyTuple_Type, &parts)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "this is no expression");
        }
        return NULL;
    }
    Node *node = PyMem_Calloc(1, sizeof(Node));
    if (node == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(parts);
    node->operation = (Operation)operation;
    node->aux = aux;
    node->object = Py_NewRef(object);
    int wanted = operation < 0 || operation >= OP_COUNT ? -2 : part_count_of(node->operation);
    int named = operation != OP_NAME || (aux >= 0 && aux < name_count);
    if (wanted == -2 || !named || (wanted >= 0 ? count != wanted : count < 1)) {
        PyErr_SetString(PyExc_ValueError, "this is no operation");
        node_free(node);
        return NULL;
    }
    node->parts = PyMem_Calloc((size_t)count + 1, sizeof(Node *));
    if (node->parts == NULL) {
        PyErr_NoMemory();
    }
    while (node->parts != NULL && node->count < count) {
        Node *part = node_from(PyTuple_GET_ITEM(parts, node->count), name_count, nesting + 1);
        if (part == NULL) {
            break;
        }
        node->parts[node->count++] = part;
    }
    if (PyErr_Occurred() || (operation == OP_COMPARE && read_comparisons(node, object) < 0)) {
        node_free(node);
        return NULL;
    }
    return node;
}

static PyObject *
program_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    PyObject *tree, *names;
    if (!PyArg_ParseTuple(args, "O!O!", &PyTuple_Type, &tree, &PyTuple_Type, &names)) {
        return NULL;
    }
    Program *self = (Program *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->names = Py_NewRef(names);
    self->name_count = PyTuple_GET_SIZE(names);
    self->root = node_from(tree, self->name_count, 0);
    if (self->root == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void
program_dealloc(Program *self)
{
    PyTypeObject *type = Py_TYPE(self);
    node_free(self->root);
    Py_XDECREF(self->names);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"names", Py_T_OBJECT_EX, offsetof(Program, names), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, program_new},
    {Py_tp_dealloc, program_dealloc},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "leadline.native._core.Program",
    .basicsize = sizeof(Program),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyTypeObject *
program_make_type(PyObject *module)
{
    program_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return program_type;
}
