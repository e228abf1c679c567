#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/http_parser.h"

#define BODY_LIMIT 1000

/* Feeds text in pieces of at most step bytes until the request is complete or wrong. */
static enum http_parse
feed_in_steps(struct http_parser *parser, const char *text, size_t size, size_t step, size_t *used)
{
    enum http_parse outcome = HTTP_PARSE_MORE;
    *used = 0;
    while (outcome == HTTP_PARSE_HEADERS || *used < size) {
        size_t piece = size - *used < step ? size - *used : step;
        size_t consumed;
        outcome = http_parser_feed(parser, text + *used, piece, &consumed);
        *used += consumed;
        if (outcome == HTTP_PARSE_HEADERS) {
            parser->body_limit = BODY_LIMIT;
            parser->body_limit_name = "LIMIT";
        } else if (outcome != HTTP_PARSE_MORE) {
            return outcome;
        }
    }
    return outcome;
}

static enum http_parse
parse(struct http_parser *parser, const char *text)
{
    struct err err = ERR_INIT;
    size_t used;
    assert_int_equal(http_parser_init(parser, &err), 0);
    return feed_in_steps(parser, text, strlen(text), SIZE_MAX, &used);
}

static const char post[] =
    "POST /v1/execute?a=b#c HTTP/1.1\r\nHost: x\r\nContent-Type:  text/a \t\r\n"
    "X-Empty:\r\nContent-Length: 5\r\n\r\nhello";

static void
a_request_is_the_same_however_it_is_split(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof(post); step++) {
        struct http_parser parser;
        struct err err = ERR_INIT;
        size_t used;
        assert_int_equal(http_parser_init(&parser, &err), 0);
        assert_int_equal(feed_in_steps(&parser, post, strlen(post), step, &used), HTTP_PARSE_DONE);
        assert_int_equal(used, strlen(post));
        const struct http_request *request = &parser.request;
        assert_int_equal(request->method, HTTP_METHOD_POST);
        assert_string_equal(request->path, "/v1/execute");
        assert_string_equal(request->query, "a=b");
        assert_int_equal(request->header_count, 4);
        assert_string_equal(http_request_header(request, "content-type"), "text/a");
        assert_string_equal(http_request_header(request, "X-EMPTY"), "");
        assert_null(http_request_header(request, "x-none"));
        assert_true(request->keep_alive);
        assert_int_equal(request->content_length, 5);
        assert_int_equal(request->body.size, 5);
        assert_memory_equal(request->body.data, "hello", 5);
        http_parser_fini(&parser);
    }
}

