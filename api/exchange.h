/*
 * One request and its answer, as handlers see them.
 *
 * A handler answers once, now or later, with exchange_answer() or exchange_fail(). If later, it
 * first sets `abandon`, which is called instead when the client goes away: it must let go of the
 * exchange and not answer. Connections own exchanges; tests make them without any socket.
 *
 *     void hello(struct exchange *exchange)
 *     {
 *         buffer_puts(&exchange->body, "{\"hello\":true}");
 *         exchange_answer(exchange, HTTP_OK);
 *     }
 */
#ifndef RETORT_EXCHANGE_H
#define RETORT_EXCHANGE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "api/buffer.h"
#include "api/http.h"
#include "common/err.h"
#include "common/job.h"

#define EXCHANGE_REQUEST_ID_SIZE JOB_REQUEST_ID_SIZE

struct api_key;
/* Unsent, of an answer that is sent as it comes; beyond it the client is too slow. */
#define EXCHANGE_STREAM_BYTES 4194304

struct app;
struct exchange;
struct surface;

/* The owner's part of an answer that is sent as it comes; each takes what exchange->body holds. */
struct exchange_stream {
    void (*begin)(struct exchange *exchange);
    void (*put)(struct exchange *exchange);
    void (*end)(struct exchange *exchange);
    size_t (*unsent)(const struct exchange *exchange);
    bool (*closing)(const struct exchange *exchange);
};

/* A part of a file as answer. */
struct exchange_file {
    int fd;
    uint64_t offset, bytes;
};

struct exchange {
    struct app *app;
    const struct http_request *request; /* NULL when it could not be parsed */
    char request_id[EXCHANGE_REQUEST_ID_SIZE];
    char job_id[JOB_ID_SIZE];                   /* "" when no job was submitted */
    char job_name[JOB_ID_SIZE];                 /* the client's own for it; "": none */
    const struct api_key *caller;               /* held; NULL: anonymous */
    uint64_t file_bytes;                        /* that go with its job */
    uint64_t started_us;                        /* monotonic, end of the headers */
    char path_id[ROUTE_ID_SIZE];                /* what stands for {id} in the route's path */
    unsigned route;                             /* routes_label(); set by the owner */
    void (*handler)(struct exchange *exchange); /* of the route; set by the owner */

    /* The answer. */
    int status;                /* 0 until answered */
    struct buffer body;        /* JSON, unless content_type says otherwise */
    const char *content_type;  /* static; NULL: JSON */
    size_t body_bytes;         /* of the answer, for the log; body itself may be gone by then */
    struct buffer headers;     /* lines "Name: value\r\n" beyond the usual */
    bool encoded;              /* by the handler, which says so in headers: body goes as it is */
    const char *cache_control; /* static; NULL: no-store */
    struct exchange_file file; /* instead of body, when has_file */
    bool has_file;

    /*
     * Of a body that is taken piece by piece and not kept in request->body: set by the route's
     * begin() at the end of the headers, before its handler. on_body() gets each piece; -1: the
     * request is answered with err. drop_body() is called once, when there is an answer or the
     * client is gone, and lets go of receiver.
     */
    int (*on_body)(struct exchange *exchange, const char *data, size_t size, struct err *err);
    void (*drop_body)(struct exchange *exchange);
    void *receiver;

    /*
     * The owner's: called once, when the answer is complete. Calls exchange_log() when it has
     * passed the answer on, so that no client waits for a line of log.
     */
    void (*on_answer)(struct exchange *exchange);
    const struct exchange_stream *stream;
    void *owner;

    /* The handler's, while it waits. */
    void (*abandon)(struct exchange *exchange);
    void *waiting_for;
    const struct surface *surface; /* whose job it waits for; static */
    const char *refused_param;     /* of its own refusals: the member; static, or NULL */
    bool ran;                      /* a worker has answered */
    unsigned language;             /* of the job that it waits for: metrics_language() */
    LIST_ENTRY(exchange) link;     /* in the list of those who wait for the same */
};

/* Begins; request may be NULL. Keeps app, on_answer, owner and the buffers' memory. */
void exchange_begin(struct exchange *exchange, const struct http_request *request);
/* Whose the request is. Holds key until the next request begins. */
void exchange_set_caller(struct exchange *exchange, struct api_key *key);
/* Whose what is made with it is: the key's label, or "anonymous". */
const char *exchange_owner(const struct exchange *exchange);
/* exchange->body is complete: hands the answer to the owner. May free exchange. */
void exchange_answer(struct exchange *exchange, int status);
/* The same with bytes from a file; takes the descriptor. It must not shrink while it is sent. */
void exchange_answer_file(struct exchange *exchange, int status, const struct exchange_file *file);
/*
 * Answers with error_body.h's shape instead of what body holds. The first two name the error by the
 * status, the third by err->code; param is the member of the request that it is about, or NULL.
 */
void exchange_fail(struct exchange *exchange, int status, const char *sentence);
void exchange_fail_param(struct exchange *exchange, int status, const char *param,
                         const char *sentence);
void exchange_fail_err(struct exchange *exchange, const struct err *err);
/*
 * An answer in pieces: the head, with status and exchange->content_type, and what body holds; then
 * what body holds, again and again; then the rest. The handler sets `abandon` first, which is
 * called when the client goes away before the end, or is the slower one for too long.
 */
void exchange_stream_begin(struct exchange *exchange, int status);
/* False: EXCHANGE_STREAM_BYTES wait for the client. Nothing was taken, and body is empty: end it.
 */
bool exchange_stream_put(struct exchange *exchange);
/* May free exchange. */
void exchange_stream_end(struct exchange *exchange);
/* The server is ending: so should what could go on for long. */
bool exchange_stream_closing(const struct exchange *exchange);
/* The line of the request, and its count. */
void exchange_log(const struct exchange *exchange);
/* What is worked on is ended, and the client told so (503). */
void exchange_give_up(struct exchange *exchange, const char *sentence);
/* The client went away before the answer. */
void exchange_abandon(struct exchange *exchange);
/* The answer is sent: gives back what was large. */
void exchange_release(struct exchange *exchange);
void exchange_fini(struct exchange *exchange);

#endif
