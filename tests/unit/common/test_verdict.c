#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/verdict.h"

static void
test_every_verdict_has_its_own_name_that_leads_back_to_it(void **state)
{
    (void)state;
    for (int verdict = VERDICT_NONE + 1; verdict < VERDICT_COUNT; verdict++) {
        assert_int_equal(verdict_from_name(verdict_name((enum verdict)verdict)), verdict);
        assert_true(verdict_text((enum verdict)verdict)[0] != '\0');
    }
}

static void
test_an_unknown_name_is_no_verdict(void **state)
{
    (void)state;
    assert_int_equal(verdict_from_name("queue_full"), VERDICT_NONE);
    assert_int_equal(verdict_from_name(""), VERDICT_NONE);
    assert_string_equal(verdict_name(VERDICT_NONE), "none");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_verdict_has_its_own_name_that_leads_back_to_it),
        cmocka_unit_test(test_an_unknown_name_is_no_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
