/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c common/artifact.c */
/* From the tree into the memory shared with the worker: what is kept, what is refused and why. */
#include <stdbool.h>
#include <stdio.h>

#include "tests/unit/wasi/fixture.h"

#include "common/artifact.h"
#include "worker/sandbox/artifacts.h"

#define COUNT 3
#define EACH  10
#define TOTAL 20

static struct job_memory memory;
static int stopped;

static void
stop_clock(void)
{
    stopped++;
}

static int
set_up(void **state)
{
    const struct job_memory_sizes sizes = {1, 1, job_memory_artifact_capacity(COUNT, TOTAL)};
    struct err err = ERR_INIT;

    stopped = 0;
    if (job_memory_open_sized(&memory, &sizes, &err) < 0)
        return -1;
    memory.header->artifact_limit_count = COUNT;
    memory.header->artifact_limit_bytes = EACH;
    memory.header->artifact_limit_total_bytes = TOTAL;
    return fixture_setup(state);
}

static int
tear_down(void **state)
{
    (void)state;
    job_memory_close(&memory);
    return 0;
}

static void
leave(const char *name, size_t size)
{
    char path[64], text[64];

    assert_true(size < sizeof(text));
    memset(text, 'x', size);
    text[size] = '\0';
    snprintf(path, sizeof(path), "work/outputs/%s", name);
    make_file(path, text);
}

/* Asserts that the records are those: "name" or "name:reason", separated by blanks. */
static void
assert_collected(const char *expected)
{
    struct artifact_view view;
    char found[512] = "";
    uint64_t cursor = 0;

    artifacts_collect(memory.header, stop_clock);
    while (job_memory_next_artifact(&memory, &cursor, &view) == 1) {
        size_t length = strlen(found);
        enum artifact_fault fault = (enum artifact_fault)view.record.fault;
        snprintf(found + length, sizeof(found) - length, "%s%.*s%s%s", length > 0 ? " " : "",
                 (int)view.record.name_bytes, view.name, view.record.kept ? "" : ":",
                 view.record.kept ? "" : artifact_fault_name(fault));
    }
    assert_string_equal(found, expected);
    assert_int_equal(memory.header->artifacts_done, 1);
}

static void
when_nothing_was_left_nothing_is_done(void **state)
{
    (void)state;
    assert_int_equal(make_dir("work/other"), WASI_OK);
    artifacts_collect(memory.header, stop_clock);
    assert_int_equal(memory.header->artifacts_done, 0);
    assert_int_equal(memory.header->artifact_bytes, 0);
    assert_int_equal(stopped, 0);
}

static void
when_nothing_is_wanted_nothing_is_done(void **state)
{
    (void)state;
    leave("a", 1);
    memory.header->artifact_capacity = 0;
    artifacts_collect(memory.header, stop_clock);
    assert_int_equal(memory.header->artifacts_done, 0);
    assert_int_equal(stopped, 0);
}

static void
contents_come_whole(void **state)
{
    struct artifact_view view;
    uint64_t cursor = 0;

    (void)state;
    make_file("work/outputs/a", "contents");
    artifacts_collect(memory.header, stop_clock);
    assert_int_equal(stopped, 1);
    assert_int_equal(job_memory_next_artifact(&memory, &cursor, &view), 1);
    assert_int_equal(view.record.size, 8);
    assert_memory_equal(view.data, "contents", 8);
}

static void
the_size_of_one_is_exact(void **state)
{
    (void)state;
    leave("below", EACH - 1);
    leave("above", EACH + 1);
    leave("at", EACH);
    assert_collected("below above:too_large at");
}

static void
the_number_is_exact(void **state)
{
    (void)state;
    for (char name[] = "a"; name[0] < 'a' + COUNT; name[0]++)
        leave(name, 1);
    leave("large", EACH + 1);
    leave("more", 0);
    assert_collected("a b c large:too_large more:too_many");
    assert_int_equal(memory.header->artifacts_refused, 2);
}

static void
the_size_of_all_is_exact_and_what_still_fits_is_kept(void **state)
{
    (void)state;
    leave("a", EACH);
    leave("b", EACH - 1);
    leave("c", 2);
    leave("d", 1);
    assert_collected("a b c:total_too_large d");
}

static void
links_and_names_that_are_no_text_are_refused(void **state)
{
    (void)state;
    assert_int_equal(symlink_path("/etc/hosts", "work/outputs/l"), WASI_OK);
    leave("\x1b[2J", 1);
    leave("\xff", 1);
    leave("good", 1);
    assert_collected("l:link \x1b[2J:bad_name \xff:bad_name good");
}

static void
refusals_beyond_the_list_are_counted(void **state)
{
    struct artifact_view view;
    struct err err = ERR_INIT;
    uint64_t cursor = 0, records = 0;
    char name[16];

    (void)state;
    fixture_config.node_limit = 200;
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "%d", i);
        leave(name, 1);
    }
    artifacts_collect(memory.header, stop_clock);
    while (job_memory_next_artifact(&memory, &cursor, &view) == 1)
        records++;
    assert_int_equal(records, COUNT + ARTIFACTS_REFUSED_MOST);
    assert_int_equal(memory.header->artifacts_refused, 200 - COUNT);
}

static void
an_area_that_is_too_small_is_not_overrun(void **state)
{
    (void)state;
    memory.header->artifact_capacity = 2 * artifact_record_bytes(1, EACH) - 1;
    leave("a", EACH);
    leave("b", EACH);
    /* No room for its refusal either, but for the count. */
    assert_collected("a b:total_too_large");
    assert_int_equal(memory.header->artifacts_refused, 1);
    memory.header->artifact_capacity = 1;
    artifacts_collect(memory.header, stop_clock);
    assert_int_equal(memory.header->artifacts_refused, 2);
}

#define WITH_MEMORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MEMORY(when_nothing_was_left_nothing_is_done),
        WITH_MEMORY(when_nothing_is_wanted_nothing_is_done),
        WITH_MEMORY(contents_come_whole),
        WITH_MEMORY(the_size_of_one_is_exact),
        WITH_MEMORY(the_number_is_exact),
        WITH_MEMORY(the_size_of_all_is_exact_and_what_still_fits_is_kept),
        WITH_MEMORY(links_and_names_that_are_no_text_are_refused),
        WITH_MEMORY(refusals_beyond_the_list_are_counted),
        WITH_MEMORY(an_area_that_is_too_small_is_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
