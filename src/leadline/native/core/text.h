/* Text: bytes of ASCII JSON as they are written, and the room that one hit has left for them. */
#ifndef LEADLINE_TEXT_H
#define LEADLINE_TEXT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

/* As in agent/capture/room.py, which gives the reasons. */
#define LITERAL_BYTES 40
#define NODE_BYTES 40
#define FORM_BYTES 40
#define PAIR_BYTES 4
#define CHARACTER_BYTES 12

typedef struct {
    char *bytes;
    size_t size;
    size_t capacity;
    int failed; /* memory ran out: what was written is of no use */
} Text;

/* Make room for `more` bytes; returns 0 when there is no memory. */
int text_grow(Text *text, size_t more);

static inline int
text_reserve(Text *text, size_t more)
{
    return text->capacity - text->size >= more || text_grow(text, more);
}

static inline void
text_put(Text *text, const char *bytes, size_t size)
{
    if (text_reserve(text, size)) {
        memcpy(text->bytes + text->size, bytes, size);
        text->size += size;
    }
}

#define TEXT_PUT(text, literal) text_put((text), (literal), sizeof(literal) - 1)

/* Write the first `count` characters of an exact str as a JSON string; returns its bytes. */
size_t text_string(Text *text, PyObject *string, Py_ssize_t count);

/* As above, for bytes that are taken as latin-1. */
size_t text_latin1(Text *text, const char *bytes, Py_ssize_t count);

/* Tell whether two exact strs are the same text. */
static inline int
text_same(PyObject *left, PyObject *right)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(left);
    return left == right ||
           (length == PyUnicode_GET_LENGTH(right) &&
            PyUnicode_KIND(left) == PyUnicode_KIND(right) &&
            memcmp(PyUnicode_DATA(left), PyUnicode_DATA(right),
                   (size_t)length * PyUnicode_KIND(left)) == 0);
}

void text_integer(Text *text, long long number);

/* Write what `float.__repr__` says; returns 0 and writes nothing for nan and infinities. */
int text_real(Text *text, double number);

/* Room.text: write as much of the beginning of `string` as there is room for, and count it;
   returns how many characters that were. */
Py_ssize_t text_fitting(Text *text, long long *room, PyObject *string, Py_ssize_t count);
Py_ssize_t text_fitting_latin1(Text *text, long long *room, const char *bytes,
                               Py_ssize_t count);

#endif
