#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/msgpack_shape.h"

#define MSG(text) (text), sizeof(text) - 1

static const struct {
    const char *data;
    size_t size;
} good[] = {
    {MSG("\x00")},
    {MSG("\xc0")},
    {MSG("\xff")},
    {MSG("\x80")},
    {MSG("\x90")},
    {MSG("\xa3"
         "abc")},
    {MSG("\xcb\x01\x02\x03\x04\x05\x06\x07\x08")},
    {MSG("\xca\x01\x02\x03\x04")},
    {MSG("\xcc\x01")},
    {MSG("\xcd\x01\x02")},
    {MSG("\xce\x01\x02\x03\x04")},
    {MSG("\xcf\x01\x02\x03\x04\x05\x06\x07\x08")},
    {MSG("\xd0\x01")},
    {MSG("\xd1\x01\x02")},
    {MSG("\xd2\x01\x02\x03\x04")},
    {MSG("\xd3\x01\x02\x03\x04\x05\x06\x07\x08")},
    {MSG("\xc4\x01x")},
    {MSG("\xc5\x00\x01x")},
    {MSG("\xc6\x00\x00\x00\x01x")},
    {MSG("\xd9\x01x")},
    {MSG("\xda\x00\x01x")},
    {MSG("\xdb\x00\x00\x00\x01x")},
    {MSG("\xdc\x00\x01\x01")},
    {MSG("\xdd\x00\x00\x00\x01\x01")},
    {MSG("\xde\x00\x01\x01\x02")},
    {MSG("\xdf\x00\x00\x00\x01\x01\x02")},
    {MSG("\x91\x91\x91\x91\x91\x91\x91\x91\x01")},
};

static const struct {
    const char *data;
    size_t size;
    const char *says;
} bad[] = {
    {MSG(""), "ends early"},
    {MSG("\xc1"), "type"},
    {MSG("\xc7\x01\x02x"), "type"},
    {MSG("\xd4\x02x"), "type"},
    {MSG("\xd8\x02xxxxxxxxxxxxxxxx"), "type"},
    {MSG("\x01\x01"), "after its end"},
    {MSG("\xcd\x01"), "beyond its end"},
    {MSG("\xc6\xff\xff\xff\xff"), "beyond its end"},
    {MSG("\xc6\xff\xff"), "ends early"},
    {MSG("\xdd\xff\xff\xff\xff"), "too many"},
    {MSG("\xdf\xff\xff\xff\xff"), "too many"},
    {MSG("\xdc\x01\x01"), "too many"},
    {MSG("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"), "nested"},
    {MSG("\x82\x01\x02\x03"), "ends early"},
};

static void
test_every_type_of_a_message_is_walked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct err err = ERR_INIT;
        if (msgpack_shape_check(good[i].data, good[i].size, &err) < 0)
            fail_msg("row %zu: %s", i, err.text);
    }
}

static void
test_what_no_message_has_is_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = ERR_INIT;
        assert_int_equal(msgpack_shape_check(bad[i].data, bad[i].size, &err), -1);
        assert_int_equal(err.code, ERR_PROTOCOL);
        if (!strstr(err.text, bad[i].says))
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.text, bad[i].says);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_of_a_message_is_walked),
        cmocka_unit_test(test_what_no_message_has_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
