#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/api/connection_fixture.h"
#include "tests/unit/api/fake_queue.h"

void
turn_loop(struct fixture *fixture)
{
    for (int i = 0; i < 20; i++)
        event_base_loop(fixture->app.base, EVLOOP_NONBLOCK);
}

int
open_client(struct fixture *fixture)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    connection_open(&fixture->pool, ends[0]);
    turn_loop(fixture);
    return ends[1];
}

int
connection_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (!fixture)
        return -1;
    fixture->config = (struct config){.cors_origins = "",
                                      .max_exec_timeout_ms = 5000,
                                      .max_output_bytes = 1000,
                                      .cpu_time_limit_sec = 2,
                                      .memory_limit_mb = 256,
                                      .max_code_bytes = 1000000,
                                      .max_stdin_bytes = 1000,
                                      .max_body_bytes = 200000,
                                      .max_bodies_bytes = 300000,
                                      .max_queue_depth = 7,
                                      .max_connections = 3,
                                      .idle_timeout_ms = 60000};
    fixture->app = (struct app){.config = &fixture->config, .base = event_base_new()};
    connection_pool_init(&fixture->pool, &fixture->app);
    fixture->client = open_client(fixture);
    *state = fixture;
    return 0;
}

int
connection_teardown(void **state)
{
    struct fixture *fixture = *state;
    connection_pool_fini(&fixture->pool);
    assert_int_equal(fixture->pool.count, 0);
    assert_int_equal(fixture->pool.held_bytes, 0);
    event_base_free(fixture->app.base);
    if (fixture->client >= 0)
        close(fixture->client);
    free(fixture);
    fake_queue_reset();
    return 0;
}

void
say(struct fixture *fixture, const char *text)
{
    assert_int_equal(send(fixture->client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    turn_loop(fixture);
}

const char *
hear(struct fixture *fixture)
{
    ssize_t got = recv(fixture->client, fixture->reply, REPLY_SIZE - 1, 0);
    fixture->ended = got == 0 || (got < 0 && errno == ECONNRESET);
    fixture->reply_size = got > 0 ? (size_t)got : 0;
    fixture->reply[fixture->reply_size] = '\0';
    turn_loop(fixture);
    return fixture->reply;
}

void
hang_up(struct fixture *fixture)
{
    close(fixture->client);
    fixture->client = -1;
    turn_loop(fixture);
}

void
await(struct fixture *fixture)
{
    const struct timeval limit = {.tv_sec = 5};
    event_base_loopexit(fixture->app.base, &limit);
    do {
        event_base_loop(fixture->app.base, EVLOOP_ONCE);
        hear(fixture);
    } while (fixture->reply_size == 0 && !fixture->ended &&
             !event_base_got_exit(fixture->app.base));
}
