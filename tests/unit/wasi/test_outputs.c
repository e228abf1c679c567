/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c tests/unit/wasi/invariants.c */
/* The walk over /work/outputs at a job's end. */
#include <stdbool.h>
#include <stdio.h>

#include "tests/unit/wasi/fixture.h"

#include "worker/wasi/directory.h"
#include "worker/wasi/outputs.h"

static struct output_walk walk;
static struct output output;

static void
assert_next(enum output_kind kind, const char *path, uint64_t size)
{
    assert_true(outputs_next(&walk, &output));
    assert_int_equal(output.path_bytes, strlen(path));
    assert_memory_equal(output.path, path, strlen(path));
    assert_int_equal(output.kind, kind);
    assert_int_equal(output.size, size);
}

static void
it_is_there_and_empty_when_a_job_begins(void **state)
{
    struct wasi_filestat stat;

    (void)state;
    assert_int_equal(stat_path("work/outputs", &stat), WASI_OK);
    assert_int_equal(stat.filetype, WASI_FILETYPE_DIRECTORY);
    assert_false(outputs_begin(&walk));
    make_file("work/outputs/a", "text");
    assert_true(outputs_begin(&walk));
}

static void
files_come_in_the_order_of_their_making_and_directories_in_their_place(void **state)
{
    char data[8];

    (void)state;
    make_file("work/outputs/z", "zz");
    assert_int_equal(make_dir("work/outputs/d"), WASI_OK);
    assert_int_equal(make_dir("work/outputs/d/e"), WASI_OK);
    assert_int_equal(make_dir("work/outputs/empty"), WASI_OK);
    make_file("work/outputs/a", "");
    make_file("work/outputs/d/e/f", "inner");
    make_file("work/outputs/d/g", "g");
    make_file("work/other", "not an output");
    assert_true(outputs_begin(&walk));
    assert_next(OUTPUT_FILE, "z", 2);
    assert_next(OUTPUT_FILE, "d/e/f", 5);
    outputs_read(&output, data, 5);
    assert_memory_equal(data, "inner", 5);
    assert_next(OUTPUT_FILE, "d/g", 1);
    assert_next(OUTPUT_FILE, "a", 0);
    assert_false(outputs_next(&walk, &output));
    assert_false(outputs_next(&walk, &output));
}

static void
links_are_told_and_not_followed(void **state)
{
    (void)state;
    make_file("work/secret", "secret");
    assert_int_equal(symlink_path("../secret", "work/outputs/l"), WASI_OK);
    assert_int_equal(symlink_path("/lib", "work/outputs/m"), WASI_OK);
    assert_int_equal(symlink_path(".", "work/outputs/loop"), WASI_OK);
    assert_int_equal(link_path("work/secret", "work/outputs/hard", 0), WASI_OK);
    assert_true(outputs_begin(&walk));
    assert_next(OUTPUT_LINK, "l", 9);
    assert_next(OUTPUT_LINK, "m", 4);
    assert_next(OUTPUT_LINK, "loop", 1);
    assert_next(OUTPUT_FILE, "hard", 6);
    assert_false(outputs_next(&walk, &output));
}

static void
only_a_directory_of_that_name_has_outputs(void **state)
{
    (void)state;
    assert_int_equal(remove_dir("work/outputs"), WASI_OK);
    assert_false(outputs_begin(&walk));
    make_file("work/outputs", "a file");
    assert_false(outputs_begin(&walk));
    assert_int_equal(unlink_path("work/outputs"), WASI_OK);
    assert_int_equal(symlink_path("/lib", "work/outputs"), WASI_OK);
    assert_false(outputs_begin(&walk));
    assert_int_equal(unlink_path("work/outputs"), WASI_OK);
    assert_int_equal(make_dir("work/new"), WASI_OK);
    make_file("work/new/a", "x");
    assert_int_equal(rename_path("work/new", "work/outputs"), WASI_OK);
    assert_true(outputs_begin(&walk));
    assert_next(OUTPUT_FILE, "a", 1);
}

/* Directories of name_bytes bytes each, one in the other; a file of one byte in the last. */
static void
make_deep(uint32_t levels, uint32_t name_bytes)
{
    char path[WASI_PATH_BYTES + 1] = "work/outputs";
    size_t length = strlen(path);

    for (uint32_t i = 0; i < levels; i++) {
        path[length] = '/';
        memset(path + length + 1, 'd', name_bytes);
        path[length += name_bytes + 1] = '\0';
        assert_int_equal(make_dir(path), WASI_OK);
    }
    strcpy(path + length, "/f");
    make_file(path, "x");
}

