#include "table.h"

#define FIRST_SIZE 16

static Place *
find(Place *places, size_t size, const void *owner, Py_ssize_t number)
{
    size_t mask = size - 1;
    for (size_t at = table_hash(owner, number) & mask;; at = (at + 1) & mask) {
        Place *place = &places[at];
        if (place->owner == NULL || (place->owner == owner && place->number == number)) {
            return place;
        }
    }
}

/* Move to a table with room for one more; what was taken out is left behind. */
static int
make_room(Table *table)
{
    size_t used = 0;
    for (size_t at = 0; at < table->size; at++) {
        used += table->places[at].value != NULL;
    }
    size_t size = FIRST_SIZE;
    while (size < (used + 1) * 3) {
        size *= 2;
    }
    Place *places = PyMem_Calloc(size, sizeof(Place));
    if (places == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Place *old = table->places;
    size_t old_size = table->size;
    for (size_t at = 0; at < old_size; at++) {
        if (old[at].value != NULL) {
            *find(places, size, old[at].owner, old[at].number) = old[at];
        }
    }
    table->places = places;
    table->size = size;
    table->taken = used;
    for (size_t at = 0; at < old_size; at++) {
        if (old[at].owner != NULL && old[at].value == NULL) {
            Py_DECREF(old[at].owner);
        }
    }
    PyMem_Free(old);
    return 0;
}

int
table_put(Table *table, PyObject *owner, Py_ssize_t number, PyObject *value)
{
    if (value != NULL && (table->taken + 1) * 2 > table->size && make_room(table) < 0) {
        return -1;
    }
    if (table->size == 0) {
        return 0;
    }
    Place *place = find(table->places, table->size, owner, number);
    if (place->owner == NULL) {
        if (value == NULL) {
            return 0;
        }
        place->owner = Py_NewRef(owner);
        place->number = number;
        table->taken++;
    }
    PyObject *old = place->value;
    place->value = Py_XNewRef(value);
    Py_XDECREF(old);
    return 0;
}

void
table_clear(Table *table)
{
    Place *places = table->places;
    size_t size = table->size;
    table->places = NULL;
    table->size = table->taken = 0;
    for (size_t at = 0; at < size; at++) {
        Py_XDECREF(places[at].owner);
        Py_XDECREF(places[at].value);
    }
    PyMem_Free(places);
}

int
table_traverse(Table *table, visitproc visit, void *arg)
{
    for (size_t at = 0; at < table->size; at++) {
        Py_VISIT(table->places[at].owner);
        Py_VISIT(table->places[at].value);
    }
    return 0;
}
