/* Joining pages of linear memory: nothing changes but what a fork costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/engine/engine.h"

#define HOST_PAGE  4096u
#define HUGE_PAGE  (2u << 20)
#define CHUNKS     4u
#define HUGE_PAGES (HUGE_PAGE / ENGINE_PAGE_BYTES)

const struct engine_module engine_module = {
    .sha256 = "",
    .memory_base = UINT64_C(0x200000000000),
    .initial_pages = CHUNKS * HUGE_PAGES,
    .maximum_pages = CHUNKS * HUGE_PAGES,
};

void
engine_module_init(void)
{
}

void
engine_module_start(void)
{
}

static uint8_t *
chunk(unsigned number)
{
    return (uint8_t *)engine_memory_at(0, 1) + (size_t)number * HUGE_PAGE;
}

static unsigned
resident_pages(uint8_t *start)
{
    unsigned char resident[HUGE_PAGE / HOST_PAGE];
    unsigned count = 0;

    assert_int_equal(mincore(start, HUGE_PAGE, resident), 0);
    for (size_t i = 0; i < sizeof(resident); i++)
        count += resident[i] & 1;
    return count;
}

static void
contents_stay_and_sparse_chunks_are_left_alone(void **state)
{
    struct err err = ERR_INIT;
    int status;

    (void)state;
    assert_int_equal(engine_load(&err), 0);
    memset(chunk(0), 7, HUGE_PAGE);
    memset(chunk(1), 8, HUGE_PAGE - 100 * HOST_PAGE);
    chunk(2)[HOST_PAGE] = 9;
    engine_join_pages();
    assert_int_equal(resident_pages(chunk(2)), 1);
    assert_int_equal(resident_pages(chunk(3)), 0);
    assert_int_equal(chunk(0)[HUGE_PAGE - 1], 7);
    assert_int_equal(chunk(1)[0], 8);
    assert_int_equal(chunk(1)[HUGE_PAGE - 1], 0);
    pid_t pid = fork();
    if (pid == 0) {
        chunk(0)[5] = 1;
        _exit(chunk(0)[5] + chunk(0)[6] == 8 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(chunk(0)[5], 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_stay_and_sparse_chunks_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
