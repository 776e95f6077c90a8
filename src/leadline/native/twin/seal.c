#define _GNU_SOURCE
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "fence.h"
#include "files.h"
#include "filter.h"
#include "kernel.h"
#include "maps.h"
#include "trap.h"

#define SIGNALS 64
#define MASK_SIZE 8
/* The two that libc keeps for itself, of its threads. */
#define LIBC_FIRST 32
#define LIBC_LAST 33
#define NICEST 19
#define SHARE_OF_OOM "1000" /* the kernel ends this process before any other */
/* Not 0: with that a program that collects cores is still started; with 1 it is not. */
#define NO_CORE 1
/* Where glibc on x86-64 keeps a thread's id, counted from the thread itself. */
#define THREAD_ID_OFFSET 720

Done seal_done;
uint64_t seal_cookie;

static const char *const reasons[] = {
    "its signals could not be reset",
    "its end could not be set",
    "its descriptors could not be read (is there no /proc?)",
    "it has more descriptors than are gone through",
    "a descriptor could not be cut",
    "its memory maps could not be read (is there no /proc?)",
    "it has more shared memory maps than are gone through",
    "a shared memory map could not be replaced",
    "a shared memory map is too large to be copied, and could not be made read-only",
    "its size could not be read (is there no /proc?)",
    "its limits could not be set",
    "its rights could not be given up",
    "the fence around files (Landlock) could not be put up",
    "there was no random number",
    "refused calls could not be received",
    "the filter of system calls (seccomp) was refused",
    "a grandchild could not be set up",
};

_Static_assert(sizeof reasons / sizeof *reasons == FAILED_END - FAILED_SIGNALS,
               "each failure has its words");

const char *
seal_why(int code)
{
    return code >= FAILED_SIGNALS && code < FAILED_END ? reasons[code - FAILED_SIGNALS] : NULL;
}

/* What the process would do at a signal is code of the application. A twin is not stopped, for
   it would outlive its time; and like Python it ignores what writing in vain brings. */
static void
reset_signals(void)
{
    for (int signal = 1; signal <= SIGNALS; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP ||
            (signal >= LIBC_FIRST && signal <= LIBC_LAST)) {
            continue;
        }
        int ignored = signal == SIGPIPE || signal == SIGXFSZ || signal == SIGTSTP ||
                      signal == SIGTTIN || signal == SIGTTOU;
        uint64_t action[4] = {(uint64_t)(ignored ? SIG_IGN : SIG_DFL), 0, 0, 0};
        seal_must(kernel(SYS_rt_sigaction, signal, action, 0, MASK_SIZE) == 0, FAILED_SIGNALS);
    }
}

static void
unblock_signals(void)
{
    uint64_t none = 0;
    seal_must(kernel(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, MASK_SIZE) == 0,
              FAILED_SIGNALS);
}

long
seal_life(int64_t life_us, uint64_t cookie)
{
    int64_t timer[4] = {0, 0, life_us / 1000000, life_us % 1000000};
    return kernel6(SYS_setitimer, 0 /* ITIMER_REAL */, (long)timer, 0, 0, 0, (long)cookie);
}

int
seal_thread_id(int old)
{
#ifdef __GLIBC__
    int *held = (int *)((char *)pthread_self() + THREAD_ID_OFFSET);
    int now = (int)kernel(SYS_gettid);
    if (*held != old) {
        return 0;
    }
    /* That this is the place is seen by what libc writes into a lock that checks its owner. */
    *held = now;
    pthread_mutex_t witness = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    if (pthread_mutex_lock(&witness) == 0 && witness.__data.__owner == now) {
        pthread_mutex_unlock(&witness);
        return 1;
    }
    *held = old;
#else
    (void)old;
#endif
    return 0;
}

/* It gives way to everybody: to those who want the processor, to those who want memory, and to
   whoever signals the group that its parent is in. (A session of its own would, on many kernels,
   be given a share of the processor of its own.) None of this is needed for the seal; and it
   comes late, for until its descriptors are cut, what the parent closes stays open. */
