#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/gzip.h"

static bool
accepts(const char *value)
{
    struct http_request request = {.headers = {{"accept-Encoding", value}}, .header_count = 1};
    return gzip_is_accepted(&request);
}

static void
weights_and_names_decide(void **state)
{
    (void)state;
    static const char *const yes[] = {"gzip",
                                      "GZip",
                                      "deflate, gzip",
                                      "br;q=1.0, gzip;q=0.8, *;q=0.1",
                                      "*",
                                      "x-gzip",
                                      "gzip;q=1",
                                      "gzip; q=0.001",
                                      "gzip ;\tq=1.000",
                                      "*;q=0.5",
                                      ",,gzip,,",
                                      "identity;q=0, gzip",
                                      "*;q=0, gzip",
                                      "gzip;q=0.010",
                                      "deflate;q=0,gzip;Q=0.5"};
    static const char *const no[] = {
        "",         "deflate",      "identity",      "gzip;q=0", "gzip;q=0.000", "gzip, gzip;q=0",
        "*;q=0",    "gzip;q=0, *",  "gzipped",       "gzi",      "gzip;",        "gzip;q=",
        "gzip;q=x", "gzip;level=1", "gzip;q=0.0001", "gzip q=1", "\"gzip\"",     ";q=1"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (!accepts(yes[i]))
            fail_msg("not taken: %s", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (accepts(no[i]))
            fail_msg("taken: %s", no[i]);
    struct http_request none = {.header_count = 0};
    assert_false(gzip_is_accepted(&none));
}

static void
what_is_packed_unpacks(void **state)
{
    (void)state;
    struct buffer body = BUFFER_INIT, back = BUFFER_INIT;
    for (int i = 0; i < 20000; i++)
        buffer_printf(&body, "%d,", i);
    size_t size = body.size;
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, body.data, size);
    assert_true(gzip_pack(&body));
    assert_true(body.size < size / 2);
    assert_false(gzip_unpack(body.data, body.size, &back, size - 1));
    buffer_reset(&back, 0);
    assert_false(gzip_unpack(body.data, body.size - 1, &back, size));
    buffer_reset(&back, 0);
    assert_true(gzip_unpack(body.data, body.size, &back, size));
    assert_int_equal(back.size, size);
    assert_memory_equal(back.data, copy, size);
    free(copy);
    buffer_fini(&body);
    buffer_fini(&back);
}

static void
what_would_not_be_shorter_stays(void **state)
{
    (void)state;
    struct buffer body = BUFFER_INIT;
    uint32_t random = 1;
    for (int i = 0; i < 10000; i++) {
        random = random * 1664525U + 1013904223U;
        buffer_putc(&body, (char)(random >> 24));
    }
    char first = body.data[0];
    assert_false(gzip_pack(&body));
    assert_int_equal(body.size, 10000);
    assert_int_equal(body.data[0], first);
    buffer_fini(&body);
}

static void
the_bounds_are_of_what_is_worth_it(void **state)
{
    (void)state;
    assert_false(gzip_is_worth(0));
    assert_false(gzip_is_worth(GZIP_LEAST_BYTES - 1));
    assert_true(gzip_is_worth(GZIP_LEAST_BYTES));
    assert_true(gzip_is_worth(GZIP_MOST_BYTES));
    assert_false(gzip_is_worth(GZIP_MOST_BYTES + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_and_names_decide),
        cmocka_unit_test(what_is_packed_unpacks),
        cmocka_unit_test(what_would_not_be_shorter_stays),
        cmocka_unit_test(the_bounds_are_of_what_is_worth_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
