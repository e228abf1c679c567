#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/execute_request.h"

static const struct config config = {.max_exec_timeout_ms = 5000,
                                     .max_output_bytes = 1000000,
                                     .cpu_time_limit_sec = 2,
                                     .memory_limit_mb = 256,
                                     .max_work_bytes = 1000,
                                     .max_work_files = 100,
                                     .max_artifacts = 10,
                                     .max_artifact_bytes = 100,
                                     .max_artifacts_total_bytes = 1000,
                                     .max_files = 3,
                                     .max_files_bytes = 10,
                                     .max_code_bytes = 20,
                                     .max_stdin_bytes = 10};

struct parsed {
    int status;
    struct job job;
    struct validation validation;
    struct buffer answer;
    struct err err;
};

static void
parse(struct parsed *parsed, const char *text, size_t size)
{
    struct buffer body = BUFFER_INIT;
    buffer_append(&body, text, size);
    *parsed = (struct parsed){.err = ERR_INIT};
    parsed->status =
        execute_request_parse(&body, &config, &parsed->job, &parsed->validation, &parsed->err);
    validation_put(&parsed->validation, &parsed->answer);
    buffer_putc(&parsed->answer, '\0');
    buffer_fini(&body);
}

static void
parsed_fini(struct parsed *parsed)
{
    job_fini(&parsed->job);
    validation_fini(&parsed->validation);
    buffer_fini(&parsed->answer);
}

