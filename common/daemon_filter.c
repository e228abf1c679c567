#include "common/daemon_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon_filter_internal.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SYS_epoll_pwait2 /* Linux 5.11; not yet in every libc */
#define SYS_epoll_pwait2 441
#endif

#define API     DAEMON_API
#define WORKER  DAEMON_WORKER
#define RUNTIME DAEMON_RUNTIME
#define PARENT  DAEMON_SUPERVISOR

#define NEW_NAMESPACES                                                                             \
    (UINT64_C(0) | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |      \
     CLONE_NEWUTS | CLONE_NEWCGROUP)

#define DAEMON_CALL(programs, call, why) DAEMON_CALL_IF(programs, call, (ANY), why)
#define DAEMON_CALL_IF(call_programs, call, checks, why)                                           \
    {.programs = (call_programs), .rule = CALL_RULE(call, checks, why)},
const struct daemon_call daemon_calls[] = {
#include "common/daemon_calls.def"
#ifdef SANITIZED
    DAEMON_CALL(API | WORKER | RUNTIME, ptrace, "the sanitizers' search for leaks")
        DAEMON_CALL(API | WORKER | RUNTIME, getdents, "the same")
#endif
};
#undef DAEMON_CALL
#undef DAEMON_CALL_IF
const size_t daemon_call_count = sizeof(daemon_calls) / sizeof(daemon_calls[0]);

bool
daemon_call_applies(const struct daemon_call *call, unsigned programs)
{
#ifdef SANITIZED
    /* Their runtime makes calls in every program. */
    return (void)programs, call->programs != 0;
#else
    return (call->programs & programs) != 0;
#endif
}

static int
install_filter(unsigned programs, struct err *err)
{
    struct call_filter filter = CALL_FILTER_INIT;
    struct call_rule *rules = calloc(daemon_call_count, sizeof(*rules));
    size_t count = 0;

    if (rules == NULL)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot build the system call filter");
    for (size_t i = 0; i < daemon_call_count; i++)
        if (daemon_call_applies(&daemon_calls[i], programs))
            rules[count++] = daemon_calls[i].rule;
    int result = call_filter_build(&filter, rules, count, CALL_OTHERWISE_ENOSYS, err);
    if (result == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        result = err_set(err, ERR_SYSTEM, errno, "cannot set no_new_privs");
    /* What a runtime tries is no news; a daemon of ours was built for the calls that it makes. */
    if (result == 0)
        result = programs & DAEMON_RUNTIME ? call_filter_install(&filter, err)
                                           : call_filter_install_logged(&filter, err);
    call_filter_fini(&filter);
    free(rules);
    return result;
}

int
daemon_lock_down(unsigned programs, struct err *err)
{
#ifndef SANITIZED /* the search for leaks looks into it */
    if (programs != DAEMON_RUNTIME)
        (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    return install_filter(programs, err);
}

/* Without a filter the arguments are what is wrong; or the kernel has no such call. */
bool
daemon_filter_holds(void)
{
    return syscall(SYS_kcmp, 0, 0, -1, 0, 0) < 0 && errno == ENOSYS;
}
