/* Clocks and waiting. */
#include <poll.h>
#include <time.h>

#include "tests/wasi/outcome.h"

static long long
milliseconds(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000ll + time.tv_nsec / 1000000;
}

int
main(void)
{
    long long start = milliseconds(CLOCK_MONOTONIC), waited;
    struct timespec pause = {.tv_nsec = 50 * 1000000}, until;
    struct pollfd fds[2] = {{.fd = 1, .events = POLLOUT}, {.fd = 0, .events = POLLIN}};

    SHOW(nanosleep(&pause, NULL));
    waited = milliseconds(CLOCK_MONOTONIC) - start;
    printf("slept %s\n", waited >= 49 && waited < 500 ? "50 ms" : "for another time");

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 50 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    start = milliseconds(CLOCK_MONOTONIC);
    SHOW(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
    waited = milliseconds(CLOCK_MONOTONIC) - start;
    printf("slept %s\n", waited >= 48 && waited < 500 ? "50 ms" : "for another time");

    start = milliseconds(CLOCK_MONOTONIC);
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){0}, NULL));
    SHOW(poll(fds, 2, 10000));
    printf("%d %d\n", fds[0].revents == POLLOUT, fds[1].revents == POLLIN);
    SHOW(poll(fds, 0, 20));
    waited = milliseconds(CLOCK_MONOTONIC) - start;
    printf("waited %s\n", waited < 500 ? "as told" : "too long");
    SHOW(milliseconds(CLOCK_PROCESS_CPUTIME_ID) >= 0);
    SHOW(milliseconds(CLOCK_REALTIME) > 1700000000000ll);
    return 0;
}
