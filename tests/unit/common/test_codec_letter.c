/* Dead letters as the scripts' cmsgpack writes them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/codec.h"

static struct codec_letter letter;
static struct err err;

#define UNPACK(data) codec_unpack_letter(data, sizeof(data) - 1, &letter, &err)

/* [1, 1700000000123, "w1", "why", bytes] */
#define TIME   "\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x7b"
#define LETTER "\x95\x01" TIME "\xa2w1\xa3why\xa3\x00\xff\x1b"

static void
a_letter_says_when_who_why_and_what(void **state)
{
    (void)state;
    assert_int_equal(UNPACK(LETTER), 0);
    assert_int_equal(letter.time_ms, 1700000000123);
    assert_string_equal(letter.worker, "w1");
    assert_string_equal(letter.reason, "why");
    assert_int_equal(letter.element.size, 3);
    assert_memory_equal(letter.element.data, "\x00\xff\x1b", 3);
    bytes_fini(&letter.element);
}

static void
a_later_one_may_have_more(void **state)
{
    (void)state;
    assert_int_equal(UNPACK("\x96\x01" TIME "\xa2w1\xa3why\xa0\x07"), 0);
    assert_int_equal(letter.element.size, 0);
    bytes_fini(&letter.element);
}

static void
all_else_is_none_and_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(UNPACK(""), -1);
    assert_int_equal(UNPACK("junk"), -1);
    assert_int_equal(UNPACK("\x94\x01" TIME "\xa2w1\xa3why"), -1);
    assert_int_equal(UNPACK("\x95\x02" TIME "\xa2w1\xa3why\xa0"), -1);
    assert_int_equal(UNPACK("\x95\x01\xff\xa2w1\xa3why\xa0"), -1);
    assert_int_equal(UNPACK("\x95\x01" TIME "\x05\xa3why\xa0"), -1);
    assert_int_equal(UNPACK("\x95\x01" TIME "\xa2w1\xa3why\x05"), -1);
    assert_int_equal(UNPACK("\x95\x01" TIME TIME "\xa1i\x80"), -1); /* an element, as it once was */
    for (size_t size = 0; size < sizeof(LETTER) - 1; size++)
        assert_int_equal(codec_unpack_letter(LETTER, size, &letter, &err), -1);
    assert_null(letter.element.data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_says_when_who_why_and_what),
        cmocka_unit_test(a_later_one_may_have_more),
        cmocka_unit_test(all_else_is_none_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
