/* The names of workers, and the SHA-256 of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "worker/identity.h"
#include "worker/sha256_file.h"

static char id[JOB_WORKER_SIZE];
static struct err err;

static int
reset(void **state)
{
    (void)state;
    err = (struct err)ERR_INIT;
    return 0;
}

static void
a_given_name_is_taken_as_it_is(void **state)
{
    char longest[JOB_WORKER_SIZE];

    (void)state;
    assert_int_equal(worker_identity(id, "host-1.rack_2", &err), 0);
    assert_string_equal(id, "host-1.rack_2");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(worker_identity(id, longest, &err), 0);
    assert_string_equal(id, longest);
}

static void
names_that_would_break_a_key_or_do_not_fit_are_refused(void **state)
{
    char too_long[JOB_WORKER_SIZE + 1];
    const char *const bad[] = {"a b", "a:b", "\xc3\xa9", "a\n", too_long};

    (void)state;
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err = (struct err)ERR_INIT;
        assert_int_equal(worker_identity(id, bad[i], &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
    }
}

static void
made_names_differ_and_have_the_process_id(void **state)
{
    char other[JOB_WORKER_SIZE], pid[32];

    (void)state;
    assert_int_equal(worker_identity(id, "", &err), 0);
    assert_int_equal(worker_identity(other, "", &err), 0);
    assert_string_not_equal(id, other);
    (void)snprintf(pid, sizeof(pid), "-%ld-", (long)getpid());
    assert_non_null(strstr(id, pid));
    assert_int_equal(worker_identity(other, id, &err), 0); /* of allowed characters */
}

/* The examples of FIPS 180-2, and a file longer than the buffer. */
static void
hashes_are_those_of_the_standard(void **state)
{
    static const struct {
        const char *unit;
        int times;
        const char *hex;
    } rows[] = {
        {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    char path[] = "/tmp/retort-test-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char hex[SHA256_HEX_SIZE];
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        for (int n = 0; n < rows[i].times; n++)
            assert_true(fputs(rows[i].unit, file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(sha256_file(path, hex, &err), 0);
        assert_string_equal(hex, rows[i].hex);
    }
    unlink(path);
}

static void
a_file_that_cannot_be_read_is_an_error_with_its_name(void **state)
{
    char hex[SHA256_HEX_SIZE];

    (void)state;
    assert_int_equal(sha256_file("/no/such/file", hex, &err), -1);
    assert_non_null(strstr(err.text, "/no/such/file"));
    err = (struct err)ERR_INIT;
    assert_int_equal(sha256_file("/", hex, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_given_name_is_taken_as_it_is, reset),
        cmocka_unit_test_setup(names_that_would_break_a_key_or_do_not_fit_are_refused, reset),
        cmocka_unit_test_setup(made_names_differ_and_have_the_process_id, reset),
        cmocka_unit_test_setup(hashes_are_those_of_the_standard, reset),
        cmocka_unit_test_setup(a_file_that_cannot_be_read_is_an_error_with_its_name, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
