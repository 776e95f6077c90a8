/* Interior: the places where the interpreter itself keeps variables and attributes.

   The public ways to them change the application (facts: reading `__dict__` makes a dictionary
   that stays, asking for a frame makes an object of it, an unbound variable costs an
   exception), so these few are read where they lie. All of it is compiled against the
   interpreter's own headers, for 3.12 and 3.13 only; elsewhere the extension is not built. */
#ifndef LEADLINE_INTERIOR_H
#define LEADLINE_INTERIOR_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef struct _PyInterpreterFrame Frame;

/* Return the innermost frame of this thread that runs Python code, or NULL. */
Frame *frame_innermost(void);

/* Return the next frame outward, or NULL. */
Frame *frame_outer(Frame *frame);

/* Return the code, the globals and a variable by its index, all borrowed. A variable that has
   no value is NULL; one in a cell is taken out of it. */
PyCodeObject *frame_code(Frame *frame);
PyObject *frame_globals(Frame *frame);
int frame_offset(Frame *frame); /* of the instruction that it is at, in bytes */
PyObject *frame_variable(Frame *frame, int index);

/* Return what was sent into a generator that goes on after it has given something out, borrowed,
   while the interpreter tells of that; NULL at any other place. */
PyObject *frame_sent(Frame *frame);

/* Return the frame that runs beneath a frame object, which lasts as long as that runs. */
Frame *frame_of_object(PyObject *frame);

/* Return a weak reference to the generator that a frame belongs to, or NULL without an exception
   where it belongs to none. */
PyObject *frame_generator(PyObject *frame);

/* Tell whether a generator, by its weak reference, is gone or has come to its end. Holds it at
   no moment at which it could be let go of. */
int generator_is_over(PyObject *reference);

/* Of a code object's variables: arguments and locals, those in cells, those of its closure. A
   variable can be of two sorts. */
extern const int variable_sorts[3];

/* What an object holds in its own dictionary, which may not have been made yet. */
typedef enum { NAMES_NONE, NAMES_DICT, NAMES_INLINE, NAMES_ELSEWHERE } NamesKind;

typedef struct {
    NamesKind kind;
    PyObject *dict; /* with NAMES_DICT, borrowed: held by whoever lets Python run meanwhile */
    PyObject *object; /* with NAMES_INLINE */
    int next; /* with NAMES_INLINE: how many were gone through */
    Py_ssize_t position; /* with NAMES_DICT */
    Py_ssize_t size; /* with NAMES_DICT: what it was at the beginning */
} Names;

/* Find the dictionary of `object`, whose class has the ordinary `__dict__`. */
void names_begin(Names *names, PyObject *object);

/* Go to the next name; returns 0 at the end, -1 when the dictionary was changed meanwhile. Both
   references are borrowed. */
int names_next(Names *names, PyObject **name, PyObject **value);

/* Return how many names there are. */
Py_ssize_t names_count(const Names *names);


/* Tell whether the table of a dictionary is so small that its empty places do not matter. */
int dict_is_small(PyObject *dict);

#endif
