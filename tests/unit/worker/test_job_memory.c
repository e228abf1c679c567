/* The memory shared with a job process: layout, records, clamped counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/artifact.h"
#include "common/file_name.h"
#include "worker/job_memory.h"

static struct job_memory memory;
static struct err err;

static int
open_memory(void **state)
{
    (void)state;
    err = (struct err)ERR_INIT;
    return job_memory_open_sized(&memory, &(struct job_memory_sizes){5000, 100, 5000}, &err);
}

static int
close_memory(void **state)
{
    (void)state;
    job_memory_close(&memory);
    return 0;
}

static void
capacities_are_rounded_up_to_pages_and_areas_do_not_overlap(void **state)
{
    const struct job_memory_header *header = memory.header;

    (void)state;
    assert_int_equal(header->version, JOB_MEMORY_VERSION);
    assert_int_equal(header->input_capacity, 8192);
    assert_int_equal(header->output_capacity, 4096);
    assert_int_equal(header->input_offset, JOB_MEMORY_HEADER_BYTES);
    assert_int_equal(header->output_offset[0], header->input_offset + 8192);
    assert_int_equal(header->output_offset[1], header->output_offset[0] + 4096);
    assert_int_equal(header->artifact_offset, header->output_offset[1] + 4096);
    assert_int_equal(header->artifact_capacity, 8192);
    assert_int_equal(header->total_bytes, header->artifact_offset + 8192);
    assert_int_equal(header->total_bytes, memory.mapped_bytes);
}

/* As a job process does. */
static struct artifact_record *
put_artifact(const char *name, const char *data, bool kept)
{
    uint64_t used = memory.header->artifact_bytes;
    char *at = (char *)memory.header + memory.artifact_offset + used;
    struct artifact_record *record = (struct artifact_record *)(void *)at;

    *record = (struct artifact_record){
        .kept = kept, .name_bytes = (uint32_t)strlen(name), .size = strlen(data)};
    memcpy(at + sizeof(*record), name, strlen(name));
    if (kept)
        memcpy(at + sizeof(*record) + strlen(name), data, strlen(data));
    memory.header->artifact_bytes =
        used + artifact_record_bytes(strlen(name), kept ? strlen(data) : 0);
    return record;
}

static void
artifacts_come_back_in_order(void **state)
{
    struct artifact_view view;
    uint64_t cursor = 0;

    (void)state;
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), 0);
    put_artifact("a.csv", "1,2\n", true);
    put_artifact("big", "not there", false);
    put_artifact("", "", true);
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), 1);
    assert_int_equal(view.record.kept, 1);
    assert_memory_equal(view.name, "a.csv", view.record.name_bytes);
    assert_int_equal(view.record.size, 4);
    assert_memory_equal(view.data, "1,2\n", 4);
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), 1);
    assert_int_equal(view.record.kept, 0);
    assert_int_equal(view.record.size, 9);
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), 1);
    assert_int_equal(view.record.name_bytes, 0);
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), 0);
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), 0);
}

static void
lengths_of_artifacts_beyond_what_is_there_are_refused(void **state)
{
    struct artifact_view view;
    uint64_t cursor = 0;
    struct artifact_record *record = put_artifact("name", "data", true);
    const uint64_t sizes[] = {9, 4096, UINT64_MAX, UINT64_MAX - 20, (uint64_t)1 << 32};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        record->size = sizes[i];
        assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), -1);
    }
    record->size = 4;
    record->name_bytes = UINT32_MAX;
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), -1);
    record->kept = 0;
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), -1);
    memory.header->artifact_bytes = sizeof(*record) - 1;
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), -1);
}

static void
artifacts_end_with_their_area_whatever_the_job_process_says(void **state)
{
    struct artifact_view view;
    uint64_t cursor = 0;
    unsigned count = 0;

    (void)state;
    /* Zeroes are records of nothing: the walk has to end all the same, where the area does. */
    memory.header->artifact_bytes = UINT64_MAX;
    memory.header->artifact_capacity = UINT64_MAX;
    memory.header->artifact_offset = UINT64_MAX;
    while (job_memory_next_artifact(&memory, &cursor, &view) == 1)
        count++;
    assert_int_equal(count, memory.artifact_capacity / sizeof(struct artifact_record));
}

