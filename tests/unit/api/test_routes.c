#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/routes.h"

static const struct config config = {.max_body_bytes = 100};

#define JSON_TYPE                                                                                  \
    {                                                                                              \
        "Content-Type", "application/json"                                                         \
    }

struct row {
    enum http_method method;
    const char *path;
    struct http_header headers[3];
    bool chunked;
    int64_t length; /* -1: none */
    int status;
    const char *allow; /* "" when not set */
    const char *word;  /* in the sentence */
};

static void
assert_row(const struct row *row)
{
    struct http_request request = {.method = row->method,
                                   .method_name = http_method_text(row->method),
                                   .path = row->path,
                                   .minor_version = 1,
                                   .chunked = row->chunked,
                                   .has_length = row->length >= 0,
                                   .content_length = row->length >= 0 ? (uint64_t)row->length : 0};
    while (request.header_count < 3 && row->headers[request.header_count].name) {
        request.headers[request.header_count] = row->headers[request.header_count];
        request.header_count++;
    }
    struct route_decision decision;
    routes_decide(&request, &config, &decision);
    if (decision.status != row->status)
        fail_msg("%d instead of %d: %s %s", decision.status, row->status, request.method_name,
                 row->path);
    assert_string_equal(decision.allow, row->allow ? row->allow : "");
    if (row->word && !strstr(decision.sentence, row->word))
        fail_msg("no %s in: %s", row->word, decision.sentence);
}

static void
paths_and_methods_are_decided_by_the_table(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {HTTP_METHOD_GET, "/healthz", {{0}}, false, -1, 0, NULL, NULL},
        {HTTP_METHOD_HEAD, "/healthz", {{0}}, false, -1, 0, NULL, NULL},
        {HTTP_METHOD_GET, "/readyz", {{0}}, false, 0, 0, NULL, NULL},
        {HTTP_METHOD_GET, "/", {{0}}, false, -1, 0, NULL, NULL},
        {HTTP_METHOD_GET, "/healthz/", {{0}}, false, -1, 404, NULL, "GET /"},
        {HTTP_METHOD_GET, "/v1/Execute", {{0}}, false, -1, 404, NULL, NULL},
        {HTTP_METHOD_OTHER, "/nowhere", {{0}}, false, -1, 404, NULL, NULL},
        {HTTP_METHOD_GET, "/v1/execute", {{0}}, false, -1, 405, "POST, OPTIONS", "POST"},
        {HTTP_METHOD_HEAD, "/v1/execute", {{0}}, false, -1, 405, "POST, OPTIONS", NULL},
        {HTTP_METHOD_OTHER, "/v1/execute", {{0}}, false, -1, 405, "POST, OPTIONS", NULL},
        {HTTP_METHOD_POST, "/healthz", {{0}}, false, 9, 405, "GET, HEAD, OPTIONS", NULL},
        {HTTP_METHOD_OPTIONS, "/v1/execute", {{0}}, false, -1, 204, "POST, OPTIONS", NULL},
        {HTTP_METHOD_OPTIONS, "/", {{0}}, false, -1, 204, "GET, HEAD, OPTIONS", NULL},
        {HTTP_METHOD_OPTIONS, "*", {{0}}, false, -1, 204, "GET, HEAD, POST, OPTIONS", NULL},
        {HTTP_METHOD_OPTIONS, "/nowhere", {{0}}, false, -1, 404, NULL, NULL},
        {HTTP_METHOD_GET, "*", {{0}}, false, -1, 404, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_row(&rows[i]);
}

#define POST_ROW(...)                                                                              \
    {                                                                                              \
        HTTP_METHOD_POST, "/v1/execute", __VA_ARGS__                                               \
    }

static void
bodies_are_decided_from_the_headers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        POST_ROW({JSON_TYPE}, false, 100, 0, NULL, NULL),
        POST_ROW({JSON_TYPE}, true, -1, 0, NULL, NULL),
        POST_ROW({JSON_TYPE}, false, 0, 0, NULL, NULL),
        POST_ROW({JSON_TYPE}, false, -1, 411, NULL, "Content-Length"),
        POST_ROW({JSON_TYPE}, false, 101, 413, NULL, "MAX_BODY_BYTES"),
        POST_ROW({JSON_TYPE}, false, INT64_MAX, 413, NULL, "MAX_BODY_BYTES"),
        POST_ROW({{"content-type", "APPLICATION/JSON; charset=utf-8"}}, false, 9, 0, NULL, NULL),
        POST_ROW({{"Content-Type", "application/vnd.x+json"}}, false, 9, 0, NULL, NULL),
        POST_ROW({{"Content-Type", "application/+json"}}, false, 9, 415, NULL, NULL),
        POST_ROW({{"Content-Type", "application/jsonx"}}, false, 9, 415, NULL, NULL),
        POST_ROW({{"Content-Type", "text/plain"}}, false, 9, 415, NULL, "application/json"),
        POST_ROW({{"Content-Type", ""}}, false, 9, 415, NULL, NULL),
        POST_ROW({{0}}, false, 9, 415, NULL, NULL),
        POST_ROW({JSON_TYPE, {"Content-Encoding", "gzip"}}, false, 9, 415, NULL, "Encoding"),
        POST_ROW({JSON_TYPE, {"Content-Encoding", "identity"}}, false, 9, 0, NULL, NULL),
        POST_ROW({JSON_TYPE, {"Expect", "100-Continue"}}, false, 9, 0, NULL, NULL),
        POST_ROW({JSON_TYPE, {"Expect", "miracles"}}, false, 9, 417, NULL, "100-continue"),
        {HTTP_METHOD_GET, "/healthz", {{0}}, false, 1, 413, NULL, "no request body"},
        {HTTP_METHOD_GET, "/healthz", {{0}}, true, -1, 413, NULL, "no request body"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_row(&rows[i]);
}

static void
the_list_names_every_route(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT;
    routes_put_list(&out);
    buffer_putc(&out, '\0');
    assert_non_null(strstr(out.data, "\"POST /v1/execute\":"));
    assert_non_null(strstr(out.data, "\"GET /readyz\":"));
    buffer_fini(&out);
}

static void
the_label_of_a_route_is_its_path(void **state)
{
    (void)state;
    const struct metric_names labels = routes_labels();
    struct http_request request = {.method = HTTP_METHOD_HEAD, .path = "/readyz"};
    struct route_decision decision;
    routes_decide(&request, &config, &decision);
    assert_string_equal(labels.list[routes_label(decision.route)], "/readyz");
    request.path = "/nowhere";
    routes_decide(&request, &config, &decision);
    assert_int_equal(routes_label(decision.route), ROUTES_LABEL_OTHER);
    assert_string_equal(labels.list[labels.count - 1], "other");
    for (size_t i = 0; i < labels.count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(labels.list[i], labels.list[j]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_methods_are_decided_by_the_table),
        cmocka_unit_test(bodies_are_decided_from_the_headers),
        cmocka_unit_test(the_list_names_every_route),
        cmocka_unit_test(the_label_of_a_route_is_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
