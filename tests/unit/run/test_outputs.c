/* link: worker/run/outputs.c */
/* Artifacts on the host: below the directory that was given, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_name.h"
#include "worker/run/outputs.h"

static char root[64]; /* has "out", what is written to, and "outside", what must not be */
static struct artifacts artifacts;
static char *log_text;
static size_t log_size;
static int out_fd = -1;

static const char *
at(const char *path)
{
    static char whole[sizeof(root) + FILE_NAME_BYTES + 16];

    snprintf(whole, sizeof(whole), "%s/%s", root, path);
    return whole;
}

static int
set_up(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    strcpy(root, "/tmp/retort-outputs-XXXXXX");
    if (!mkdtemp(root) || mkdir(at("outside"), 0700) < 0)
        return -1;
    out_fd = run_outputs_open(at("out"), &err);
    return out_fd < 0 ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int
tear_down(void **state)
{
    (void)state;
    close(out_fd);
    artifacts_fini(&artifacts);
    free(log_text);
    log_text = NULL;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
add(const char *name, const char *data)
{
    assert_int_equal(artifacts_add(&artifacts, name, strlen(name), data, strlen(data)), 0);
}

static int
write_them(void)
{
    free(log_text);
    FILE *log = open_memstream(&log_text, &log_size);
    assert_non_null(log);
    int result = run_outputs_write(out_fd, &artifacts, log);
    fclose(log);
    return result;
}

static void
assert_holds(const char *path, const char *text)
{
    char data[64] = "";
    int fd = open(at(path), O_RDONLY);

    if (fd < 0)
        fail_msg("%s is not there", path);
    assert_int_equal(read(fd, data, sizeof(data) - 1), strlen(text));
    close(fd);
    assert_string_equal(data, text);
}

static void
files_and_their_directories_are_made(void **state)
{
    (void)state;
    add("a.csv", "1,2");
    add("d/e/f", "deep");
    add("d/e/g", "");
    assert_int_equal(write_them(), 0);
    assert_string_equal(log_text, "");
    assert_holds("out/a.csv", "1,2");
    assert_holds("out/d/e/f", "deep");
    assert_holds("out/d/e/g", "");
}

static void
what_is_there_is_never_overwritten(void **state)
{
    (void)state;
    add("a", "old");
    assert_int_equal(write_them(), 0);
    artifacts_fini(&artifacts);
    add("a", "new");
    add("b", "another");
    assert_int_equal(write_them(), -1);
    assert_non_null(strstr(log_text, "outputs/a was not written: File exists"));
    assert_holds("out/a", "old");
    assert_holds("out/b", "another");
}

static void
no_link_leads_outside(void **state)
{
    (void)state;
    assert_int_equal(symlink("../outside", at("out/dir")), 0);
    assert_int_equal(symlinkat("../outside/new", out_fd, "file"), 0);
    assert_int_equal(mkdirat(out_fd, "d", 0700), 0);
    assert_int_equal(symlinkat("../../outside", out_fd, "d/up"), 0);
    add("dir/x", "escaped");
    add("file", "escaped");
    add("d/up/x", "escaped");
    add("good", "kept");
    assert_int_equal(write_them(), -1);
    assert_holds("out/good", "kept");
    assert_int_equal(access(at("outside/x"), F_OK), -1);
    assert_int_equal(access(at("outside/new"), F_OK), -1);
}

static void
a_file_in_the_place_of_a_directory_is_left_alone(void **state)
{
    (void)state;
    add("a", "file");
    assert_int_equal(write_them(), 0);
    artifacts_fini(&artifacts);
    add("a/b", "below");
    assert_int_equal(write_them(), -1);
    assert_holds("out/a", "file");
}

static void
the_longest_names_fit(void **state)
{
    char name[FILE_NAME_BYTES + 1];

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[FILE_NAME_BYTES] = '\0';
    for (size_t i = 255; i < FILE_NAME_BYTES - 1; i += 256)
        name[i] = '/';
    name[FILE_NAME_BYTES - 1] = '\0';
    add(name, "x");
    assert_int_equal(write_them(), 0);
    char path[FILE_NAME_BYTES + 8];
    snprintf(path, sizeof(path), "out/%s", name);
    assert_holds(path, "x");
}

static void
what_was_refused_is_told_without_control_characters(void **state)
{
    (void)state;
    assert_int_equal(artifacts_refuse(&artifacts, "big", 3, 12345, ARTIFACT_FAULT_TOO_LARGE), 0);
    assert_int_equal(artifacts_refuse(&artifacts, "\x1b[2J\n", 5, 0, ARTIFACT_FAULT_BAD_NAME), 0);
    artifacts.refused_total = 10;
    assert_int_equal(write_them(), 0);
    assert_non_null(strstr(log_text, "outputs/big (12345 bytes) was left out: larger than"));
    assert_non_null(strstr(log_text, "outputs/?[2J? (0 bytes)"));
    assert_non_null(strstr(log_text, "8 more outputs were left out"));
}

static void
a_directory_that_cannot_be_made_is_an_error(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(run_outputs_open(at("no/such"), &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    add("file", "");
    assert_int_equal(write_them(), 0);
    err = (struct err)ERR_INIT;
    assert_int_equal(run_outputs_open(at("out/file"), &err), -1);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(files_and_their_directories_are_made),
        IN_DIRECTORY(what_is_there_is_never_overwritten),
        IN_DIRECTORY(no_link_leads_outside),
        IN_DIRECTORY(a_file_in_the_place_of_a_directory_is_left_alone),
        IN_DIRECTORY(the_longest_names_fit),
        IN_DIRECTORY(what_was_refused_is_told_without_control_characters),
        IN_DIRECTORY(a_directory_that_cannot_be_made_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
