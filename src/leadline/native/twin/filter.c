#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/socket.h>

#include "kernel.h"

#define INSTRUCTIONS_MAX 1024
#define FOREIGN_CALLS 0x40000000u /* x32: other calls by other numbers */
#define TRAP SECCOMP_RET_TRAP
#define ALLOW SECCOMP_RET_ALLOW
#define SUCCEED (SECCOMP_RET_ERRNO | 0u) /* without anything being done */
#define OPEN_WRITES ((uint32_t)(O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | 020000000 /* tmpfile */))
#define STATUS_NEVER ((uint32_t)(O_ASYNC | O_DIRECT | O_NOATIME))
#define EMPTY_PATH 0x1000u
#define HARMFUL_ADVICE 100u /* from here on it is of the hardware: poisoned and offline pages */
#define PRIVATE_FUTEX 128u
#define FUTEX_COMMAND 127u
#define KEPT_MAX 16 /* a channel or two */
#define UNBLOCK 1u /* of rt_sigprocmask */

/* What a process needs to compute, to wait, and to talk with itself and by what it was left. */
static const short allowed[] = {
    SYS_read, SYS_readv, SYS_pread64, SYS_preadv, 327 /* preadv2 */,
    SYS_lseek, SYS_close, 436 /* close_range */, SYS_fstat, SYS_dup, SYS_dup2, SYS_dup3, SYS_pipe,
    SYS_pipe2, SYS_eventfd, SYS_eventfd2, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_brk,
    SYS_mincore, SYS_mlock, SYS_munlock, SYS_rt_sigreturn, SYS_rt_sigpending,
    SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_pause, SYS_restart_syscall, SYS_sched_yield,
    SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
    SYS_time, SYS_times, SYS_getpid, SYS_gettid, SYS_getppid, SYS_getpgrp, SYS_getpgid, SYS_getsid,
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups, SYS_getresuid,
    SYS_getresgid, SYS_capget, 449 /* futex_waitv */,
    SYS_exit, SYS_exit_group, SYS_wait4, SYS_waitid, SYS_getrandom, SYS_getrusage, SYS_getrlimit,
    SYS_getitimer, SYS_getpriority, SYS_sched_getaffinity, SYS_sched_getparam,
    SYS_sched_getscheduler, SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_sysinfo,
    SYS_uname, SYS_getcpu, SYS_get_mempolicy, SYS_poll, SYS_select,
    SYS_epoll_create, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_recvfrom, SYS_getsockopt, SYS_setsockopt, SYS_getsockname,
    SYS_getpeername, SYS_shutdown, 334 /* rseq */,
    335, 336 /* of tracers from outside: uretprobe, uprobe */, SYS_set_robust_list, SYS_get_robust_list,
    SYS_set_tid_address, SYS_membarrier, SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_umask,
    SYS_fstatfs,
};

/* Looking at files and folders without opening them. */
static const short looking[] = {
    SYS_stat, SYS_lstat, SYS_newfstatat, 332 /* statx */, SYS_access, SYS_faccessat,
    439 /* faccessat2 */, SYS_readlink, SYS_readlinkat, SYS_getdents, SYS_getdents64, SYS_statfs,
    SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_listxattr, SYS_llistxattr,
    SYS_flistxattr,
};

/* Said to have been done: a twin that waited for a lock, gave one back, or let the kernel store
   or forget pages of a file would be felt. */
static const short pretended[] = {
    SYS_fadvise64, SYS_readahead,
    SYS_flock, SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_sync_file_range, SYS_msync,
};

static const unsigned file_commands[] = {
    F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC, F_GETLK, 36 /* F_OFD_GETLK */,
    1032 /* F_GETPIPE_SZ */, 1034 /* F_GET_SEALS */,
};
static const unsigned lock_commands[] = {
    F_SETLK, F_SETLKW, 37 /* F_OFD_SETLK */, 38 /* F_OFD_SETLKW */,
};
static const unsigned device_commands[] = {
    0x5401 /* TCGETS */, 0x5413 /* TIOCGWINSZ */, 0x541b /* FIONREAD */, 0x5421 /* FIONBIO */,
    0x5450 /* FIONCLEX */, 0x5451 /* FIOCLEX */,
};
static const unsigned page_advice[] = {
    9 /* REMOVE */, 20 /* COLD */, 21 /* PAGEOUT */,
};
static const unsigned waking_commands[] = {
    0 /* WAIT */, 1 /* WAKE */, 9 /* WAIT_BITSET */, 10 /* WAKE_BITSET */,
};
static const unsigned process_options[] = {
    3 /* GET_DUMPABLE */, 15 /* SET_NAME */, 16 /* GET_NAME */, 21 /* GET_SECCOMP */,
    23 /* CAPBSET_READ */, 39 /* GET_NO_NEW_PRIVS */, 0x53564d41 /* SET_VMA, names of memory */,
};

