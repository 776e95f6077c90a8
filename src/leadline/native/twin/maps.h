/* Maps: the memory that the process shares with others, and its size.

   Memory that is private is frozen by the clone; what is shared would still be written through.
   So every shared map that can be written, or that could be made so, becomes a private copy. */
#ifndef LEADLINE_MAPS_H
#define LEADLINE_MAPS_H

#include <stdint.h>

/* In the copy: take away everything that is shared and can be written. */
void maps_seal(void);

/* Bytes of the process's address space, or -1. */
int64_t maps_size(void);

/* In the parent: bytes of writable shared maps, counted up to `limit`; -1 if they cannot be
   read. */
int64_t maps_shared_writable(int64_t limit);

#endif
