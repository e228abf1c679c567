/* What a job process wrote as artifacts, honest or not, and what of it is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/artifacts.h"

#define AREA_BYTES 65536

static const struct job_limits limits = {
    .artifacts = 3, .artifact_bytes = 10, .artifacts_total_bytes = 20};
static struct job_memory memory;
static struct artifacts artifacts;

static int
set_up(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    return job_memory_open_sized(&memory, &(struct job_memory_sizes){1, 1, AREA_BYTES}, &err);
}

static int
tear_down(void **state)
{
    (void)state;
    artifacts_fini(&artifacts);
    job_memory_close(&memory);
    return 0;
}

/* As a job process writes it. */
static struct artifact_record *
put(const char *name, size_t name_bytes, uint64_t size, int kept)
{
    uint64_t used = memory.header->artifact_bytes;
    char *at = (char *)memory.header + memory.artifact_offset + used;
    struct artifact_record *record = (struct artifact_record *)(void *)at;

    *record = (struct artifact_record){.kept = kept != 0,
                                       .fault = ARTIFACT_FAULT_LINK,
                                       .name_bytes = (uint32_t)name_bytes,
                                       .size = size};
    memcpy(at + sizeof(*record), name, name_bytes);
    if (kept)
        memset(at + sizeof(*record) + name_bytes, 'd', size);
    memory.header->artifact_bytes = used + artifact_record_bytes(name_bytes, kept ? size : 0);
    memory.header->artifacts_done = 1;
    return record;
}

#define PUT(name, size, kept) put(name, sizeof(name) - 1, size, kept)

static void
read_them(void)
{
    artifacts_fini(&artifacts);
    assert_int_equal(artifacts_read(&memory, &limits, &artifacts), 0);
}

static void
what_an_honest_process_wrote_is_taken(void **state)
{
    (void)state;
    PUT("a", 10, 1);
    PUT("d/b", 0, 1);
    PUT("link", 4, 0);
    memory.header->artifacts_refused = 5;
    read_them();
    assert_int_equal(artifacts.count, 2);
    assert_string_equal(artifacts.list[0].name.data, "a");
    assert_string_equal(artifacts.list[0].data.data, "dddddddddd");
    assert_int_equal(artifacts.list[1].data.size, 0);
    assert_int_equal(artifacts.refused_count, 1);
    assert_int_equal(artifacts.refused[0].fault, ARTIFACT_FAULT_LINK);
    assert_int_equal(artifacts.refused[0].size, 4);
    assert_int_equal(artifacts.refused_total, 5);
}

static void
nothing_is_taken_of_who_did_not_finish(void **state)
{
    (void)state;
    PUT("a", 10, 1);
    memory.header->artifacts_done = 0;
    read_them();
    assert_int_equal(artifacts.count, 0);
}

static void
names_that_lead_elsewhere_are_refused(void **state)
{
    static const struct {
        const char *name;
        size_t size;
    } names[] = {{"../a", 4}, {"/etc/x", 6}, {"", 0},    {"a/../../b", 9},
                 {"a\0b", 3}, {"\xff", 1},   {"a\n", 2}, {".", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        memory.header->artifact_bytes = 0;
        put(names[i].name, names[i].size, 1, 1);
        read_them();
        assert_int_equal(artifacts.count, 0);
        assert_int_equal(artifacts.refused_count, 1);
        assert_int_equal(artifacts.refused[0].fault, ARTIFACT_FAULT_BAD_NAME);
    }
}

static void
two_of_one_name_are_one(void **state)
{
    (void)state;
    PUT("d/a", 1, 1);
    PUT("d/a", 1, 1);
    PUT("d", 1, 1);
    PUT("d/a/b", 1, 1);
    read_them();
    assert_int_equal(artifacts.count, 1);
    assert_int_equal(artifacts.refused_count, 3);
}

static void
limits_are_checked_once_more(void **state)
{
    (void)state;
    PUT("large", 11, 1);
    PUT("a", 10, 1);
    PUT("b", 9, 1);
    PUT("c", 2, 1);
    PUT("d", 1, 1);
    PUT("e", 0, 1);
    read_them();
    assert_int_equal(artifacts.count, 3);
    assert_string_equal(artifacts.list[2].name.data, "d");
    assert_int_equal(artifacts.refused_count, 3);
    assert_int_equal(artifacts.refused[0].fault, ARTIFACT_FAULT_TOO_LARGE);
    assert_int_equal(artifacts.refused[1].fault, ARTIFACT_FAULT_TOTAL_TOO_LARGE);
    assert_int_equal(artifacts.refused[2].fault, ARTIFACT_FAULT_TOO_MANY);
}

static void
records_that_are_none_mean_nothing_at_all(void **state)
{
    (void)state;
    PUT("a", 1, 1);
    struct artifact_record *record = PUT("b", 1, 1);
    record->size = UINT64_MAX;
    memory.header->artifacts_refused = 9;
    read_them();
    assert_int_equal(artifacts.count, 0);
    assert_int_equal(artifacts.refused_total, 0);
}

static void
very_many_records_are_not_all_read(void **state)
{
    (void)state;
    /* Zeroes: names of no bytes, refused, thousands of them. */
    memory.header->artifact_bytes = UINT64_MAX;
    memory.header->artifacts_done = 1;
    read_them();
    assert_int_equal(artifacts.count, 0);
    assert_int_equal(artifacts.refused_count, ARTIFACTS_REFUSED_MOST);
    assert_int_equal(artifacts.refused_total, limits.artifacts + ARTIFACTS_REFUSED_MOST);
}

static void
a_reason_that_is_none_is_unknown(void **state)
{
    (void)state;
    PUT("a", 1, 0)->fault = 0xffff;
    read_them();
    assert_int_equal(artifacts.refused[0].fault, ARTIFACT_FAULT_UNKNOWN);
}

#define WITH_MEMORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MEMORY(what_an_honest_process_wrote_is_taken),
        WITH_MEMORY(nothing_is_taken_of_who_did_not_finish),
        WITH_MEMORY(names_that_lead_elsewhere_are_refused),
        WITH_MEMORY(two_of_one_name_are_one),
        WITH_MEMORY(limits_are_checked_once_more),
        WITH_MEMORY(records_that_are_none_mean_nothing_at_all),
        WITH_MEMORY(very_many_records_are_not_all_read),
        WITH_MEMORY(a_reason_that_is_none_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
