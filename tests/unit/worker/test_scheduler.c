/* The scheduler against an executor and a queue that only take notes. */
/* ldflags: -Wl,--wrap=executor_new -Wl,--wrap=executor_free -Wl,--wrap=executor_stats */
/* ldflags: -Wl,--wrap=executor_run -Wl,--wrap=execution_cancel */
/* ldflags: -Wl,--wrap=queue_worker_set_capacity -Wl,--wrap=queue_worker_finish */
/* ldflags: -Wl,--wrap=queue_worker_set_slots -Wl,--wrap=queue_worker_hand_back */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/scheduler.h"

#define JOBS_MAX 8

/* ---- the executor and the queue in their place ---- */

struct fake_execution {
    void (*on_done)(void *context, struct result *result);
    void *context;
    struct job_limits limits;
    bool cancelled;
};

struct published {
    char id[JOB_ID_SIZE];
    enum err_code error;
    enum verdict verdict;
    char detail[256];
    char worker[JOB_WORKER_SIZE];
    uint64_t queue_us;
};

static struct {
    struct executor_options options;
    struct executor_stats stats;
    bool refuse; /* executor_run() fails */
    struct fake_execution executions[JOBS_MAX];
    size_t execution_count;
    uint32_t capacity;
    struct published published[JOBS_MAX];
    size_t published_count;
    char handed_back[JOB_ID_SIZE]; /* the last one */
    bool finish_fails;
} fake;

struct executor *__wrap_executor_new(struct event_base *base,
                                     const struct executor_options *options, struct err *err);
void __wrap_executor_free(struct executor *executor);
void __wrap_executor_stats(const struct executor *executor, struct executor_stats *stats);
struct execution *__wrap_executor_run(struct executor *executor,
                                      const struct execution_request *request, struct err *err);
void __wrap_execution_cancel(struct execution *execution);
void __wrap_queue_worker_set_capacity(struct queue_worker *worker, const char *language,
                                      uint32_t free_slots);
void __wrap_queue_worker_set_slots(struct queue_worker *worker, const char *language,
                                   uint32_t slots);
int __wrap_queue_worker_hand_back(struct queue_worker *worker, const struct queue_claim *claim,
                                  struct err *err);
int __wrap_queue_worker_finish(struct queue_worker *worker, const struct queue_claim *claim,
                               const struct result *result, struct err *err);

struct executor *
__wrap_executor_new(struct event_base *base, const struct executor_options *options,
                    struct err *err)
{
    (void)base, (void)err;
    fake.options = *options;
    return (struct executor *)&fake;
}

void
__wrap_executor_free(struct executor *executor)
{
    assert_ptr_equal(executor, &fake);
}

void
__wrap_executor_stats(const struct executor *executor, struct executor_stats *stats)
{
    (void)executor;
    *stats = fake.stats;
}

struct execution *
__wrap_executor_run(struct executor *executor, const struct execution_request *request,
                    struct err *err)
{
    (void)executor;
    if (fake.refuse) {
        err_set(err, ERR_SANDBOX_ERROR, 0, "no zygote");
        return NULL;
    }
    assert_int_equal(request->record_count, EXECUTION_FIXED_RECORDS);
    struct fake_execution *execution = &fake.executions[fake.execution_count++];
    *execution = (struct fake_execution){
        .on_done = request->on_done, .context = request->context, .limits = request->limits};
    return (struct execution *)execution;
}

void
__wrap_execution_cancel(struct execution *execution)
{
    struct fake_execution *it = (struct fake_execution *)execution;
    assert_false(it->cancelled);
    it->cancelled = true;
}

void
__wrap_queue_worker_set_capacity(struct queue_worker *worker, const char *language,
                                 uint32_t free_slots)
{
    (void)worker;
    assert_string_equal(language, "python");
    fake.capacity = free_slots;
}

