#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/server.h"
#include "common/log.h"

struct fixture {
    struct config config;
    struct app app;
};

static void
fixture_init(struct fixture *fixture, const char *host, unsigned port)
{
    *fixture = (struct fixture){.config = {.host = (char *)(uintptr_t)host,
                                           .port = port,
                                           .max_connections = 10,
                                           .idle_timeout_ms = 1000}};
    fixture->app = (struct app){.config = &fixture->config, .base = event_base_new()};
}

static void
addresses_that_others_reach_are_refused_without_keys(void **state)
{
    (void)state;
    static const char *const hosts[] = {"0.0.0.0", "::", "::ffff:0.0.0.0", ""};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct fixture fixture;
        struct err err = ERR_INIT;
        fixture_init(&fixture, hosts[i], 0);
        assert_null(server_new(&fixture.app, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, hosts[i][0] ? "ALLOW_ANONYMOUS" : "HOST"));
        event_base_free(fixture.app.base);
    }
}

static void
anybody_is_served_when_told_in_so_many_words(void **state)
{
    (void)state;
    struct fixture fixture;
    struct err err = ERR_INIT;
    fixture_init(&fixture, "0.0.0.0", 0);
    fixture.config.allow_anonymous = true;
    struct server *server = server_new(&fixture.app, &err);
    assert_non_null(server);
    assert_true(server_port(server) > 0);
    server_free(server);
    event_base_free(fixture.app.base);
}

static void
loopback_has_many_names(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.53", "localhost"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct fixture fixture;
        struct err err = ERR_INIT;
        fixture_init(&fixture, hosts[i], 0);
        struct server *server = server_new(&fixture.app, &err);
        if (!server)
            fail_msg("%s", err.text);
        server_free(server);
        event_base_free(fixture.app.base);
    }
}

static void
a_port_in_use_is_one_sentence(void **state)
{
    (void)state;
    struct fixture first, second;
    struct err err = ERR_INIT;
    fixture_init(&first, "127.0.0.1", 0);
    struct server *server = server_new(&first.app, &err);
    assert_non_null(server);
    fixture_init(&second, "127.0.0.1", server_port(server));
    assert_null(server_new(&second.app, &err));
    assert_non_null(strstr(err.text, "is in use by another program; set PORT"));
    server_free(server);
    event_base_free(first.app.base);
    event_base_free(second.app.base);
}

static void
a_host_that_is_none_is_one_sentence(void **state)
{
    (void)state;
    static const char *const hosts[] = {"not a host", "999.1.1.1"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct fixture fixture;
        struct err err = ERR_INIT;
        fixture_init(&fixture, hosts[i], 0);
        assert_null(server_new(&fixture.app, &err));
        assert_non_null(strstr(err.text, "HOST"));
        event_base_free(fixture.app.base);
    }
}

static void
stop_loop(void *context)
{
    event_base_loopbreak(context);
}

static void
a_drained_server_accepts_nothing_more(void **state)
{
    (void)state;
    struct fixture fixture;
    struct err err = ERR_INIT;
    fixture_init(&fixture, "127.0.0.1", 0);
    struct server *server = server_new(&fixture.app, &err);
    assert_non_null(server);
    server_drain(server, stop_loop, fixture.app.base);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)server_port(server)),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), -1);
    close(fd);
    server_free(server);
    event_base_free(fixture.app.base);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_others_reach_are_refused_without_keys),
        cmocka_unit_test(anybody_is_served_when_told_in_so_many_words),
        cmocka_unit_test(loopback_has_many_names),
        cmocka_unit_test(a_port_in_use_is_one_sentence),
        cmocka_unit_test(a_host_that_is_none_is_one_sentence),
        cmocka_unit_test(a_drained_server_accepts_nothing_more),
    };
    log_init("test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
