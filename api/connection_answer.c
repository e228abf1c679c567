/* Sending: one writev per answer; only what the socket does not take goes through libevent. */
#include "api/connection_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <event2/buffer.h>

#include "common/clock.h"

/* Kept between the requests of a connection. */
#define KEPT_HEAD_BYTES 2048

static void
free_referenced(const void *data, size_t size, void *memory)
{
    (void)data;
    (void)size;
    free(memory);
}

/* What is left of head and body goes to the output buffer, which takes the body's memory over. */
static int
queue_rest(struct connection *connection, struct buffer *body, size_t sent)
{
    struct evbuffer *output = bufferevent_get_output(connection->bufferevent);
    const struct buffer *head = &connection->head;
    if (sent < head->size) {
        if (evbuffer_add(output, head->data + sent, head->size - sent) < 0)
            return -1;
        sent = head->size;
    }
    size_t offset = sent - head->size;
    if (offset < body->size) {
        if (evbuffer_add_reference(output, body->data + offset, body->size - offset,
                                   free_referenced, body->data) < 0)
            return -1;
        *body = (struct buffer)BUFFER_INIT;
    }
    return 0;
}

/* Bytes that the kernel took, 0 when it takes none now; -1: broken. */
static ssize_t
send_now(struct connection *connection, const struct buffer *body)
{
    /* An interim response may still be on its way; it goes first. */
    if (evbuffer_get_length(bufferevent_get_output(connection->bufferevent)) > 0)
        return 0;
    struct iovec pieces[2] = {{connection->head.data, connection->head.size},
                              {body->data, body->size}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = body->size ? 2 : 1};
    ssize_t sent =
        sendmsg(bufferevent_getfd(connection->bufferevent), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return sent;
}

static void
put_head(struct connection *connection)
{
    const struct exchange *exchange = &connection->exchange;
    const struct http_response_head head = {
        .status = exchange->status,
        .body_bytes = exchange->has_file ? exchange->file.bytes : exchange->body.size,
        .content_type = exchange->content_type,
        .request_id = exchange->request_id,
        .cache_control = exchange->cache_control,
        .headers = &exchange->headers,
        .minor_version = exchange->request ? exchange->request->minor_version : 1,
        .keep_alive = connection->keep_alive,
        .streamed = connection->state == CONNECTION_STREAMING,
    };
    buffer_reset(&connection->head, KEPT_HEAD_BYTES);
    http_response_put_head(&connection->head, &head, &connection->pool->date);
}

/* The kernel copies from the file to the socket; no more of it than the socket takes is in memory.
 */
static int
queue_file(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    struct evbuffer *output = bufferevent_get_output(connection->bufferevent);
    const struct exchange_file *file = &exchange->file;
    if (!exchange->has_file || file->bytes == 0 ||
        (exchange->request && exchange->request->method == HTTP_METHOD_HEAD))
        return 0;
    struct evbuffer_file_segment *segment = evbuffer_file_segment_new(
        file->fd, (ev_off_t)file->offset, (ev_off_t)file->bytes, EVBUF_FS_CLOSE_ON_FREE);
    if (!segment)
        return -1;
    exchange->has_file = false; /* the segment has the descriptor */
    int result = evbuffer_add_file_segment(output, segment, 0, (ev_off_t)file->bytes);
    evbuffer_file_segment_free(segment);
    connection->from_file = true;
    return result;
}

static void
send_answer(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    struct buffer *body = &exchange->body;
    put_head(connection);
    if (exchange->request && exchange->request->method == HTTP_METHOD_HEAD)
        buffer_reset(body, 0);
    size_t size = connection->head.size + body->size;
    connection->from_file = false;
    ssize_t sent = connection->head.failed ? -1 : send_now(connection, body);
    exchange_log(exchange);
    if (sent < 0 || ((size_t)sent < size && queue_rest(connection, body, (size_t)sent) < 0) ||
        queue_file(connection) < 0) {
        connection_set_state(connection, CONNECTION_CLOSED);
        return;
    }
    connection_set_state(connection, CONNECTION_WRITING);
    connection->left_bytes = size - (size_t)sent;
    connection_count_held(connection,
                          connection->parser.request.body.size + connection->left_bytes);
    if (connection->from_file)
        connection->left_bytes += exchange->file.bytes;
    if (connection->left_bytes == 0)
        connection_answer_sent(connection);
}

void
connection_on_answer(struct exchange *exchange)
{
    struct connection *connection = exchange->owner;
    if (connection->pool->draining)
        connection->keep_alive = false;
    send_answer(connection);
    connection_work(connection);
}

/* ---- in pieces ---- */

bool
connection_is_handled(const struct connection *connection)
{
    return connection->state == CONNECTION_WAITING || connection->state == CONNECTION_STREAMING;
}

static size_t
stream_unsent(const struct exchange *exchange)
{
    const struct connection *connection = exchange->owner;
    return evbuffer_get_length(bufferevent_get_output(connection->bufferevent));
}

static void
note_unsent(struct connection *connection)
{
    size_t unsent = stream_unsent(&connection->exchange);
    if (connection->left_bytes == 0)
        connection->moved_us = clock_monotonic_us(); /* there was nothing to be slow with */
    connection->left_bytes = unsent;
    connection_count_held(connection, connection->parser.request.body.size + unsent);
}

static void
stream_put(struct exchange *exchange)
{
    struct connection *connection = exchange->owner;
    struct evbuffer *output = bufferevent_get_output(connection->bufferevent);
    bool chunked = exchange->request->minor_version > 0;
    if (exchange->body.size == 0)
        return;
    if (chunked)
        evbuffer_add_printf(output, "%zx\r\n", exchange->body.size);
    evbuffer_add(output, exchange->body.data, exchange->body.size);
    if (chunked)
        evbuffer_add(output, "\r\n", 2);
    note_unsent(connection);
}

static void
stream_begin(struct exchange *exchange)
{
    struct connection *connection = exchange->owner;
    if (connection->pool->draining || exchange->request->minor_version == 0)
        connection->keep_alive = false;
    connection_set_state(connection, CONNECTION_STREAMING);
    connection->left_bytes = 0;
    put_head(connection);
    bufferevent_write(connection->bufferevent, connection->head.data, connection->head.size);
    stream_put(exchange);
}

static void
stream_end(struct exchange *exchange)
{
    struct connection *connection = exchange->owner;
    struct evbuffer *output = bufferevent_get_output(connection->bufferevent);
    stream_put(exchange);
    if (exchange->request->minor_version > 0)
        evbuffer_add(output, "0\r\n\r\n", 5);
    if (connection->pool->draining)
        connection->keep_alive = false;
    exchange_log(exchange);
    connection_set_state(connection, CONNECTION_WRITING);
    connection->left_bytes = evbuffer_get_length(output);
    if (connection->left_bytes == 0)
        connection_answer_sent(connection);
    connection_work(connection);
}

static bool
stream_closing(const struct exchange *exchange)
{
    const struct connection *connection = exchange->owner;
    return connection->pool->draining;
}

const struct exchange_stream connection_stream = {
    .begin = stream_begin,
    .put = stream_put,
    .end = stream_end,
    .unsent = stream_unsent,
    .closing = stream_closing,
};

void
connection_answer_sent(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->bufferevent);
    bool more_comes = connection->unread || evbuffer_get_length(input) > 0;
    exchange_release(&connection->exchange);
    connection_count_held(connection, 0);
    if (connection->keep_alive) {
        http_parser_reset(&connection->parser);
        connection_set_state(connection, CONNECTION_IDLE);
    } else if (more_comes && !connection->peer_done) {
        shutdown(bufferevent_getfd(connection->bufferevent), SHUT_WR);
        evbuffer_drain(input, evbuffer_get_length(input));
        connection_set_state(connection, CONNECTION_LINGERING);
    } else {
        connection_set_state(connection, CONNECTION_CLOSED);
    }
}

void
connection_send_continue(struct connection *connection)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    bufferevent_write(connection->bufferevent, interim, sizeof(interim) - 1);
}
