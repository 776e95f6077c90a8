/* Kept node: what a captured object is written down as, and the walk that it belongs to. */
#ifndef LEADLINE_KEPTNODE_H
#define LEADLINE_KEPTNODE_H

#include "kept.h"

/* Names that are asked for or said, made once by `words_begin`; -1 with an exception. */
#define EACH_WORD(one)                                                                        \
    one(cls) one(order) one(keeping) one(module) one(k) one(c) one(a) one(s) one(p) one(i)    \
    one(t) one(m) one(object) one(dict) one(list) one(tuple) one(set) one(frozenset)          \
    one(bytes) one(method) one(cell) one(name)
#define AS_CONSTANT(word) WORD_##word,

typedef enum { EACH_WORD(AS_CONSTANT) WORDS } Word;

extern PyObject *words[WORDS];
int words_begin(void);

typedef struct {
    Keeper keeper;
    PyObject *known, *nodes, *reach, *layouts, *landmarks, *pieces, *modules;
    Py_ssize_t most;
} KeptWalk;

/* What became of an object: it was written down, it was not and nothing was taken, or there is
   an exception. */
typedef enum { FAILED = -1, LEFT_TO_PYTHON, WRITTEN } Outcome;

/* A part of a node, whose reference is taken over. */
typedef struct {
    Word name;
    PyObject *one;
} Part;

/* Return what there may be asked for. */
Budget budget_of(const KeptWalk *walk);

/* Make a node of a kind and its parts; one that is NULL is an exception. `found` is how many
   objects were known before it was looked at. */
Outcome write_node(KeptWalk *walk, Py_ssize_t found, Word kind, Part *parts, int count);

/* Write what is in a row, of which nothing is a secret by its place. */
Outcome write_items(KeptWalk *walk, Budget budget, PyObject *const *items, Py_ssize_t count,
                    Word kind);

#endif
