/* Threads of a C program, as a library of the guest makes them of fibers; as on Linux. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifdef __wasi__
#include <itimer.h>
#endif

#include "tests/wasi/outcome.h"

#define MANY 200

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static int finished, started;

static void
count(int *counter)
{
    pthread_mutex_lock(&mutex);
    (*counter)++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static void
wait_until(const int *counter, int wanted)
{
    pthread_mutex_lock(&mutex);
    while (*counter < wanted)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

static int
start(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, function, argument);

    return error != 0 ? error : pthread_detach(thread);
}

static void
run(const char *name, int threads, void *(*function)(void *), int *numbers)
{
    int errors = 0;

    finished = 0;
    for (int i = 0; i < threads; i++)
        errors += start(function, &numbers[i]) != 0;
    wait_until(&finished, threads);
    printf("%s: %d errors\n", name, errors);
}

static void *
square(void *argument)
{
    int *number = argument;

    *number *= *number;
    count(&finished);
    return NULL;
}

static void
many_at_once(void)
{
    static int numbers[MANY];
    long sum = 0;

    for (int i = 0; i < MANY; i++)
        numbers[i] = i;
    run("many", MANY, square, numbers);
    for (int i = 0; i < MANY; i++)
        sum += numbers[i];
    SHOW(sum);
}

static int order[8], ended;

static void *
sleep_and_sign(void *argument)
{
    int *tenths = argument;

    usleep((useconds_t)*tenths * 100000);
    pthread_mutex_lock(&mutex);
    order[ended++] = *tenths;
    pthread_mutex_unlock(&mutex);
    count(&finished);
    return NULL;
}

static void
sleepers_wake_in_the_order_of_their_times(void)
{
    int tenths[] = {3, 1, 4, 2};
    struct timespec before, after;

    clock_gettime(CLOCK_MONOTONIC, &before);
    run("sleepers", 4, sleep_and_sign, tenths);
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf("%d %d %d %d\n", order[0], order[1], order[2], order[3]);
    double took =
        (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    printf("together %s\n", took >= 0.4 && took < 0.9 ? "0.4 s" : "another time");
}

static pthread_key_t key;

static void *
keep_values(void *argument)
{
    int *number = argument;

    *number = pthread_getspecific(key) == NULL;
    pthread_setspecific(key, number);
    errno = 100 + *number;
    /* Until all three are here. */
    pthread_mutex_lock(&mutex);
    started++;
    while (started < 3) {
        pthread_mutex_unlock(&mutex);
        usleep(1000);
        pthread_mutex_lock(&mutex);
    }
    pthread_mutex_unlock(&mutex);
    *number += pthread_getspecific(key) == number && errno == 101;
    count(&finished);
    return NULL;
}

static void
values_and_errno_are_each_threads_own(void)
{
    int numbers[3] = {0}, other;

    SHOW(pthread_key_create(&key, NULL));
    SHOW(pthread_setspecific(key, &other));
    errno = 7;
    run("values", 3, keep_values, numbers);
    printf("%d %d %d\n", numbers[0], numbers[1], numbers[2]);
    SHOW(errno);
    SHOW(pthread_getspecific(key) == &other);
    SHOW(pthread_key_delete(key));
    SHOW(pthread_key_create(&key, NULL));
    SHOW(pthread_getspecific(key) == NULL);
}

static void *
use_stack(void *argument)
{
    volatile char bytes[48 << 10];
    int *number = argument;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)*number;
    usleep(1000);
    for (size_t i = 0; i < sizeof(bytes); i++)
        if (bytes[i] != (char)*number)
            *number = -1;
    count(&finished);
    return NULL;
}

static void
stacks_are_apart(void)
{
    int numbers[] = {1, 2, 3, 4};

    run("stacks", 4, use_stack, numbers);
    printf("%d %d %d %d\n", numbers[0], numbers[1], numbers[2], numbers[3]);
}

static void
waiting_ends_with_the_time(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    pthread_mutex_lock(&mutex);
    SHOW(pthread_cond_timedwait(&changed, &mutex, &until) == ETIMEDOUT);
    until.tv_sec -= 1;
    SHOW(pthread_cond_timedwait(&changed, &mutex, &until) == ETIMEDOUT);
    until.tv_sec = 0;
    until.tv_nsec = 0;
    SHOW(pthread_cond_timedwait(&changed, &mutex, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

static void *
wake_main(void *argument)
{
    pthread_t *other = argument;

    *other = pthread_self();
    usleep(20000);
    count(&finished);
    return NULL;
}

static void
waiting_ends_with_the_signal(void)
{
    pthread_t other;
    struct timespec until;

    finished = 0;
    SHOW(start(wake_main, &other));
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&mutex);
    while (finished == 0)
        SHOW(pthread_cond_timedwait(&changed, &mutex, &until));
    pthread_mutex_unlock(&mutex);
    SHOW(other != pthread_self());
}

static volatile int signals;

static void
on_alarm(int number)
{
    signals += number == SIGALRM;
}

static int
sleep_for_ms(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    return nanosleep(&time, NULL);
}

static void
timers_end_sleep(void)
{
    struct itimerval once = {.it_value.tv_usec = 20000}, none = {0}, left;
    struct itimerval often = {.it_value.tv_usec = 5000, .it_interval.tv_usec = 5000};

    signal(SIGALRM, on_alarm);
    SHOW(setitimer(ITIMER_REAL, &once, NULL));
    SHOW(sleep_for_ms(10000) < 0 && errno == EINTR);
    SHOW(signals);
    SHOW(setitimer(ITIMER_REAL, &often, &left));
    SHOW(left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0);
    SHOW(pause() < 0 && errno == EINTR);
    SHOW(sleep_for_ms(10000) < 0 && errno == EINTR);
    SHOW(signals >= 3);
    SHOW(setitimer(ITIMER_REAL, &none, &left));
    SHOW(left.it_interval.tv_usec);
    SHOW(sleep_for_ms(10));
    SHOW((int)alarm(7));
    SHOW((int)alarm(0));
    once.it_value.tv_usec = 1000000;
    SHOW(setitimer(ITIMER_REAL, &once, NULL) < 0 && errno == EINVAL);
    SHOW(getitimer(9, &left) < 0 && errno == EINVAL);
}

/* In the first thread; another is left alone. */
static void
a_timer_does_not_end_others_sleep(void)
{
    pthread_t other;
    struct itimerval soon = {.it_value.tv_usec = 5000};

    finished = signals = 0;
    SHOW(start(wake_main, &other));
    SHOW(setitimer(ITIMER_REAL, &soon, NULL));
    SHOW(sleep_for_ms(10000) < 0 && errno == EINTR);
    SHOW(finished);
    wait_until(&finished, 1);
    SHOW(signals);
}

static void *
leave_early(void *argument)
{
    count(argument);
    pthread_exit(NULL);
}

int
main(void)
{
    pthread_condattr_t attributes;

    setvbuf(stdout, NULL, _IOLBF, 0);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    many_at_once();
    many_at_once();
    sleepers_wake_in_the_order_of_their_times();
    values_and_errno_are_each_threads_own();
    stacks_are_apart();
    waiting_ends_with_the_time();
    waiting_ends_with_the_signal();
    timers_end_sleep();
    a_timer_does_not_end_others_sleep();
    finished = 0;
    SHOW(start(leave_early, &finished));
    wait_until(&finished, 1);
    return 0;
}