static void
the_capacity_for_artifacts_is_enough_for_all_that_limits_allow(void **state)
{
    size_t kept = 4 * artifact_record_bytes(FILE_NAME_BYTES, 25);
    size_t refused = ARTIFACTS_REFUSED_MOST * artifact_record_bytes(FILE_NAME_BYTES, 0);

    (void)state;
    assert_true(job_memory_artifact_capacity(4, 100) >= kept + refused);
}

static void
the_file_can_be_neither_shrunk_nor_grown(void **state)
{
    (void)state;
    assert_int_equal(ftruncate(memory.fd, 4096), -1);
    assert_int_equal(ftruncate(memory.fd, 1 << 20), -1);
    assert_true(fcntl(memory.fd, F_GETFD) & FD_CLOEXEC);
}

static void
records_come_back_in_order_with_name_and_data(void **state)
{
    struct job_record_view view;
    uint64_t cursor = 0;

    (void)state;
    assert_int_equal(
        job_memory_add_record(&memory, JOB_RECORD_FILE, "/work/main.py", "pass", 4, &err), 0);
    assert_int_equal(job_memory_add_record(&memory, JOB_RECORD_STDIN, NULL, NULL, 0, &err), 0);
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), 1);
    assert_int_equal(view.type, JOB_RECORD_FILE);
    assert_int_equal(view.name_bytes, 13);
    assert_memory_equal(view.name, "/work/main.py", 13);
    assert_int_equal(view.data_bytes, 4);
    assert_memory_equal(view.data, "pass", 4);
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), 1);
    assert_int_equal(view.type, JOB_RECORD_STDIN);
    assert_int_equal(view.data_bytes, 0);
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), 0);
}

static void
a_record_that_just_fits_is_taken_and_one_byte_more_is_not(void **state)
{
    static char data[8192];
    size_t most = 8192 - sizeof(struct job_record);

    (void)state;
    assert_int_equal(job_memory_add_record(&memory, JOB_RECORD_STDIN, NULL, data, most + 1, &err),
                     -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_int_equal(memory.header->input_bytes, 0);
    err = (struct err)ERR_INIT;
    assert_int_equal(job_memory_add_record(&memory, JOB_RECORD_STDIN, NULL, data, most, &err), 0);
    assert_int_equal(memory.header->input_bytes, 8192);
}

static void
the_size_of_a_record_never_wraps_around(void **state)
{
    (void)state;
    assert_int_equal(job_record_bytes(0, SIZE_MAX), SIZE_MAX);
    assert_int_equal(job_record_bytes(SIZE_MAX, 1), SIZE_MAX);
    assert_int_equal(job_record_bytes(1, 0), 24);
}

/* Puts one record there and spoils it. */
static struct job_record *
spoilt_record(void)
{
    assert_int_equal(job_memory_add_record(&memory, JOB_RECORD_ARG, "name", "data", 4, &err), 0);
    return (struct job_record *)((char *)memory.header + memory.header->input_offset);
}

static void
lengths_beyond_the_input_are_refused(void **state)
{
    struct job_record_view view;
    uint64_t cursor = 0;
    struct job_record *record = spoilt_record();

    (void)state;
    record->name_bytes = UINT32_MAX;
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), -1);
    record->name_bytes = 4;
    record->data_bytes = UINT64_MAX;
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), -1);
    record->data_bytes = 4;
    memory.header->input_bytes = sizeof(*record) - 1;
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), -1);
    memory.header->input_bytes = memory.header->input_capacity + 1;
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), -1);
}

