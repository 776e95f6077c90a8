/* Kept node: what a captured object is written down as, the JSON of it, and the walk that it
   belongs to.

   Half a million of dictionaries and lists would make the collector of the application's process
   run; bytes are none of its business. */
#ifndef LEADLINE_KEPTNODE_H
#define LEADLINE_KEPTNODE_H

#include "kept.h"
#include "text.h"

/* Names that are asked for, made once by `words_begin`; -1 with an exception. */
#define EACH_WORD(one)                                                                        \
    one(cls) one(order) one(keeping) one(module) one(pattern) one(flags) one(func) one(args)  \
    one(keywords) one(maxlen) one(name) one(rule)
#define AS_CONSTANT(word) WORD_##word,

typedef enum { EACH_WORD(AS_CONSTANT) WORDS } Word;

extern PyObject *words[WORDS];
int words_begin(void);

typedef struct {
    Keeper keeper;
    PyObject *known, *nodes, *reach, *layouts, *landmarks, *pieces, *modules, *prints;
    PyObject *numbers, *slots, *token; /* of objects that are found in a twin */
    PyObject *held; /* the class of what stands for one that is held back */
    Py_ssize_t most;
    int names_absent; /* whether what lives in its process is named, and no more */
    Text text; /* of the node that is being written */
} KeptWalk;

/* What became of an object: it was written down, it was not and nothing was taken, or there is
   an exception. */
typedef enum { WITH_ERROR = -1, LEFT_TO_PYTHON, WRITTEN } Outcome;

/* Return what there may be asked for. */
Budget budget_of(const KeptWalk *walk);

/* Begin a node: `opening` is its JSON up to where there is something to say. */
#define NODE_BEGIN(walk, opening) ((walk)->text.size = 0, TEXT_PUT(&(walk)->text, opening))

/* Write what stands for a value that fits: itself, or the number of its node; -1 with an
   exception. */
int put_ref(KeptWalk *walk, PyObject *value);

/* Write as many of them, with commas. */
int put_refs(KeptWalk *walk, PyObject *const *values, Py_ssize_t count);

/* Write an exact str. */
void put_text(KeptWalk *walk, PyObject *text);

/* Make a node of what was written. `found` is how many objects were known before. */
Outcome node_end(KeptWalk *walk, Py_ssize_t found);

/* Write what is in a row, if it fits, of which nothing is a secret by its place: `opening` goes
   before it. */
Outcome write_items(KeptWalk *walk, Budget budget, PyObject *const *items, Py_ssize_t count,
                    const char *opening);

#endif
