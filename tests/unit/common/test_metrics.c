#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/metrics.h"

#define PAGE_BYTES (1 << 20)
#define ROUNDS     100000

static const char *const routes[] = {"/", "/v1/execute", "a\\b\"c\nd", "other"};
static const char *const methods[] = {"GET", "POST"};
static const char *const statuses[] = {"200", "503"};
static const struct languages languages = {{{"python", 0}, {"lua", 2}}, 2};

static char page[PAGE_BYTES];
static size_t page_size;

static void
put(void *context, const char *text, size_t size)
{
    (void)context;
    assert_true(page_size + size < PAGE_BYTES);
    memcpy(page + page_size, text, size);
    page_size += size;
    page[page_size] = '\0';
}

static void
print(void)
{
    page_size = 0;
    page[0] = '\0';
    metrics_print(put, NULL);
}

/* The page has exactly this line. */
static bool
has_line(const char *line)
{
    size_t size = strlen(line);
    for (const char *at = page; (at = strstr(at, line)); at++) {
        if ((at == page || at[-1] == '\n') && at[size] == '\n')
            return true;
    }
    return false;
}

static void
assert_line(const char *line)
{
    print();
    if (!has_line(line))
        fail_msg("no line %s in:\n%s", line, page);
}

static void
assert_nothing_of(const char *text)
{
    print();
    if (strstr(page, text))
        fail_msg("%s is in:\n%s", text, page);
}

static int
make(void **state)
{
    const struct metrics_options options = {.programs = METRICS_API,
                                            .routes = {routes, 4},
                                            .methods = {methods, 2},
                                            .statuses = {statuses, 2},
                                            .languages = &languages};
    struct err err = ERR_INIT;
    (void)state;
    return metrics_init(&options, &err);
}

static int
unmake(void **state)
{
    (void)state;
    metrics_fini();
    return 0;
}

static void
every_row_of_the_program_has_help_and_type_and_no_other_is_there(void **state)
{
    (void)state;
    assert_line("# TYPE retort_http_requests_total counter");
    assert_line("# TYPE retort_requests_in_flight gauge");
    assert_line("# TYPE retort_job_queue_seconds histogram");
    assert_line("# HELP retort_connections Open connections of clients.");
    assert_nothing_of("retort_worker_");
}

static void
a_counter_adds_to_the_series_of_its_labels(void **state)
{
    (void)state;
    assert_line("# TYPE retort_http_requests_total counter");
    assert_nothing_of("retort_http_requests_total{");
    metrics_add(METRIC_HTTP_REQUESTS, METRIC_SERIES(1, 1, 0), 2);
    metrics_add(METRIC_HTTP_REQUESTS, METRIC_SERIES(1, 1, 0), 3);
    metrics_add(METRIC_HTTP_REQUESTS, METRIC_SERIES(1, 1, 1), 1);
    assert_line(
        "retort_http_requests_total{route=\"/v1/execute\",method=\"POST\",status=\"200\"} 5");
    assert_line(
        "retort_http_requests_total{route=\"/v1/execute\",method=\"POST\",status=\"503\"} 1");
}

static void
a_value_that_is_out_of_bounds_is_the_last_one(void **state)
{
    (void)state;
    metrics_add(METRIC_HTTP_REQUESTS, METRIC_SERIES(UINT32_MAX, 9, 2), 1);
    assert_line("retort_http_requests_total{route=\"other\",method=\"POST\",status=\"503\"} 1");
}

static void
label_values_are_escaped(void **state)
{
    (void)state;
    metrics_add(METRIC_HTTP_REQUESTS, METRIC_SERIES(2, 0, 0), 1);
    assert_line("retort_http_requests_total{route=\"a\\\\b\\\"c\\nd\",method=\"GET\","
                "status=\"200\"} 1");
}