void
__wrap_queue_worker_set_slots(struct queue_worker *worker, const char *language, uint32_t slots)
{
    (void)worker, (void)slots;
    assert_string_equal(language, "python");
}

int
__wrap_queue_worker_hand_back(struct queue_worker *worker, const struct queue_claim *claim,
                              struct err *err)
{
    (void)worker, (void)err;
    memcpy(fake.handed_back, claim->job.id, sizeof(fake.handed_back));
    return 0;
}

int
__wrap_queue_worker_finish(struct queue_worker *worker, const struct queue_claim *claim,
                           const struct result *result, struct err *err)
{
    struct published *note = &fake.published[fake.published_count++];
    (void)worker;
    assert_string_equal(claim->job.id, result->id);
    if (fake.finish_fails)
        return err_set(err, ERR_SYSTEM, 0, "no memory");
    memcpy(note->id, result->id, sizeof(note->id));
    memcpy(note->detail, result->detail, sizeof(note->detail));
    memcpy(note->worker, result->worker, sizeof(note->worker));
    note->error = result->error;
    note->verdict = result->verdict;
    note->queue_us = result->queue_us;
    return 0;
}

/* ---- the scheduler that is tested ---- */

static struct event_base *base;
static struct scheduler *scheduler;
static struct cgroup_tree cgroups = {.fd = -1};
static struct queue_worker_hooks hooks;
static struct err err;
static int drained_count;

static int
set_up(void **state)
{
    const struct scheduler_language languages[] = {{.name = "python", .slots = 2}};
    (void)state;
    memset(&fake, 0, sizeof(fake));
    err = (struct err)ERR_INIT;
    drained_count = 0;
    base = event_base_new();
    const struct scheduler_options options = {
        .base = base,
        .worker_id = "worker-1",
        .cgroups = &cgroups,
        .maxima = {.code_bytes = 100,
                   .input_bytes = 100,
                   .limits = {.timeout_ms = 5000, .memory_mb = 256, .output_bytes = 1000}},
        .languages = languages,
        .language_count = 1,
    };
    scheduler = scheduler_new(&options, &err);
    assert_non_null(scheduler);
    hooks = scheduler_queue_hooks(scheduler);
    scheduler_set_queue(scheduler, 0, (struct queue_worker *)&fake);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    scheduler_free(scheduler);
    event_base_free(base);
    return 0;
}

static void
the_executor_learns_what_the_group_of_its_zygote_must_hold(void **state)
{
    (void)state;
    assert_ptr_equal(fake.options.cgroups, &cgroups);
    assert_int_equal(fake.options.most.memory_mb, 256);
    assert_int_equal(fake.options.most.output_bytes, 1000);
}

static void
become_ready(void)
{
    fake.stats.ready = true;
    fake.options.on_state(fake.options.context, NULL);
}

static const struct job_limits one_of_each = {
#define JOB_LIMIT(field, since, least, most, meaning) .field = 1,
#include "common/job_limits.def"
#undef JOB_LIMIT
};

static void
hand_over(const char *id, const char *language, uint32_t timeout_ms)
{
    struct queue_claim claim = {
        .epoch = 1, .attempts = 1, .queue_us = 77, .job.limits = one_of_each};

    claim.job.limits.timeout_ms = timeout_ms;
    strcpy(claim.job.id, id);
    strcpy(claim.job.language, language);
    assert_int_equal(bytes_copy(&claim.job.code, "print(1)", 8), 0);
    hooks.on_job(hooks.context, &claim);
}

static void
end_execution(size_t i, enum verdict verdict)
{
    struct result result = {.verdict = verdict};
    fake.executions[i].on_done(fake.executions[i].context, &result);
}

static void
on_drained(void *context)
{
    assert_ptr_equal(context, &fake);
    drained_count++;
    (void)event_base_loopbreak(base);
}

static void
drain(uint32_t timeout_ms)
{
    scheduler_drain(scheduler, timeout_ms, on_drained, &fake);
}

