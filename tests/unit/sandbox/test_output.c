/* Output into shared memory: bounded, counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "worker/sandbox/output.h"

static struct job_memory memory;

static int
open_memory(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    return job_memory_open(&memory, 100, 4096, &err);
}

static int
close_memory(void **state)
{
    (void)state;
    job_memory_close(&memory);
    return 0;
}

static void
begin(uint64_t limit_bytes)
{
    memory.header->output_limit_bytes = limit_bytes;
    output_touch(memory.header);
    output_begin(memory.header);
}

static void
assert_stream(int stream, const char *kept, uint64_t dropped)
{
    size_t size;
    uint64_t dropped_bytes;
    const char *data = job_memory_output(&memory, stream, &size, &dropped_bytes);

    assert_int_equal(size, strlen(kept));
    assert_memory_equal(data, kept, size);
    assert_int_equal(dropped_bytes, dropped);
}

static void
writes_are_appended_each_to_its_stream(void **state)
{
    (void)state;
    begin(100);
    output_write(0, "ab", 2);
    output_write(1, "x", 1);
    output_write(0, "cd", 2);
    assert_stream(0, "abcd", 0);
    assert_stream(1, "x", 0);
}

static void
what_exceeds_the_limit_is_counted_and_dropped(void **state)
{
    (void)state;
    begin(3);
    output_write(0, "ab", 2);
    output_write(0, "cde", 3);
    output_write(0, "f", 1);
    assert_stream(0, "abc", 3);
}

static void
output_of_exactly_the_limit_drops_nothing(void **state)
{
    (void)state;
    begin(3);
    output_write(1, "abc", 3);
    output_write(1, "", 0);
    assert_stream(1, "abc", 0);
}

static void
a_limit_beyond_the_capacity_is_the_capacity(void **state)
{
    static char block[5000];
    size_t size;
    uint64_t dropped;

    (void)state;
    begin(UINT64_MAX);
    output_write(0, block, sizeof(block));
    output_write(0, block, sizeof(block));
    job_memory_output(&memory, 0, &size, &dropped);
    assert_int_equal(size, 4096);
    assert_int_equal(dropped, 2 * sizeof(block) - 4096);
    assert_stream(1, "", 0);
}

#define WITH_MEMORY(test) cmocka_unit_test_setup_teardown(test, open_memory, close_memory)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MEMORY(writes_are_appended_each_to_its_stream),
        WITH_MEMORY(what_exceeds_the_limit_is_counted_and_dropped),
        WITH_MEMORY(output_of_exactly_the_limit_drops_nothing),
        WITH_MEMORY(a_limit_beyond_the_capacity_is_the_capacity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
