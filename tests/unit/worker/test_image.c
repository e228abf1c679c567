/* image.json: what is read, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/image.h"
#include "worker/zygote.h"

static char directory[] = "/tmp/retort-test-image-XXXXXX";
static char path[64];

static int
make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/image.json", directory);
    return 0;
}

static int
remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void
write_json(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char good[] =
    "{\"format\":1,\"language\":\"python\",\"module_sha256\":\"ab\",\"bootstrap\":true,"
    "\"argv\":[\"python\",\"-I\"],\"env\":[\"A=1\"],\"rehearsal\":\"pass\",\"later\":[1]}";

static void
all_facts_are_read_and_unknown_ones_passed_over(void **state)
{
    struct image image;
    struct err err = ERR_INIT;

    (void)state;
    write_json(good);
    assert_int_equal(image_open(&image, directory, &err), 0);
    assert_string_equal(image.directory, directory);
    assert_string_equal(image.language, "python");
    assert_string_equal(image.module_sha256, "ab");
    assert_string_equal(image.rehearsal, "pass");
    assert_true(image.bootstrap);
    assert_string_equal(image.argv[1], "-I");
    assert_null(image.argv[2]);
    assert_string_equal(image.env[0], "A=1");
    assert_null(image.env[1]);
    image_close(&image);
    image_close(&image);
}

static void
a_zygotes_command_follows_from_the_image(void **state)
{
    static const char *const wanted[] = {"retort-zygote",
                                         "--zygote",
                                         "--bootstrap",
                                         "--work-bytes",
                                         "3000000000",
                                         "--work-files",
                                         "9",
                                         "--rehearsal",
                                         "pass",
                                         "--env",
                                         "A=1",
                                         "--",
                                         "python",
                                         "-I"};
    const struct zygote_settings settings = {.uid = 7, .work_bytes = 3000000000, .work_files = 9};
    struct zygote_command command;
    struct image image;
    struct err err = ERR_INIT;

    (void)state;
    write_json(good);
    assert_int_equal(image_open(&image, directory, &err), 0);
    assert_int_equal(zygote_command_for_image(&command, &image, &settings, &err), 0);
    image_close(&image);
    assert_int_equal(command.argc, sizeof(wanted) / sizeof(wanted[0]));
    for (size_t i = 0; i < command.argc; i++)
        assert_string_equal(command.argv[i], wanted[i]);
    assert_null(command.argv[command.argc]);
    assert_int_equal(strncmp(command.program, directory, strlen(directory)), 0);
    assert_null(command.env);
    assert_int_equal(command.uid, 7);
    assert_true(command.reads_proc);
    zygote_command_fini(&command);
}

static void
what_is_missing_or_of_another_type_is_named(void **state)
{
    static const struct {
        const char *json, *named;
    } rows[] = {
        {"[]", "format"},
        {"{\"format\":\"1\"}", "format"},
        {"{\"format\":2}", "format 2"},
        {"{\"format\":1}", "bootstrap"},
        {"{\"format\":1,\"bootstrap\":1}", "bootstrap"},
        {"{\"format\":1,\"bootstrap\":true}", "language"},
        {"{\"format\":1,\"bootstrap\":true,\"language\":1}", "language"},
        {"{\"format\":1,\"bootstrap\":true,\"language\":\"p\"}", "module_sha256"},
        {"{\"format\":1,\"bootstrap\":true,\"language\":\"p\",\"module_sha256\":\"a\"}", "env"},
        {"{\"format\":1,\"bootstrap\":true,\"language\":\"p\",\"module_sha256\":\"a\",\"env\":[1]}",
         "env"},
        {"{\"format\":1,\"bootstrap\":true,\"language\":\"p\",\"module_sha256\":\"a\",\"env\":[],"
         "\"argv\":[]}",
         "argv"},
        {"{\"format\":1,", "line 1"},
        {"", "line"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct image image;
        struct err err = ERR_INIT;
        write_json(rows[i].json);
        assert_int_equal(image_open(&image, directory, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        if (strstr(err.text, rows[i].named) == NULL || strstr(err.text, path) == NULL)
            fail_msg("%s: \"%s\"", rows[i].json, err.text);
        assert_null(image.directory);
    }
}

static void
a_directory_without_an_image_is_an_error(void **state)
{
    struct image image;
    struct err err = ERR_INIT;

    (void)state;
    unlink(path);
    assert_int_equal(image_open(&image, directory, &err), -1);
    assert_non_null(strstr(err.text, "image.json"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_facts_are_read_and_unknown_ones_passed_over),
        cmocka_unit_test(a_zygotes_command_follows_from_the_image),
        cmocka_unit_test(what_is_missing_or_of_another_type_is_named),
        cmocka_unit_test(a_directory_without_an_image_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
