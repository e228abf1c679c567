#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "api/sign.h"

#define NOW   1000
#define LATER 2000

static const char id[] = "art_0123456789abcdef0123456789abcdef";

static struct sign_keys
keys(const char *current, const char *old)
{
    struct sign_keys made;
    struct err err = ERR_INIT;
    assert_int_equal(sign_keys_init(&made, current, old, &err), 0);
    return made;
}

static void
a_signature_of_ours_is_good_until_its_time(void **state)
{
    const struct sign_keys ours = keys("0123456789abcdef", "");
    char signature[DIGEST_HEX_SIZE];
    (void)state;
    sign(&ours, id, LATER, signature);
    assert_true(sign_check(&ours, id, "2000", signature, NOW));
    assert_true(sign_check(&ours, id, "2000", signature, LATER - 1));
    assert_false(sign_check(&ours, id, "2000", signature, LATER));
}

static void
nothing_of_a_link_can_be_changed(void **state)
{
    const struct sign_keys ours = keys("0123456789abcdef", "");
    static const char *const times[] = {"2001",  "02000", "+2000",
                                        "2000 ", "",      "99999999999999999999"};
    char signature[DIGEST_HEX_SIZE], other[sizeof(id)];
    (void)state;
    sign(&ours, id, LATER, signature);
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        assert_false(sign_check(&ours, id, times[i], signature, NOW));
    memcpy(other, id, sizeof(id));
    other[5] ^= 1;
    assert_false(sign_check(&ours, other, "2000", signature, NOW));
    for (size_t i = 0; i < DIGEST_HEX_SIZE - 1; i++) {
        signature[i] ^= 1;
        assert_false(sign_check(&ours, id, "2000", signature, NOW));
        signature[i] ^= 1;
    }
    assert_true(sign_check(&ours, id, "2000", signature, NOW));
    assert_false(sign_check(&ours, id, NULL, signature, NOW));
    assert_false(sign_check(&ours, id, "2000", NULL, NOW));
    assert_false(sign_check(&ours, id, "2000", "", NOW));
    signature[DIGEST_HEX_SIZE - 2] = '\0';
    assert_false(sign_check(&ours, id, "2000", signature, NOW));
}

static void
the_key_before_is_accepted_and_does_not_sign(void **state)
{
    const struct sign_keys before = keys("the key of before", "");
    const struct sign_keys both = keys("the key of now...", "the key of before");
    const struct sign_keys after = keys("the key of now...", "");
    char old[DIGEST_HEX_SIZE], new[DIGEST_HEX_SIZE];
    (void)state;
    sign(&before, id, LATER, old);
    sign(&both, id, LATER, new);
    assert_string_not_equal(old, new);
    assert_true(sign_check(&both, id, "2000", old, NOW));
    assert_true(sign_check(&both, id, "2000", new, NOW));
    assert_false(sign_check(&after, id, "2000", old, NOW));
    assert_true(sign_check(&after, id, "2000", new, NOW));
}

static void
a_key_that_is_too_short_is_refused_and_not_shown(void **state)
{
    struct sign_keys made;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(sign_keys_init(&made, "secret", "", &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_null(strstr(err.text, "secret"));
    err = (struct err)ERR_INIT;
    assert_int_equal(sign_keys_init(&made, "0123456789abcdef", "secret", &err), -1);
    assert_non_null(strstr(err.text, "SIGNING_KEY_OLD"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_of_ours_is_good_until_its_time),
        cmocka_unit_test(nothing_of_a_link_can_be_changed),
        cmocka_unit_test(the_key_before_is_accepted_and_does_not_sign),
        cmocka_unit_test(a_key_that_is_too_short_is_refused_and_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