typedef struct {
    struct sock_filter code[INSTRUCTIONS_MAX];
    int size;
} Program;

/* The copy's own: nothing of it is touched in the parent. */
static Program program;

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void
emit(unsigned code, unsigned value, int if_true, int if_false)
{
    if (program.size < INSTRUCTIONS_MAX) {
        program.code[program.size++] =
            (struct sock_filter){(uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, value};
    }
}

static void
load(size_t offset)
{
    emit(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void
load_number(void)
{
    load(offsetof(struct seccomp_data, nr));
}

static void
load_low(int argument)
{
    load(offsetof(struct seccomp_data, args) + 8 * (size_t)argument);
}

static void
load_high(int argument)
{
    load(offsetof(struct seccomp_data, args) + 8 * (size_t)argument + 4);
}

static void
answer(unsigned value)
{
    emit(BPF_RET | BPF_K, value, 0, 0);
}

static void
answer_if_equal(unsigned value, unsigned with)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(with);
}

static void
answer_if_any_bit(unsigned bits, unsigned with)
{
    emit(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    answer(with);
}

static void
answer_if_one_of(const unsigned *values, size_t count, unsigned with)
{
    for (size_t index = 0; index < count; index++) {
        answer_if_equal(values[index], with);
    }
}

/* Both halves of an argument are zero: a pointer that was not given. */
static void
answer_if_null(int argument, unsigned with)
{
    load_high(argument);
    emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load_low(argument);
    answer_if_equal(0, with);
}

/* What follows, up to `end`, is of this one call, and must answer. */
static int
begin(long number)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 0);
    return program.size - 1;
}

static void
end(int begun)
{
    program.code[begun].jf = (uint8_t)(program.size - begun - 1);
}

static void
calls(const short *numbers, size_t count, unsigned with)
{
    for (size_t index = 0; index < count; index++) {
        answer_if_equal((unsigned)numbers[index], with);
    }
}

/* With the cookie: what the trap has looked at, and what a grandchild needs. */
static void
trusted(const Rules *rules)
{
    load_high(5);
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(rules->cookie >> 32), 1, 0);
    emit(BPF_JMP | BPF_JA, 0, 0, 0);
    int first = program.size - 1;
    load_low(5);
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rules->cookie, 1, 0);
    emit(BPF_JMP | BPF_JA, 0, 0, 0);
    int second = program.size - 1;

    load_number();
    answer_if_equal(SYS_rt_sigprocmask, ALLOW);
    answer_if_equal(SYS_rt_sigaction, ALLOW);
    answer_if_equal(SYS_kill, ALLOW);
    answer_if_equal(SYS_tgkill, ALLOW);
    answer_if_equal(SYS_newfstatat, ALLOW);
    answer_if_equal(SYS_readlinkat, ALLOW);
    answer_if_equal(SYS_write, ALLOW);
    answer_if_equal(SYS_writev, ALLOW);
    answer_if_equal(SYS_sendto, ALLOW);
    if (rules->opens) {
        int at = begin(SYS_openat);
        load_low(2);
        answer_if_any_bit(OPEN_WRITES & ~(uint32_t)O_APPEND, TRAP);
        answer(ALLOW);
        end(at);
    }
    if (rules->grandchildren) {
        answer_if_equal(SYS_setitimer, ALLOW);
        int at = begin(SYS_clone);
        load_low(0);
        answer_if_equal(0, ALLOW);
        answer(TRAP);
        end(at);
        at = begin(SYS_prctl);
        load_low(0);
        answer_if_equal(OPTION_PARENT_DEATH, ALLOW);
        answer(TRAP);
        end(at);
    }
    program.code[first].k = (uint32_t)(program.size - first - 1);
    program.code[second].k = (uint32_t)(program.size - second - 1);
}

/* A descriptor that leads nowhere, or that is for reading only, would refuse this by itself, and
   nobody would hear of it: so it is looked at. */
static void
writing(long number, const Rules *rules)
{
    int at = begin(number);
    load_low(0);
    for (int index = 0; index < rules->keep_count && index < KEPT_MAX; index++) {
        answer_if_equal((unsigned)rules->keep[index], ALLOW);
    }
    answer(TRAP);
    end(at);
}

