#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/redis.h"
#include "common/redis_internal.h"

static void
test_errors_of_redis_become_sentences(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
    } rows[] = {
        {"OOM command not allowed when used memory > 'maxmemory'.", ERR_UNAVAILABLE},
        {"ERR Error running script: @user_script:3: OOM command", ERR_UNAVAILABLE},
        {"READONLY You can't write against a read only replica.", ERR_UNAVAILABLE},
        {"LOADING Redis is loading", ERR_UNAVAILABLE},
        {"NOAUTH Authentication required.", ERR_UNAVAILABLE},
        {"WRONGTYPE Operation against a key", ERR_PROTOCOL},
        {"ERR unknown command 'BLMOVE'", ERR_PROTOCOL},
        {"SOMETHING new", ERR_PROTOCOL},
        {"", ERR_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;
        assert_int_equal(redis_error_describe(rows[i].text, &err), -1);
        assert_int_equal(err.code, rows[i].code);
        assert_non_null(strstr(err.text, rows[i].text));
    }
}

static void
test_looking_into_no_reply_finds_nothing(void **state)
{
    size_t size;
    (void)state;
    assert_false(redis_reply_is_nil(NULL));
    assert_false(redis_reply_is_noscript(NULL));
    assert_null(redis_reply_bytes(NULL, &size));
    assert_int_equal(redis_reply_int(NULL, 7), 7);
    assert_int_equal(redis_reply_count(NULL), 0);
    assert_null(redis_reply_item(NULL, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_of_redis_become_sentences),
        cmocka_unit_test(test_looking_into_no_reply_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