static void
the_longest_path_is_whole_and_a_longer_one_is_cut(void **state)
{
    (void)state;
    make_deep(4, 254); /* 4 * 255 + 1 bytes */
    assert_true(outputs_begin(&walk));
    assert_true(outputs_next(&walk, &output));
    assert_int_equal(output.kind, OUTPUT_FILE);
    assert_int_equal(output.path_bytes, 1021);
    assert_false(outputs_next(&walk, &output));

    fixture_setup(state);
    make_deep(5, 204); /* 5 * 205 + 1: one more than fits, of which the last is the slash */
    assert_true(outputs_begin(&walk));
    assert_true(outputs_next(&walk, &output));
    assert_int_equal(output.kind, OUTPUT_TOO_LONG);
    assert_int_equal(output.path_bytes, 1024);
    assert_int_equal(output.size, 0);
    assert_false(outputs_next(&walk, &output));

    fixture_setup(state);
    make_deep(6, 250);
    make_file("work/outputs/after", "");
    assert_true(outputs_begin(&walk));
    assert_true(outputs_next(&walk, &output));
    assert_int_equal(output.kind, OUTPUT_TOO_LONG);
    assert_int_equal(output.path_bytes, 1024);
    assert_next(OUTPUT_FILE, "after", 0);
    assert_false(outputs_next(&walk, &output));
}

static void
the_deepest_tree_is_walked_without_end(void **state)
{
    struct err err = ERR_INIT;
    uint32_t parent;

    (void)state;
    fixture_config.node_limit = 2000;
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
    parent = directory_find(directory_find(NODE_ROOT, "work", 4), "outputs", 7);
    for (int i = 0; i < 1500; i++) {
        enum wasi_errno error;
        parent = directory_make(parent, "d", 1, NODE_DIRECTORY, &error);
        assert_int_equal(error, WASI_OK);
    }
    assert_true(outputs_begin(&walk));
    assert_true(outputs_next(&walk, &output));
    assert_int_equal(output.kind, OUTPUT_TOO_LONG);
    assert_int_equal(output.path_bytes, 1023);
    assert_false(outputs_next(&walk, &output));
}

/* A trap can come from the middle of a change. */
static void
a_torn_list_ends(void **state)
{
    (void)state;
    make_file("work/outputs/a", "x");
    make_file("work/outputs/b", "x");
    uint32_t outputs = directory_find(directory_find(NODE_ROOT, "work", 4), "outputs", 7);
    uint32_t first = node_own(outputs)->as.directory.first;
    struct entry *last = &wasi_state.entries[node_own(outputs)->as.directory.last];
    uint32_t count = 0;

    last->next = first; /* a ring */
    assert_true(outputs_begin(&walk));
    while (outputs_next(&walk, &output))
        count++;
    assert_true(count <= wasi_state.entry_count);
    last->next = UINT32_MAX;
    assert_true(outputs_begin(&walk));
    assert_next(OUTPUT_FILE, "a", 1);
    assert_next(OUTPUT_FILE, "b", 1);
    assert_false(outputs_next(&walk, &output));
    last->node = NODE_NONE;
    assert_true(outputs_begin(&walk));
    assert_next(OUTPUT_FILE, "a", 1);
    assert_false(outputs_next(&walk, &output));
    last->node = 5; /* of the image */
    assert_true(outputs_begin(&walk));
    assert_next(OUTPUT_FILE, "a", 1);
    assert_false(outputs_next(&walk, &output));
    node_own(outputs)->as.directory.first = UINT32_MAX - 1;
    assert_false(outputs_begin(&walk));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_there_and_empty_when_a_job_begins, fixture_setup),
        cmocka_unit_test_setup(
            files_come_in_the_order_of_their_making_and_directories_in_their_place, fixture_setup),
        cmocka_unit_test_setup(links_are_told_and_not_followed, fixture_setup),
        cmocka_unit_test_setup(only_a_directory_of_that_name_has_outputs, fixture_setup),
        cmocka_unit_test_setup(the_longest_path_is_whole_and_a_longer_one_is_cut, fixture_setup),
        cmocka_unit_test_setup(the_deepest_tree_is_walked_without_end, fixture_setup),
        cmocka_unit_test_setup(a_torn_list_ends, fixture_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
