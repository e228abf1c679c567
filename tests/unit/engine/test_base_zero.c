/* Linear memory at host address 0: the first 64 KiB are never there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/engine/engine.h"

const struct engine_module engine_module = {
    .sha256 = "",
    .memory_base = 0,
    .initial_pages = 3,
    .maximum_pages = 4,
    .unmapped_low_bytes = ENGINE_PAGE_BYTES,
};

void
engine_module_init(void)
{
}

void
engine_module_start(void)
{
}

/* AddressSanitizer keeps its shadow memory where linear memory would be. */
#ifdef __SANITIZE_ADDRESS__
#define HAVE_LOW_ADDRESSES 0
#else
#define HAVE_LOW_ADDRESSES 1
#endif

static void
a_linear_address_is_the_host_address_above_the_first_64_kib(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    if (!HAVE_LOW_ADDRESSES)
        skip();
    assert_int_equal(engine_load(&err), 0);
    assert_int_equal(engine_memory_bytes(), 3 * ENGINE_PAGE_BYTES);
    assert_ptr_equal(engine_memory_at(ENGINE_PAGE_BYTES, 4), (void *)(uintptr_t)ENGINE_PAGE_BYTES);
    *(uint8_t *)engine_memory_at(ENGINE_PAGE_BYTES, 1) = 1;
    *(uint8_t *)engine_memory_at(3 * ENGINE_PAGE_BYTES - 1, 1) = 1;
    assert_null(engine_memory_at(ENGINE_PAGE_BYTES - 1, 1));
    assert_null(engine_memory_at(0, 4));
    assert_null(engine_memory_at(3 * ENGINE_PAGE_BYTES, 1));
    assert_non_null(engine_memory_at(0, 0));
    assert_int_equal(engine_memory_grow(1), 3);
    *(uint8_t *)engine_memory_at(4 * ENGINE_PAGE_BYTES - 1, 1) = 1;
    engine_release_zero_pages();
    assert_int_equal(*(uint8_t *)engine_memory_at(4 * ENGINE_PAGE_BYTES - 1, 1), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_address_is_the_host_address_above_the_first_64_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
