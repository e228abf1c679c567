/*
 * A connection's life.
 *
 *     IDLE ──byte──▶ HEAD ──end of headers──▶ BODY ──end of body──▶ WAITING ──answer──▶ WRITING
 *       ▲              │                        │                     │                   │
 *       │              └────── refused: answer, ┴─▶ LINGERING         │ hang-up: cancel   │
 *       └───────────────────────────────────────────── keep-alive ────┴───────────────────┘
 *
 * One request at a time: what a client sends ahead stays in the input buffer, which is bounded,
 * until the answer of the one before is with the kernel. So a connection holds at most one
 * request and one answer.
 *
 * An answer may also be sent as it comes into being: from WAITING the handler leads to STREAMING,
 * and its last piece to WRITING. There a hang-up is noticed as in WAITING; the handler sees to it
 * that no more than EXCHANGE_STREAM_BYTES wait for the client.
 *
 * Route, method, type and size are decided at the end of the headers. A request that is refused
 * there is answered at once and its body never kept. Closing a socket with unread bytes makes the
 * kernel reset it, and the client could lose the answer; so the sending side is shut down and what
 * still comes is thrown away for a while (LINGERING).
 *
 * Reading goes on while a job runs, to notice a client that hangs up: its job is cancelled at
 * once. A half-closed connection looks the same and is treated the same; clients that shut down
 * their sending side before they have the answer of a job are not served. Answers that need no job
 * reach them.
 *
 * A client that keeps its connection may be sending its next request while the server begins to
 * drain, and a closed socket would lose it. So a connection that became idle only now stays open
 * for CONNECTION_DRAIN_GRACE_MS, and what comes in that time is answered, with "Connection: close".
 *
 * Nothing waits for ever: the head must be complete IDLE_TIMEOUT_MS after its first byte; a body
 * and an answer must move every IDLE_TIMEOUT_MS, and on the whole not slower than SLOWEST_BYTES_MS;
 * a job has its deadline in the queue.
 *
 * connection_work() frees a connection that ends while it works on it; what ends one meanwhile
 * sets CONNECTION_CLOSED and leaves it to that.
 */
#include "api/connection_internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <event2/buffer.h>

#include "api/cors.h"
#include "api/routes.h"
#include "common/clock.h"

/* Sent ahead by a client while it waits for an answer; beyond it reading is suspended. */
#define INPUT_MAX_BYTES  65536
#define LINGER_MS        5000
/* 4 KiB a second: a body of MAX_BODY_BYTES may take 17 minutes. */
#define SLOWEST_BYTES_MS 4

static const struct timeval hangup_interval = {.tv_usec = 100000};

static void
set_timer(struct connection *connection, uint64_t ms)
{
    const struct timeval delay = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    event_add(&connection->timer, &delay);
}

uint64_t
connection_idle_ms(const struct connection *connection)
{
    return (clock_monotonic_us() - connection->phase_us) / 1000;
}

/* Until a connection without a request is closed. */
static uint64_t
patience_ms(const struct connection *connection)
{
    uint64_t idle_ms = connection->pool->app->config->idle_timeout_ms;
    uint64_t been_ms = connection_idle_ms(connection);
    if (!connection->pool->draining || idle_ms < CONNECTION_DRAIN_GRACE_MS)
        return idle_ms;
    return been_ms < CONNECTION_DRAIN_GRACE_MS ? CONNECTION_DRAIN_GRACE_MS - been_ms : 0;
}

void
connection_start_timer(struct connection *connection)
{
    uint64_t idle_ms = connection->pool->app->config->idle_timeout_ms;
    switch (connection->state) {
    case CONNECTION_IDLE:
        set_timer(connection, patience_ms(connection));
        break;
    case CONNECTION_HEAD:
        set_timer(connection, idle_ms);
        break;
    case CONNECTION_BODY:
    case CONNECTION_WRITING:
    case CONNECTION_STREAMING:
        set_timer(connection, idle_ms / 4 + 1);
        break;
    case CONNECTION_LINGERING:
        set_timer(connection, LINGER_MS);
        break;
    case CONNECTION_WAITING:
    case CONNECTION_CLOSED:
        event_del(&connection->timer);
        break;
    }
}

