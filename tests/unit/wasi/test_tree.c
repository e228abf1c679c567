/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include <stdlib.h>

#include "tests/unit/wasi/fixture.h"

#include "worker/wasi/tree.h"

static _Alignas(64) char copy[4096];
static size_t copy_bytes;

static struct tree_node *
copy_node(uint32_t index)
{
    const struct tree_header *header = (void *)copy;

    return (struct tree_node *)(void *)(copy + header->nodes_offset) + index;
}

static int
setup(void **state)
{
    const void *tree = test_image(&copy_bytes);

    (void)state;
    memcpy(copy, tree, copy_bytes);
    return 0;
}

static void
assert_refused(void)
{
    struct tree tree;
    struct err err = ERR_INIT;

    assert_int_equal(tree_open(&tree, copy, copy_bytes, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

static void
a_sound_tree_opens_and_finds_its_names(void **state)
{
    struct tree tree;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(tree_open(&tree, copy, copy_bytes, &err), 0);
    assert_int_equal(tree_find(&tree, 0, "lib", 3), 3);
    assert_int_equal(tree_find(&tree, 3, "python", 6), 8);
    assert_int_equal(tree_find(&tree, 0, "li", 2), -1);
    assert_int_equal(tree_find(&tree, 0, "libx", 4), -1);
    assert_int_equal(tree_find(&tree, 0, "", 0), -1);
    assert_int_equal(tree_find(&tree, 0, "zzz", 3), -1);
}

static void
a_tree_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < copy_bytes; size++) {
        struct tree tree;
        struct err err = ERR_INIT;
        char *exact = malloc(size + 1);
        memcpy(exact, copy, size);
        assert_int_equal(tree_open(&tree, exact, size, &err), -1);
        free(exact);
    }
}

static void
wrong_magic_is_refused(void **state)
{
    (void)state;
    copy[0] ^= 1;
    assert_refused();
}

static void
a_tree_without_nodes_is_refused(void **state)
{
    (void)state;
    ((struct tree_header *)(void *)copy)->node_count = 0;
    assert_refused();
}

static void
nodes_outside_the_file_are_refused(void **state)
{
    (void)state;
    ((struct tree_header *)(void *)copy)->nodes_offset = 0xfffffff8u;
    assert_refused();
}

static void
a_name_or_data_outside_the_file_is_refused(void **state)
{
    (void)state;
    copy_node(2)->data_offset = UINT64_MAX - 2;
    assert_refused();
    setup(state);
    copy_node(2)->data_bytes = UINT64_MAX;
    assert_refused();
    setup(state);
    copy_node(2)->name_offset = UINT64_MAX;
    assert_refused();
}

static void
unsorted_or_equal_names_are_refused(void **state)
{
    (void)state;
    copy[copy_node(1)->name_offset] = 'z';
    assert_refused();
    setup(state);
    *copy_node(11) = *copy_node(10);
    assert_refused();
}

static void
names_with_two_meanings_are_refused(void **state)
{
    (void)state;
    copy[copy_node(2)->name_offset] = '/';
    assert_refused();
    setup(state);
    copy[copy_node(2)->name_offset] = '\0';
    assert_refused();
    setup(state);
    memcpy(copy + copy_node(6)->name_offset, "..", 2);
    copy_node(6)->name_bytes = 2;
    assert_refused();
    setup(state);
    copy_node(6)->name_bytes = 0;
    assert_refused();
}

static void
a_directory_cannot_contain_itself_or_its_parents(void **state)
{
    (void)state;
    copy_node(8)->data_offset = 3;
    assert_refused();
    setup(state);
    copy_node(8)->data_offset = 8;
    assert_refused();
    setup(state);
    copy_node(8)->data_bytes = UINT64_MAX;
    assert_refused();
}

static void
the_root_must_be_a_directory_and_kinds_known(void **state)
{
    (void)state;
    copy_node(0)->kind = TREE_FILE;
    copy_node(0)->data_offset = 0;
    assert_refused();
    setup(state);
    copy_node(2)->kind = 9;
    assert_refused();
    setup(state);
    copy_node(7)->data_bytes = 0;
    assert_refused();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sound_tree_opens_and_finds_its_names, setup),
        cmocka_unit_test_setup(a_tree_cut_anywhere_is_refused, setup),
        cmocka_unit_test_setup(wrong_magic_is_refused, setup),
        cmocka_unit_test_setup(a_tree_without_nodes_is_refused, setup),
        cmocka_unit_test_setup(nodes_outside_the_file_are_refused, setup),
        cmocka_unit_test_setup(a_name_or_data_outside_the_file_is_refused, setup),
        cmocka_unit_test_setup(unsorted_or_equal_names_are_refused, setup),
        cmocka_unit_test_setup(names_with_two_meanings_are_refused, setup),
        cmocka_unit_test_setup(a_directory_cannot_contain_itself_or_its_parents, setup),
        cmocka_unit_test_setup(the_root_must_be_a_directory_and_kinds_known, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