static void
give_way(void)
{
    kernel(SYS_setpgid, 0, 0);
    kernel(SYS_prctl, PR_SET_NAME, "leadline-twin");
    kernel(SYS_setpriority, PRIO_PROCESS, 0, NICEST);
    long file = kernel(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    long wrote = file;
    if (file >= 0) {
        wrote = kernel(SYS_write, file, SHARE_OF_OOM, sizeof SHARE_OF_OOM - 1);
        kernel(SYS_close, file);
    }
    seal_done.oom = wrote < 0 ? (int)-wrote : 0;
}

static void
limit(int which, uint64_t most)
{
    uint64_t present[2];
    seal_must(kernel(SYS_prlimit64, 0, which, 0, present) == 0, FAILED_LIMITS);
    uint64_t least = most < present[1] ? most : present[1];
    uint64_t wanted[2] = {least, least};
    seal_must(kernel(SYS_prlimit64, 0, which, wanted, 0) == 0, FAILED_LIMITS);
}

/* Pipes and sockets of its own hold memory of the kernel's, and count for its user. */
#define FURTHER_DESCRIPTORS 256

static void
set_limits(const Plan *plan)
{
    int64_t size = maps_size();
    seal_must(size > 0, FAILED_SIZE);
    limit(RLIMIT_CPU, (uint64_t)plan->processor_s);
    limit(RLIMIT_AS, (uint64_t)(size + plan->memory));
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CORE, NO_CORE);
    limit(RLIMIT_NOFILE, (uint64_t)files_highest + 1 + FURTHER_DESCRIPTORS);
}

/* Of root's rights that of reading its files is left: with less the twin would not see what its
   parent sees. What is seen under names (network, host) is its own where that may be had. */
static void
give_up_rights(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct rights[2] = {{0, 0, 0}, {0, 0, 0}};
    uint32_t kept = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
    seal_done.unshare = (int)-kernel(SYS_unshare, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
    seal_must(kernel(SYS_capget, &header, rights) == 0, FAILED_PRIVILEGES);
    for (int half = 0; half < 2; half++) {
        uint32_t left = half == 0 ? rights[half].permitted & kept : 0;
        rights[half].effective &= left;
        rights[half].permitted = left;
        rights[half].inheritable = 0;
    }
    seal_must(kernel(SYS_capset, &header, rights) == 0, FAILED_PRIVILEGES);
    seal_must(kernel(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1) == 0, FAILED_PRIVILEGES);
    /* Nobody traces it, and nothing collects what it was when it dies. */
    seal_must(kernel(SYS_prctl, PR_SET_DUMPABLE, 0) == 0, FAILED_PRIVILEGES);
}

static void
put_up_filter(const Plan *plan)
{
    uint32_t random[3];
    seal_must(kernel(SYS_getrandom, random, sizeof random, 0) == sizeof random, FAILED_COOKIE);
    seal_cookie = (uint64_t)random[0] << 32 | random[1];
    Rules rules = {
        .cookie = seal_cookie,
        .mark = random[2] | 1, /* the upper half of plain flags is 0 */
        .keep = plan->keep,
        .keep_count = plan->keep_count,
        .opens = plan->policy & (POLICY_READONLY | POLICY_THREADS) && seal_done.landlock,
        .threads = (plan->policy & POLICY_THREADS) != 0,
        .grandchildren = (plan->policy & POLICY_GRANDCHILDREN) != 0,
    };
    seal_must(trap_begin(&rules) == 0, FAILED_HANDLER);
    seal_done.filter = filter_seal(&rules);
    seal_must(seal_done.filter > 0, FAILED_FILTER);
}

void
seal(const Plan *plan)
{
    reset_signals();
    seal_must(seal_life(plan->life_us, 0) == 0, FAILED_LIFE);
    unblock_signals();
    files_seal(plan);
    maps_seal();
    give_way();
    set_limits(plan);
    give_up_rights();
    fence_seal(plan);
    put_up_filter(plan);
}
