/* Means: what this kernel, and a sandbox around the process, let us do.

   Some sandboxes end whoever makes a call that they do not know. So such calls are not tried by
   the process itself, but by a short-lived child of its that may be ended for it. */
#ifndef LEADLINE_MEANS_H
#define LEADLINE_MEANS_H

typedef struct {
    int landlock; /* the version of the fence, 0 without */
    int filter; /* whether there are filters of system calls with all that ours needs */
    int descriptors; /* whether there are descriptors of processes */
} Means;

/* Asked once in a process. */
const Means *means(void);

#endif
