#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/query.h"

static void
a_value_is_found_by_its_whole_name_and_decoded(void **state)
{
    static const struct {
        const char *query, *value;
        int found;
    } rows[] = {
        {"", NULL, 0},
        {"limit=3", "3", 1},
        {"xlimit=3", NULL, 0},
        {"limitx=3&limit=4", "4", 1},
        {"limit=", "", 1},
        {"limit", "", 1},
        {"&&limit=1&", "1", 1},
        {"limit=1&limit=2", NULL, -1},
        {"limit=%31+%2b", "1 +", 1},
        {"limit=%", NULL, -1},
        {"limit=%1", NULL, -1},
        {"limit=%1g", NULL, -1},
        {"limit=%00", NULL, -1},
        {"limit=12345678", NULL, -1},
        {"limit=1234567", "1234567", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char value[8] = "";
        assert_int_equal(query_get(rows[i].query, "limit", value, sizeof(value)), rows[i].found);
        if (rows[i].value)
            assert_string_equal(value, rows[i].value);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_by_its_whole_name_and_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
