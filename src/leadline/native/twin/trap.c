#define _GNU_SOURCE
#include "trap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <ucontext.h>

#include "fence.h"
#include "kernel.h"
#include "refusals.h"

#define BIT(signal) (1ull << ((signal) - 1))
/* A call that traps while its signal is blocked ends the process; and the alarm is its life. */
#define NEVER_BLOCKED (BIT(SIGSYS) | BIT(SIGALRM))
/* A stopped process would outlive its alarm. */
#define STOPS (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define MASK_SIZE 8 /* of the kernel's signal sets */
#define OF_SECCOMP 1 /* SYS_SECCOMP: not sent by anybody */
#define CALL_SIZE 2 /* bytes of the instruction that makes a system call */

typedef uint64_t Arguments[6];

/* The kernel's own form of struct sigaction. */
typedef struct {
    uint64_t handler, flags, restorer, mask;
} Action;

static Rules rules;

static long
refuse(long number, const Arguments given, int error)
{
    refusals_add(number, given);
    return -error;
}

static long
trusted(long number, long a, long b, long c, long d)
{
    return kernel6(number, a, b, c, d, 0, (long)rules.cookie);
}

/* Only a regular file or a folder, and nothing of /proc that was not named: opening a FIFO or a
   device is an act. */
static int
is_harmless(long file, const struct stat *status)
{
    struct statfs system;
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode)) {
        return 0;
    }
    return kernel(SYS_fstatfs, file, &system) == 0 &&
           (system.f_type != PROC_SUPER_MAGIC || fence_admits(status->st_ino));
}

/* First only as a place (O_PATH), which disturbs nobody; when it is known what it is, through
   that very descriptor, so that it cannot have become something else. It keeps its number: the
   lowest free one, as programs expect. */
static long
open_looked_at(long folder, long path, long flags, int *refused)
{
    struct stat status;
    char again[40];
    long place = trusted(SYS_openat, folder, path,
                         O_PATH | O_CLOEXEC | (flags & (O_NOFOLLOW | O_DIRECTORY)), 0);
    if (place < 0 || flags & O_PATH) {
        return place;
    }
    long result = kernel(SYS_fstat, place, &status);
    if (result == 0 && S_ISLNK(status.st_mode)) {
        result = -ELOOP;
    }
    else if (result == 0 && !is_harmless(place, &status)) {
        *refused = 1;
        result = -EACCES;
    }
    else if (result == 0) {
        kernel_descriptor_path(again, place);
        long kept = flags & (O_CLOEXEC | O_DIRECTORY | O_NONBLOCK);
        long made = trusted(SYS_openat, AT_FDCWD, (long)again, O_RDONLY | kept, 0);
        *refused = made == -EACCES;
        result = made < 0 ? made
                          : kernel(SYS_dup3, made, place, flags & O_CLOEXEC ? O_CLOEXEC : 0);
        if (made >= 0) {
            kernel(SYS_close, made);
        }
    }
    if (result < 0) {
        kernel(SYS_close, place);
    }
    return result;
}

static long
answer_open(long number, const Arguments given)
{
    int relative = number == SYS_openat;
    long flags = number == SYS_creat ? O_WRONLY | O_CREAT : (int)given[relative + 1];
    if (!rules.opens || flags & (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))) {
        return refuse(number, given, EACCES);
    }
    int refused = 0;
    long result = open_looked_at(relative ? (int)given[0] : AT_FDCWD, (long)given[relative],
                                 flags, &refused);
    return refused ? refuse(number, given, EACCES) : result;
}

/* To what it has made itself, or was left, the twin may write; not where that leads nowhere, or
   where it may only read. */
static long
answer_write(long number, const Arguments given)
{
    long mode = kernel(SYS_fcntl, (int)given[0], F_GETFL, 0);
    if (mode < 0) {
        return mode;
    }
    if (mode & O_PATH || (mode & O_ACCMODE) == O_RDONLY) {
        return refuse(number, given, EBADF);
    }
    if (number == SYS_sendto && given[4] != 0) { /* to somebody, not to whom it is connected to */
        return refuse(number, given, EPERM);
    }
    return trusted(number, (long)given[0], (long)given[1], (long)given[2], (long)given[3]);
}

/* The kernel does it on the mask that was in force before this handler, and that mask, less what
   is never blocked, is in force after it. */
static long
answer_mask(ucontext_t *interrupted, const Arguments given)
{
    uint64_t wanted, here;
    void *mask = &interrupted->uc_sigmask;
    if (given[3] != MASK_SIZE) {
        return -EINVAL;
    }
    if (!refusals_readable(given[1], MASK_SIZE)) {
        return -EFAULT;
    }
    memcpy(&wanted, (const void *)given[1], MASK_SIZE);
    wanted &= ~NEVER_BLOCKED;
    trusted(SYS_rt_sigprocmask, SIG_SETMASK, (long)mask, (long)&here, MASK_SIZE);
    long answer = trusted(SYS_rt_sigprocmask, (long)given[0], (long)&wanted, (long)given[2],
                          MASK_SIZE);
    trusted(SYS_rt_sigprocmask, SIG_SETMASK, 0, (long)mask, MASK_SIZE);
    trusted(SYS_rt_sigprocmask, SIG_SETMASK, (long)&here, 0, MASK_SIZE);
    return answer;
}