static void
nothing_is_taken_before_the_zygote_is_ready(void **state)
{
    (void)state;
    assert_int_equal(fake.capacity, 0);
    become_ready();
    assert_int_equal(fake.capacity, 2);
}

static void
the_capacity_is_the_number_of_free_slots(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "python", 1000);
    hand_over("b", "python", 1000);
    end_execution(0, VERDICT_EXITED);
    assert_int_equal(fake.capacity, 1);
    end_execution(1, VERDICT_EXITED);
    assert_int_equal(fake.capacity, 2);
}

static void
a_dead_zygote_takes_no_jobs(void **state)
{
    (void)state;
    become_ready();
    fake.stats.ready = false;
    err_set(&err, ERR_SANDBOX_ERROR, 0, "it died");
    fake.options.on_state(fake.options.context, &err);
    assert_int_equal(fake.capacity, 0);
}

static void
a_result_is_published_with_its_id_worker_and_time_in_the_queue(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "python", 1000);
    assert_int_equal(scheduler_busy(scheduler), 1);
    end_execution(0, VERDICT_TIMED_OUT);
    assert_int_equal(fake.published_count, 1);
    assert_string_equal(fake.published[0].id, "a");
    assert_string_equal(fake.published[0].worker, "worker-1");
    assert_int_equal(fake.published[0].verdict, VERDICT_TIMED_OUT);
    assert_int_equal(fake.published[0].queue_us, 77);
    assert_int_equal(scheduler_busy(scheduler), 1); /* until the queue has taken it */
    hooks.on_finished(hooks.context, "a", NULL);
    assert_int_equal(scheduler_busy(scheduler), 0);
}

static void
limits_are_lowered_to_what_the_worker_allows(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "python", 60000);
    assert_int_equal(fake.executions[0].limits.timeout_ms, 5000);
    end_execution(0, VERDICT_EXITED);
}

static void
jobs_that_this_worker_cannot_run_are_answered(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "cobol", 1000);
    hand_over("b", "python", 0);
    assert_int_equal(fake.published_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fake.published[i].error, ERR_REJECTED);
        assert_int_equal(fake.published[i].verdict, VERDICT_NONE);
    }
    assert_non_null(strstr(fake.published[0].detail, "cobol"));
    assert_int_equal(fake.execution_count, 0);
    assert_int_equal(fake.capacity, 2);
}

static void
an_executor_that_refuses_is_our_failure(void **state)
{
    (void)state;
    become_ready();
    fake.refuse = true;
    hand_over("a", "python", 1000);
    assert_int_equal(fake.published[0].error, ERR_SANDBOX_ERROR);
    assert_int_equal(fake.capacity, 2);
}

static void
a_cancelled_job_is_killed_and_published_as_cancelled(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "python", 1000);
    hand_over("b", "python", 1000);
    hooks.on_cancel(hooks.context, "nobody", 0);
    hooks.on_cancel(hooks.context, "b", 7); /* an epoch that it does not have */
    assert_false(fake.executions[1].cancelled);
    hooks.on_cancel(hooks.context, "b", 0);
    hooks.on_cancel(hooks.context, "b", 0);
    assert_false(fake.executions[0].cancelled);
    assert_true(fake.executions[1].cancelled);
    end_execution(1, VERDICT_CANCELLED);
    assert_int_equal(fake.published[0].verdict, VERDICT_CANCELLED);
    assert_int_equal(fake.published[0].error, ERR_NONE);
    hooks.on_cancel(hooks.context, "b", 0); /* too late: nothing happens */
    end_execution(0, VERDICT_EXITED);
}

static void
a_job_that_does_not_end_in_time_is_stopped_by_its_guard(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "python", 1);
    while (!fake.executions[0].cancelled)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    end_execution(0, VERDICT_CANCELLED);
    assert_int_equal(fake.published[0].error, ERR_SANDBOX_ERROR);
    assert_int_equal(fake.published[0].verdict, VERDICT_NONE);
}