static void
descriptors(void)
{
    int at = begin(SYS_fcntl);
    load_low(1);
    answer_if_one_of(lock_commands, COUNT(lock_commands), SUCCEED);
    answer_if_one_of(file_commands, COUNT(file_commands), ALLOW);
    int set = begin(F_SETFL);
    load_low(2);
    answer_if_any_bit(STATUS_NEVER, TRAP);
    answer(ALLOW);
    end(set);
    answer(TRAP);
    end(at);

    at = begin(SYS_ioctl);
    load_low(1);
    answer_if_one_of(device_commands, COUNT(device_commands), ALLOW);
    answer(TRAP);
    end(at);

    at = begin(SYS_socketpair);
    load_low(0);
    answer_if_equal(AF_UNIX, ALLOW);
    answer(TRAP);
    end(at);
}

/* Who waits under another mask could wait for ever: the alarm might be in it. */
static void
without_mask(long number, int argument)
{
    int at = begin(number);
    answer_if_null(argument, ALLOW);
    answer(TRAP);
    end(at);
}

static void
waiting(void)
{
    without_mask(SYS_ppoll, 3);
    without_mask(SYS_pselect6, 5);
    without_mask(SYS_epoll_pwait, 4);
    without_mask(441 /* epoll_pwait2 */, 4);
}

static void
process(const Rules *rules)
{
    int at = begin(SYS_rt_sigprocmask);
    load_low(0);
    answer_if_equal(UNBLOCK, ALLOW);
    answer_if_null(1, ALLOW);
    answer(TRAP);
    end(at);

    at = begin(SYS_rt_sigaction);
    answer_if_null(1, ALLOW);
    answer(TRAP);
    end(at);

    at = begin(SYS_madvise);
    load_low(2);
    emit(BPF_JMP | BPF_JGE | BPF_K, HARMFUL_ADVICE, 0, 1);
    answer(TRAP);
    answer_if_one_of(page_advice, COUNT(page_advice), TRAP);
    answer(ALLOW);
    end(at);

    /* Of memory that others see as well: who waits there may be woken for nothing, which they
       must bear anyway; but not be moved elsewhere, where nobody would ever wake them. */
    at = begin(SYS_futex);
    load_low(1);
    answer_if_any_bit(PRIVATE_FUTEX, ALLOW);
    emit(BPF_ALU | BPF_AND | BPF_K, FUTEX_COMMAND, 0, 0);
    answer_if_one_of(waking_commands, COUNT(waking_commands), ALLOW);
    answer(TRAP);
    end(at);

    at = begin(SYS_prlimit64);
    load_low(0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    answer(TRAP);
    answer_if_null(2, ALLOW);
    answer(TRAP);
    end(at);

    at = begin(SYS_prctl);
    load_low(0);
    answer_if_one_of(process_options, COUNT(process_options), ALLOW);
    answer(TRAP);
    end(at);

    answer_if_equal(435 /* clone3 */, SECCOMP_RET_ERRNO | ENOSYS); /* libc then uses clone */
    if (rules->threads) {
        at = begin(SYS_clone);
        load_high(0);
        emit(BPF_JMP | BPF_JEQ | BPF_K, rules->mark, 1, 0);
        answer(TRAP);
        load_low(0);
        answer_if_equal(THREAD_FLAGS, ALLOW);
        answer_if_equal(THREAD_FLAGS_MUSL, ALLOW);
        answer(TRAP);
        end(at);
    }
}

/* Without opens a descriptor's own status is all there is to be looked at. */
static void
own_status(long number, int flags)
{
    int at = begin(number);
    load_low(flags);
    answer_if_any_bit(EMPTY_PATH, ALLOW);
    answer(TRAP);
    end(at);
}

int
filter_seal(const Rules *rules)
{
    program.size = 0;
    load(offsetof(struct seccomp_data, arch));
    emit(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    answer(SECCOMP_RET_KILL_PROCESS);
    load_number();
    emit(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_CALLS, 0, 1);
    answer(SECCOMP_RET_KILL_PROCESS);
    trusted(rules);
    load_number();
    calls(allowed, COUNT(allowed), ALLOW);
    if (rules->opens) {
        calls(looking, COUNT(looking), ALLOW);
    }
    else {
        own_status(SYS_newfstatat, 3);
        own_status(332 /* statx */, 2);
    }
    calls(pretended, COUNT(pretended), SUCCEED);
    writing(SYS_write, rules);
    writing(SYS_writev, rules);
    writing(SYS_sendto, rules);
    descriptors();
    waiting();
    process(rules);
    answer(TRAP);
    if (program.size >= INSTRUCTIONS_MAX) {
        return -E2BIG;
    }
    struct sock_fprog all = {(unsigned short)program.size, program.code};
    /* Without the flag each of the twin's jumps would be slowed down for its neighbours' sake. */
    long done = kernel(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &all);
    return done == 0 ? program.size : (int)done;
}
