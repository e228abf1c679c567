#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/listen_socket.h"
#include "api/server.h"
#include "common/log.h"

struct fixture {
    struct config config;
    struct app app;
    struct server *server;
    unsigned port;
};

static int
setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct listen_socket sock;
    struct err err = ERR_INIT;
    if (!fixture)
        return -1;
    fixture->config = (struct config){.cors_origins = "",
                                      .host = (char[]){"127.0.0.1"},
                                      .max_connections = 10,
                                      .idle_timeout_ms = 1000};
    fixture->app = (struct app){.config = &fixture->config, .base = event_base_new()};
    if (listen_socket_open(&sock, &fixture->config, &err) < 0)
        return -1;
    fixture->port = sock.port;
    fixture->server = server_new(&fixture->app, sock.fd, &err);
    *state = fixture;
    return fixture->server ? 0 : -1;
}

static int
teardown(void **state)
{
    struct fixture *fixture = *state;
    server_free(fixture->server);
    event_base_free(fixture->app.base);
    free(fixture);
    return 0;
}

/* -1: refused. */
static int
open_client(const struct fixture *fixture)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)fixture->port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void
stop_loop(void *context)
{
    event_base_loopbreak(context);
}

static void
a_drained_server_accepts_nothing_more(void **state)
{
    struct fixture *fixture = *state;
    server_drain(fixture->server, stop_loop, fixture->app.base);
    assert_int_equal(open_client(fixture), -1);
}

/* The kernel would reset it when the socket is closed. */
static void
who_waited_to_be_accepted_when_it_drains_is_answered(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    struct fixture *fixture = *state;
    char answer[4096] = "";
    int client = open_client(fixture);
    assert_int_equal(send(client, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
    server_begin(fixture->server);
    server_drain(fixture->server, stop_loop, fixture->app.base);
    event_base_dispatch(fixture->app.base);
    assert_true(recv(client, answer, sizeof(answer) - 1, MSG_DONTWAIT) > 0);
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    close(client);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_drained_server_accepts_nothing_more, setup, teardown),
        cmocka_unit_test_setup_teardown(who_waited_to_be_accepted_when_it_drains_is_answered, setup,
                                        teardown),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
