#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "api/download.h"
#include "api/multipart.h"

#define TYPE "multipart/form-data; boundary=b"
#define HEAD "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"

struct seen {
    char data[256];
    size_t size;
    unsigned parts, ends;
    struct multipart_part last;
};

static int
on_part(void *context, const struct multipart_part *part, struct err *err)
{
    struct seen *seen = context;
    (void)err;
    seen->parts++;
    seen->last = *part;
    return 0;
}

static int
on_data(void *context, const char *data, size_t size, struct err *err)
{
    struct seen *seen = context;
    (void)err;
    assert_true(size > 0 && seen->size + size <= sizeof(seen->data));
    memcpy(seen->data + seen->size, data, size);
    seen->size += size;
    return 0;
}

static int
on_part_end(void *context, struct err *err)
{
    (void)err;
    ((struct seen *)context)->ends++;
    return 0;
}

static int
parse(const char *text, size_t step, struct seen *seen)
{
    static const struct multipart_events events = {on_part, on_data, on_part_end};
    struct multipart multipart;
    struct err err = ERR_INIT;
    size_t size = strlen(text);
    *seen = (struct seen){.size = 0};
    assert_int_equal(multipart_init(&multipart, TYPE, &events, seen, &err), 0);
    for (size_t at = 0; at < size; at += step)
        if (multipart_feed(&multipart, text + at, size - at < step ? size - at : step, &err) < 0)
            return -1;
    return multipart_end(&multipart, &err);
}

static void
pieces_of_any_size_make_the_same_parts(void **state)
{
    static const char text[] =
        "--b\r\n" HEAD "x\r\n--\r\r\n--c\r\n\r\n--b \t\r\n" HEAD "\r\n--b--\r\n";
    struct seen seen;
    (void)state;
    for (size_t step = 1; step <= sizeof(text); step++) {
        assert_int_equal(parse(text, step, &seen), 0);
        assert_int_equal(seen.parts, 2);
        assert_int_equal(seen.ends, 2);
        assert_int_equal(seen.size, strlen("x\r\n--\r\r\n--c\r\n"));
        assert_memory_equal(seen.data, "x\r\n--\r\r\n--c\r\n", seen.size);
        assert_string_equal(seen.last.filename, "a");
    }
}

static void
what_is_not_well_formed_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "--b--",
                                        "x--b\r\n" HEAD "\r\n--b--",
                                        "--b\n" HEAD "\r\n--b--",
                                        "--bx\r\n" HEAD "\r\n--b--",
                                        "--b\r\n" HEAD "x",
                                        "--b\r\n" HEAD "x\r\n--b-",
                                        "--b\r\n" HEAD "x\r\n--b--x",
                                        "--b\r\n" HEAD "x\r\n--bc--",
                                        "--b\r\n\r\nx\r\n--b--",
                                        "--b\r\n" HEAD "--b--"};
    struct seen seen;
    (void)state;
    /* "--b--" alone is a form without parts. */
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(parse(texts[i], 1, &seen), i == 1 ? 0 : -1);
}

static void
a_boundary_is_what_rfc_2046_allows(void **state)
{
    static const struct multipart_events events = {on_part, on_data, on_part_end};
    static const char *const bad[] = {NULL,
                                      "",
                                      "multipart/form-data",
                                      "multipart/form-data; boundary=",
                                      "multipart/form-data; boundary=\"\"",
                                      "multipart/form-data; boundary=\"a \"",
                                      "multipart/form-data; boundary=a; boundary=b",
                                      "multipart/form-data; boundary=\"a\r\nb\"",
                                      "multipart/mixed; boundary=b",
                                      "text/plain"};
    struct multipart multipart;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err = (struct err)ERR_INIT;
        assert_int_equal(multipart_init(&multipart, bad[i], &events, NULL, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
    assert_int_equal(multipart_init(&multipart, "Multipart/Form-Data;x=y; Boundary=\"a b\"",
                                    &events, NULL, &err),
                     0);
    assert_string_equal(multipart.delimiter, "\r\n--a b");
}

static void
ranges_are_cut_to_the_content(void **state)
{
    struct download_range range;
    (void)state;
    assert_int_equal(download_parse_range("bytes=1-9", 5, &range), 1);
    assert_int_equal(range.first, 1);
    assert_int_equal(range.bytes, 4);
    assert_int_equal(download_parse_range("bytes=-2", 5, &range), 1);
    assert_int_equal(range.first, 3);
    assert_int_equal(download_parse_range("bytes=5-", 5, &range), -1);
    assert_int_equal(download_parse_range("bytes=0-", 0, &range), -1);
    assert_int_equal(download_parse_range("bytes=18446744073709551615-", 5, &range), -1);
    assert_int_equal(download_parse_range("bytes=1-2,3-4", 5, &range), 0);
    assert_int_equal(download_parse_range(NULL, 5, &range), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_make_the_same_parts),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(a_boundary_is_what_rfc_2046_allows),
        cmocka_unit_test(ranges_are_cut_to_the_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
