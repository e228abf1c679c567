/* Which servers are refused, and what the sentence says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/redis_fitness.h"

#define FIT                                                                                        \
    "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n# "                              \
    "Clients\r\nmaxclients:10000\r\n"                                                              \
    "# Replication\r\nrole:master\r\n"

static const struct {
    const char *info;
    const char *sentence; /* a part of it; NULL: it is fit */
} servers[] = {
    {"", NULL},
    {FIT, NULL},
    {FIT "maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", NULL},
    {FIT "maxmemory:1000\r\nmaxmemory_policy:noeviction\r\n", NULL},
    {FIT "maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n", "allkeys-lru may drop jobs"},
    {FIT "maxmemory:1000\r\nmaxmemory_policy:volatile-ttl\r\n", "volatile-ttl may drop jobs"},
    {"redis_version:6.2.0\r\n", NULL},
    {"redis_version:10.0.0\r\n", NULL},
    {"redis_version:6.0.16\r\n", "is Redis 6.0.16; version 6.2"},
    {"redis_version:5.9.9\r\n", "is Redis 5.9.9"},
    {"redis_mode:cluster\r\n", "Cluster mode"},
    {"# Cluster\r\ncluster_enabled:1\r\n", "Cluster mode"},
    {"redis_mode:sentinel\r\n", "Sentinel"},
    {"role:slave\r\n", "replica"},
    {"maxclients:100\r\n", NULL},
    {"maxclients:99\r\n", "99 connections (maxclients), and this program may need 100"},
    {"xmaxclients:1\r\nnot_role:slave\r\n", NULL},
    {"role:slave", "replica"},
};

static void
test_what_cannot_carry_a_queue_is_refused_with_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        struct err err = ERR_INIT;
        int rc = redis_fitness_check(servers[i].info, 100, &err);
        assert_int_equal(rc, servers[i].sentence ? -1 : 0);
        if (!servers[i].sentence)
            continue;
        assert_int_equal(err.code, ERR_CONFIG);
        if (!strstr(err.text, servers[i].sentence))
            fail_msg("\"%s\" has no \"%s\"", err.text, servers[i].sentence);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_cannot_carry_a_queue_is_refused_with_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
