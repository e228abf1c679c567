/* Where images are found: order of roots and names, language, module, damaged descriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "worker/image_find.h"

static char directory[64];
static struct image_roots roots;
static struct image image;
static struct err err;

static int
make_roots(void **state)
{
    (void)state;
    err = (struct err)ERR_INIT;
    strcpy(directory, "/tmp/retort-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_true(asprintf(&roots.path[0], "%s/first", directory) > 0);
    assert_true(asprintf(&roots.path[1], "%s/second", directory) > 0);
    assert_true(asprintf(&roots.path[2], "%s/third", directory) > 0);
    return 0;
}

static int
remove_roots(void **state)
{
    char command[128];

    (void)state;
    image_roots_fini(&roots);
    (void)snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* An image's directory with description as its image.json (NULL: none). */
static void
install(int root, const char *name, const char *description)
{
    char path[256];

    (void)mkdir(roots.path[root], 0700);
    (void)snprintf(path, sizeof(path), "%s/%s", roots.path[root], name);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/%s/image.json", roots.path[root], name);
    if (description)
        write_file(path, description);
}

static void
install_image(int root, const char *name, const char *language, const char *sha256)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "{\"format\":1,\"language\":\"%s\",\"module_sha256\":\"%s\","
                   "\"bootstrap\":true,\"argv\":[\"a\"],\"env\":[]}",
                   language, sha256);
    install(root, name, text);
}

/* That image_find() finds the image in root/name. */
static void
expect(const char *language, const char *sha256, int root, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", roots.path[root], name);
    assert_int_equal(image_find(&roots, language, sha256, &image, &err), 1);
    assert_string_equal(image.directory, path);
    image_close(&image);
}

static void
without_roots_there_is_no_image(void **state)
{
    (void)state;
    assert_int_equal(image_find(&roots, "python", NULL, &image, &err), 0);
}

static void
a_directory_without_description_is_not_an_image(void **state)
{
    (void)state;
    install(0, "half-made", NULL);
    assert_int_equal(image_find(&roots, "python", NULL, &image, &err), 0);
}

static void
a_language_is_found_whatever_the_directory_is_called(void **state)
{
    (void)state;
    install_image(0, "x", "lua", "aa");
    install_image(0, "y", "python", "bb");
    expect("python", NULL, 0, "y");
    expect("lua", NULL, 0, "x");
    assert_int_equal(image_find(&roots, "ruby", NULL, &image, &err), 0);
}

static void
the_first_root_wins_and_in_it_the_first_name(void **state)
{
    (void)state;
    install_image(1, "a", "python", "aa");
    expect("python", NULL, 1, "a");
    install_image(0, "z", "python", "bb");
    expect("python", NULL, 0, "z");
    install_image(0, "m", "python", "cc");
    expect("python", NULL, 0, "m");
}

static void
a_module_is_found_by_its_hash_in_any_language(void **state)
{
    (void)state;
    install_image(0, "a", "python", "aa");
    install_image(1, "b", "other", "bb");
    expect(NULL, "bb", 1, "b");
    assert_int_equal(image_find(&roots, NULL, "b", &image, &err), 0);
    assert_int_equal(image_find(&roots, NULL, "cc", &image, &err), 0);
}

static void
a_hidden_directory_is_one_that_is_still_being_made(void **state)
{
    (void)state;
    install_image(0, ".new", "python", "aa");
    assert_int_equal(image_find(&roots, "python", NULL, &image, &err), 0);
}

static void
a_damaged_description_is_an_error_and_not_a_missing_image(void **state)
{
    (void)state;
    install(0, "a", "{\"format\":");
    install_image(0, "b", "python", "aa");
    assert_int_equal(image_find(&roots, "python", NULL, &image, &err), -1);
    assert_int_not_equal(err.code, ERR_NONE);
}

static void
the_roots_of_a_program_follow_from_where_it_is(void **state)
{
    struct image_roots own;
    char *program = program_directory(&err);
    char path[4096];

    (void)state;
    assert_non_null(program);
    assert_int_equal(image_roots_init(&own, &err), 0);
    (void)snprintf(path, sizeof(path), "%s/image", program);
    assert_string_equal(own.path[0], path);
    *strrchr(program, '/') = '\0';
    (void)snprintf(path, sizeof(path), "%s/image", program);
    assert_string_equal(own.path[1], path);
    (void)snprintf(path, sizeof(path), "%s/lib/retort/image", program);
    assert_string_equal(own.path[2], path);
    image_roots_fini(&own);
    free(program);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_roots, remove_roots)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_roots_there_is_no_image),
        TEST(a_directory_without_description_is_not_an_image),
        TEST(a_language_is_found_whatever_the_directory_is_called),
        TEST(the_first_root_wins_and_in_it_the_first_name),
        TEST(a_module_is_found_by_its_hash_in_any_language),
        TEST(a_hidden_directory_is_one_that_is_still_being_made),
        TEST(a_damaged_description_is_an_error_and_not_a_missing_image),
        TEST(the_roots_of_a_program_follow_from_where_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