static void
valid_bodies_make_jobs(void **state)
{
    (void)state;
    static const struct {
        const char *body, *code, *input;
        uint32_t timeout_ms;
    } rows[] = {
        {"{\"code\":\"x=1\"}", "x=1", "", 5000},
        {"\xef\xbb\xbf {\"code\":\"\"} \n", "", "", 5000},
        {"{\"code\":\"\\u00e9\\ud83d\\ude00\",\"stdin\":\"in\"}", "\xc3\xa9\xf0\x9f\x98\x80", "in",
         5000},
        {"{\"code\":\"x\",\"stdin\":null,\"timeout_ms\":1}", "x", "", 1},
        {"{\"code\":\"x\",\"timeout_ms\":4999}", "x", "", 4999},
        {"{\"code\":\"x\",\"timeout_ms\":5001}", "x", "", 5000},
        {"{\"code\":\"x\",\"timeout_ms\":1e30}", "x", "", 5000},
        {"{\"code\":\"x\",\"timeout_ms\":99999999999999999999999}", "x", "", 5000},
        {"{\"code\":\"x\",\"timeout_ms\":2e3}", "x", "", 2000},
        {"{\"unknown\":[{\"a\":{}}],\"code\":\"x\",\"Code\":1}", "x", "", 5000},
        {"{\"code\":\"12345678901234567890\",\"stdin\":\"1234567890\"}", "12345678901234567890",
         "1234567890", 5000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed parsed;
        parse(&parsed, rows[i].body, strlen(rows[i].body));
        if (parsed.status != 0)
            fail_msg("%s: %s %s", rows[i].body, parsed.answer.data, parsed.err.text);
        assert_int_equal(parsed.job.code.size, strlen(rows[i].code));
        assert_memory_equal(parsed.job.code.data ? parsed.job.code.data : "", rows[i].code,
                            strlen(rows[i].code));
        assert_int_equal(parsed.job.input.size, strlen(rows[i].input));
        assert_int_equal(parsed.job.limits.timeout_ms, rows[i].timeout_ms);
        assert_int_equal(parsed.job.limits.cpu_ms, 2000);
        assert_int_equal(parsed.job.limits.memory_mb, 256);
        assert_int_equal(parsed.job.limits.output_bytes, 1000000);
        assert_int_equal(parsed.job.limits.work_bytes, 1000);
        assert_int_equal(parsed.job.limits.work_files, 100);
        assert_string_equal(parsed.job.language, "python");
        parsed_fini(&parsed);
    }
}

static void
an_id_is_the_client_s_own_name_for_its_job(void **state)
{
    struct parsed parsed;
    const char *named = "{\"code\":\"x\",\"id\":\"0123456789abcdef0123456789abcdef\"}";
    const char *nameless = "{\"code\":\"x\",\"id\":null}";

    (void)state;
    parse(&parsed, named, strlen(named));
    assert_int_equal(parsed.status, 0);
    assert_string_equal(parsed.job.id, "0123456789abcdef0123456789abcdef");
    parsed_fini(&parsed);
    parse(&parsed, nameless, strlen(nameless));
    assert_int_equal(parsed.status, 0);
    assert_string_equal(parsed.job.id, "");
    parsed_fini(&parsed);
}

static void
invalid_bodies_get_the_shape_that_clients_know(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *expected; /* in the answer */
    } rows[] = {
        {"", "\"type\":\"missing\",\"loc\":[\"body\"]"},
        {"[]", "\"type\":\"model_attributes_type\",\"loc\":[\"body\"]"},
        {"null", "\"type\":\"model_attributes_type\""},
        {"\"code\"", "\"type\":\"model_attributes_type\""},
        {"{}",
         "{\"detail\":[{\"type\":\"missing\",\"loc\":[\"body\",\"code\"],"
         "\"msg\":\"Field required\"}],"
         "\"error\":{\"code\":\"invalid\",\"message\":\"code: Field required\",\"retryable\":false,"
         "\"type\":\"invalid_request_error\",\"param\":\"code\"}}"},
        {"{\"code\":null}", "\"type\":\"string_type\",\"loc\":[\"body\",\"code\"],"
                            "\"msg\":\"Input should be a valid string\",\"input\":null"},
        {"{\"code\":1}", "\"input\":1"},
        {"{\"code\":[\"x\"]}", "\"type\":\"string_type\""},
        {"{\"code\":\"a\\u0000b\"}", "\"type\":\"value_error\",\"loc\":[\"body\",\"code\"]"},
        {"{\"code\":\"x\",\"id\":1}", "\"type\":\"string_type\",\"loc\":[\"body\",\"id\"]"},
        {"{\"code\":\"x\",\"id\":\"0123456789ABCDEF0123456789abcdef\"}",
         "\"type\":\"string_pattern_mismatch\",\"loc\":[\"body\",\"id\"]"},
        {"{\"code\":\"x\",\"stdin\":1}", "\"loc\":[\"body\",\"stdin\"]"},
        {"{\"code\":\"x\",\"timeout_ms\":0}",
         "\"type\":\"greater_than\",\"loc\":[\"body\",\"timeout_ms\"],"
         "\"msg\":\"Input should be greater than 0\",\"input\":0,\"ctx\":{\"gt\":0}"},
        {"{\"code\":\"x\",\"timeout_ms\":-1}", "\"type\":\"greater_than\""},
        {"{\"code\":\"x\",\"timeout_ms\":1.5}", "\"type\":\"int_from_float\""},
        {"{\"code\":\"x\",\"timeout_ms\":\"5\"}", "\"type\":\"int_type\""},
        {"{\"code\":\"x\",\"timeout_ms\":true}", "\"type\":\"int_type\""},
        {"{\"code\":\"x\",\"timeout_ms\":null}", "\"type\":\"int_type\""},
        {"{", "\"type\":\"json_invalid\",\"loc\":[\"body\",1]"},
        {"{\"code\":\"x\"} x", "\"type\":\"json_invalid\""},
        {"{\"code\":\"x\"}{}", "\"type\":\"json_invalid\""},
        {"{'code':'x'}", "\"type\":\"json_invalid\""},
        {"{\"code\":\"x\",}", "\"type\":\"json_invalid\""},
        {"{\"code\":\"a\nb\"}", "\"type\":\"json_invalid\""},
        {"{\"code\":NaN}", "\"type\":\"json_invalid\""},
        {"{\"code\":\"x\",\"timeout_ms\":Infinity}", "\"type\":\"json_invalid\""},
        {"{\"code\":\"x\",\"timeout_ms\":1e999}", "a number is too large"},
        {"{\"code\":\"x\",\"code\":\"y\"}", "duplicate"},
        {"{\"code\":\"\\ud800\"}", "\"type\":\"string_unicode\""},
        {"{\"code\":\"\\ud800\\u0041\"}", "half of a surrogate pair"},
        {"{\"code\":\"\\udc00\"}", "half of a surrogate pair"},
        {"{\"code\":\"\xff\"}", "not valid UTF-8"},
        {"{\"code\":\"\xed\xa0\x80\"}", "not valid UTF-8"},
        {"\xff\xfe{", "not valid UTF-8"},
        {"code=x", "\"type\":\"json_invalid\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed parsed;
        parse(&parsed, rows[i].body, strlen(rows[i].body));
        assert_int_equal(parsed.status, -1);
        assert_true(parsed.validation.count > 0);
        if (!strstr(parsed.answer.data, rows[i].expected))
            fail_msg("%s: %s", rows[i].body, parsed.answer.data);
        parsed_fini(&parsed);
    }
}

static const struct limit {
    const char *name;
    size_t offset;
    uint32_t least;
} limits[] = {
#define JOB_LIMIT(field, since, least, most, meaning)                                              \
    {#field, offsetof(struct job, limits.field), least},
#include "common/job_limits.def"
#undef JOB_LIMIT
};
#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

static uint32_t
limit_of(const struct job *job, size_t i)
{
    return *(const uint32_t *)(const void *)((const char *)job + limits[i].offset);
}

static void
parse_limit(struct parsed *parsed, const char *name, const char *value)
{
    char body[256];
    snprintf(body, sizeof(body), "{\"code\":\"x\",\"limits\":{\"%s\":%s}}", name, value);
    parse(parsed, body, strlen(body));
}

static void
each_limit_can_be_lowered_and_not_raised(void **state)
{
    struct job_limits most = config_job_limits(&config);
    struct job server = {.limits = most};
    (void)state;
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        uint32_t allowed = limit_of(&server, i);
        const double asked[] = {limits[i].least, allowed - 1.0, allowed,
                                allowed + 1.0,   4294967296.0,  9007199254740991.0};
        for (size_t n = 0; n < sizeof(asked) / sizeof(asked[0]); n++) {
            struct parsed parsed;
            char value[32];
            snprintf(value, sizeof(value), "%.0f", asked[n]);
            parse_limit(&parsed, limits[i].name, value);
            if (parsed.status != 0)
                fail_msg("%s %s: %s", limits[i].name, value, parsed.answer.data);
            assert_int_equal(limit_of(&parsed.job, i),
                             asked[n] < allowed ? (uint32_t)asked[n] : allowed);
            for (size_t other = 0; other < LIMIT_COUNT; other++)
                if (other != i)
                    assert_int_equal(limit_of(&parsed.job, other), limit_of(&server, other));
            parsed_fini(&parsed);
        }
    }
}

static void
a_limit_that_is_none_is_refused_where_it_stands(void **state)
{
    static const struct {
        const char *value, *type;
    } rows[] = {{"0", "greater_than"},       {"-1", "greater_than"},
                {"-1e300", "greater_than"},  {"1.5", "int_from_float"},
                {"\"5\"", "int_type"},       {"true", "int_type"},
                {"null", "int_type"},        {"[1]", "int_type"},
                {"{}", "int_type"},          {"9007199254740992", "less_than_equal"},
                {"1e300", "less_than_equal"}};
    (void)state;
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
            struct parsed parsed;
            char expected[128];
            parse_limit(&parsed, limits[i].name, rows[n].value);
            assert_int_equal(parsed.status, -1);
            assert_int_equal(parsed.validation.count, 1);
            snprintf(expected, sizeof(expected),
                     "\"type\":\"%s\",\"loc\":[\"body\",\"limits\",\"%s\"]", rows[n].type,
                     limits[i].name);
            if (!strstr(parsed.answer.data, expected))
                fail_msg("%s: %s", expected, parsed.answer.data);
            parsed_fini(&parsed);
        }
    }
}

