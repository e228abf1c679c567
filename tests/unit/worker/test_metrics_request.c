#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/metrics_request.h"

static const struct row {
    const char *head;
    enum metrics_request_kind kind;
    bool head_only;
} rows[] = {
    {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", METRICS_REQUEST_PAGE, false},
    {"GET /metrics HTTP/1.0\r\n\r\n", METRICS_REQUEST_PAGE, false},
    {"HEAD /metrics HTTP/1.1\r\n\r\n", METRICS_REQUEST_PAGE, true},
    {"GET /healthz?verbose HTTP/1.1\r\n\r\n", METRICS_REQUEST_HEALTH, false},
    {"GET / HTTP/1.1\r\n\r\n", METRICS_REQUEST_UNKNOWN, false},
    {"GET /metric HTTP/1.1\r\n\r\n", METRICS_REQUEST_UNKNOWN, false},
    {"GET /metricss HTTP/1.1\r\n\r\n", METRICS_REQUEST_UNKNOWN, false},
    {"GET ?/metrics HTTP/1.1\r\n\r\n", METRICS_REQUEST_UNKNOWN, false},
    {"POST /metrics HTTP/1.1\r\n\r\n", METRICS_REQUEST_NOT_ALLOWED, false},
    {"get /metrics HTTP/1.1\r\n\r\n", METRICS_REQUEST_NOT_ALLOWED, false},
    {"GET /metrics HTTP/2\r\n\r\n", METRICS_REQUEST_MALFORMED, false},
    {"GET  /metrics HTTP/1.1\r\n\r\n", METRICS_REQUEST_MALFORMED, false},
    {"GET /metrics\r\n HTTP/1.1\r\n\r\n", METRICS_REQUEST_MALFORMED, false},
    {"GET\r\n\r\n", METRICS_REQUEST_MALFORMED, false},
    {"\r\n\r\n", METRICS_REQUEST_MALFORMED, false},
    {"", METRICS_REQUEST_MALFORMED, false},
};

static void
the_first_line_says_what_is_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = strlen(rows[i].head);
        char *exact = malloc(size + 1); /* so that a sanitizer sees what is read beyond it */
        assert_non_null(exact);
        memcpy(exact, rows[i].head, size);
        struct metrics_request request = metrics_request_read(exact, size);
        if (request.kind != rows[i].kind || request.head_only != rows[i].head_only)
            fail_msg("%d: %s", request.kind, rows[i].head);
        free(exact);
    }
}

static void
a_line_that_is_too_long_is_malformed(void **state)
{
    (void)state;
    char head[1000];
    memset(head, 'x', sizeof(head));
    memcpy(head, "GET /metrics?", 13);
    memcpy(head + 900, " HTTP/1.1\r\n\r\n", 13);
    assert_int_equal(metrics_request_read(head, sizeof(head)).kind, METRICS_REQUEST_MALFORMED);
    memcpy(head + 200, " HTTP/1.1\r\n\r\n", 13);
    assert_int_equal(metrics_request_read(head, sizeof(head)).kind, METRICS_REQUEST_PAGE);
}

static void
a_nul_ends_the_line(void **state)
{
    (void)state;
    static const char head[] = "GET /metrics\0 HTTP/1.1\r\n\r\n";
    assert_int_equal(metrics_request_read(head, sizeof(head) - 1).kind, METRICS_REQUEST_MALFORMED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_says_what_is_asked),
        cmocka_unit_test(a_line_that_is_too_long_is_malformed),
        cmocka_unit_test(a_nul_ends_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
