#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/digest.h"

static void
pieces_have_the_hash_of_the_whole(void **state)
{
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];
    (void)state;
    digest_begin(&digest);
    digest_add(&digest, "a", 1);
    digest_add(&digest, "", 0);
    digest_add(&digest, "bc", 2);
    digest_end(&digest, hex);
    /* FIPS 180-4, the example of one block. */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
the_code_is_that_of_rfc_4231(void **state)
{
    char hex[DIGEST_HEX_SIZE];
    (void)state;
    digest_hmac("Jefe", 4, "what do ya want for nothing?", hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void
a_key_longer_than_a_block_is_hashed_first(void **state)
{
    char key[131], hex[DIGEST_HEX_SIZE];
    (void)state;
    memset(key, 0xaa, sizeof(key));
    digest_hmac(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
one_byte_of_difference_is_seen(void **state)
{
    (void)state;
    assert_true(digest_equal("secret", "secret", 6));
    assert_false(digest_equal("secret", "secreT", 6));
    assert_false(digest_equal("Secret", "secret", 6));
    assert_true(digest_equal("a", "b", 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_have_the_hash_of_the_whole),
        cmocka_unit_test(the_code_is_that_of_rfc_4231),
        cmocka_unit_test(a_key_longer_than_a_block_is_hashed_first),
        cmocka_unit_test(one_byte_of_difference_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
