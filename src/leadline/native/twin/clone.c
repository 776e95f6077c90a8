#include "clone.h"

#include <errno.h>
#include <linux/prctl.h>
#include <signal.h>

#include "files.h"
#include "interior.h"
#include "kernel.h"
#include "means.h"
#include "refusals.h"

#define MASK_SIZE 8
/* Alive at a time, of one twin. */
#define GRANDCHILDREN_MAX 16

static int inside; /* 1 in a twin, 2 in a grandchild */
static int policy; /* of this twin */
static int grandchildren;

int
clone_inside(void)
{
    return inside;
}

static int
fail(int error, const char *text)
{
    PyObject *given = Py_BuildValue("is", error, text);
    if (given != NULL) {
        PyErr_SetObject(PyExc_OSError, given); /* of the subclass that belongs to the number */
        Py_DECREF(given);
    }
    return -1;
}

/* A signal that came between the clone and the seal would run the application's handler in the
   copy, which writes into a pipe that the parent reads. */
static void
block_signals(uint64_t *before)
{
    uint64_t all = ~(uint64_t)0;
    kernel(SYS_rt_sigprocmask, SIG_SETMASK, &all, before, MASK_SIZE);
}

static void
restore_signals(const uint64_t *before)
{
    kernel(SYS_rt_sigprocmask, SIG_SETMASK, before, 0, MASK_SIZE);
}

/* The parent's half: what is left to do there, whether there is a copy or not. */
static int
after_in_parent(long pid, const uint64_t *mask)
{
    restore_signals(mask);
    interior_in_parent();
    return pid < 0 ? fail((int)-pid, "the kernel refused the copy") : (int)pid;
}

int
clone_twin(const Plan *plan)
{
    const char *text;
    if (inside) {
        return fail(EPERM, "this is a twin");
    }
    int obstacle = interior_obstacle(&text);
    if (obstacle) {
        return fail(obstacle, text);
    }
    means();
    uint64_t mask;
    int thread = (int)kernel(SYS_gettid);
    interior_before();
    block_signals(&mask);
    int64_t began = kernel_now();
    long pid = kernel(SYS_clone, 0, 0, 0, 0, 0);
    if (pid != 0) {
        return after_in_parent(pid, &mask);
    }
    inside = 1;
    policy = plan->policy;
    seal_done = (Done){.cloned_ns = began, .begun_ns = kernel_now()};
    seal_done.thread_id = seal_thread_id(thread);
    seal(plan);
    seal_done.sealed_ns = kernel_now();
    interior_in_child();
    seal_done.hooked_ns = kernel_now();
    return 0;
}

/* It ends with its twin, and has a life of its own within the twin's. */
static void
begin_grandchild(long twin, int thread, int64_t life_us, const uint64_t *mask)
{
    inside = 2;
    grandchildren = 0;
    refusals_clear();
    long cookie = (long)seal_cookie;
    seal_must(kernel6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, cookie) == 0 &&
                  kernel(SYS_getppid) == twin && seal_life(life_us, seal_cookie) == 0,
              FAILED_GRANDCHILD);
    kernel6(SYS_rt_sigprocmask, SIG_SETMASK, (long)mask, 0, MASK_SIZE, 0, cookie);
    files_refresh(seal_cookie);
    seal_done.thread_id = seal_thread_id(thread);
    seal_done.sealed_ns = kernel_now();
    interior_in_child();
    seal_done.hooked_ns = kernel_now();
}

int
clone_grandchild(int64_t life_us)
{
    const char *text;
    if (inside != 1 || !(policy & POLICY_GRANDCHILDREN)) {
        return fail(EPERM, "this is no twin that may have grandchildren");
    }
    if (grandchildren >= GRANDCHILDREN_MAX) {
        return fail(EAGAIN, "too many grandchildren are alive");
    }
    int obstacle = interior_obstacle(&text);
    if (obstacle) {
        return fail(obstacle, text);
    }
    /* The twin's own mask never blocks what ends it, nor what a refused call comes as. */
    uint64_t mask = 0;
    kernel(SYS_rt_sigprocmask, SIG_SETMASK, 0, &mask, MASK_SIZE);
    int thread = (int)kernel(SYS_gettid);
    long twin = kernel(SYS_getpid);
    interior_before();
    int64_t began = kernel_now();
    long pid = kernel6(SYS_clone, 0, 0, 0, 0, 0, (long)seal_cookie);
    if (pid != 0) {
        grandchildren += pid > 0;
        return after_in_parent(pid, &mask);
    }
    seal_done.cloned_ns = began;
    seal_done.begun_ns = kernel_now();
    begin_grandchild(twin, thread, life_us, &mask);
    return 0;
}

void
clone_grandchild_ended(void)
{
    grandchildren -= grandchildren > 0;
}
