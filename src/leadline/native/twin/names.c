#include "names.h"

#include <stddef.h>

#define PLAIN(number, text) {number, DETAIL_NONE, 0, 0, text}
#define DESCRIPTOR(number, text) {number, DETAIL_DESCRIPTOR, 0, 0, text}
#define PATH(number, text, at) {number, DETAIL_TEXT, at, 0, text}
#define PATHS(number, text, at, other) {number, DETAIL_TWO_TEXTS, at, other, text}
#define COUNT(number, text, at) {number, DETAIL_NUMBER, at, 0, text}
#define BITS(number, text, at) {number, DETAIL_HEXADECIMAL, at, 0, text}
#define SIGNAL(number, text, at, other) {number, DETAIL_SIGNAL, at, other, text}

/* By number, as they are on x86-64: many are younger than the headers of a build machine. What
   is always allowed is not among them. */
static const Name names[] = {
    DESCRIPTOR(1, "write"), PATH(2, "open", 0), PATH(4, "stat", 0), PATH(6, "lstat", 0), COUNT(13, "rt_sigaction", 0),
    PLAIN(14, "rt_sigprocmask"), BITS(16, "ioctl", 1), DESCRIPTOR(18, "pwrite64"),
    DESCRIPTOR(20, "writev"), PATH(21, "access", 0), COUNT(28, "madvise", 2), COUNT(29, "shmget", 0),
    COUNT(30, "shmat", 0), PLAIN(31, "shmctl"), COUNT(37, "alarm", 0),
    COUNT(38, "setitimer", 0), PLAIN(40, "sendfile"), {41, DETAIL_FAMILY, 0, 0, "socket"},
    {42, DETAIL_ADDRESS, 1, 0, "connect"}, PLAIN(43, "accept"),
    {44, DETAIL_ADDRESS, 4, 0, "sendto"}, DESCRIPTOR(46, "sendmsg"), PLAIN(47, "recvmsg"),
    PLAIN(48, "shutdown"), {49, DETAIL_ADDRESS, 1, 0, "bind"}, PLAIN(50, "listen"),
    PLAIN(51, "getsockname"), PLAIN(52, "getpeername"), {53, DETAIL_FAMILY, 0, 0, "socketpair"},
    PLAIN(54, "setsockopt"), PLAIN(55, "getsockopt"), {56, DETAIL_CLONE, 0, 0, "clone"},
    PLAIN(57, "fork"), PLAIN(58, "vfork"), PATH(59, "execve", 0), SIGNAL(62, "kill", 0, 1),
    COUNT(64, "semget", 0), PLAIN(65, "semop"), PLAIN(66, "semctl"), PLAIN(67, "shmdt"),
    COUNT(68, "msgget", 0), PLAIN(69, "msgsnd"), PLAIN(70, "msgrcv"), PLAIN(71, "msgctl"),
    BITS(72, "fcntl", 1), PATH(76, "truncate", 0), DESCRIPTOR(77, "ftruncate"),
    PLAIN(78, "getdents"), PATHS(82, "rename", 0, 1), PATH(83, "mkdir", 0),
    PATH(84, "rmdir", 0), PATH(85, "creat", 0), PATHS(86, "link", 0, 1), PATH(87, "unlink", 0),
    PATHS(88, "symlink", 0, 1), PATH(89, "readlink", 0), PATH(90, "chmod", 0),
    DESCRIPTOR(91, "fchmod"), PATH(92, "chown", 0), DESCRIPTOR(93, "fchown"), PATH(94, "lchown", 0),
    COUNT(101, "ptrace", 1), PLAIN(103, "syslog"), COUNT(105, "setuid", 0),
    COUNT(106, "setgid", 0), COUNT(109, "setpgid", 0), PLAIN(112, "setsid"),
    COUNT(113, "setreuid", 0), COUNT(114, "setregid", 0), PLAIN(116, "setgroups"),
    COUNT(117, "setresuid", 0), COUNT(119, "setresgid", 0), PLAIN(122, "setfsuid"),
    PLAIN(123, "setfsgid"), PLAIN(126, "capset"), PLAIN(128, "rt_sigtimedwait"),
    SIGNAL(129, "rt_sigqueueinfo", 0, 1), PLAIN(130, "rt_sigsuspend"), PATH(132, "utime", 0),
    PATH(133, "mknod", 0), PATH(134, "uselib", 0), BITS(135, "personality", 0),
    PLAIN(136, "ustat"), PATH(137, "statfs", 0), PLAIN(138, "fstatfs"), PLAIN(139, "sysfs"),
    PLAIN(140, "getpriority"), COUNT(141, "setpriority", 1), COUNT(142, "sched_setparam", 0),
    PLAIN(143, "sched_getparam"), COUNT(144, "sched_setscheduler", 0),
    PLAIN(145, "sched_getscheduler"), PLAIN(146, "sched_get_priority_max"),
    PLAIN(147, "sched_get_priority_min"), PLAIN(148, "sched_rr_get_interval"),
    PLAIN(149, "mlock"), PLAIN(150, "munlock"), PLAIN(151, "mlockall"),
    PLAIN(152, "munlockall"), PLAIN(153, "vhangup"), PLAIN(154, "modify_ldt"),
    PATHS(155, "pivot_root", 0, 1), PLAIN(156, "_sysctl"), BITS(157, "prctl", 0),
    BITS(158, "arch_prctl", 0), PLAIN(159, "adjtimex"), COUNT(160, "setrlimit", 0),
    PATH(161, "chroot", 0), PATH(163, "acct", 0), PLAIN(164, "settimeofday"),
    PATHS(165, "mount", 0, 1), PATH(166, "umount2", 0), PATH(167, "swapon", 0),
    PATH(168, "swapoff", 0), PLAIN(169, "reboot"), PATH(170, "sethostname", 0),
    PATH(171, "setdomainname", 0), PLAIN(172, "iopl"), PLAIN(173, "ioperm"),
    PLAIN(174, "create_module"), PLAIN(175, "init_module"), PATH(176, "delete_module", 0),
    PLAIN(177, "get_kernel_syms"), PLAIN(178, "query_module"), PATH(179, "quotactl", 1),
    PLAIN(180, "nfsservctl"), PLAIN(181, "getpmsg"), PLAIN(182, "putpmsg"),
    PLAIN(183, "afs_syscall"), PLAIN(184, "tuxcall"), PLAIN(185, "security"),
    PLAIN(187, "readahead"), PATH(188, "setxattr", 0), PATH(189, "lsetxattr", 0),
    COUNT(190, "fsetxattr", 0), PATH(191, "getxattr", 0), PATH(192, "lgetxattr", 0),
    PLAIN(193, "fgetxattr"), PATH(194, "listxattr", 0), PATH(195, "llistxattr", 0),
    PLAIN(196, "flistxattr"), PATH(197, "removexattr", 0), PATH(198, "lremovexattr", 0),
    PLAIN(199, "fremovexattr"), SIGNAL(200, "tkill", 0, 1), BITS(202, "futex", 1),
    COUNT(203, "sched_setaffinity", 0), PLAIN(205, "set_thread_area"), PLAIN(206, "io_setup"),
    PLAIN(207, "io_destroy"), PLAIN(208, "io_getevents"), PLAIN(209, "io_submit"),
    PLAIN(210, "io_cancel"), PLAIN(211, "get_thread_area"), PLAIN(212, "lookup_dcookie"),
    PLAIN(214, "epoll_ctl_old"), PLAIN(215, "epoll_wait_old"), PLAIN(216, "remap_file_pages"),
    PLAIN(220, "semtimedop"), PLAIN(221, "fadvise64"), PLAIN(222, "timer_create"),
    PLAIN(223, "timer_settime"), PLAIN(224, "timer_gettime"), PLAIN(225, "timer_getoverrun"),
    PLAIN(226, "timer_delete"), PLAIN(227, "clock_settime"), SIGNAL(234, "tgkill", 1, 2),
    PATH(235, "utimes", 0), PLAIN(236, "vserver"), PLAIN(237, "mbind"),
    PLAIN(238, "set_mempolicy"), PLAIN(239, "get_mempolicy"), PATH(240, "mq_open", 0),
    PATH(241, "mq_unlink", 0), PLAIN(242, "mq_timedsend"), PLAIN(243, "mq_timedreceive"),
    PLAIN(244, "mq_notify"), PLAIN(245, "mq_getsetattr"), PLAIN(246, "kexec_load"),
    PLAIN(248, "add_key"), PLAIN(249, "request_key"), BITS(250, "keyctl", 0),
    COUNT(251, "ioprio_set", 0), PLAIN(252, "ioprio_get"), PLAIN(253, "inotify_init"),
    PATH(254, "inotify_add_watch", 1), PLAIN(255, "inotify_rm_watch"),
    COUNT(256, "migrate_pages", 0), PATH(257, "openat", 1), PATH(258, "mkdirat", 1),
    PATH(259, "mknodat", 1), PATH(260, "fchownat", 1), PATH(261, "futimesat", 1),
    PATH(262, "newfstatat", 1), PATH(263, "unlinkat", 1), PATHS(264, "renameat", 1, 3),
    PATHS(265, "linkat", 1, 3), PATHS(266, "symlinkat", 0, 2), PATH(267, "readlinkat", 1),
    PATH(268, "fchmodat", 1), PATH(269, "faccessat", 1), PLAIN(270, "pselect6"),
    PLAIN(271, "ppoll"), BITS(272, "unshare", 0), PLAIN(274, "get_robust_list"),
    PLAIN(275, "splice"), PLAIN(276, "tee"), PLAIN(277, "sync_file_range"),
    PLAIN(278, "vmsplice"), COUNT(279, "move_pages", 0), PATH(280, "utimensat", 1),
    PLAIN(281, "epoll_pwait"), PLAIN(282, "signalfd"), PLAIN(283, "timerfd_create"),
    DESCRIPTOR(285, "fallocate"), PLAIN(286, "timerfd_settime"), PLAIN(287, "timerfd_gettime"),
    PLAIN(288, "accept4"), PLAIN(289, "signalfd4"), PLAIN(294, "inotify_init1"),
    DESCRIPTOR(296, "pwritev"), SIGNAL(297, "rt_tgsigqueueinfo", 1, 2),
    PLAIN(298, "perf_event_open"), PLAIN(299, "recvmmsg"), PLAIN(300, "fanotify_init"),
    PATH(301, "fanotify_mark", 4), COUNT(302, "prlimit64", 0),
    PATH(303, "name_to_handle_at", 1), PLAIN(304, "open_by_handle_at"),
    PLAIN(305, "clock_adjtime"), DESCRIPTOR(307, "sendmmsg"), COUNT(308, "setns", 0),
    COUNT(310, "process_vm_readv", 0), COUNT(311, "process_vm_writev", 0),
    COUNT(312, "kcmp", 0), PLAIN(313, "finit_module"), COUNT(314, "sched_setattr", 0),
    PLAIN(315, "sched_getattr"), PATHS(316, "renameat2", 1, 3), PLAIN(317, "seccomp"),
    PATH(319, "memfd_create", 0), PLAIN(320, "kexec_file_load"), BITS(321, "bpf", 0),
    PATH(322, "execveat", 1), PLAIN(323, "userfaultfd"), PLAIN(325, "mlock2"),
    PLAIN(326, "copy_file_range"), DESCRIPTOR(328, "pwritev2"), PLAIN(329, "pkey_mprotect"),
    PLAIN(330, "pkey_alloc"), PLAIN(331, "pkey_free"), PATH(332, "statx", 1),
    PLAIN(333, "io_pgetevents"), SIGNAL(424, "pidfd_send_signal", 0, 1),
    PLAIN(425, "io_uring_setup"), PLAIN(426, "io_uring_enter"), PLAIN(427, "io_uring_register"),
    PATH(428, "open_tree", 1), PATHS(429, "move_mount", 1, 3), PATH(430, "fsopen", 0),
    PLAIN(431, "fsconfig"), PLAIN(432, "fsmount"), PATH(433, "fspick", 1),
    COUNT(434, "pidfd_open", 0), PLAIN(435, "clone3"), PATH(437, "openat2", 1),
    COUNT(438, "pidfd_getfd", 0), PATH(439, "faccessat2", 1), COUNT(440, "process_madvise", 0),
    PLAIN(441, "epoll_pwait2"), PATH(442, "mount_setattr", 1), PLAIN(443, "quotactl_fd"),
    PLAIN(444, "landlock_create_ruleset"), PLAIN(445, "landlock_add_rule"),
    PLAIN(446, "landlock_restrict_self"), PLAIN(447, "memfd_secret"),
    COUNT(448, "process_mrelease", 0), PLAIN(450, "set_mempolicy_home_node"),
    PLAIN(451, "cachestat"), PATH(452, "fchmodat2", 1), PLAIN(453, "map_shadow_stack"),
    PLAIN(454, "futex_wake"), PLAIN(455, "futex_wait"), PLAIN(456, "futex_requeue"),
    PLAIN(457, "statmount"), PLAIN(458, "listmount"), PLAIN(459, "lsm_get_self_attr"),
    PLAIN(460, "lsm_set_self_attr"), PLAIN(461, "lsm_list_modules"), PLAIN(462, "mseal"),
    PATH(463, "setxattrat", 1), PATH(464, "getxattrat", 1), PATH(465, "listxattrat", 1),
    PATH(466, "removexattrat", 1), PATH(467, "open_tree_attr", 1),
};

const Name *
name_of(long number)
{
    size_t low = 0;
    size_t high = sizeof names / sizeof *names;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (names[middle].number < number) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low < sizeof names / sizeof *names && names[low].number == number ? &names[low]
                                                                              : NULL;
}
