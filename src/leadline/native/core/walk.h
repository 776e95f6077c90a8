/* Walk: one value, and what lies in it, written down as agent/capture/tree.py does it. */
#ifndef LEADLINE_WALK_H
#define LEADLINE_WALK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "shape.h"
#include "text.h"

/* wire.limits.MAX_DEPTH and one for the level that only tells sizes. */
#define MAX_LEVELS 9

typedef struct {
    PyObject *given; /* the CaptureLimits, for what is taken in Python */
    long depth;
    long items;
    long text;
    int outcome; /* whether what belongs to its process is only named */
} Limits;

typedef struct {
    Text *text;
    long long *room;
    const Limits *limits;
    long left; /* items that may still be taken */
    int levels; /* containers that are being walked */
    PyObject *path[MAX_LEVELS + 1];
} Walk;

/* Write `value` as far as `limits` and `room` go; returns -1 with an exception, which is then
   one that struck from outside, or a failure of ours. */
int walk_capture(Text *text, long long *room, const Limits *limits, PyObject *value);

/* For forms: Walk.take, Walk.redacted, what lies too deep, and the beginning of an object that
   stands for an instance. */
int walk_take(Walk *walk, PyObject *value, int level);
int walk_redacted(Walk *walk, PyObject *rule, PyObject *value);
int walk_too_deep(Walk *walk, PyObject *value);
void walk_put_type(Walk *walk, const Shape *shape);

/* For containers and fields: the length, why the rest is missing, whether one more item may be
   taken (NULL) or why not, and an item that is held meanwhile, or its rule in its place. */
extern const char WALK_ITEMS[], WALK_ROOM[], WALK_CHANGED[], WALK_DRAINED[];
void walk_put_length(Walk *walk, Py_ssize_t length);
void walk_put_omitted(Text *text, const char *omitted);
const char *walk_next(Walk *walk);
int walk_take_item(Walk *walk, PyObject *item, PyObject *rule, int level);

#endif
