/* LANGUAGES: what it means, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/languages.h"

#define LONGEST "a234567890123456789012345678901" /* 31 */

static struct languages languages;
static struct err err;

static void
assert_refused(const char *list, const char *why)
{
    err = (struct err)ERR_INIT;
    assert_int_equal(languages_parse(&languages, list, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.text, "LANGUAGES"));
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void
a_name_alone_names_no_slots(void **state)
{
    (void)state;
    assert_int_equal(languages_parse(&languages, "python", &err), 0);
    assert_int_equal(languages.count, 1);
    assert_string_equal(languages.list[0].name, "python");
    assert_int_equal(languages.list[0].slots, 0);
}

static void
each_has_slots_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(languages_parse(&languages, "python:2,c-99:1024," LONGEST ":1,ruby", &err), 0);
    assert_int_equal(languages.count, 4);
    assert_int_equal(languages_find(&languages, "python")->slots, 2);
    assert_int_equal(languages_find(&languages, "c-99")->slots, 1024);
    assert_int_equal(languages_find(&languages, LONGEST)->slots, 1);
    assert_int_equal(languages_find(&languages, "ruby")->slots, 0);
    assert_null(languages_find(&languages, "rub"));
    assert_null(languages_find(&languages, "rubyy"));
    assert_null(languages_find(&languages, ""));
}

static void
names_are_small_letters_digits_and_dashes(void **state)
{
    static const char *const lists[] = {"",    ",",    "python,",  ",python", "a,,b",     "Python",
                                        "a b", " a",   "a_b",      "a.b",     "a\n",      "a/b",
                                        ":2",  "a,:2", "\xc3\xa4", "a,b c:1", LONGEST "x"};

    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        assert_refused(lists[i], "is not a name of 1 to 31");
}

static void
slots_are_from_1_to_1024(void **state)
{
    static const char *const lists[] = {"a:",   "a:0",    "a:1025", "a:-1",
                                        "a:+1", "a:1 ",   "a:0x1",  "a:1:1",
                                        "a:x",  "a:1e1",  "a:1.0",  "a:18446744073709551617",
                                        "a:,b", "b,a:0,c"};

    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        assert_refused(lists[i], "the slots of a, \"");
}

static void
none_is_there_twice(void **state)
{
    (void)state;
    assert_refused("a,b,a", "a is there twice");
    assert_refused("a:1,a:2", "a is there twice");
    assert_int_equal(languages_parse(&languages, "a,aa", &err), 0);
}

static void
there_are_16_at_most(void **state)
{
    char list[128] = "l1";

    (void)state;
    for (int i = 2; i <= LANGUAGES_MOST; i++) {
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof(list) - used, ",l%d", i);
    }
    assert_int_equal(languages_parse(&languages, list, &err), 0);
    assert_int_equal(languages.count, LANGUAGES_MOST);
    assert_string_equal(languages.list[15].name, "l16");
    strcat(list, ",l17");
    assert_refused(list, "more than 16");
}

static void
a_sentence_has_room_for_what_it_shows(void **state)
{
    char list[4096];

    (void)state;
    memset(list, 'a', sizeof(list) - 1);
    list[sizeof(list) - 1] = '\0';
    assert_refused(list, "aaaa\" is not a name of 1 to 31 of a-z 0-9 -");
    memset(list, '1', sizeof(list) - 1);
    memcpy(list, "a:", 2);
    assert_refused(list, "1111\", are not a whole number from 1 to 1024");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_alone_names_no_slots),
        cmocka_unit_test(each_has_slots_of_its_own),
        cmocka_unit_test(names_are_small_letters_digits_and_dashes),
        cmocka_unit_test(slots_are_from_1_to_1024),
        cmocka_unit_test(none_is_there_twice),
        cmocka_unit_test(there_are_16_at_most),
        cmocka_unit_test(a_sentence_has_room_for_what_it_shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