static void
chunks_are_put_together_and_trailers_read_past(void **state)
{
    (void)state;
    static const char text[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
                               "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n";
    for (size_t step = 1; step <= sizeof(text); step++) {
        struct http_parser parser;
        struct err err = ERR_INIT;
        size_t used;
        assert_int_equal(http_parser_init(&parser, &err), 0);
        assert_int_equal(feed_in_steps(&parser, text, strlen(text), step, &used), HTTP_PARSE_DONE);
        assert_true(parser.request.chunked);
        assert_int_equal(parser.request.header_count, 2);
        assert_int_equal(parser.request.body.size, 5);
        assert_memory_equal(parser.request.body.data, "abcde", 5);
        http_parser_fini(&parser);
    }
}

static void
requests_sent_ahead_are_left_where_they_are(void **state)
{
    (void)state;
    static const char text[] = "\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n"
                               "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";
    struct http_parser parser;
    struct err err = ERR_INIT;
    size_t used, more;
    assert_int_equal(http_parser_init(&parser, &err), 0);
    assert_int_equal(feed_in_steps(&parser, text, strlen(text), SIZE_MAX, &used), HTTP_PARSE_DONE);
    assert_string_equal(parser.request.path, "/a");
    http_parser_reset(&parser);
    assert_int_equal(feed_in_steps(&parser, text + used, strlen(text) - used, SIZE_MAX, &more),
                     HTTP_PARSE_DONE);
    assert_string_equal(parser.request.path, "/b");
    assert_int_equal(used + more, strlen(text));
    http_parser_fini(&parser);
}

#define GET_WITH(headers)        "GET / HTTP/1.1\r\nHost: x\r\n" headers "\r\n"
#define POST_WITH(headers, body) "POST / HTTP/1.1\r\nHost: x\r\n" headers "\r\n" body

static void
malformed_requests_are_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"\x16\x03\x01\x02", 400},
        {"hello\r\n\r\n", 400},
        {"GET\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: x\n\n", 400},
        {"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {GET_WITH("Host: y\r\n"), 400},
        {GET_WITH("Bad Name: y\r\n"), 400},
        {GET_WITH("No-Colon\r\n"), 400},
        {GET_WITH(": empty\r\n"), 400},
        {GET_WITH("X: a\x01z\r\n"), 400},
        {GET_WITH("X: a\r\n folded\r\n"), 400},
        {GET_WITH("X : a\r\n"), 400},
        {POST_WITH("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
        {POST_WITH("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400},
        {POST_WITH("Content-Length: -5\r\n", "hello"), 400},
        {POST_WITH("Content-Length: +5\r\n", "hello"), 400},
        {POST_WITH("Content-Length: 5, 5\r\n", "hello"), 400},
        {POST_WITH("Content-Length: 0x5\r\n", "hello"), 400},
        {POST_WITH("Content-Length: \r\n", "hello"), 400},
        {POST_WITH("Content-Length: 99999999999999999999999\r\n", ""), 400},
        {POST_WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {POST_WITH("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
        {POST_WITH("Transfer-Encoding: gzip\r\n", ""), 400},
        {POST_WITH("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400},
        {POST_WITH("Transfer-Encoding: chunked, gzip\r\n", ""), 400},
        {POST_WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
         400},
        {POST_WITH("Transfer-Encoding: chunked\r\n", "zz\r\n"), 400},
        {POST_WITH("Transfer-Encoding: chunked\r\n", "-1\r\n"), 400},
        {POST_WITH("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"), 400},
        {POST_WITH("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n"), 400},
        {POST_WITH("Transfer-Encoding: chunked\r\n", "2\nab\n0\n\n"), 400},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_parser parser;
        if (parse(&parser, rows[i].text) != HTTP_PARSE_ERROR)
            fail_msg("accepted: %s", rows[i].text);
        if (parser.status != rows[i].status)
            fail_msg("%d instead of %d: %s", parser.status, rows[i].status, rows[i].text);
        assert_true(strlen(parser.sentence) > 10);
        assert_int_equal(parser.sentence[strlen(parser.sentence) - 1], '.');
        http_parser_fini(&parser);
    }
}

static void
valid_curiosities_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *path;
    } rows[] = {
        {"GET http://host:80/a?b HTTP/1.1\r\nHost: x\r\n\r\n", "/a"},
        {"GET http://host HTTP/1.1\r\nHost: x\r\n\r\n", "/"},
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "*"},
        {"CONNECT host:80 HTTP/1.1\r\nHost: x\r\n\r\n", "host:80"},
        {"GET / HTTP/1.0\r\n\r\n", "/"},
        {"GET //a/../b HTTP/1.1\r\nHost:\r\n\r\n", "//a/../b"},
        {GET_WITH("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), "/"},
        {POST_WITH("Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n", "ab"), "/"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_parser parser;
        if (parse(&parser, rows[i].text) != HTTP_PARSE_DONE)
            fail_msg("%s: %s", parser.sentence, rows[i].text);
        assert_string_equal(parser.request.path, rows[i].path);
        http_parser_fini(&parser);
    }
}

static void
keep_alive_follows_version_and_header(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep_alive;
    } rows[] = {
        {GET_WITH(""), true},
        {GET_WITH("Connection: close\r\n"), false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_parser parser;
        assert_int_equal(parse(&parser, rows[i].text), HTTP_PARSE_DONE);
        assert_int_equal(parser.request.keep_alive, rows[i].keep_alive);
        http_parser_fini(&parser);
    }
}

/* prefix, then fill bytes, then suffix. */
static void
assert_filled(const char *prefix, size_t fill, const char *suffix, int status)
{
    char *text = malloc(strlen(prefix) + fill + strlen(suffix) + 1);
    assert_non_null(text);
    memcpy(text, prefix, strlen(prefix));
    memset(text + strlen(prefix), 'a', fill);
    memcpy(text + strlen(prefix) + fill, suffix, strlen(suffix) + 1);
    struct http_parser parser;
    enum http_parse outcome = parse(&parser, text);
    assert_int_equal(outcome, status ? HTTP_PARSE_ERROR : HTTP_PARSE_DONE);
    assert_int_equal(parser.status, status);
    http_parser_fini(&parser);
    free(text);
}

static void
heads_are_bounded(void **state)
{
    (void)state;
    static const char end[] = " HTTP/1.1\r\nHost: x\r\n\r\n";
    size_t fits = HTTP_HEAD_MAX_BYTES - strlen("GET /") - strlen(end);
    assert_filled("GET /", fits, end, 0);
    assert_filled("GET /", HTTP_HEAD_MAX_BYTES, end, 414);
    assert_filled("GET / HTTP/1.1\r\nHost: x\r\nX: ", HTTP_HEAD_MAX_BYTES, "\r\n\r\n", 431);
    assert_filled("GET / HTTP/1.1\r\nHost: x\r\n", HTTP_HEAD_MAX_BYTES, ": x\r\n\r\n", 431);
}

static void
headers_are_counted(void **state)
{
    (void)state;
    for (int extra = -1; extra <= 0; extra++) {
        struct buffer text = BUFFER_INIT;
        buffer_puts(&text, "GET / HTTP/1.1\r\nHost: x\r\n");
        for (int i = 0; i < HTTP_HEADERS_MAX + extra; i++)
            buffer_printf(&text, "X-%d: y\r\n", i);
        buffer_append(&text, "\r\n", 3);
        struct http_parser parser;
        assert_int_equal(parse(&parser, text.data), extra < 0 ? HTTP_PARSE_DONE : HTTP_PARSE_ERROR);
        assert_int_equal(parser.status, extra < 0 ? 0 : 431);
        http_parser_fini(&parser);
        buffer_fini(&text);
    }
}

static void
chunked_bodies_are_bounded(void **state)
{
    (void)state;
    static const char head[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (size_t size = BODY_LIMIT; size <= BODY_LIMIT + 1; size++) {
        char prefix[200];
        snprintf(prefix, sizeof(prefix), "%s%zx\r\n", head, size);
        assert_filled(prefix, size, "\r\n0\r\n\r\n", size > BODY_LIMIT ? 413 : 0);
    }
    char trailer[200];
    snprintf(trailer, sizeof(trailer), "%s0\r\nT: ", head);
    assert_filled(trailer, 100, "\r\n\r\n", 0);
    assert_filled(trailer, 100000, "\r\n\r\n", 400);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_the_same_however_it_is_split),
        cmocka_unit_test(chunks_are_put_together_and_trailers_read_past),
        cmocka_unit_test(requests_sent_ahead_are_left_where_they_are),
        cmocka_unit_test(malformed_requests_are_refused_with_a_sentence),
        cmocka_unit_test(valid_curiosities_are_taken),
        cmocka_unit_test(keep_alive_follows_version_and_header),
        cmocka_unit_test(heads_are_bounded),
        cmocka_unit_test(headers_are_counted),
        cmocka_unit_test(chunked_bodies_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
