/* ldflags: -Wl,--wrap=realloc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/buffer.h"

static bool fail_realloc;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *
__wrap_realloc(void *memory, size_t size)
{
    return fail_realloc ? NULL : __real_realloc(memory, size);
}

static void
what_is_appended_stands_in_order(void **state)
{
    (void)state;
    struct buffer buffer = BUFFER_INIT;
    for (int i = 0; i < 1000; i++)
        buffer_printf(&buffer, "%d,", i % 10);
    assert_int_equal(buffer.size, 2000);
    assert_memory_equal(buffer.data + 1980, "0,1,2,3,4,5,6,7,8,9,", 20);
    buffer_fini(&buffer);
    assert_null(buffer.data);
}

static void
printf_takes_text_of_any_length(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct buffer buffer = BUFFER_INIT;
    buffer_printf(&buffer, "<%s>", text);
    assert_int_equal(buffer.size, sizeof(text) + 1);
    assert_int_equal(buffer.data[buffer.size - 1], '>');
    buffer_fini(&buffer);
}

static void
a_failure_to_grow_stays_until_reset(void **state)
{
    (void)state;
    struct buffer buffer = BUFFER_INIT;
    buffer_puts(&buffer, "kept");
    fail_realloc = true;
    assert_false(buffer_reserve(&buffer, 1 << 20));
    fail_realloc = false;
    buffer_puts(&buffer, "lost");
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 4);
    buffer_reset(&buffer, 4096);
    assert_false(buffer.failed);
    buffer_puts(&buffer, "new");
    assert_int_equal(buffer.size, 3);
    buffer_fini(&buffer);
}

static void
a_reserve_beyond_all_memory_fails(void **state)
{
    (void)state;
    struct buffer buffer = BUFFER_INIT;
    assert_false(buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer.failed);
    buffer_fini(&buffer);
}

static void
a_reset_keeps_small_memory_and_gives_back_large(void **state)
{
    (void)state;
    struct buffer buffer = BUFFER_INIT;
    buffer_reserve(&buffer, 100);
    buffer_reset(&buffer, 4096);
    assert_non_null(buffer.data);
    buffer_reserve(&buffer, 100000);
    buffer_reset(&buffer, 4096);
    assert_null(buffer.data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_stands_in_order),
        cmocka_unit_test(printf_takes_text_of_any_length),
        cmocka_unit_test(a_failure_to_grow_stays_until_reset),
        cmocka_unit_test(a_reserve_beyond_all_memory_fails),
        cmocka_unit_test(a_reset_keeps_small_memory_and_gives_back_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
