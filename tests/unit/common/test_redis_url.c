#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/redis_url.h"

static const struct {
    const char *text;
    struct redis_url url;
} good[] = {
    {"redis://h", {.host = "h", .port = 6379}},
    {"redis://h/", {.host = "h", .port = 6379}},
    {"redis://h:7000/3", {.host = "h", .port = 7000, .db = 3}},
    {"redis://[::1]", {.host = "::1", .port = 6379}},
    {"redis://[::1]:1/0", {.host = "::1", .port = 1}},
    {"redis://:pw@h", {.host = "h", .port = 6379, .password = "pw"}},
    {"redis://pw@h", {.host = "h", .port = 6379, .password = "pw"}},
    {"redis://u:p%40s@ss@h:1", {.host = "h", .port = 1, .user = "u", .password = "p@s@ss"}},
    {"redis://u:%2f@h", {.host = "h", .port = 6379, .user = "u", .password = "/"}},
    {"unix:///run/r.sock", {.path = "/run/r.sock"}},
    {"unix:///a%20b?db=5", {.path = "/a b", .db = 5}},
    {"unix://u:p@/r.sock", {.path = "/r.sock", .user = "u", .password = "p"}},
};

static const struct {
    const char *text;
    const char *says;
} bad[] = {
    {"", "redis:// or unix://"},
    {"localhost:6379", "redis:// or unix://"},
    {"http://h", "redis:// or unix://"},
    {"rediss://h", "stunnel"},
    {"redis+sentinel://h", "Sentinels"},
    {"redis://", "host"},
    {"redis://:1", "host"},
    {"redis://h:0", "port"},
    {"redis://h:65536", "port"},
    {"redis://h:x", "port"},
    {"redis://h:", "port"},
    {"redis://[::1", "]"},
    {"redis://[::1]x", "port"},
    {"redis://h/x", "database"},
    {"redis://h/65536", "database"},
    {"redis://u:@h", "password"},
    {"redis://@h", "password"},
    {"redis://h%", "hexadecimal"},
    {"redis://h%4", "hexadecimal"},
    {"redis://h%zz", "hexadecimal"},
    {"redis://h%00", "hexadecimal"},
    {"unix://", "path"},
    {"unix://relative", "path"},
    {"unix:///s?password=x", "db=N"},
    {"unix:///s?db=", "database"},
};

static void
assert_same(const char *a, const char *b)
{
    if (!a || !b)
        assert_ptr_equal(a, b);
    else
        assert_string_equal(a, b);
}

static void
test_good_urls_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct redis_url url;
        struct err err = ERR_INIT;
        if (redis_url_parse(&url, good[i].text, &err) < 0)
            fail_msg("%s: %s", good[i].text, err.text);
        assert_same(url.path, good[i].url.path);
        assert_same(url.host, good[i].url.host);
        assert_same(url.user, good[i].url.user);
        assert_same(url.password, good[i].url.password);
        assert_int_equal(url.port, good[i].url.port);
        assert_int_equal(url.db, good[i].url.db);
        redis_url_fini(&url);
    }
}

static void
test_bad_urls_are_refused_with_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct redis_url url;
        struct err err = ERR_INIT;
        if (redis_url_parse(&url, bad[i].text, &err) == 0)
            fail_msg("%s was taken", bad[i].text);
        assert_int_equal(err.code, ERR_CONFIG);
        if (!strstr(err.text, bad[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].text, err.text, bad[i].says);
    }
}

static void
test_messages_never_show_the_password(void **state)
{
    struct redis_url url;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(redis_url_parse(&url, "redis://u:hunter2@h:99999", &err), -1);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(redis_url_parse(&url, "http://u:hunter2@h", &err), -1);
    assert_null(strstr(err.text, "hunter2"));
}

static void
test_a_socket_path_longer_than_the_kernel_takes_is_refused(void **state)
{
    char text[200] = "unix:///";
    struct redis_url url;
    struct err err = ERR_INIT;
    (void)state;
    memset(text + 8, 'x', 107);
    assert_int_equal(redis_url_parse(&url, text, &err), -1);
    text[8 + 106] = '\0';
    assert_int_equal(redis_url_parse(&url, text, &err), 0);
    redis_url_fini(&url);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_urls_are_taken_apart),
        cmocka_unit_test(test_bad_urls_are_refused_with_what_is_wrong),
        cmocka_unit_test(test_messages_never_show_the_password),
        cmocka_unit_test(test_a_socket_path_longer_than_the_kernel_takes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
