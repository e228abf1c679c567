#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/surface_limits.h"

static const struct config config = {.max_exec_timeout_ms = 700,
                                     .cpu_time_limit_sec = 3,
                                     .memory_limit_mb = 200,
                                     .max_output_bytes = 9};

static void
settings_of_v1_bind_v1_only(void **state)
{
    (void)state;
    assert_int_equal(surface_timeout_ms(&config, SURFACE_V1), 700);
    assert_int_equal(surface_timeout_most_ms(&config, SURFACE_V1), 700);
    assert_int_equal(surface_limits(&config, SURFACE_V1, 600).timeout_ms, 600);
    assert_int_equal(surface_limits(&config, SURFACE_V1, 600).cpu_ms, 3000);
    assert_int_equal(surface_timeout_ms(&config, SURFACE_SNIPPET), 10000);
    assert_int_equal(surface_timeout_most_ms(&config, SURFACE_SNIPPET), 30000);
    assert_int_equal(surface_timeout_ms(&config, SURFACE_AGENT), 5000);
    assert_int_equal(surface_timeout_most_ms(&config, SURFACE_AGENT), 30000);
}

static void
cpu_time_is_half_of_a_snippets_timeout_and_all_of_an_agents(void **state)
{
    (void)state;
    assert_int_equal(surface_limits(&config, SURFACE_SNIPPET, 30000).cpu_ms, 15000);
    assert_int_equal(surface_limits(&config, SURFACE_SNIPPET, 1).cpu_ms, 1);
    assert_int_equal(surface_limits(&config, SURFACE_AGENT, 30000).cpu_ms, 30000);
    assert_int_equal(surface_limits(&config, SURFACE_AGENT, 30000).timeout_ms, 30000);
}

static void
memory_is_the_surfaces_and_at_most_the_servers(void **state)
{
    (void)state;
    struct config small = config;
    small.memory_limit_mb = 64;
    assert_int_equal(surface_limits(&config, SURFACE_V1, 1).memory_mb, 200);
    assert_int_equal(surface_limits(&config, SURFACE_AGENT, 1).memory_mb, 200);
    assert_int_equal(surface_limits(&config, SURFACE_SNIPPET, 1).memory_mb, 128);
    assert_int_equal(surface_limits(&small, SURFACE_SNIPPET, 1).memory_mb, 64);
    assert_int_equal(surface_limits(&config, SURFACE_SNIPPET, 1).output_bytes, 9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_v1_bind_v1_only),
        cmocka_unit_test(cpu_time_is_half_of_a_snippets_timeout_and_all_of_an_agents),
        cmocka_unit_test(memory_is_the_surfaces_and_at_most_the_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