void
connection_set_state(struct connection *connection, enum connection_state state)
{
    struct connection_pool *pool = connection->pool;
    bool was_idle = connection->state == CONNECTION_IDLE;
    if (was_idle != (state == CONNECTION_IDLE)) {
        TAILQ_REMOVE(was_idle ? &pool->idle : &pool->busy, connection, link);
        TAILQ_INSERT_TAIL(was_idle ? &pool->busy : &pool->idle, connection, link);
    }
    connection->state = state;
    connection->phase_us = connection->moved_us = clock_monotonic_us();
    connection->moved_bytes = 0;
    connection_start_timer(connection);
}

/* ---- a request ---------------------------------------------------------------------------- */

/* Answers in the middle of a request. */
static void
refuse(struct connection *connection, int status, const char *sentence)
{
    connection->unread = true;
    connection->keep_alive = false;
    connection_set_state(connection, CONNECTION_WAITING);
    exchange_fail(&connection->exchange, status, sentence);
}

static void
refuse_malformed(struct connection *connection, int status, const char *sentence)
{
    if (connection->state != CONNECTION_BODY)
        exchange_begin(&connection->exchange, NULL);
    refuse(connection, status, sentence);
}

/* What of the body has arrived is thrown away; false when there is more to come. */
static bool
skip_body(struct connection *connection)
{
    const struct http_request *request = &connection->parser.request;
    struct evbuffer *input = bufferevent_get_input(connection->bufferevent);

    if (!http_request_has_body(request))
        return true;
    if (request->chunked || request->content_length > evbuffer_get_length(input))
        return false;
    evbuffer_drain(input, (size_t)request->content_length);
    return true;
}

/* Not let in, at the end of the headers. */
static void
turn_away(struct connection *connection, int status, const char *sentence)
{
    connection->unread = !skip_body(connection);
    connection->keep_alive = connection->keep_alive && !connection->unread;
    connection_set_state(connection, CONNECTION_WAITING);
    exchange_fail(&connection->exchange, status, sentence);
}

static void
refuse_err(struct connection *connection, const struct err *err)
{
    connection->unread = true;
    connection->keep_alive = false;
    connection_set_state(connection, CONNECTION_WAITING);
    exchange_fail_err(&connection->exchange, err);
}

static int
pass_body(void *context, const char *data, size_t size, struct err *err)
{
    struct exchange *exchange = context;
    return exchange->on_body(exchange, data, size, err);
}

/* False: it is answered already, and connection may be freed. */
static bool
begin_body(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    struct err err = ERR_INIT;

    connection->unread = false;
    connection_set_state(connection, CONNECTION_BODY);
    if (connection->begin && connection->begin(exchange, &err) < 0) {
        refuse_err(connection, &err);
        return false;
    }
    if (exchange->on_body) {
        connection->parser.on_body = pass_body;
        connection->parser.body_context = exchange;
    }
    if (connection->expects_continue)
        connection_send_continue(connection);
    return true;
}

/* The gate's answer; connection_work() may be on the stack, or not. */
static void
on_admitted(struct exchange *exchange, int status, const char *sentence)
{
    struct connection *connection = exchange->owner;

    if (status != 0)
        turn_away(connection, status, sentence); /* and connection may be freed */
    else if (begin_body(connection))
        connection_work(connection);
}

static void
take_in(struct connection *connection, const struct route_decision *decision)
{
    struct exchange *exchange = &connection->exchange;

    connection->parser.body_limit = decision->body_limit;
    connection->parser.body_limit_name = decision->route->limit_name;
    connection->expects_continue = decision->expects_continue;
    connection->begin = decision->route->begin;
    exchange->handler = decision->route->handler;
    if (!exchange->caller) {
        begin_body(connection);
        return;
    }
    connection->unread = http_request_has_body(&connection->parser.request);
    connection_set_state(connection, CONNECTION_WAITING);
    gate_admit(exchange, on_admitted);
}