static void
draining_an_idle_worker_ends_from_the_loop(void **state)
{
    (void)state;
    become_ready();
    drain(60000);
    assert_int_equal(drained_count, 0);
    assert_int_equal(fake.capacity, 0);
    assert_int_equal(event_base_dispatch(base), 0);
    assert_int_equal(drained_count, 1);
}

static void
draining_waits_for_jobs_and_for_their_results(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "python", 1000);
    drain(60000);
    drain(1); /* ignored */
    end_execution(0, VERDICT_EXITED);
    assert_int_equal(fake.published[0].verdict, VERDICT_EXITED);
    assert_int_equal(fake.capacity, 0);
    assert_int_equal(drained_count, 0);
    hooks.on_finished(hooks.context, "a", NULL);
    assert_int_equal(drained_count, 1);
}

static void
drain_over_a_job(void)
{
    become_ready();
    hand_over("a", "python", 5000);
    drain(1);
    while (!fake.executions[0].cancelled)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

static void
what_runs_past_the_drain_is_handed_back(void **state)
{
    (void)state;
    drain_over_a_job();
    end_execution(0, VERDICT_CANCELLED);
    assert_int_equal(fake.published_count, 0);
    assert_string_equal(fake.handed_back, "a");
    assert_int_equal(drained_count, 0);
    hooks.on_finished(hooks.context, "a", NULL);
    assert_int_equal(drained_count, 1);
}

static void
what_ends_by_itself_while_it_is_stopped_is_published(void **state)
{
    (void)state;
    drain_over_a_job();
    end_execution(0, VERDICT_EXITED);
    assert_string_equal(fake.handed_back, "");
    assert_int_equal(fake.published[0].verdict, VERDICT_EXITED);
}

static void
results_that_the_queue_never_takes_do_not_keep_the_worker(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "python", 5000);
    end_execution(0, VERDICT_EXITED);
    drain(1);
    while (drained_count == 0)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    assert_int_equal(drained_count, 1);
}

static void
a_result_that_cannot_even_be_handed_over_is_not_waited_for(void **state)
{
    (void)state;
    become_ready();
    fake.finish_fails = true;
    hand_over("a", "python", 5000);
    end_execution(0, VERDICT_EXITED);
    assert_int_equal(scheduler_busy(scheduler), 0);
}

static void
freeing_with_running_jobs_publishes_nothing(void **state)
{
    (void)state;
    become_ready();
    hand_over("a", "python", 5000);
    /* tear_down() frees; the leak checker sees what is left. */
    assert_int_equal(fake.published_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_taken_before_the_zygote_is_ready),
        TEST(the_capacity_is_the_number_of_free_slots),
        TEST(a_dead_zygote_takes_no_jobs),
        TEST(a_result_is_published_with_its_id_worker_and_time_in_the_queue),
        TEST(the_executor_learns_what_the_group_of_its_zygote_must_hold),
        TEST(limits_are_lowered_to_what_the_worker_allows),
        TEST(jobs_that_this_worker_cannot_run_are_answered),
        TEST(an_executor_that_refuses_is_our_failure),
        TEST(a_cancelled_job_is_killed_and_published_as_cancelled),
        TEST(a_job_that_does_not_end_in_time_is_stopped_by_its_guard),
        TEST(draining_an_idle_worker_ends_from_the_loop),
        TEST(draining_waits_for_jobs_and_for_their_results),
        TEST(what_runs_past_the_drain_is_handed_back),
        TEST(what_ends_by_itself_while_it_is_stopped_is_published),
        TEST(results_that_the_queue_never_takes_do_not_keep_the_worker),
        TEST(a_result_that_cannot_even_be_handed_over_is_not_waited_for),
        TEST(freeing_with_running_jobs_publishes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
