/* What a terminal and a JSON parser get to see of any bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/printable.h"

enum { SHOWN, LINES, JSON, HEX };

static void
assert_becomes(int how, const char *data, size_t size, const char *expected)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    if (how == JSON)
        printable_put_json(out, data, size);
    else if (how == HEX)
        printable_put_hex(out, data, size);
    else
        printable_put(out, data, size, how == LINES);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

#define BECOMES(how, data, expected) assert_becomes(how, data, sizeof(data) - 1, expected)

static void
what_can_be_seen_stands_as_it_is(void **state)
{
    (void)state;
    BECOMES(SHOWN, "a b~\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8d", "a b~ä€🐍");
    BECOMES(SHOWN, "", "");
    BECOMES(LINES, "a\n\tb\\", "a\n\tb\\");
}

static void
what_acts_on_a_terminal_is_spelled_out(void **state)
{
    (void)state;
    BECOMES(SHOWN, "\x1b[2J\a\0\r\n\t\x7f", "\\x1b[2J\\x07\\x00\\x0d\\x0a\\x09\\x7f");
    BECOMES(SHOWN,
            "\xc2\x9b"
            "31m",
            "\\xc2\\x9b31m");                          /* CSI as one C1 character */
    BECOMES(SHOWN, "\xe2\x80\xae", "\\xe2\\x80\\xae"); /* right to left from here on */
    BECOMES(SHOWN, "\xef\xbb\xbf\xc2\xad", "\\xef\\xbb\\xbf\\xc2\\xad");
    BECOMES(SHOWN, "\xf3\xa0\x80\x81", "\\xf3\\xa0\\x80\\x81"); /* a tag */
    BECOMES(LINES, "\x1b\r\v", "\\x1b\\x0d\\x0b");
    BECOMES(SHOWN, "\\x1b", "\\\\x1b"); /* so that it is not taken for one of ours */
}

static void
what_is_not_utf8_is_spelled_out(void **state)
{
    (void)state;
    BECOMES(SHOWN,
            "\xff"
            "a\xe2\x82",
            "\\xffa\\xe2\\x82");
    BECOMES(SHOWN, "\xed\xa0\x80", "\\xed\\xa0\\x80");
    BECOMES(HEX, "\x01\xff", "01ff");
}

static void
json_is_json_of_any_bytes(void **state)
{
    (void)state;
    BECOMES(JSON, "a\"\\\n\x1b", "\"a\\\"\\\\\\u000a\\u001b\"");
    BECOMES(JSON, "\xff\xc3\xa4\xf0\x9f\x90\x8d\xc2\x9b", "\"\\ufffdä🐍\\u009b\"");
    BECOMES(JSON, "", "\"\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_seen_stands_as_it_is),
        cmocka_unit_test(what_acts_on_a_terminal_is_spelled_out),
        cmocka_unit_test(what_is_not_utf8_is_spelled_out),
        cmocka_unit_test(json_is_json_of_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
