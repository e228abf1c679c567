/* A connection of the API without a socket of its own: the other end is the test's. */
#ifndef RETORT_CONNECTION_FIXTURE_H
#define RETORT_CONNECTION_FIXTURE_H

#include "api/app.h"
#include "api/connection.h"

#define REPLY_SIZE 65536

struct fixture {
    struct config config;
    struct app app;
    struct connection_pool pool;
    int client; /* the client's end; -1 when closed */
    char reply[REPLY_SIZE];
    size_t reply_size;
    bool ended; /* the server closed */
};

/* As much as there is to do. */
void turn_loop(struct fixture *fixture);
/* One more client; the caller closes it. */
int open_client(struct fixture *fixture);
/* *state is a fixture, with one client. */
int connection_setup(void **state);
int connection_teardown(void **state);
void say(struct fixture *fixture, const char *text);
/* What the server has said; reply_size and ended are of it. */
const char *hear(struct fixture *fixture);
void hang_up(struct fixture *fixture);
/* Runs the loop until the server has closed or said something. */
void await(struct fixture *fixture);

#define POST(length, body)                                                                         \
    "POST /v1/execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"                   \
    "Content-Length: " #length "\r\n\r\n" body
#define RUN_X  POST(12, "{\"code\":\"x\"}")
#define HEALTH "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

#define assert_begins(text, start) assert_memory_equal(text, start, strlen(start))

#define TEST(name) cmocka_unit_test_setup_teardown(name, connection_setup, connection_teardown)

#endif
