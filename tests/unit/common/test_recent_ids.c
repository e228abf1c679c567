/* The last ids that something was said about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/recent_ids.h"

static void
an_id_is_taken_once(void **state)
{
    struct recent_ids recent = {.next = 0};

    (void)state;
    assert_false(recent_ids_take(&recent, "a"));
    recent_ids_add(&recent, "a");
    recent_ids_add(&recent, "b");
    recent_ids_add(&recent, "a");
    assert_true(recent_ids_take(&recent, "a"));
    assert_false(recent_ids_take(&recent, "a"));
    assert_true(recent_ids_take(&recent, "b"));
}

static void
the_oldest_is_forgotten(void **state)
{
    struct recent_ids recent = {.next = 0};
    char id[JOB_ID_SIZE];

    (void)state;
    for (int i = 0; i <= RECENT_IDS; i++) {
        (void)snprintf(id, sizeof(id), "id%d", i);
        recent_ids_add(&recent, id);
    }
    assert_false(recent_ids_take(&recent, "id0"));
    assert_true(recent_ids_take(&recent, "id1"));
    assert_true(recent_ids_take(&recent, id));
}

static void
what_is_no_id_is_ignored(void **state)
{
    struct recent_ids recent = {.next = 0};
    char longer[JOB_ID_SIZE + 1];

    (void)state;
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    recent_ids_add(&recent, "");
    recent_ids_add(&recent, longer);
    assert_int_equal(recent.next, 0);
    assert_false(recent_ids_take(&recent, ""));
    recent_ids_add(&recent, longer + 1); /* the longest */
    assert_true(recent_ids_take(&recent, longer + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_taken_once),
        cmocka_unit_test(the_oldest_is_forgotten),
        cmocka_unit_test(what_is_no_id_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