static void
an_unknown_type_and_a_cursor_past_the_end_are_refused(void **state)
{
    struct job_record_view view;
    uint64_t cursor = 0;
    struct job_record *record = spoilt_record();

    (void)state;
    record->type = JOB_RECORD_STDIN + 1;
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), -1);
    record->type = 0;
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), -1);
    cursor = memory.header->input_bytes + 1;
    assert_int_equal(job_memory_next_record(memory.header, &cursor, &view), -1);
}

static void
output_counters_are_clamped_to_the_capacity(void **state)
{
    size_t kept;
    uint64_t dropped;

    (void)state;
    memory.header->output[0].kept_bytes = UINT64_MAX;
    memory.header->output[0].written_bytes = 5000;
    job_memory_output(&memory, 0, &kept, &dropped);
    assert_int_equal(kept, 4096);
    assert_int_equal(dropped, 5000 - 4096);
    memory.header->output[1].kept_bytes = 7;
    memory.header->output[1].written_bytes = 3;
    job_memory_output(&memory, 1, &kept, &dropped);
    assert_int_equal(kept, 7);
    assert_int_equal(dropped, 0);
    memory.header->output[1].written_bytes = UINT64_MAX;
    job_memory_output(&memory, 1, &kept, &dropped);
    assert_true(dropped <= INT64_MAX);
}

static void
output_counters_are_clamped_to_the_jobs_own_limit(void **state)
{
    size_t kept;
    uint64_t dropped;

    (void)state;
    memory.output_limit_bytes = 10;
    memory.header->output[0].kept_bytes = 11;
    memory.header->output[0].written_bytes = 12;
    job_memory_output(&memory, 0, &kept, &dropped);
    assert_int_equal(kept, 10);
    assert_int_equal(dropped, 2);
}

static void
what_the_job_process_writes_into_the_header_moves_nothing(void **state)
{
    const char *before, *after;
    size_t kept;
    uint64_t dropped;

    (void)state;
    before = job_memory_output(&memory, 1, &kept, &dropped);
    memory.header->output_offset[1] = UINT64_MAX / 2;
    memory.header->output_capacity = UINT64_MAX;
    memory.header->total_bytes = UINT64_MAX;
    memory.header->output[1].kept_bytes = UINT64_MAX;
    after = job_memory_output(&memory, 1, &kept, &dropped);
    assert_ptr_equal(before, after);
    assert_int_equal(kept, 4096);
}

static void
capacities_beyond_reason_are_refused(void **state)
{
    struct job_memory other;
    struct err refusal = ERR_INIT;

    (void)state;
    assert_int_equal(job_memory_open(&other, SIZE_MAX, 1, &refusal), -1);
    assert_int_equal(refusal.code, ERR_TOO_LARGE);
    assert_int_equal(other.fd, -1);
    job_memory_close(&other);
}

#define WITH_MEMORY(test) cmocka_unit_test_setup_teardown(test, open_memory, close_memory)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MEMORY(capacities_are_rounded_up_to_pages_and_areas_do_not_overlap),
        WITH_MEMORY(the_file_can_be_neither_shrunk_nor_grown),
        WITH_MEMORY(records_come_back_in_order_with_name_and_data),
        WITH_MEMORY(a_record_that_just_fits_is_taken_and_one_byte_more_is_not),
        cmocka_unit_test(the_size_of_a_record_never_wraps_around),
        WITH_MEMORY(lengths_beyond_the_input_are_refused),
        WITH_MEMORY(an_unknown_type_and_a_cursor_past_the_end_are_refused),
        WITH_MEMORY(artifacts_come_back_in_order),
        WITH_MEMORY(lengths_of_artifacts_beyond_what_is_there_are_refused),
        WITH_MEMORY(artifacts_end_with_their_area_whatever_the_job_process_says),
        cmocka_unit_test(the_capacity_for_artifacts_is_enough_for_all_that_limits_allow),
        WITH_MEMORY(output_counters_are_clamped_to_the_capacity),
        WITH_MEMORY(output_counters_are_clamped_to_the_jobs_own_limit),
        WITH_MEMORY(what_the_job_process_writes_into_the_header_moves_nothing),
        cmocka_unit_test(capacities_beyond_reason_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
