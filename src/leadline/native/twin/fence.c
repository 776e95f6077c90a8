#define _GNU_SOURCE
#include "fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "files.h"
#include "kernel.h"
#include "means.h"

/* The kernel's own structures, at the version that all of them are used of: older ones take a
   shorter beginning of the first. */
typedef struct {
    uint64_t files, network, scope;
} Ruleset;

typedef struct {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed)) Beneath;

#define ASK_VERSION 1u
#define RULE_PATH_BENEATH 1
#define READ_FILE (1ull << 2)
#define READ_FOLDER (1ull << 3)
/* From this version on the kernel would write a line to its audit log at each refusal. */
#define VERSION_LOGS 7
#define LOG_NOT 1u

#define ADMITTED_MAX 16
static uint64_t admitted[ADMITTED_MAX];
static int admitted_count;

int
fence_admits(uint64_t inode)
{
    for (int index = 0; index < admitted_count; index++) {
        if (admitted[index] == inode) {
            return 1;
        }
    }
    return 0;
}

long
fence_ask_version(void)
{
    return kernel(CALL_LANDLOCK_CREATE_RULESET, 0, 0, ASK_VERSION);
}

/* All that a version can refuse. */
static size_t
all_of(int version, Ruleset *set)
{
    int rights = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
    *set = (Ruleset){.files = (1ull << rights) - 1};
    if (version >= 4) {
        set->network = 3; /* bind and connect */
    }
    if (version >= 6) {
        set->scope = 3; /* abstract sockets and signals */
    }
    return version >= 6 ? sizeof *set : version >= 4 ? 16 : 8;
}

/* Some descriptors belong to no file system that has paths (memfd); those stay open, and cannot
   be opened again. */
static void
allow(long set, long file, uint64_t what)
{
    Beneath rule = {.allowed = what, .parent = (int32_t)file};
    long answer = kernel(CALL_LANDLOCK_ADD_RULE, set, RULE_PATH_BENEATH, &rule, 0);
    seal_must(answer == 0 || answer == -EBADFD || answer == -EBADF, FAILED_FENCE);
    if (answer == 0) {
        seal_done.rules++;
    }
}

static void
allow_path(long set, const char *path, int folders)
{
    struct stat status;
    struct statfs system;
    long file = kernel(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
    if (file < 0) {
        seal_done.rules_missing++; /* an import path need not exist */
        return;
    }
    seal_must(kernel(SYS_fstat, file, &status) == 0 &&
                  kernel(SYS_fstatfs, file, &system) == 0,
              FAILED_FENCE);
    if (S_ISREG(status.st_mode)) {
        allow(set, file, READ_FILE);
        if (system.f_type == PROC_SUPER_MAGIC && admitted_count < ADMITTED_MAX) {
            admitted[admitted_count++] = status.st_ino;
        }
    }
    else if (S_ISDIR(status.st_mode) && folders) {
        allow(set, file, READ_FILE | READ_FOLDER);
    }
    else {
        seal_done.rules_missing++;
    }
    kernel(SYS_close, file);
}

/* What libc itself reads when it is asked how many processors there are. */
#define PROCESSORS "/sys/devices/system/cpu/online"

void
fence_seal(const Plan *plan)
{
    int version = means()->landlock;
    if (version == 0) {
        return;
    }
    Ruleset all;
    size_t size = all_of(version, &all);
    long set = kernel(CALL_LANDLOCK_CREATE_RULESET, &all, size, 0);
    seal_must(set >= 0, FAILED_FENCE);
    if (plan->policy & (POLICY_READONLY | POLICY_THREADS)) {
        allow_path(set, PROCESSORS, 0);
        for (int index = 0; index < plan->readable_count; index++) {
            allow_path(set, plan->readable[index], 1);
        }
        for (int index = 0; index < plan->files_count; index++) {
            allow_path(set, plan->files[index], 0);
        }
        for (int index = 0; index < files_open_count; index++) {
            allow(set, files_open[index], READ_FILE);
        }
    }
    unsigned flags = version >= VERSION_LOGS ? LOG_NOT : 0;
    seal_must(kernel(CALL_LANDLOCK_RESTRICT_SELF, set, flags) == 0, FAILED_FENCE);
    kernel(SYS_close, set);
    seal_done.landlock = version;
}
