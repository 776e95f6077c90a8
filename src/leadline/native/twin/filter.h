/* Filter: which system calls the twin may make (seccomp).

   It is a list of what is allowed; everything else traps into `trap.c`, which writes down what
   was tried. A few calls pass only with a number that nobody but the trap knows in their sixth
   argument, which the kernel does not look at: those that must be looked at before they are
   made. The number keeps accidents out, not native code that searches this process's memory for
   it; to such code it opens no way to write: files open for reading, signals to itself. */
#ifndef LEADLINE_FILTER_H
#define LEADLINE_FILTER_H

#include <stdint.h>

typedef struct {
    uint64_t cookie; /* in the sixth argument */
    uint32_t mark; /* in the upper half of a thread's flags */
    int opens; /* files may be opened for reading */
    const int *keep; /* descriptors that are written to without a look */
    int keep_count;
    int threads;
    int grandchildren;
} Rules;

/* The one argument of `clone` that starts a thread: glibc's, and musl's. */
#define THREAD_FLAGS 0x3d0f00u
#define THREAD_FLAGS_MUSL 0x7d0f00u

/* The option of `prctl` by which a grandchild ends with its twin. */
#define OPTION_PARENT_DEATH 1

/* Put it in force for the rest of this process's life; returns its instructions or an error. */
int filter_seal(const Rules *rules);

#endif
