#define _GNU_SOURCE
#include "files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "kernel.h"

/* Of a twin's own files: more are not looked for in a grandchild. */
#define REFRESHED_MAX 1024
/* Of more descriptors than a service has it is not remembered what they were. */
#define KINDS_MAX 4096
#define OUTPUTS 3 /* standard input, output and error: there is no use in failing at each print */

/* The copy's own: nothing of it is touched in the parent. */
int files_open[FILES_MAX];
int files_open_count;
int files_highest;
static int found[FILES_MAX];
static const char *kinds[KINDS_MAX];
static int found_count;

typedef struct {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t kind;
    char name[];
} Entry;

static int
number_of(const char *name)
{
    int number = 0;
    for (; *name >= '0' && *name <= '9'; name++) {
        number = number * 10 + (*name - '0');
    }
    return *name ? -1 : number;
}

static void
find_all(void)
{
    char room[8192] __attribute__((aligned(8)));
    long folder = kernel(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    seal_must(folder >= 0, FAILED_FILES_READ);
    long count;
    while ((count = kernel(SYS_getdents64, folder, room, sizeof room)) > 0) {
        for (long at = 0; at < count;) {
            const Entry *entry = (const Entry *)(room + at);
            int number = entry->name[0] == '.' ? -1 : number_of(entry->name);
            if (number >= 0 && number != folder) {
                seal_must(found_count < FILES_MAX, FAILED_FILES_MANY);
                found[found_count++] = number;
            }
            at += entry->size;
        }
    }
    seal_must(count == 0, FAILED_FILES_READ);
    kernel(SYS_close, folder);
}

static int
is_kept(const Plan *plan, int number)
{
    for (int index = 0; index < plan->keep_count; index++) {
        if (plan->keep[index] == number) {
            return 1;
        }
    }
    return 0;
}

static void
replace(int number, long by, long flags)
{
    seal_must(kernel(SYS_dup3, by, number, flags & FD_CLOEXEC ? O_CLOEXEC : 0) == number,
              FAILED_FILES_CUT);
}

/* Open a file or folder once more, for reading, at the offset that it had: true if that worked.
   Files of /proc are of the parent, not of the twin, and alive. */
static int
reopen(int number, const struct stat *status, long flags)
{
    char path[40];
    struct statfs system;
    int folder = S_ISDIR(status->st_mode);
    if (kernel(SYS_fstatfs, number, &system) != 0 || system.f_type == PROC_SUPER_MAGIC) {
        return 0;
    }
    kernel_descriptor_path(path, number);
    long again = kernel(SYS_openat, AT_FDCWD, path,
                        O_RDONLY | O_CLOEXEC | O_NONBLOCK | (folder ? O_DIRECTORY : 0));
    if (again < 0) {
        return 0; /* of another user, opened before this process gave up its rights */
    }
    long offset = kernel(SYS_lseek, number, 0, SEEK_CUR);
    if (offset > 0) {
        kernel(SYS_lseek, again, offset, SEEK_SET);
    }
    replace(number, again, flags);
    kernel(SYS_close, again);
    if (!folder) {
        files_open[files_open_count++] = number;
    }
    return 1;
}

/* What is read and written by the ordinary means when nothing is to come of it; -1 without. */
static long
open_null(void)
{
    struct stat status;
    long null = kernel(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (null >= 0 && (kernel(SYS_fstat, null, &status) != 0 || !S_ISCHR(status.st_mode) ||
                      status.st_rdev != makedev(1, 3))) {
        kernel(SYS_close, null);
        return -1;
    }
    return null;
}

static const char *
kind_of(const struct stat *status)
{
    switch (status->st_mode & S_IFMT) {
    case S_IFREG:
        return "a file";
    case S_IFDIR:
        return "a folder";
    case S_IFSOCK:
        return "a socket";
    case S_IFIFO:
        return "a pipe";
    case S_IFCHR:
        return "a device";
    default:
        return NULL; /* an event queue, a timer */
    }
}

const char *
files_kind(int number)
{
    return number >= 0 && number < KINDS_MAX ? kinds[number] : NULL;
}

/* What the ones that are cut become. */
typedef struct {
    long nowhere, null;
} Ends;

static int
can_be_read(const Plan *plan, int number, struct stat *status)
{
    return plan->policy & (POLICY_READONLY | POLICY_THREADS) &&
           kernel(SYS_fstat, number, status) == 0 &&
           (S_ISREG(status->st_mode) || S_ISDIR(status->st_mode));
}

static void
cut(const Ends *ends, int number, long flags)
{
    if (number < OUTPUTS && ends->null >= 0) {
        replace(number, ends->null, 0);
        return;
    }
    struct stat status;
    if (number < KINDS_MAX && kernel(SYS_fstat, number, &status) == 0) {
        kinds[number] = kind_of(&status);
    }
    replace(number, ends->nowhere, flags);
    seal_done.cut++;
}

/* Files take longer, and nobody waits for them to be closed; so they come last. */
static void
seal_one(const Plan *plan, const Ends *ends, int number, int files)
{
    struct stat status;
    long mode = kernel(SYS_fcntl, number, F_GETFL, 0);
    long flags = kernel(SYS_fcntl, number, F_GETFD, 0);
    seal_must(flags >= 0 && mode >= 0, FAILED_FILES_CUT);
    if (mode & O_PATH) {
        return;
    }
    int file = number >= OUTPUTS && can_be_read(plan, number, &status);
    if (!file && !files) {
        cut(ends, number, flags);
    }
    else if (file && files && reopen(number, &status, flags)) {
        seal_done.reopened++;
    }
    else if (file && files) {
        cut(ends, number, flags);
    }
}

void
files_seal(const Plan *plan)
{
    find_all();
    Ends ends = {kernel(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC), open_null()};
    seal_must(ends.nowhere >= 0, FAILED_FILES_CUT);
    for (int files = 0; files < 2; files++) {
        for (int index = 0; index < found_count; index++) {
            int number = found[index];
            files_highest = number > files_highest ? number : files_highest;
            if (!is_kept(plan, number)) {
                seal_one(plan, &ends, number, files);
            }
            else {
                seal_done.kept += files;
            }
        }
    }
    kernel(SYS_close, ends.nowhere);
    if (ends.null >= 0) {
        kernel(SYS_close, ends.null);
    }
}

void
files_refresh(uint64_t cookie)
{
    for (int number = 0; number < REFRESHED_MAX; number++) {
        struct stat status;
        char path[40];
        long mode = kernel(SYS_fcntl, number, F_GETFL, 0);
        if (mode < 0 || mode & O_PATH || (mode & O_ACCMODE) != O_RDONLY ||
            kernel(SYS_fstat, number, &status) != 0 || !S_ISREG(status.st_mode)) {
            continue;
        }
        kernel_descriptor_path(path, number);
        long again = kernel6(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0,
                             (long)cookie);
        if (again < 0) {
            continue; /* kept by the caller, where nothing is opened: it stays shared */
        }
        kernel(SYS_lseek, again, kernel(SYS_lseek, number, 0, SEEK_CUR), SEEK_SET);
        replace(number, again, kernel(SYS_fcntl, number, F_GETFD, 0));
        kernel(SYS_close, again);
    }
}
