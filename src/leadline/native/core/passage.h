/* Passage: what a probe's passages add up to, and where it is armed.

   `Meter` is the base of agent/core/passage.py's `Passage`: the numbers that every passage
   changes are C numbers, and are ordinary attributes for who reads them. */
#ifndef LEADLINE_PASSAGE_H
#define LEADLINE_PASSAGE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "program.h"
#include "walk.h"

/* How many passages are measured by the thread's own clock after a slow one. */
#define MEASURED_EXACTLY 64

/* In the order of wire.probe.Fate. */
typedef enum {
    CAPTURED,
    CONDITION_FALSE,
    CONDITION_UNKNOWN,
    RATE_LIMITED,
    OVER_BUDGET,
    DROPPED,
    FATE_COUNT,
} Fate;

typedef enum { TAKE_LOG, TAKE_METRIC, TAKE_TIMER, TAKE_SNAPSHOT } TakeKind;

/* What a probe takes at a hit, as far as it can be taken here. */
typedef struct {
    PyObject_HEAD
    TakeKind kind;
    PyObject *watches; /* a tuple, for those that are evaluated in Python */
    PyObject *programs; /* a tuple of `Program` or None, one for each watch */
    Limits limits;
    Limits further; /* of the frames that are further out */
    PyObject *too_long; /* what is said of frames that came too late */
    long long room; /* bytes that values and frames may take */
    long frames;
    long long longest_ns;
} Taking;

typedef struct {
    PyObject_HEAD
    PyObject *holds, *take, *hear, *concerns, *began, *opens, *follows, *samples;
    double tokens;
    long long hits_left, lost, entered, cost_ns, window_ns, allowance_ns;
    long long fates[FATE_COUNT];
    char timed, off;
    char apart; /* what it costs is paid from another budget than the probes' */
    /* What of it runs here, while `holds` and `take` are what they were then. */
    PyObject *known_holds, *known_take;
    Program *condition;
    Taking *taking;
    unsigned int beat; /* passages since the cost of one was measured, of those that only count */
    unsigned int slow; /* how many passages from now on are measured by the thread's clock */
} Meter;

/* In the order of agent.core.passage.Role. */
typedef enum { ROLE_HIT, ROLE_BEGIN, ROLE_FORGET, ROLE_ENTRY, ROLE_TURN } Role;

/* A passage at one of its sites. */
typedef struct {
    PyObject_HEAD
    Meter *meter;
    PyObject *site;
    Role role;
    PyCodeObject *code; /* whose variables lie in its frames; NULL for other code */
    int *condition_where; /* where the names of the condition are found here */
    Py_ssize_t watch_count;
    int **watch_where; /* and those of each program of `taking` */
} Armed;

extern PyTypeObject *armed_type;
extern PyTypeObject *meter_type;

static inline int
meter_knows_holds(const Meter *meter)
{
    return meter->condition != NULL && meter->holds == meter->known_holds;
}

static inline int
meter_knows_take(const Meter *meter)
{
    return meter->taking != NULL && meter->take == meter->known_take;
}

int passage_add_types(PyObject *module);

/* name_fates(fates): the members of `Fate` in their order, a function of the module. */
PyObject *passage_name_fates(PyObject *module, PyObject *fates);

#endif
