/* REQUIRE_ISOLATION: which layers it names, and what is said when one of them is off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "worker/isolation.h"

static int
count(const struct isolation_requirement *required)
{
    int found = 0;

    for (int i = 0; i < LAYER_COUNT; i++)
        found += required->layers[i];
    return found;
}

static void
lists_of_names_are_understood(void **state)
{
    struct isolation_requirement required;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(isolation_parse(&required, "", &err), 0);
    assert_int_equal(count(&required), 0);
    assert_int_equal(isolation_parse(&required, "0", &err), 0);
    assert_int_equal(count(&required), 0);
    assert_int_equal(isolation_parse(&required, "all", &err), 0);
    assert_int_equal(count(&required), LAYER_COUNT);
    assert_int_equal(isolation_parse(&required, "1", &err), 0);
    assert_int_equal(count(&required), LAYER_COUNT);
    assert_int_equal(isolation_parse(&required, "network-namespace,empty-root", &err), 0);
    assert_int_equal(count(&required), 2);
    assert_true(required.layers[LAYER_NETWORK_NAMESPACE] && required.layers[LAYER_ROOT]);
}

static void
every_layer_can_be_named(void **state)
{
    struct isolation_requirement required;
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < LAYER_COUNT; i++) {
        const struct layer_row *row = layer_row((enum layer)i);
        assert_int_equal(isolation_parse(&required, row->name, &err), 0);
        assert_int_equal(count(&required), 1);
        assert_true(required.layers[i]);
        assert_true(strlen(row->without) > 0 && strlen(row->remedy) > 0);
    }
}

static void
what_is_no_layer_is_refused(void **state)
{
    static const char *const bad[] = {"namespaces",
                                      "empty-root,",
                                      ",",
                                      "empty-root,,job-filter",
                                      "empty-root job-filter",
                                      "ALL",
                                      "2",
                                      "empty-roo",
                                      "empty-root2"};
    struct isolation_requirement required;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = ERR_INIT;
        int result = isolation_parse(&required, bad[i], &err);
        if (result == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.code, ERR_CONFIG);
    }
}

static void
only_what_is_off_and_required_is_missed(void **state)
{
    struct layer_finding findings[LAYER_COUNT];
    struct isolation_requirement required;
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < LAYER_COUNT; i++)
        findings[i] = (struct layer_finding){.state = LAYER_STATE_ON};
    findings[LAYER_ROOT] = (struct layer_finding){.state = LAYER_STATE_OFF, .why = "no mount"};
    findings[LAYER_ENVIRONMENT].state = LAYER_STATE_UNKNOWN;
    assert_int_equal(isolation_parse(&required, "job-filter,no-environment", &err), 0);
    assert_int_equal(isolation_judge(&required, findings, &err), 0);
    assert_int_equal(isolation_parse(&required, "all", &err), 0);
    assert_int_equal(isolation_judge(&required, findings, &err), -1);
    assert_non_null(strstr(err.text, "empty-root (no mount)"));
    assert_null(strstr(err.text, "environment"));
}

/* However many and however long: one sentence that fits. */
static void
all_of_them_may_be_missed(void **state)
{
    struct layer_finding findings[LAYER_COUNT];
    struct isolation_requirement required;
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < LAYER_COUNT; i++) {
        findings[i].state = LAYER_STATE_OFF;
        memset(findings[i].why, 'x', sizeof(findings[i].why) - 1);
        findings[i].why[sizeof(findings[i].why) - 1] = '\0';
    }
    assert_int_equal(isolation_parse(&required, "all", &err), 0);
    assert_int_equal(isolation_judge(&required, findings, &err), -1);
    assert_non_null(strstr(err.text, layer_row(0)->name));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_names_are_understood),
        cmocka_unit_test(every_layer_can_be_named),
        cmocka_unit_test(what_is_no_layer_is_refused),
        cmocka_unit_test(only_what_is_off_and_required_is_missed),
        cmocka_unit_test(all_of_them_may_be_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
