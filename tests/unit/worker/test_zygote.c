/* The worker's side of the control socket, where the executor's tests do not come by. */
/* link: tests/support/fake_zygote.c */
/* ldflags: -Wl,--wrap=recvmsg */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/fake_zygote.h"

#define GUARD_S 20

/* As of a socket, once, whose other end was closed with something unread. */
static bool reset_once;
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);

ssize_t
__wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    if (!reset_once)
        return __real_recvmsg(fd, message, flags);
    reset_once = false;
    errno = ECONNRESET;
    return -1;
}

struct watch {
    struct event_base *base;
    struct err death;
};

static void
on_death(void *context, const struct err *err)
{
    struct watch *watch = context;

    watch->death = *err;
    event_base_loopbreak(watch->base);
}

static void
what_a_zygote_says_last_is_heard_with_requests_unread(void **state)
{
    struct watch watch = {.base = event_base_new(), .death = ERR_INIT};
    const struct zygote_hooks hooks = {.on_death = on_death, .context = &watch};
    const struct timeval guard = {.tv_sec = GUARD_S};
    const struct zygote_cgroup cgroup = {.tree = NULL};
    struct zygote_command command;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(fake_zygote_command(&command, "failing", &err), 0);
    struct zygote *zygote = zygote_new(watch.base, &command, &cgroup, &hooks, &err);
    assert_non_null(zygote);
    reset_once = true;
    event_base_loopexit(watch.base, &guard);
    event_base_dispatch(watch.base);
    assert_false(reset_once);
    assert_non_null(strstr(watch.death.text, "no luck"));
    zygote_free(zygote);
    zygote_command_fini(&command);
    event_base_free(watch.base);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_zygote_says_last_is_heard_with_requests_unread),
    };

    fake_zygote_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
