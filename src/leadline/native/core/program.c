#include "program.h"

#include <structmember.h>

#include "attribute.h"
#include "plain.h"
#include "shape.h"
#include "text.h"

/* As in expression/walking.py. */
#define MAX_NAMES 10000
#define NAMES_PER_UNIT 10
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
        !moment_burn(moment, 1 + size / NAMES_PER_UNIT)) {
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

/* evaluation._bare: an operand whose items must not tell a secret. */
static PyObject *
operand(Node *node, int whole, Moment *moment)
{
    PyObject *value = evaluate(node, moment);
    if (value == NULL || !whole || node->operation == OP_LITERAL) {
        return value;
    }
    if (!(is_plain(value) || plain_length(value) >= 0) || plain_may_hide(value)) {
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
                               : plain_related((Comparison)node->comparisons[index - 1], left, right,
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
        int answer = value == NULL ? -1 : plain_truth(value);
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

static PyObject *
of_one(Node *node, PyObject *value, Moment *moment)
{
    int answer;
    switch (node->operation) {
    case OP_ATTRIBUTE:
        return attribute_read(value, node->object, moment);
    case OP_NOT:
        answer = plain_truth(value);
        return answer < 0 ? NULL : PyBool_FromLong(!answer);
    case OP_NEGATIVE:
        return is_number(value) && is_small(value) ? PyNumber_Negative(value) : NULL;
    case OP_LENGTH:
        return plain_length(value) < 0 ? NULL : PyLong_FromSsize_t(plain_length(value));
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
        return plain_item(left, right, moment);
    case OP_ARITHMETIC:
        return plain_calculated((Arithmetic)node->aux, left, right);
    default:
        return plain_has_affix(left, right, node->operation == OP_ENDS, moment);
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
    int answer = plain_truth(value);
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
