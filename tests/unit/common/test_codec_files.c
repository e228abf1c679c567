/* link: tests/unit/common/golden.c */
/* Files of a job, as they travel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/codec.h"
#include "tests/unit/common/golden.h"

#define CODE                                                                                       \
    "print('gr\xc3\xbc\xc3\x9f"                                                                    \
    "e')\n"

static int
unpack_blob(const char *data, size_t size)
{
    struct job job = {.language = "x"};
    struct err err = ERR_INIT;
    int rc = codec_unpack_blob(data, size, &job, &err);
    assert_int_equal(err.code == ERR_NONE, rc == 0);
    job_fini(&job);
    return rc;
}

static void
test_files_come_from_the_golden_blob(void **state)
{
    struct file blob = read_golden("v2-blob-files");
    struct job job = {.id = ""};
    struct bytes packed;
    struct err err = ERR_INIT;
    (void)state;
    /* What is in the job already is replaced. */
    assert_int_equal(job_files_add(&job.files, "old", 3, "x", 1), 0);
    assert_int_equal(codec_unpack_blob(blob.data, blob.size, &job, &err), 0);
    assert_bytes(&job.code, CODE, strlen(CODE));
    assert_bytes(&job.input, "a\0\xff", 3);
    assert_int_equal(job.files.count, 3);
    assert_string_equal(job.files.list[0].name.data, "a.csv");
    assert_bytes(&job.files.list[0].data, "x,y\n1,2\n", 8);
    assert_string_equal(job.files.list[1].name.data, "data/gr\xc3\xbc\xc3\x9f"
                                                     "e.bin");
    assert_bytes(&job.files.list[1].data, "\0\xff", 2);
    assert_string_equal(job.files.list[2].name.data, "empty");
    assert_bytes(&job.files.list[2].data, NULL, 0);
    assert_int_equal(codec_pack_blob(&job, &packed, &err), 0);
    assert_bytes(&packed, (const char *)blob.data, blob.size);
    bytes_fini(&packed);
    job_fini(&job);
}

static void
test_arguments_and_environment_come_from_the_golden_blob(void **state)
{
    struct file blob = read_golden("v3-blob-texts");
    struct job job = {.id = ""};
    struct bytes packed;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(texts_add(&job.args, "old", 3), 0);
    assert_int_equal(codec_unpack_blob(blob.data, blob.size, &job, &err), 0);
    assert_int_equal(job.files.count, 1);
    assert_int_equal(job.args.count, 3);
    assert_bytes(&job.args.list[0], "-v", 2);
    assert_bytes(&job.args.list[1], NULL, 0);
    assert_bytes(&job.args.list[2],
                 "gr\xc3\xbc\xc3\x9f"
                 "e",
                 7);
    assert_int_equal(job.env.count, 1);
    assert_bytes(&job.env.list[0], "LANG=C.UTF-8", 12);
    assert_int_equal(codec_pack_blob(&job, &packed, &err), 0);
    assert_bytes(&packed, (const char *)blob.data, blob.size);
    bytes_fini(&packed);
    job_fini(&job);
}

static struct bytes
pack_argument(const char *data, size_t size)
{
    struct job job = {.id = ""};
    struct bytes packed;
    struct err err = ERR_INIT;
    assert_int_equal(texts_add(&job.args, data, size), 0);
    assert_int_equal(codec_pack_blob(&job, &packed, &err), 0);
    job_fini(&job);
    return packed;
}

static void
test_arguments_with_a_nul_or_too_long_are_refused(void **state)
{
    static char longest[JOB_TEXTS_MOST_BYTES + 1];
    (void)state;
    memset(longest, 'x', sizeof(longest));
    const struct bytes cases[] = {{"a\0b", 3}, {longest, sizeof(longest)}};
    for (size_t i = 0; i < 2; i++) {
        struct bytes packed = pack_argument(cases[i].data, cases[i].size);
        assert_int_equal(unpack_blob(packed.data, packed.size), -1);
        bytes_fini(&packed);
    }
    struct bytes packed = pack_argument(longest, JOB_TEXTS_MOST_BYTES);
    assert_int_equal(unpack_blob(packed.data, packed.size), 0);
    bytes_fini(&packed);
}

/* Adds to the message the head of a blob, then one file for each name. */
static struct bytes
pack_names(const char *const *names, size_t count)
{
    struct job job = {.id = ""};
    struct bytes packed;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(job_files_add(&job.files, names[i], strlen(names[i]), "x", 1), 0);
    assert_int_equal(codec_pack_blob(&job, &packed, &err), 0);
    job_fini(&job);
    return packed;
}

static void
test_names_of_files_that_would_not_do_are_refused(void **state)
{
    static const char *const good[] = {"a", "b/c", "b/d"};
    static const char *const bad[][2] = {{"a", "../b"}, {"a", "/b"},  {"a", ""},
                                         {"a", "a"},    {"a", "a/b"}, {"a", "main.py"},
                                         {"a", "\xff"}, {"a", "x\ny"}};
    struct bytes packed = pack_names(good, 3);
    (void)state;
    assert_int_equal(unpack_blob(packed.data, packed.size), 0);
    bytes_fini(&packed);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        packed = pack_names(bad[i], 2);
        assert_int_equal(unpack_blob(packed.data, packed.size), -1);
        bytes_fini(&packed);
    }
}

static void
test_more_files_than_any_job_has_are_refused(void **state)
{
    struct job job = {.id = ""};
    char name[8];
    (void)state;
    for (int i = 0; i < JOB_FILES_MOST; i++) {
        snprintf(name, sizeof(name), "%d", i);
        assert_int_equal(job_files_add(&job.files, name, strlen(name), "x", 1), 0);
    }
    assert_int_equal(job_files_add(&job.files, "one", 3, "x", 1), -1);
    struct bytes packed;
    struct err err = ERR_INIT;
    assert_int_equal(codec_pack_blob(&job, &packed, &err), 0);
    assert_int_equal(unpack_blob(packed.data, packed.size), 0);
    job_fini(&job);
    /* An array of 257: one file more at the end. */
    char *count = memmem(packed.data, packed.size, "\xdc\x01\x00", 3);
    assert_non_null(count);
    count[2] = 1;
    char *longer = realloc(packed.data, packed.size + 7);
    assert_non_null(longer);
    memcpy(longer + packed.size, "\x92\xa1z\xc4\x01x", 6);
    assert_int_equal(unpack_blob(longer, packed.size + 6), -1);
    free(longer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_come_from_the_golden_blob),
        cmocka_unit_test(test_arguments_and_environment_come_from_the_golden_blob),
        cmocka_unit_test(test_arguments_with_a_nul_or_too_long_are_refused),
        cmocka_unit_test(test_names_of_files_that_would_not_do_are_refused),
        cmocka_unit_test(test_more_files_than_any_job_has_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
