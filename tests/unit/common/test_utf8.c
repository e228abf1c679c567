#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/utf8.h"

#define FFFD "\xef\xbf\xbd"

/* What CPython 3.11 gives for bytes.decode("utf-8", "replace"). */
static const struct {
    const char *in;
    size_t size;
    const char *out;
} rows[] = {
    {"plain", 5, "plain"},
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15,
     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"a\xff"
     "b",
     3, "a" FFFD "b"},
    {"\x80\x80", 2, FFFD FFFD},
    {"\xc3", 1, FFFD},
    {"\xc3(", 2, FFFD "("},
    {"\xe2\x82", 2, FFFD},
    {"\xe2\x82"
     "a",
     3, FFFD "a"},
    {"\xf0\x9f\x98", 3, FFFD},
    {"\xf0\x9f\x98\xff", 4, FFFD FFFD},
    {"\xc0\x80", 2, FFFD FFFD},                   /* overlong */
    {"\xe0\x80\x80", 3, FFFD FFFD FFFD},          /* overlong */
    {"\xed\xa0\x80", 3, FFFD FFFD FFFD},          /* surrogate */
    {"\xf4\x90\x80\x80", 4, FFFD FFFD FFFD FFFD}, /* beyond U+10FFFF */
    {"\xf5\x80", 2, FFFD FFFD},
    {"nul\0nul", 7, "nul\0nul"},
    {"12345678\xff"
     "and on",
     15, "12345678" FFFD "and on"},
};

static void
test_ill_formed_bytes_are_replaced_as_python_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes out;
        assert_int_equal(utf8_replace(rows[i].in, rows[i].size, &out), 0);
        assert_true(out.size >= strlen(rows[i].out));
        assert_memory_equal(out.data, rows[i].out, out.size);
        assert_int_equal(utf8_valid_prefix(out.data, out.size), out.size);
        bytes_fini(&out);
    }
}

static void
test_nothing_stays_nothing(void **state)
{
    struct bytes out;
    (void)state;
    assert_int_equal(utf8_replace("", 0, &out), 0);
    assert_null(out.data);
    assert_int_equal(utf8_valid_prefix("", 0), 0);
    assert_int_equal(utf8_cut("", 0), 0);
    /* msgpack-c gives empty text as a null pointer. */
    assert_int_equal(utf8_replace(NULL, 0, &out), 0);
    assert_null(out.data);
    assert_int_equal(utf8_valid_prefix(NULL, 0), 0);
    assert_int_equal(utf8_cut(NULL, 0), 0);
}

static void
test_the_valid_prefix_ends_before_the_first_ill_formed_byte(void **state)
{
    (void)state;
    assert_int_equal(utf8_valid_prefix("abc", 3), 3);
    assert_int_equal(utf8_valid_prefix("0123456789\xe2\x82\xac\xff", 14), 13);
    assert_int_equal(utf8_valid_prefix("a\xe2\x82", 3), 1);
    assert_int_equal(utf8_valid_prefix("\xff", 1), 0);
}

static void
test_a_cut_never_splits_a_character(void **state)
{
    static const char text[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    (void)state;
    for (size_t size = 0; size < sizeof(cuts) / sizeof(cuts[0]); size++)
        assert_int_equal(utf8_cut(text, size), cuts[size]);
}

static void
test_a_cut_leaves_ill_formed_bytes_alone(void **state)
{
    (void)state;
    assert_int_equal(utf8_cut("\x80\x80\x80\x80", 4), 4);
    assert_int_equal(utf8_cut("ab\xff", 3), 3);
    assert_int_equal(utf8_cut("\xed\xa0", 2), 2); /* cannot become a character */
    assert_int_equal(utf8_cut("\xc3\xbc\xbc", 3), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ill_formed_bytes_are_replaced_as_python_does),
        cmocka_unit_test(test_nothing_stays_nothing),
        cmocka_unit_test(test_the_valid_prefix_ends_before_the_first_ill_formed_byte),
        cmocka_unit_test(test_a_cut_never_splits_a_character),
        cmocka_unit_test(test_a_cut_leaves_ill_formed_bytes_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
