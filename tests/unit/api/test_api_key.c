#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_key.h"
#include "api/loopback.h"

static const struct api_key *
find(const struct api_keys *keys, const char *token)
{
    return api_keys_find(keys, token, strlen(token));
}

static void
entries_become_keys(void **state)
{
    (void)state;
    struct api_keys keys = {.count = 0};
    struct err err = ERR_INIT;
    assert_int_equal(
        api_keys_parse_setting(
            &keys, "dev_123:dev:5:10, a-._~+/==:B.c_d-1:0.125:1 ,x:y:100000:1000000", &err),
        0);
    assert_int_equal(keys.count, 3);
    const struct api_key *key = find(&keys, "dev_123");
    assert_string_equal(key->label, "dev");
    assert_int_equal(key->rate_milli, 5000);
    assert_int_equal(key->burst, 10);
    key = find(&keys, "a-._~+/==");
    assert_string_equal(key->label, "B.c_d-1");
    assert_int_equal(key->rate_milli, 125);
    key = find(&keys, "x");
    assert_int_equal(key->rate_milli, 100000000);
    assert_int_equal(key->burst, 1000000);
    assert_null(find(&keys, "dev_124"));
    assert_null(find(&keys, ""));
    assert_null(find(&keys, "dev_123:dev"));
    assert_null(api_keys_find(&keys, "dev_1234", 6));
    api_keys_fini(&keys);
}

static void
numbers_stand_for_themselves_or_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *rps;
        uint32_t milli; /* 0: refused */
    } rows[] = {{"1", 1000},      {"0.001", 1},      {"0.5", 500},
                {"10.25", 10250}, {"007", 7000},     {"0", 0},
                {"0.000", 0},     {"-1", 0},         {"+1", 0},
                {"1e3", 0},       {"", 0},           {".5", 0},
                {"5.", 0},        {"1..2", 0},       {"1.2.3", 0},
                {"0.0001", 0},    {"100000.001", 0}, {" 1", 0},
                {"0x1", 0},       {"inf", 0},        {"99999999999999999999", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct api_keys keys = {.count = 0};
        struct err err = ERR_INIT;
        char text[64];
        snprintf(text, sizeof(text), "t:l:%s:1", rows[i].rps);
        int rc = api_keys_parse_setting(&keys, text, &err);
        if (rc != (rows[i].milli ? 0 : -1) ||
            (rc == 0 && keys.list[0]->rate_milli != rows[i].milli))
            fail_msg("\"%s\": %s", rows[i].rps, err.text);
        api_keys_fini(&keys);
    }
}

static void
a_token_and_a_label_have_a_longest(void **state)
{
    (void)state;
    char text[512];
    static const struct {
        int token, label, rc;
    } rows[] = {{256, 64, 0}, {257, 1, -1}, {1, 65, -1}, {1, 1, 0}, {0, 1, -1}, {1, 0, -1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct api_keys keys = {.count = 0};
        struct err err = ERR_INIT;
        char token[300], label[100];
        memset(token, 't', sizeof(token));
        memset(label, 'l', sizeof(label));
        snprintf(text, sizeof(text), "%.*s:%.*s:1:1", rows[i].token, token, rows[i].label, label);
        assert_int_equal(api_keys_parse_setting(&keys, text, &err), rows[i].rc);
        api_keys_fini(&keys);
    }
}

/* The line of a token, as the documentation says to make it. */
static void
put_line(char *text, size_t size, const char *token, const char *rest)
{
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];
    digest_begin(&digest);
    digest_add(&digest, token, strlen(token));
    digest_end(&digest, hex);
    size_t used = strlen(text);
    snprintf(text + used, size - used, "sha256:%s:%s", hex, rest);
}

static void
a_file_has_comments_blanks_and_hashes(void **state)
{
    (void)state;
    struct api_keys keys = {.count = 0};
    struct err err = ERR_INIT;
    char text[1024] = "# comment\r\n\n   \t\n  ";
    put_line(text, sizeof(text), "one", "a:1:1 # of one\r\n");
    put_line(text, sizeof(text), "two", "a:1:1");
    for (char *c = strchr(text, ':'); c && *c != '\n'; c++)
        if (*c >= 'a' && *c <= 'f')
            *c = (char)(*c - 'a' + 'A');
    char *label = strstr(text, ":A:");
    assert_non_null(label);
    label[1] = 'a';
    assert_int_equal(api_keys_parse_file(&keys, text, strlen(text), &err), 0);
    assert_int_equal(keys.count, 2);
    assert_non_null(find(&keys, "one"));
    assert_non_null(find(&keys, "two"));
    api_keys_fini(&keys);
}