static void
series_of_known_languages_and_outcomes_are_there_from_the_start(void **state)
{
    (void)state;
    assert_line("retort_jobs_total{language=\"lua\",outcome=\"worker_lost\"} 0");
    assert_line("retort_jobs_total{language=\"python\",outcome=\"cancelled\"} 0");
    assert_line("retort_jobs_retried_total 0");
    assert_line("retort_output_dropped_bytes_total{stream=\"stderr\"} 0");
    assert_nothing_of("language=\"other\"");
}

static void
languages_and_outcomes_have_their_numbers(void **state)
{
    (void)state;
    metrics_add(METRIC_JOBS,
                METRIC_SERIES(metrics_language("lua"), metrics_outcome(ERR_NONE, VERDICT_CRASHED)),
                1);
    metrics_add(
        METRIC_JOBS,
        METRIC_SERIES(metrics_language("python"), metrics_outcome(ERR_QUEUE_FULL, VERDICT_NONE)),
        1);
    metrics_add(
        METRIC_JOBS,
        METRIC_SERIES(metrics_language("cobol"), metrics_outcome(ERR_PROTOCOL, VERDICT_NONE)), 1);
    assert_line("retort_jobs_total{language=\"lua\",outcome=\"crashed\"} 1");
    assert_line("retort_jobs_total{language=\"python\",outcome=\"queue_full\"} 1");
    assert_line("retort_jobs_total{language=\"other\",outcome=\"protocol\"} 1");
    for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++)
        assert_int_equal(metrics_outcome((enum err_code)code, VERDICT_NONE),
                         VERDICT_COUNT - 2 + code);
}

static void
buckets_are_cumulative_and_end_with_infinity(void **state)
{
    (void)state;
    metrics_observe_us(METRIC_JOB_QUEUE, METRIC_SERIES(0), 0);
    metrics_observe_us(METRIC_JOB_QUEUE, METRIC_SERIES(0), 500);
    metrics_observe_us(METRIC_JOB_QUEUE, METRIC_SERIES(0), 501);
    metrics_observe_us(METRIC_JOB_QUEUE, METRIC_SERIES(0), 30000000);
    metrics_observe_us(METRIC_JOB_QUEUE, METRIC_SERIES(0), 30000001);
    assert_line("retort_job_queue_seconds_bucket{language=\"python\",le=\"0.0005\"} 2");
    assert_line("retort_job_queue_seconds_bucket{language=\"python\",le=\"0.001\"} 3");
    assert_line("retort_job_queue_seconds_bucket{language=\"python\",le=\"10\"} 3");
    assert_line("retort_job_queue_seconds_bucket{language=\"python\",le=\"30\"} 4");
    assert_line("retort_job_queue_seconds_bucket{language=\"python\",le=\"+Inf\"} 5");
    assert_line("retort_job_queue_seconds_sum{language=\"python\"} 60.001002");
    assert_line("retort_job_queue_seconds_count{language=\"python\"} 5");
    assert_line("retort_job_queue_seconds_count{language=\"lua\"} 0");
}

static void
a_gauge_is_absent_until_it_is_known_and_when_it_is_not(void **state)
{
    (void)state;
    assert_nothing_of("retort_queue_depth{");
    metrics_set(METRIC_QUEUE_DEPTH, METRIC_SERIES(1), 7);
    assert_line("retort_queue_depth{language=\"lua\"} 7");
    assert_nothing_of("retort_queue_depth{language=\"python\"}");
    metrics_unset(METRIC_QUEUE_DEPTH, METRIC_SERIES(1));
    assert_nothing_of("retort_queue_depth{");
}

