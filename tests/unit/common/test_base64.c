/* Base64: the vectors of RFC 4648, every length, and everything that must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"

static const char *const vectors[][2] = {{"", ""},
                                         {"f", "Zg=="},
                                         {"fo", "Zm8="},
                                         {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="},
                                         {"fooba", "Zm9vYmE="},
                                         {"foobar", "Zm9vYmFy"},
                                         {"\xff\xef\xbe", "/+++"}};

static void
the_vectors_of_the_standard_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char text[16], data[16];
        size_t size = strlen(vectors[i][0]), encoded = base64_encoded_size(size);
        assert_int_equal(encoded, strlen(vectors[i][1]));
        base64_encode(vectors[i][0], size, text);
        assert_memory_equal(text, vectors[i][1], encoded);
        assert_int_equal(base64_decode(text, encoded, data, &size), 0);
        assert_int_equal(size, strlen(vectors[i][0]));
        assert_memory_equal(data, vectors[i][0], size);
    }
}

static void
all_bytes_of_all_lengths_come_back(void **state)
{
    (void)state;
    for (size_t size = 0; size < 600; size++) {
        size_t encoded = base64_encoded_size(size), decoded = SIZE_MAX;
        unsigned char *data = malloc(size + 1), *back = malloc(encoded / 4 * 3 + 1);
        char *text = malloc(encoded + 1);
        for (size_t i = 0; i < size; i++)
            data[i] = (unsigned char)(i * 7 + size);
        base64_encode(data, size, text);
        assert_int_equal(base64_decode(text, encoded, back, &decoded), 0);
        assert_int_equal(decoded, size);
        assert_memory_equal(back, data, size);
        free(data);
        free(back);
        free(text);
    }
}

static void
what_another_could_read_otherwise_is_refused(void **state)
{
    static const char *const bad[] = {
        "Z",     "Zg",     "Zg=",      "Zm9",  "=",       "==",      "===",
        "====",  "Z===",   "Zg==Zg==", "Zh==", "Zm9=",    "Zg=a",    "Zm8=Zm8=",
        "Zm 8",  "Zm8=\n", "\nZm8",    "Zm8-", "Zm8_",    "Zm8\x80", "\xff\xff\xff\xff",
        "Zm9v=", "A=AA",   "=AAA",     "AA=A", "Zg==AAAA"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char data[16];
        size_t size;
        if (base64_decode(bad[i], strlen(bad[i]), data, &size) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
    }
    char data[8];
    size_t size;
    assert_int_equal(base64_decode("Zm\0v", 4, data, &size), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_hold),
        cmocka_unit_test(all_bytes_of_all_lengths_come_back),
        cmocka_unit_test(what_another_could_read_otherwise_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
