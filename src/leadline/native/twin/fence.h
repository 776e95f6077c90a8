/* Fence: which files may be read, kept by the kernel (Landlock).

   It names files and folders by what they are, not by their names, so that no link and no other
   path leads around it; it also keeps the twin from signals, sockets by name and from tracing
   anybody outside. Where the kernel has none, a twin opens nothing at all. */
#ifndef LEADLINE_FENCE_H
#define LEADLINE_FENCE_H

#include "seal.h"

/* Ask for the version of the kernel's interface; to be asked by `means` only. */
long fence_ask_version(void);

/* In the copy: shut everything but what the plan and the policy let be read. The parent must
   have asked for its means. */
void fence_seal(const Plan *plan);

/* Whether this file of /proc was named by the plan: no other one is opened, since most of them
   speak of other processes. */
int fence_admits(uint64_t inode);

#endif