static void
gauges_of_slots_are_summed_or_own_or_the_least(void **state)
{
    (void)state;
    metrics_shift(METRIC_CONNECTIONS, METRIC_ONLY, 3);
    metrics_set(METRIC_REDIS_UP, METRIC_ONLY, 1);
    metrics_set(METRIC_PROCESS_START, METRIC_ONLY, 2000);
    metrics_use_slot(METRICS_SLOTS - 1);
    metrics_shift(METRIC_CONNECTIONS, METRIC_ONLY, 2);
    metrics_shift(METRIC_CONNECTIONS, METRIC_ONLY, -1);
    metrics_set(METRIC_REDIS_UP, METRIC_ONLY, 0);
    metrics_set(METRIC_PROCESS_START, METRIC_ONLY, 1000);
    assert_line("retort_connections 4");
    assert_line("retort_redis_up 0");
    assert_line("process_start_time_seconds 1000");
    metrics_reset_slot(METRICS_SLOTS - 1);
    assert_line("retort_connections 3");
    assert_line("process_start_time_seconds 2000");
    assert_nothing_of("retort_redis_up 0");
    metrics_use_slot(0);
}

static void
add_in_a_child(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return;
    metrics_use_slot(1);
    metrics_shift(METRIC_REQUESTS_IN_FLIGHT, METRIC_ONLY, 5);
    for (int i = 0; i < ROUNDS; i++) {
        metrics_add(METRIC_JOBS_LOST, METRIC_ONLY, 1);
        metrics_observe_us(METRIC_JOB_TOTAL, METRIC_SERIES(0), 1000);
    }
    _exit(0);
}

static void
forked_processes_add_into_the_same_counters(void **state)
{
    (void)state;
    metrics_shift(METRIC_REQUESTS_IN_FLIGHT, METRIC_ONLY, 1);
    add_in_a_child();
    for (int i = 0; i < ROUNDS; i++) {
        metrics_add(METRIC_JOBS_LOST, METRIC_ONLY, 1);
        metrics_observe_us(METRIC_JOB_TOTAL, METRIC_SERIES(0), 1000);
    }
    int status;
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    assert_line("retort_jobs_lost_total 200000");
    assert_line("retort_job_total_seconds_count{language=\"python\"} 200000");
    assert_line("retort_job_total_seconds_sum{language=\"python\"} 200.000000");
    assert_line("retort_requests_in_flight 6");
    metrics_reset_slot(1);
    assert_line("retort_requests_in_flight 1");
    assert_line("retort_jobs_lost_total 200000");
}

static void
a_process_knows_its_memory_and_its_start(void **state)
{
    (void)state;
    metrics_note_process();
    print();
    const char *memory = strstr(page, "\nprocess_resident_memory_bytes ");
    const char *start = strstr(page, "\nprocess_start_time_seconds ");
    assert_non_null(memory);
    assert_non_null(start);
    assert_in_range(strtoull(memory + 31, NULL, 10), 1000000, UINT64_C(1) << 40);
    assert_in_range(strtoull(start + 28, NULL, 10), 1700000000, UINT64_C(1) << 40);
}

static void
without_a_mapping_nothing_happens(void **state)
{
    (void)state;
    metrics_fini();
    metrics_add(METRIC_JOBS_LOST, METRIC_ONLY, 1);
    metrics_observe_us(METRIC_JOB_TOTAL, METRIC_ONLY, 1);
    metrics_set(METRIC_REDIS_UP, METRIC_ONLY, 1);
    metrics_use_slot(3);
    metrics_reset_slot(3);
    metrics_note_process();
    print();
    assert_string_equal(page, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_of_the_program_has_help_and_type_and_no_other_is_there),
        TEST(a_counter_adds_to_the_series_of_its_labels),
        TEST(a_value_that_is_out_of_bounds_is_the_last_one),
        TEST(label_values_are_escaped),
        TEST(series_of_known_languages_and_outcomes_are_there_from_the_start),
        TEST(languages_and_outcomes_have_their_numbers),
        TEST(buckets_are_cumulative_and_end_with_infinity),
        TEST(a_gauge_is_absent_until_it_is_known_and_when_it_is_not),
        TEST(gauges_of_slots_are_summed_or_own_or_the_least),
        TEST(forked_processes_add_into_the_same_counters),
        TEST(a_process_knows_its_memory_and_its_start),
        TEST(without_a_mapping_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
