/* Table: an object for each place, found by the address of a code object (or class) and a
   number. Owns a reference to both, so that no address in it is ever somebody else's. */
#ifndef LEADLINE_TABLE_H
#define LEADLINE_TABLE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

typedef struct {
    PyObject *owner; /* NULL in a free place; the key is its address */
    Py_ssize_t number;
    PyObject *value; /* NULL where something was taken out */
} Place;

typedef struct {
    Place *places;
    size_t size; /* a power of two, or 0 */
    size_t taken; /* places that are not free, those that were taken out included */
} Table;

static inline size_t
table_hash(const void *owner, Py_ssize_t number)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)owner >> 4) + (uint64_t)number * 0x9e3779b97f4a7c15u;
    return (size_t)((mixed * 0xff51afd7ed558ccdu) >> 32);
}

/* Return what lies at a place, borrowed, or NULL. */
static inline PyObject *
table_get(const Table *table, const void *owner, Py_ssize_t number)
{
    if (table->size == 0) {
        return NULL;
    }
    size_t mask = table->size - 1;
    for (size_t at = table_hash(owner, number) & mask;; at = (at + 1) & mask) {
        const Place *place = &table->places[at];
        if (place->owner == owner && place->number == number) {
            return place->value;
        }
        if (place->owner == NULL) {
            return NULL;
        }
    }
}

/* Put `value` at a place, or take out what lies there if it is NULL; returns -1 with an
   exception where memory ran out. */
int table_put(Table *table, PyObject *owner, Py_ssize_t number, PyObject *value);

/* Take everything out. */
void table_clear(Table *table);

int table_traverse(Table *table, visitproc visit, void *arg);

#endif
