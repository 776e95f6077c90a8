/* Shape: how the instances of one class are captured, learnt once by agent/capture/shapes.py.

   Also keeps what is known of names: which are secrets, asked once for each. */
#ifndef LEADLINE_SHAPE_H
#define LEADLINE_SHAPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "table.h"
#include "text.h"

typedef enum {
    SHAPE_PYTHON, /* by the reader written in Python */
    SHAPE_BYTES,
    SHAPE_LIST,
    SHAPE_TUPLE,
    SHAPE_NAMED,
    SHAPE_SET,
    SHAPE_DICT,
    SHAPE_FIELDS,
    SHAPE_TEXT, /* of a class that derives from str */
    SHAPE_DEQUE,
    SHAPE_OPAQUE, /* nothing that lies in it can be read */
    /* What has a form of its own, and is plain: shown at any depth. */
    SHAPE_FUNCTION,
    SHAPE_METHOD,
    SHAPE_BUILTIN,
    SHAPE_MODULE,
    SHAPE_CLASS,
    SHAPE_MEMBER,
    SHAPE_MOMENT,
    SHAPE_PATH, /* its text lies in its only slot, once somebody has asked for it */
} ShapeKind;

typedef struct {
    PyObject *name; /* an exact str */
    PyObject *rule; /* why it is a secret, or NULL */
    char *json; /* as a JSON string with a colon; NULL for a name that is not shown */
    size_t json_size;
    PyMemberDef *member; /* of a slot */
} Field;

typedef struct {
    PyObject_HEAD
    PyObject *cls;
    PyObject *order; /* its resolution order, which tells whether it is still laid out so */
    PyObject *name;
    ShapeKind kind;
    int settled; /* whether it may be kept */
    int dictionary; /* whether instances have an ordinary `__dict__` */
    int readable; /* whether attributes can be read without running code */
    int resource; /* whether instances belong to their process, see below */
    int ordered; /* whether `fields` say in which order attributes are shown */
    long long cost;
    char *json; /* the class's name as a JSON string */
    size_t json_size;
    Py_ssize_t slot_count;
    Field *slots;
    Py_ssize_t *shown; /* of `ordered`: the slots in the order in which they are shown */
    Py_ssize_t field_count;
    Field *fields;
    PyObject *members; /* keeps the descriptors of slots alive */
} Shape;

typedef struct {
    PyObject *learn; /* class -> Shape */
    PyObject *names; /* the dictionary of names whose rule is known */
    PyObject *secret_name; /* exact str -> rule or None */
    PyObject *name_rule; /* any key -> rule or None */
    PyObject *capture; /* takes what is not taken here */
    long long captures; /* how often */
} Knowledge;

/* Of what belongs to its process no more is told of an outcome than its class; but which of the
   standard streams a stream is, Python knows. */
enum { RESOURCE = 1, STREAM };

extern Knowledge knowledge;
extern PyTypeObject *shape_type;

/* Return the shape of a class, a new reference, or NULL with an exception. */
Shape *shape_of(PyTypeObject *cls);

/* Let go of every class. */
void shapes_forget(void);

/* Return the rule that makes what lies under a name, or under any key, a secret: a new
   reference, None for an ordinary one, or NULL with an exception. */
PyObject *rule_of_name(PyObject *name);
PyObject *rule_of_key(PyObject *key);

/* Fill in a field, with a rule or None whose reference is taken over; -1 with an exception. */
int field_fill(Field *field, PyObject *name, PyObject *rule);
void field_free(Field *field);

/* Tell whether a dict or set was drained of nearly all that it held (expression/fuel.py); -1
   with an exception. */
int is_drained(PyObject *container, PyTypeObject *base, Py_ssize_t count);

PyTypeObject *shape_make_type(PyObject *module);

#endif
