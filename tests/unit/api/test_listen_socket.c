#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/listen_socket.h"

static struct config
config_of(const char *host, unsigned port)
{
    return (struct config){.host = (char *)(uintptr_t)host, .port = port};
}

static void
addresses_that_others_reach_are_refused_without_keys(void **state)
{
    (void)state;
    static const char *const hosts[] = {"0.0.0.0", "::", "::ffff:0.0.0.0", ""};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        const struct config config = config_of(hosts[i], 0);
        struct listen_socket sock;
        struct err err = ERR_INIT;
        assert_int_equal(listen_socket_open(&sock, &config, &err), -1);
        assert_int_equal(sock.fd, -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, hosts[i][0] ? "ALLOW_ANONYMOUS" : "HOST"));
    }
}

static void
anybody_is_served_when_told_in_so_many_words(void **state)
{
    (void)state;
    struct config config = config_of("0.0.0.0", 0);
    struct listen_socket sock;
    struct err err = ERR_INIT;
    config.allow_anonymous = true;
    assert_int_equal(listen_socket_open(&sock, &config, &err), 0);
    assert_true(sock.port > 0);
    assert_false(sock.inherited);
    listen_socket_close(&sock);
}

static void
loopback_has_many_names(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.53", "localhost"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        const struct config config = config_of(hosts[i], 0);
        struct listen_socket sock;
        struct err err = ERR_INIT;
        if (listen_socket_open(&sock, &config, &err) < 0)
            fail_msg("%s", err.text);
        listen_socket_close(&sock);
    }
}

static void
a_port_in_use_is_one_sentence(void **state)
{
    (void)state;
    const struct config first_config = config_of("127.0.0.1", 0);
    struct listen_socket first, second;
    struct err err = ERR_INIT;
    assert_int_equal(listen_socket_open(&first, &first_config, &err), 0);
    const struct config second_config = config_of("127.0.0.1", first.port);
    assert_int_equal(listen_socket_open(&second, &second_config, &err), -1);
    assert_non_null(strstr(err.text, "is in use by another program; set PORT"));
    listen_socket_close(&first);
}

static void
a_host_that_is_none_is_one_sentence(void **state)
{
    (void)state;
    static const char *const hosts[] = {"not a host", "999.1.1.1"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        const struct config config = config_of(hosts[i], 0);
        struct listen_socket sock;
        struct err err = ERR_INIT;
        assert_int_equal(listen_socket_open(&sock, &config, &err), -1);
        assert_non_null(strstr(err.text, "HOST"));
    }
}

static void
a_socket_that_is_meant_for_another_process_is_left_alone(void **state)
{
    (void)state;
    const struct config config = config_of("127.0.0.1", 0);
    struct listen_socket sock;
    struct err err = ERR_INIT;
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "1", 1);
    assert_int_equal(listen_socket_open(&sock, &config, &err), 0);
    assert_false(sock.inherited);
    assert_null(getenv("LISTEN_FDS"));
    listen_socket_close(&sock);
}

static void
a_number_of_sockets_that_is_not_one_is_refused(void **state)
{
    (void)state;
    static const char *const counts[] = {"2", "-1", "one", ""};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const struct config config = config_of("127.0.0.1", 0);
        struct listen_socket sock;
        struct err err = ERR_INIT;
        char pid[16];
        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", counts[i], 1);
        assert_int_equal(listen_socket_open(&sock, &config, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, "LISTEN_FDS"));
    }
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
        cmocka_unit_test(a_socket_that_is_meant_for_another_process_is_left_alone),
        cmocka_unit_test(a_number_of_sockets_that_is_not_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
