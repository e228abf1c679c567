/* What the files of the connection share. */
#ifndef RETORT_CONNECTION_INTERNAL_H
#define RETORT_CONNECTION_INTERNAL_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "api/app.h"
#include "api/connection.h"
#include "api/exchange.h"
#include "api/http_parser.h"

/* When draining, a connection may send one more request so soon after the answer before. */
#define CONNECTION_DRAIN_GRACE_MS 1000

enum connection_state {
    CONNECTION_IDLE,      /* no byte of a request yet */
    CONNECTION_HEAD,      /* request line and headers arrive */
    CONNECTION_BODY,      /* the route is known, the body arrives */
    CONNECTION_WAITING,   /* the handler has the exchange */
    CONNECTION_WRITING,   /* the answer did not fit the socket at once */
    CONNECTION_STREAMING, /* the handler has the exchange, and its answer has begun */
    CONNECTION_LINGERING, /* answered in the middle of a request: what still comes is thrown away */
    CONNECTION_CLOSED,    /* to be freed by whoever is working on it */
};

struct connection {
    struct connection_pool *pool;
    struct bufferevent *bufferevent;
    struct event timer;
    struct event hangup; /* looks for one while reading is stopped */
    enum connection_state state;
    struct http_parser parser;
    struct exchange exchange;
    struct buffer head;   /* of the response */
    uint64_t held_bytes;  /* of this connection, in pool->held_bytes */
    uint64_t phase_us;    /* monotonic: when HEAD, BODY, WRITING or LINGERING began */
    uint64_t moved_us;    /* monotonic: when bytes last moved */
    uint64_t moved_bytes; /* since phase_us */
    uint64_t left_bytes;  /* WRITING: of the answer, when last looked at */
    bool keep_alive;      /* after the answer of the current exchange */
    int (*begin)(struct exchange *exchange, struct err *err); /* of the route */
    bool expects_continue; /* the request in hand waits for "100 Continue" */
    bool from_file;        /* the answer is a file, which is not in memory */
    bool unread;           /* answered before the end of the request */
    bool peer_done;        /* the peer sends nothing more */
    bool working;          /* connection_work() is on the stack */
    TAILQ_ENTRY(connection) link;
};

/* connection.c */
void connection_set_state(struct connection *connection, enum connection_state state);
/* How long it has been in its state. */
uint64_t connection_idle_ms(const struct connection *connection);
/* For the state it is in, and for whether the pool drains. */
void connection_start_timer(struct connection *connection);
/* Takes on what input there is, and the next request after an answer; may free connection. */
void connection_work(struct connection *connection);

/* Begins to serve fd, which connection->bufferevent has. */
void connection_start(struct connection *connection, evutil_socket_t fd);

/* connection_pool.c */
/* Not from within connection_work(); a job that is waited for is cancelled. */
void connection_free(struct connection *connection);
/* So many bytes of a request's body and of an unsent answer are held for this connection. */
void connection_count_held(struct connection *connection, uint64_t bytes);

/* connection_answer.c: exchange->on_answer of every connection. */
void connection_on_answer(struct exchange *exchange);
/* The handler has the exchange. */
bool connection_is_handled(const struct connection *connection);
/* Of every connection, for answers in pieces. */
extern const struct exchange_stream connection_stream;
/* "100 Continue". */
void connection_send_continue(struct connection *connection);
/* All of the answer is with the kernel. */
void connection_answer_sent(struct connection *connection);

#endif
