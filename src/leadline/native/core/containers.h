/* Containers: lists, tuples, sets, queues and dictionaries, as Walk.row and Walk.mapping. */
#ifndef LEADLINE_CONTAINERS_H
#define LEADLINE_CONTAINERS_H

#include "shape.h"
#include "walk.h"

/* Write what lies in a container; -1 with an exception. */
int container_take_sequence(Walk *walk, PyObject *value, const Shape *shape, int level);
int container_take_set(Walk *walk, PyObject *value, const Shape *shape, int level);
int container_take_mapping(Walk *walk, PyObject *value, const Shape *shape, int level);

#endif