static void
less_memory_than_an_interpreter_needs_is_refused(void **state)
{
    struct parsed parsed;
    (void)state;
    parse_limit(&parsed, "memory_mb", "47");
    assert_int_equal(parsed.status, -1);
    assert_non_null(strstr(parsed.answer.data, "\"type\":\"greater_than_equal\""));
    assert_non_null(strstr(parsed.answer.data, "\"ctx\":{\"ge\":48}"));
    parsed_fini(&parsed);
    parse_limit(&parsed, "memory_mb", "48");
    assert_int_equal(parsed.status, 0);
    parsed_fini(&parsed);
}

static void
unknown_limits_are_refused_and_told_by_their_name(void **state)
{
    struct parsed parsed;
    static const char wrong[] = "{\"code\":\"x\",\"limits\":[1]}";
    static const char none[] = "{\"code\":\"x\",\"limits\":null}";
    static const char empty[] = "{\"code\":\"x\",\"limits\":{}}";
    (void)state;
    parse_limit(&parsed, "cpu", "1");
    assert_non_null(strstr(parsed.answer.data, "\"type\":\"extra_forbidden\",\"loc\":[\"body\","
                                               "\"limits\",\"cpu\"]"));
    parsed_fini(&parsed);
    parse(&parsed, wrong, strlen(wrong));
    assert_non_null(strstr(parsed.answer.data, "\"dict_type\",\"loc\":[\"body\",\"limits\"]"));
    parsed_fini(&parsed);
    parse(&parsed, none, strlen(none));
    assert_int_equal(parsed.status, 0);
    parsed_fini(&parsed);
    parse(&parsed, empty, strlen(empty));
    assert_int_equal(parsed.status, 0);
    parsed_fini(&parsed);
}

static void
of_two_timeouts_the_shorter_one_holds(void **state)
{
    struct parsed parsed;
    static const char first[] = "{\"code\":\"x\",\"timeout_ms\":10,\"limits\":{\"timeout_ms\":20}}";
    static const char second[] =
        "{\"code\":\"x\",\"timeout_ms\":20,\"limits\":{\"timeout_ms\":10}}";
    (void)state;
    parse(&parsed, first, strlen(first));
    assert_int_equal(parsed.job.limits.timeout_ms, 10);
    parsed_fini(&parsed);
    parse(&parsed, second, strlen(second));
    assert_int_equal(parsed.job.limits.timeout_ms, 10);
    parsed_fini(&parsed);
}

