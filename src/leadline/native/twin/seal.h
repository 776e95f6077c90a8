/* Seal: what makes a copy of the process harmless, in the order in which it is done.

   All of it runs in the copy, before any line of Python, without libc's allocator and locks.
   It fails closed: a step that does not succeed ends the copy with a code of its own. */
#ifndef LEADLINE_SEAL_H
#define LEADLINE_SEAL_H

#include <stdint.h>

enum {
    POLICY_STRICT = 0,
    POLICY_READONLY = 1,
    POLICY_THREADS = 2,
    POLICY_GRANDCHILDREN = 4,
    POLICY_ALL = 7,
};

/* What the parent has prepared; the arrays and texts are its memory, which the copy has too. */
typedef struct {
    int policy;
    int64_t life_us;
    int64_t processor_s;
    int64_t memory; /* bytes beyond the present size */
    const int *keep; /* descriptors that are left as they are */
    int keep_count;
    const char *const *readable; /* folders that may be read beneath */
    int readable_count;
    const char *const *files; /* single files that may be read */
    int files_count;
} Plan;

/* With what a copy ends when a step of its seal fails; `seal_why` has the words. */
typedef enum {
    SEALED = 0,
    FAILED_SIGNALS = 201,
    FAILED_LIFE,
    FAILED_FILES_READ,
    FAILED_FILES_MANY,
    FAILED_FILES_CUT,
    FAILED_MAPS_READ,
    FAILED_MAPS_MANY,
    FAILED_MAPS_COPY,
    FAILED_MAPS_LARGE,
    FAILED_SIZE,
    FAILED_LIMITS,
    FAILED_PRIVILEGES,
    FAILED_FENCE,
    FAILED_COOKIE,
    FAILED_HANDLER,
    FAILED_FILTER,
    FAILED_GRANDCHILD,
    FAILED_END,
} Failure;

/* What was done, for the twin to tell. */
typedef struct {
    int64_t cloned_ns, begun_ns, sealed_ns, hooked_ns; /* of the monotonic clock */
    int reopened, cut, kept, outputs; /* descriptors */
    int shared_copied, shared_readonly, shared_closed; /* maps */
    int64_t shared_bytes;
    int landlock; /* version in force, 0 without */
    int rules; /* files and folders that may be read */
    int rules_missing;
    int unshare; /* 0 or an error number */
    int oom; /* 0 or an error number */
    int thread_id; /* 1 if libc's idea of it was put right */
    int filter; /* instructions */
} Done;

extern Done seal_done;

/* What lets our own calls pass the filter; see `filter.h`. */
extern uint64_t seal_cookie;

/* Ends the copy with the step's code if `ok` is false. */
#define seal_must(ok, failure) \
    do { \
        if (!(ok)) { \
            kernel_exit(failure); \
        } \
    } while (0)

/* Do all of it. */
void seal(const Plan *plan);

/* Begin the life of the calling process anew: it ends after `life_us`, whatever it does. Returns
   0 or a negative error number. `cookie` is what the filter lets it pass for, or 0. */
long seal_life(int64_t life_us, uint64_t cookie);

/* Put libc's idea of the thread's id right; returns whether that was done. */
int seal_thread_id(int old);

/* What ended a copy with this exit code, or NULL if it is none of the seal's. */
const char *seal_why(int code);

#endif
