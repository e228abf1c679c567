/* The timers of POSIX that send the program a signal; wasi-libc has none (alarm.c). */
#ifndef GUEST_ITIMER_H
#define GUEST_ITIMER_H

#include <sys/time.h>

#define ITIMER_REAL    0 /* of the monotonic clock: SIGALRM */
#define ITIMER_VIRTUAL 1 /* of CPU time, which is all the program's own here: SIGVTALRM */
#define ITIMER_PROF    2 /* the same: SIGPROF */

struct itimerval {
    struct timeval it_interval;
    struct timeval it_value;
};

int getitimer(int which, struct itimerval *value);
int setitimer(int which, const struct itimerval *restrict value, struct itimerval *restrict old);
unsigned alarm(unsigned seconds);
/* Returns, with -1 and EINTR, after a timer's signal. */
int pause(void);

#endif
