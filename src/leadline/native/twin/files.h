/* Files: the descriptors that the copy has inherited.

   A descriptor is shared with the parent down to the offset in the file. So each regular file
   and folder is opened once more for reading, at its own offset; everything else, sockets,
   pipes, devices, stays as a number that leads nowhere: each use is an error (EBADF). Not
   /dev/null, which would make a write to a pipe look as if it had succeeded. */
#ifndef LEADLINE_FILES_H
#define LEADLINE_FILES_H

#include "seal.h"

#ifndef FILES_MAX /* a test has fewer */
#define FILES_MAX 65536
#endif

/* In the copy: cut all descriptors but `plan->keep`. */
void files_seal(const Plan *plan);

/* In a copy of a copy: give each regular file an offset of its own again. `cookie` is what the
   filter lets it open for. */
void files_refresh(uint64_t cookie);

/* The highest number of a descriptor. */
extern int files_highest;

/* The regular files that are open, now for reading: what the fence lets be opened again. */
extern int files_open[];
extern int files_open_count;

/* What a descriptor was before it was cut: "a socket", "a file"; NULL if that is not known. */
const char *files_kind(int number);

#endif