static long
answer_action(long number, const Arguments given)
{
    Action action;
    if (given[0] == SIGSYS || given[0] == SIGALRM) {
        return refuse(number, given, EPERM);
    }
    if (!refusals_readable(given[1], sizeof action)) {
        return -EFAULT;
    }
    memcpy(&action, (const void *)given[1], sizeof action);
    action.mask &= ~NEVER_BLOCKED;
    return trusted(number, (long)given[0], (long)&action, (long)given[2], (long)given[3]);
}

/* raise(), abort() and a thread's own signals; nobody else's. */
static long
answer_signal(long number, const Arguments given)
{
    long self = kernel(SYS_getpid);
    int to = (int)given[0];
    int signal = (int)given[number == SYS_tgkill ? 2 : 1];
    int stops = signal > 0 && signal < 65 && STOPS & BIT(signal);
    if (stops || to != (number == SYS_tkill ? kernel(SYS_gettid) : self)) {
        return refuse(number, given, EPERM);
    }
    if (number == SYS_tkill) {
        return trusted(SYS_tgkill, self, to, signal, 0);
    }
    return trusted(number, to, (long)given[1], (long)given[2], 0);
}

/* Two links of that folder are its own, each other one is a thread. */
static long
threads_alive(void)
{
    struct stat status;
    long answer = trusted(SYS_newfstatat, AT_FDCWD, (long)"/proc/self/task", (long)&status, 0);
    return answer == 0 ? (long)status.st_nlink - 2 : THREADS_MAX;
}

/* A thread must begin where the call was made, not in this handler: so the call is made again,
   now with the mark in that half of the flags that the kernel does not look at. */
static int
again_as_thread(ucontext_t *interrupted, const Arguments given)
{
    uint32_t flags = (uint32_t)given[0];
    if (!rules.threads || (flags != THREAD_FLAGS && flags != THREAD_FLAGS_MUSL) ||
        given[0] >> 32 == rules.mark || threads_alive() >= THREADS_MAX) {
        return 0;
    }
    greg_t *registers = interrupted->uc_mcontext.gregs;
    registers[REG_RDI] = (greg_t)((uint64_t)rules.mark << 32 | flags);
    registers[REG_RAX] = SYS_clone;
    registers[REG_RIP] -= CALL_SIZE;
    return 1;
}

/* Errors as a program would get them that has no right to do this. */
static int
error_of(long number)
{
    switch (number) {
    case SYS_ioctl:
        return ENOTTY;
    case SYS_socket:
    case SYS_connect:
    case SYS_bind:
    case SYS_stat:
    case SYS_lstat:
    case SYS_newfstatat:
    case SYS_access:
    case SYS_unlink:
    case SYS_rename:
    case SYS_mkdir:
        return EACCES;
    default:
        return EPERM;
    }
}

static void
on_refused(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    ucontext_t *interrupted = context;
    greg_t *registers = interrupted->uc_mcontext.gregs;
    if (info->si_code != OF_SECCOMP) {
        return;
    }
    long number = info->si_syscall;
    const Arguments given = {
        (uint64_t)registers[REG_RDI], (uint64_t)registers[REG_RSI], (uint64_t)registers[REG_RDX],
        (uint64_t)registers[REG_R10], (uint64_t)registers[REG_R8],  (uint64_t)registers[REG_R9],
    };
    long answer;
    switch (number) {
    case SYS_open:
    case SYS_openat:
    case SYS_creat:
        answer = answer_open(number, given);
        break;
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
        answer = answer_write(number, given);
        break;
    case SYS_rt_sigprocmask:
        answer = answer_mask(interrupted, given);
        break;
    case SYS_rt_sigaction:
        answer = answer_action(number, given);
        break;
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
        answer = answer_signal(number, given);
        break;
    case SYS_clone:
        if (again_as_thread(interrupted, given)) {
            return;
        }
        answer = refuse(number, given, (uint32_t)given[0] == THREAD_FLAGS ? EAGAIN : EPERM);
        break;
    default:
        answer = refuse(number, given, error_of(number));
    }
    registers[REG_RAX] = answer;
}

int
trap_begin(const Rules *given)
{
    rules = *given;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_refused;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, SIGSYS);
    sigdelset(&action.sa_mask, SIGALRM);
    return sigaction(SIGSYS, &action, NULL) == 0 ? 0 : errno;
}