static void
faults_name_the_place_and_nothing_else(void **state)
{
    (void)state;
    char good[200] = "", text[1000];
    put_line(good, sizeof(good), "one", "label1:1:1");
    static const char *const after[] = {"token9:label2:1:1",
                                        "sha256:abc:label2:1:1",
                                        "sha256::label2:1:1",
                                        "sha1:x:label2:1:1",
                                        ":::::::",
                                        "label2"};
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
        struct api_keys keys = {.count = 0};
        struct err err = ERR_INIT;
        snprintf(text, sizeof(text), "\n%s\n%s\n", good, after[i]);
        assert_int_equal(api_keys_parse_file(&keys, text, strlen(text), &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, "API_KEYS_FILE, line 3: "));
        assert_null(strstr(err.text, "label2"));
        assert_null(strstr(err.text, "token9"));
        api_keys_fini(&keys);
    }
}

static void
bytes_behind_a_nul_are_no_key(void **state)
{
    (void)state;
    struct api_keys keys = {.count = 0};
    struct err err = ERR_INIT;
    char text[200] = "";
    put_line(text, sizeof(text), "one", "label:1:1");
    size_t size = strlen(text);
    text[size + 1] = 'x';
    assert_int_equal(api_keys_parse_file(&keys, text, size + 2, &err), -1);
    api_keys_fini(&keys);
}

static void
one_more_than_the_most_is_refused(void **state)
{
    (void)state;
    struct api_keys keys = {.count = 0};
    struct err err = ERR_INIT;
    char text[64];
    for (int i = 0; i <= API_KEYS_MOST; i++) {
        snprintf(text, sizeof(text), "t%d:l%d:1:1", i, i);
        assert_int_equal(api_keys_parse_setting(&keys, text, &err), i < API_KEYS_MOST ? 0 : -1);
    }
    assert_non_null(find(&keys, "t4095"));
    api_keys_fini(&keys);
}

static void
a_held_key_outlives_its_list(void **state)
{
    (void)state;
    struct api_keys keys = {.count = 0};
    struct err err = ERR_INIT;
    assert_int_equal(api_keys_parse_setting(&keys, "t:l:1:1", &err), 0);
    struct api_key *key = api_key_hold(keys.list[0]);
    api_keys_fini(&keys);
    assert_string_equal(key->label, "l");
    api_key_release(key);
    api_key_release(NULL);
}

static void
only_this_machine_is_loopback(void **state)
{
    (void)state;
    static const char *const good[] = {
        "localhost", "LocalHost:1", "127.0.0.1", "127.255.255.254:65535", "[::1]", "[::1]:80"};
    static const char *const bad[] = {
        "",           ":",           ":80",        "localhost:", "localhost:123456",
        "localhosts", "localhost.x", "127.0.0.1.", "127.0.0.1x", "127.1",
        "128.0.0.1",  "[::1",        "[::1]80",    "[::1]]",     "[",
        "[]",         "[::10]",      "localhost ", "[::1]:",     "127.0.0.256"};
    char origin[64];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(loopback_is_host(good[i]));
        snprintf(origin, sizeof(origin), "https://%s", good[i]);
        assert_true(loopback_is_origin(origin));
        assert_false(loopback_is_origin(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (loopback_is_host(bad[i]))
            fail_msg("\"%s\"", bad[i]);
        snprintf(origin, sizeof(origin), "http://%s", bad[i]);
        assert_false(loopback_is_origin(origin));
    }
    assert_false(loopback_is_origin("null"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_become_keys),
        cmocka_unit_test(numbers_stand_for_themselves_or_are_refused),
        cmocka_unit_test(a_token_and_a_label_have_a_longest),
        cmocka_unit_test(a_file_has_comments_blanks_and_hashes),
        cmocka_unit_test(faults_name_the_place_and_nothing_else),
        cmocka_unit_test(bytes_behind_a_nul_are_no_key),
        cmocka_unit_test(one_more_than_the_most_is_refused),
        cmocka_unit_test(a_held_key_outlives_its_list),
        cmocka_unit_test(only_this_machine_is_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
