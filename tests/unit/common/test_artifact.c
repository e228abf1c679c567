/* Artifacts of a result, and what was refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/artifact.h"
#include "common/file_name.h"

static struct artifacts artifacts;

static int
tear_down(void **state)
{
    (void)state;
    artifacts_fini(&artifacts);
    assert_null(artifacts.list);
    return 0;
}

static void
there_are_never_more_than_a_message_holds(void **state)
{
    char name[16];

    (void)state;
    for (int i = 0; i < ARTIFACTS_MOST; i++) {
        snprintf(name, sizeof(name), "%d", i);
        assert_int_equal(artifacts_add(&artifacts, name, strlen(name), name, strlen(name)), 0);
    }
    assert_int_equal(artifacts_add(&artifacts, "x", 1, NULL, 0), -1);
    assert_int_equal(artifacts.count, ARTIFACTS_MOST);
    assert_string_equal(artifacts.list[ARTIFACTS_MOST - 1].name.data, "255");
    assert_string_equal(artifacts.list[ARTIFACTS_MOST - 1].data.data, "255");
}

static void
refusals_beyond_the_list_are_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * ARTIFACTS_REFUSED_MOST; i++)
        assert_int_equal(artifacts_refuse(&artifacts, "a", 1, 7, ARTIFACT_FAULT_TOO_MANY), 0);
    assert_int_equal(artifacts.refused_count, ARTIFACTS_REFUSED_MOST);
    assert_int_equal(artifacts.refused_total, 3 * ARTIFACTS_REFUSED_MOST);
    assert_int_equal(artifacts.refused[63].size, 7);
}

static void
names_of_what_was_refused_become_text(void **state)
{
    static const char *const names[][2] = {
        {"plain", "plain"}, {"\xff/a", "\xef\xbf\xbd/a"}, {"\xc3", "\xef\xbf\xbd"}};
    char longest[3 * FILE_NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(artifacts_refuse(&artifacts, names[i][0], strlen(names[i][0]), 0,
                                          ARTIFACT_FAULT_BAD_NAME),
                         0);
        assert_string_equal(artifacts.refused[i].name.data, names[i][1]);
    }
    assert_int_equal(artifacts_refuse(&artifacts, "a\0b", 3, 0, ARTIFACT_FAULT_BAD_NAME), 0);
    assert_string_equal(artifacts.refused[3].name.data, "a?b");
    assert_int_equal(artifacts_refuse(&artifacts, "", 0, 0, ARTIFACT_FAULT_BAD_NAME), 0);
    assert_int_equal(artifacts.refused[4].name.size, 0);
    memset(longest, 0xff, sizeof(longest));
    assert_int_equal(
        artifacts_refuse(&artifacts, longest, sizeof(longest), 0, ARTIFACT_FAULT_BAD_NAME), 0);
    assert_int_equal(artifacts.refused[5].name.size, FILE_NAME_BYTES / 3 * 3);
}

static void
reasons_have_names_and_unknown_ones_are_no_fault(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARTIFACT_FAULT_COUNT; i++) {
        const char *name = artifact_fault_name((enum artifact_fault)i);
        assert_int_equal(artifact_fault_from_name(name), i);
        assert_true(strlen(artifact_fault_text((enum artifact_fault)i)) > 0);
    }
    assert_int_equal(artifact_fault_from_name("of tomorrow"), ARTIFACT_FAULT_UNKNOWN);
    assert_string_equal(artifact_fault_name((enum artifact_fault)1000), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(there_are_never_more_than_a_message_holds, tear_down),
        cmocka_unit_test_teardown(refusals_beyond_the_list_are_counted, tear_down),
        cmocka_unit_test_teardown(names_of_what_was_refused_become_text, tear_down),
        cmocka_unit_test(reasons_have_names_and_unknown_ones_are_no_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