static void
very_many_faults_are_cut_short(void **state)
{
    struct buffer body = BUFFER_INIT;
    struct parsed parsed;
    (void)state;
    buffer_puts(&body, "{\"code\":\"x\",\"limits\":{");
    for (int i = 0; i < 100000; i++)
        buffer_printf(&body, "%s\"%d\":0", i ? "," : "", i);
    buffer_puts(&body, "}}");
    parse(&parsed, body.data, body.size);
    assert_int_equal(parsed.validation.count, VALIDATION_MOST);
    assert_true(parsed.answer.size < 20000);
    parsed_fini(&parsed);
    buffer_fini(&body);
}

static void
all_faults_are_told_at_once(void **state)
{
    (void)state;
    struct parsed parsed;
    static const char body[] = "{\"stdin\":[],\"timeout_ms\":{}}";
    parse(&parsed, body, strlen(body));
    assert_int_equal(parsed.validation.count, 3);
    parsed_fini(&parsed);
}

static void
positions_count_from_the_start_of_the_body(void **state)
{
    (void)state;
    struct parsed parsed;
    static const char body[] = "\xef\xbb\xbf{\"code\": x}";
    parse(&parsed, body, strlen(body));
    assert_non_null(strstr(parsed.answer.data, "[\"body\",13]"));
    parsed_fini(&parsed);
}

static void
limits_are_named_when_they_are_passed(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"code\":\"123456789012345678901\"}", "MAX_CODE_BYTES"},
        {"{\"code\":\"\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\"}", "MAX_CODE_BYTES"},
        {"{\"code\":\"x\",\"stdin\":\"12345678901\"}", "MAX_STDIN_BYTES"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed parsed;
        parse(&parsed, rows[i][0], strlen(rows[i][0]));
        assert_int_equal(parsed.status, -1);
        assert_int_equal(parsed.validation.count, 0);
        assert_int_equal(parsed.err.code, ERR_TOO_LARGE);
        assert_non_null(strstr(parsed.err.text, rows[i][1]));
        parsed_fini(&parsed);
    }
}

static void
stdin_may_hold_nul(void **state)
{
    (void)state;
    struct parsed parsed;
    static const char body[] = "{\"code\":\"x\",\"stdin\":\"a\\u0000b\"}";
    parse(&parsed, body, strlen(body));
    assert_int_equal(parsed.status, 0);
    assert_int_equal(parsed.job.input.size, 3);
    assert_memory_equal(parsed.job.input.data, "a\0b", 3);
    parsed_fini(&parsed);
}

static void
deep_nesting_is_refused(void **state)
{
    (void)state;
    const size_t depth = 1000000;
    char *body = malloc(depth);
    assert_non_null(body);
    memset(body, '[', depth);
    struct parsed parsed;
    parse(&parsed, body, depth);
    free(body);
    assert_non_null(strstr(parsed.answer.data, "nest too deep"));
    parsed_fini(&parsed);
}

static void
every_prefix_of_a_body_is_refused(void **state)
{
    (void)state;
    static const char body[] = "{\"code\":\"\\u00e9\\n\",\"stdin\":null,\"timeout_ms\":12}";
    for (size_t size = 0; size < strlen(body); size++) {
        struct parsed parsed;
        parse(&parsed, body, size);
        assert_int_equal(parsed.status, -1);
        assert_true(parsed.validation.count > 0);
        parsed_fini(&parsed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_bodies_make_jobs),
        cmocka_unit_test(an_id_is_the_client_s_own_name_for_its_job),
        cmocka_unit_test(invalid_bodies_get_the_shape_that_clients_know),
        cmocka_unit_test(each_limit_can_be_lowered_and_not_raised),
        cmocka_unit_test(a_limit_that_is_none_is_refused_where_it_stands),
        cmocka_unit_test(less_memory_than_an_interpreter_needs_is_refused),
        cmocka_unit_test(unknown_limits_are_refused_and_told_by_their_name),
        cmocka_unit_test(of_two_timeouts_the_shorter_one_holds),
        cmocka_unit_test(very_many_faults_are_cut_short),
        cmocka_unit_test(all_faults_are_told_at_once),
        cmocka_unit_test(positions_count_from_the_start_of_the_body),
        cmocka_unit_test(limits_are_named_when_they_are_passed),
        cmocka_unit_test(stdin_may_hold_nul),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(every_prefix_of_a_body_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