static void
decide(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    const struct http_request *request = &connection->parser.request;
    struct route_decision decision;
    exchange_begin(exchange, request);
    routes_decide(request, connection->pool->app->config, &decision);
    exchange->route = routes_label(decision.route);
    memcpy(exchange->path_id, decision.id, sizeof(decision.id));
    connection->keep_alive = request->keep_alive && !connection->pool->draining;
    const char *sentence = NULL;
    cors_put(exchange, request->method == HTTP_METHOD_OPTIONS ? decision.allow : "");
    bool gated = decision.route && decision.route->access == ROUTE_ACCESS_key;
    int status = gated ? gate_identify(exchange, &sentence) : 0;
    if (status != 0) {
        turn_away(connection, status, sentence);
        return;
    }
    if (decision.status == 0) {
        take_in(connection, &decision);
        return;
    }
    if (decision.allow[0])
        buffer_printf(&exchange->headers, "Allow: %s\r\n", decision.allow);
    connection->unread = http_request_has_body(request);
    connection->keep_alive = connection->keep_alive && !connection->unread;
    connection_set_state(connection, CONNECTION_WAITING);
    if (decision.sentence[0])
        exchange_fail(exchange, decision.status, decision.sentence);
    else
        exchange_answer(exchange, decision.status);
}

static void
take_parse(struct connection *connection, enum http_parse outcome)
{
    switch (outcome) {
    case HTTP_PARSE_MORE:
        break;
    case HTTP_PARSE_HEADERS:
        decide(connection);
        break;
    case HTTP_PARSE_DONE:
        connection_set_state(connection, CONNECTION_WAITING);
        connection->exchange.handler(&connection->exchange);
        break;
    case HTTP_PARSE_ERROR:
        if (connection->parser.failure.code != ERR_NONE)
            refuse_err(connection, &connection->parser.failure);
        else
            refuse_malformed(connection, connection->parser.status, connection->parser.sentence);
        break;
    }
}

static bool
is_reading(const struct connection *connection)
{
    return connection->state == CONNECTION_IDLE || connection->state == CONNECTION_HEAD ||
           connection->state == CONNECTION_BODY;
}

/* One step of reading; false when there is nothing to do it with. */
static bool
read_on(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->bufferevent);
    struct evbuffer_iovec piece = {.iov_base = (char[]){""}, .iov_len = 0};
    bool at_end =
        connection->state == CONNECTION_BODY && !http_request_has_body(&connection->parser.request);
    /* libevent may keep an empty chain in an empty buffer, and peek then yields a piece of 0 bytes
     */
    evbuffer_peek(input, -1, NULL, &piece, 1);
    if (piece.iov_len == 0 && !at_end)
        return false;
    if (connection->state == CONNECTION_IDLE)
        connection_set_state(connection, CONNECTION_HEAD);
    size_t consumed;
    enum http_parse outcome =
        http_parser_feed(&connection->parser, piece.iov_base, piece.iov_len, &consumed);
    evbuffer_drain(input, consumed);
    connection->moved_us = clock_monotonic_us();
    connection->moved_bytes += consumed;
    connection_count_held(connection, connection->parser.request.body.size);
    if (connection->pool->held_bytes > connection->pool->app->config->max_bodies_bytes &&
        connection->state == CONNECTION_BODY)
        refuse(connection, HTTP_UNAVAILABLE,
               "Too many bytes are being received and sent; try again in a moment.");
    else
        take_parse(connection, outcome);
    return true;
}

static void
end_of_input(struct connection *connection)
{
    if (connection->state == CONNECTION_IDLE)
        connection_set_state(connection, CONNECTION_CLOSED);
    else if (is_reading(connection))
        refuse_malformed(connection, HTTP_BAD_REQUEST, "The request ended before it was complete.");
}

/*
 * Stops and resumes reading by how much waits behind the current request. (A bufferevent's own
 * high watermark calls back without end while nobody takes from the input.) While it is stopped,
 * the socket is looked at now and then for a hang-up. (libevent's EV_CLOSED would not tell of a
 * reset.)
 */
static void
bound_input(struct connection *connection)
{
    size_t waiting = evbuffer_get_length(bufferevent_get_input(connection->bufferevent));
    bool stopped = !(bufferevent_get_enabled(connection->bufferevent) & EV_READ);
    if (waiting >= INPUT_MAX_BYTES && !stopped) {
        bufferevent_disable(connection->bufferevent, EV_READ);
        event_add(&connection->hangup, &hangup_interval);
    } else if (waiting < INPUT_MAX_BYTES && stopped && !connection->peer_done) {
        event_del(&connection->hangup);
        bufferevent_enable(connection->bufferevent, EV_READ);
    }
}

