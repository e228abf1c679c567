/*
 * A ring. Who writes takes a number and then the place that belongs to it; its own number, written
 * last, says that the place is complete. Two that meet in one place, FAILURES_KEPT apart, may
 * leave a row of both: what is shown then is wrong and harmless.
 */
#include "api/failures.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "common/metrics.h"

struct place {
    _Atomic uint64_t number; /* 0: empty, or being written */
    _Atomic uint64_t time_ms, language, outcome, queue_us, exec_us;
};

static struct ring {
    _Atomic uint64_t taken;
    struct place places[FAILURES_KEPT];
} * ring;

int
failures_init(struct err *err)
{
    if (ring)
        return 0;
    void *memory =
        mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return err_set(err, ERR_SYSTEM, errno, "no memory for the list of failures");
    ring = memory;
    return 0;
}

static uint64_t
wall_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
put(const struct failure *failure)
{
    uint64_t number = atomic_fetch_add(&ring->taken, 1) + 1;
    struct place *place = &ring->places[number % FAILURES_KEPT];

    atomic_store(&place->number, 0);
    atomic_store(&place->time_ms, failure->time_ms);
    atomic_store(&place->language, failure->language);
    atomic_store(&place->outcome, failure->outcome);
    atomic_store(&place->queue_us, failure->queue_us);
    atomic_store(&place->exec_us, failure->exec_us);
    atomic_store(&place->number, number);
}

void
failures_note(unsigned language, const struct result *result, const struct err *err,
              uint64_t total_us)
{
    enum err_code code = err ? err->code : result->error;
    enum verdict verdict = err ? VERDICT_NONE : result->verdict;
    bool well = verdict == VERDICT_EXITED || verdict == VERDICT_CANCELLED;

    if (!ring || (code == ERR_NONE && well))
        return;
    put(&(struct failure){.time_ms = wall_clock_ms(),
                          .language = language,
                          .outcome = metrics_outcome(code, verdict),
                          .queue_us = err ? total_us : result->queue_us,
                          .exec_us = err ? 0 : result->exec_us});
}

size_t
failures_list(struct failure list[FAILURES_KEPT])
{
    uint64_t last = ring ? atomic_load(&ring->taken) : 0;
    size_t count = 0;

    for (uint64_t number = last; number > 0 && last - number < FAILURES_KEPT; number--) {
        struct place *place = &ring->places[number % FAILURES_KEPT];
        if (atomic_load(&place->number) != number)
            continue;
        list[count++] = (struct failure){.time_ms = atomic_load(&place->time_ms),
                                         .language = (unsigned)atomic_load(&place->language),
                                         .outcome = (unsigned)atomic_load(&place->outcome),
                                         .queue_us = atomic_load(&place->queue_us),
                                         .exec_us = atomic_load(&place->exec_us)};
    }
    return count;
}
