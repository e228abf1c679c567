#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/json_writer.h"
#include "common/utf8.h"

#define R "\xef\xbf\xbd"

static void
assert_written(const char *data, size_t size, const char *expected)
{
    struct buffer out = BUFFER_INIT;
    json_put_string(&out, data, size);
    buffer_putc(&out, '\0');
    assert_false(out.failed);
    assert_string_equal(out.data, expected);
    buffer_fini(&out);
}

static void
control_characters_quotes_and_backslashes_are_escaped(void **state)
{
    (void)state;
    assert_written("a\"b\\c\n\r\t\b\f\x01\x1f\0z", 14,
                   "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f\\u0000z\"");
    assert_written("", 0, "\"\"");
    assert_written(NULL, 0, "\"\"");
    assert_written("\x7f/<>&", 5, "\"\x7f/<>&\"");
}

static void
valid_utf8_stands_as_it_is(void **state)
{
    (void)state;
    assert_written("h\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80", 12,
                   "\"h\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80\"");
}

/* Expected values: python3 -c 'print(bytes.decode(errors="replace"))'. */
static void
each_maximal_ill_formed_subpart_becomes_one_replacement(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t size;
        const char *expected;
    } rows[] = {
        {"\xff", 1, "\"" R "\""},
        {"a\xc3", 2, "\"a" R "\""},
        {"\xe2\x82", 2, "\"" R "\""},
        {"\xe2\x82z", 3, "\"" R "z\""},
        {"\xed\xa0\x80", 3, "\"" R R R "\""},
        {"\xf0\x9f\x98", 3, "\"" R "\""},
        {"\xf0\x80\x80\x80", 4, "\"" R R R R "\""},
        {"\xc0\x80", 2, "\"" R R "\""},
        {"\x80\xc3\xa9", 3, "\"" R "\xc3\xa9\""},
        {"\xf4\x90\x80\x80", 4, "\"" R R R R "\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_written(rows[i].data, rows[i].size, rows[i].expected);
}

/* The same by the shortest way: replace first, then look at each byte. */
static void
put_plainly(struct buffer *out, const char *data, size_t size)
{
    struct bytes text;
    assert_int_equal(utf8_replace(data, size, &text), 0);
    buffer_putc(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        const char *at = strchr("\"\"\\\\\bb\ff\nn\rr\tt", text.data[i]);
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\' || (c && at && c < 0x20))
            buffer_printf(out, "\\%c", at[1]);
        else if (c < 0x20)
            buffer_printf(out, "\\u%04x", c);
        else
            buffer_putc(out, text.data[i]);
    }
    buffer_putc(out, '"');
    bytes_fini(&text);
}

static void
long_texts_are_as_if_written_byte_by_byte(void **state)
{
    (void)state;
    static const char *const alphabets[] = {"plain text, ", "a\n\"\\\x01z", "\xc3\xa9\xe2\x82\xac-",
                                            "\xf0\x9f\x98\x80\xf0\x9f", "\xff\xc3z\xed\xa0\x80"};
    char data[5000];
    for (size_t kind = 0; kind < sizeof(alphabets) / sizeof(alphabets[0]); kind++) {
        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = alphabets[kind][i % strlen(alphabets[kind])];
        for (size_t size = 0; size <= sizeof(data);
             size += size < 40 || (size > 4080 && size < 4120) ? 1 : 127) {
            struct buffer out = BUFFER_INIT, plain = BUFFER_INIT;
            json_put_string(&out, data, size);
            put_plainly(&plain, data, size);
            assert_int_equal(out.size, plain.size);
            assert_memory_equal(out.data, plain.data, out.size);
            buffer_fini(&out);
            buffer_fini(&plain);
        }
    }
}

static void
members_are_separated_by_commas(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT;
    buffer_putc(&out, '{');
    json_put_text(&out, "a", "x");
    json_put_text(&out, "b", NULL);
    json_put_uint(&out, "c", UINT64_MAX);
    json_put_bool(&out, "d", true);
    json_put_ms(&out, "e", 1002);
    json_put_member(&out, "f");
    buffer_putc(&out, '{');
    json_put_bool(&out, "g", false);
    buffer_puts(&out, "}}");
    buffer_putc(&out, '\0');
    assert_string_equal(out.data, "{\"a\":\"x\",\"b\":null,\"c\":18446744073709551615,\"d\":true,"
                                  "\"e\":1.002,\"f\":{\"g\":false}}");
    buffer_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_quotes_and_backslashes_are_escaped),
        cmocka_unit_test(valid_utf8_stands_as_it_is),
        cmocka_unit_test(each_maximal_ill_formed_subpart_becomes_one_replacement),
        cmocka_unit_test(long_texts_are_as_if_written_byte_by_byte),
        cmocka_unit_test(members_are_separated_by_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