void
connection_work(struct connection *connection)
{
    if (connection->working)
        return;
    connection->working = true;
    while (is_reading(connection) && read_on(connection))
        ;
    if (connection->peer_done)
        end_of_input(connection);
    bound_input(connection);
    connection->working = false;
    bool gone = connection->peer_done && connection_is_handled(connection);
    if (gone || connection->state == CONNECTION_CLOSED)
        connection_free(connection);
}

/* ---- events ------------------------------------------------------------------------------- */

static void
on_readable(struct bufferevent *bufferevent, void *context)
{
    struct connection *connection = context;
    if (connection->state == CONNECTION_LINGERING) {
        struct evbuffer *input = bufferevent_get_input(bufferevent);
        evbuffer_drain(input, evbuffer_get_length(input));
        return;
    }
    connection_work(connection);
}

static void
on_written(struct bufferevent *bufferevent, void *context)
{
    struct connection *connection = context;
    (void)bufferevent;
    if (connection->state != CONNECTION_WRITING)
        return;
    connection_answer_sent(connection);
    connection_work(connection);
}

static void
on_hangup_check(evutil_socket_t fd, short events, void *context)
{
    struct connection *connection = context;
    struct pollfd look = {.fd = bufferevent_getfd(connection->bufferevent), .events = POLLRDHUP};
    (void)fd;
    (void)events;
    if (poll(&look, 1, 0) <= 0)
        return;
    connection->peer_done = true;
    event_del(&connection->hangup);
    connection_work(connection);
}

static void
on_event(struct bufferevent *bufferevent, short events, void *context)
{
    struct connection *connection = context;
    (void)bufferevent;
    connection->peer_done = true;
    bool broken = (events & BEV_EVENT_ERROR) != 0;
    if (broken || connection_is_handled(connection) || connection->state == CONNECTION_LINGERING)
        connection_free(connection);
    else
        connection_work(connection);
}

static bool
is_too_slow(struct connection *connection)
{
    uint64_t idle_us = connection->pool->app->config->idle_timeout_ms * 1000;
    uint64_t now_us = clock_monotonic_us();
    if (connection->state == CONNECTION_WRITING || connection->state == CONNECTION_STREAMING) {
        uint64_t left = evbuffer_get_length(bufferevent_get_output(connection->bufferevent));
        if (left < connection->left_bytes) {
            connection->moved_us = now_us;
            connection->moved_bytes += connection->left_bytes - left;
            connection->left_bytes = left;
            connection_count_held(connection, connection->parser.request.body.size +
                                                  (connection->from_file ? 0 : left));
        }
    }
    if (connection->state == CONNECTION_STREAMING)
        return connection->left_bytes > 0 && now_us - connection->moved_us >= idle_us;
    uint64_t earned_us = connection->moved_bytes / SLOWEST_BYTES_MS * 1000;
    return now_us - connection->moved_us >= idle_us ||
           now_us - connection->phase_us >= idle_us + earned_us;
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    struct connection *connection = context;
    (void)fd;
    (void)events;
    bool paced = connection->state == CONNECTION_BODY || connection->state == CONNECTION_WRITING ||
                 connection->state == CONNECTION_STREAMING;
    if (paced && !is_too_slow(connection)) {
        connection_start_timer(connection);
    } else if (connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY) {
        refuse_malformed(connection, HTTP_REQUEST_TIMEOUT, "The request took too long to arrive.");
    } else {
        connection_free(connection);
    }
}

void
connection_start(struct connection *connection, evutil_socket_t fd)
{
    struct event_base *base = connection->pool->app->base;
    /* An answer is one write; it must not wait for the acknowledgement of the one before. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    event_assign(&connection->timer, base, -1, 0, on_timer, connection);
    event_assign(&connection->hangup, base, -1, EV_PERSIST, on_hangup_check, connection);
    bufferevent_setcb(connection->bufferevent, on_readable, on_written, on_event, connection);
    bufferevent_enable(connection->bufferevent, EV_READ | EV_WRITE);
    connection_set_state(connection, CONNECTION_IDLE);
}
