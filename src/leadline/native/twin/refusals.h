/* Refusals: what the twin tried and was not let do, in words.

   Written by the handler of refused calls, in any thread, so it is a table of fixed size with a
   lock that spins; read by Python. */
#ifndef LEADLINE_REFUSALS_H
#define LEADLINE_REFUSALS_H

#include <stdint.h>

#define REFUSALS_MAX 64
#define DETAIL_ROOM 160

typedef struct {
    long number; /* of the system call */
    long count;
    char detail[DETAIL_ROOM];
} Refusal;

/* Count a refused call with its six arguments. Of texts it reads what can be read. */
void refusals_add(long number, const uint64_t arguments[6]);

/* Forget all: of a grandchild, what its twin tried. */
void refusals_clear(void);

/* How many different ones there are, and the one at `index`, oldest first. */
int refusals_count(void);
const Refusal *refusals_at(int index);

/* How many calls found no place in the table. */
long refusals_beyond(void);

/* The name of a system call, NULL if it has none here. */
const char *refusals_name(long number);

/* Whether the bytes at this place can be read. */
int refusals_readable(uint64_t place, uint64_t size);

#endif
