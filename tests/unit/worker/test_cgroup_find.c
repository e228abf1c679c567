/* Control groups of version 2 found in texts of /proc, as kernels and containers write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "worker/cgroup_find.h"

#define V1_MOUNTS                                                                                  \
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"                          \
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
#define V2_MOUNTS                                                                                  \
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"                                      \
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static char path[CGROUP_PATH_SIZE];

static void
assert_found(const char *membership, const char *mounts, const char *expected)
{
    struct err err = ERR_INIT;

    int result = cgroup_find(membership, mounts, path, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(result, 0);
    assert_string_equal(path, expected);
}

static void
assert_missing(const char *membership, const char *mounts, const char *why)
{
    struct err err = ERR_INIT;

    assert_int_equal(cgroup_find(membership, mounts, path, &err), -1);
    assert_non_null(strstr(err.text, why));
}

static void
a_service_of_systemd_is_found(void **state)
{
    (void)state;
    assert_found("0::/system.slice/retort.service\n", V2_MOUNTS,
                 "/sys/fs/cgroup/system.slice/retort.service");
    assert_found("0::/a:b/c\n", V2_MOUNTS, "/sys/fs/cgroup/a:b/c");
}

static void
the_root_group_is_the_mount_itself(void **state)
{
    (void)state;
    assert_found("0::/\n", V2_MOUNTS, "/sys/fs/cgroup");
}

static void
a_hybrid_host_has_it_beside_version_1(void **state)
{
    (void)state;
    assert_found("8:pids:/\n4:memory:/x\n0::/deep/er\n",
                 V1_MOUNTS "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
                 "/sys/fs/cgroup/unified/deep/er");
}

static void
version_1_alone_has_none(void **state)
{
    (void)state;
    assert_missing("8:pids:/\n4:memory:/0::/x\n", V1_MOUNTS, "version 1 only");
    assert_missing("4:memory:/x\n0::/\n", V1_MOUNTS, "no cgroup2 file system");
    assert_missing("", "", "version 1 only");
}

static void
a_container_without_a_namespace_mounts_its_own_part(void **state)
{
    static const char mounts[] =
        "700 690 0:26 /docker/4f1 /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n";

    (void)state;
    assert_found("0::/docker/4f1\n", mounts, "/sys/fs/cgroup");
    assert_found("0::/docker/4f1/x\n", mounts, "/sys/fs/cgroup/x");
    assert_missing("0::/docker/4f12\n", mounts, "in no cgroup2 file system");
    assert_missing("0::/docker\n", mounts, "in no cgroup2 file system");
}

static void
what_is_outside_of_the_namespace_is_not_guessed(void **state)
{
    (void)state;
    assert_missing("0::/..\n", V2_MOUNTS, "outside");
    assert_missing("0::/../../system.slice/x\n", V2_MOUNTS, "outside");
    /* A mount from before the namespace: how its root is called cannot be known. */
    assert_missing("0::/\n", "30 24 0:26 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
                   "in no cgroup2 file system");
    assert_found("0::/..x/y\n", V2_MOUNTS, "/sys/fs/cgroup/..x/y");
}

static void
a_removed_group_is_none(void **state)
{
    (void)state;
    assert_missing("0::/gone (deleted)\n", V2_MOUNTS, "removed");
}

static void
escapes_of_mountinfo_are_undone_and_nothing_else_is(void **state)
{
    (void)state;
    assert_found("0::/a b\\040\n",
                 "30 24 0:26 /a\\040b\\134040 /mnt/c\\011d\\012e\\134 rw - cgroup2 x rw\n",
                 "/mnt/c\td\ne\\");
    /* Not three digits of an octal number. */
    assert_found("0::/\n", "30 24 0:26 / /mnt/\\08x\\9 rw - cgroup2 x rw\n", "/mnt/\\08x\\9");
}

static void
any_number_of_optional_fields_is_skipped(void **state)
{
    (void)state;
    assert_found("0::/x\n", "30 24 0:26 / /m rw shared:1 master:2 unbindable - cgroup2 - rw\n",
                 "/m/x");
    /* Names that look like a file system are none. */
    assert_missing("0::/x\n", "30 24 0:26 / /cgroup2 cgroup2 - ext4 cgroup2 rw\n",
                   "no cgroup2 file system");
}

static void
the_mount_on_top_counts(void **state)
{
    (void)state;
    assert_found("0::/x\n",
                 V2_MOUNTS "31 30 0:26 / /over rw - cgroup2 x rw\n"
                           "32 30 0:26 /other /elsewhere rw - cgroup2 x rw\n",
                 "/over/x");
}

static void
lines_cut_short_are_no_mounts(void **state)
{
    static const char line[] = "30 24 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2";
    char cut[sizeof(line)];

    (void)state;
    for (size_t size = 0; size < strlen(line); size++) {
        memcpy(cut, line, size);
        cut[size] = '\0';
        assert_missing("0::/x\n", cut, "no cgroup2 file system");
    }
    assert_found("0::/x", line, "/sys/fs/cgroup/x");
}

/* head, count times 'a', tail; the caller frees it. */
static char *
padded(const char *head, size_t count, const char *tail)
{
    char *text = malloc(strlen(head) + count + strlen(tail) + 1);

    assert_non_null(text);
    strcpy(text, head);
    memset(text + strlen(head), 'a', count);
    strcpy(text + strlen(head) + count, tail);
    return text;
}

static void
paths_end_where_there_is_no_more_room(void **state)
{
    const size_t most = CGROUP_PATH_SIZE - 1 - strlen("/sys/fs/cgroup/");
    char *fits = padded("0::/", most, "\n");
    char *long_whole = padded("0::/", most + 1, "\n");
    char *long_group = padded("0::/", 1 << 20, "\n");
    char *long_mount = padded("30 24 0:26 / /", 1 << 20, " rw - cgroup2 x rw\n");
    char *long_root = padded("30 24 0:26 /", 1 << 20, " /m rw - cgroup2 x rw\n");
    char *long_other = padded("30 24 0:26 / /", 1 << 20, " rw - ext4 x rw\n" V2_MOUNTS);

    (void)state;
    assert_found("0::/x\n", long_other, "/sys/fs/cgroup/x");
    assert_int_equal(cgroup_find(fits, V2_MOUNTS, path, &(struct err)ERR_INIT), 0);
    assert_int_equal(strlen(path), CGROUP_PATH_SIZE - 1);
    assert_missing(long_whole, V2_MOUNTS, "too long");
    assert_missing(long_group, V2_MOUNTS, "too long");
    assert_missing("0::/x\n", long_mount, "too long");
    assert_missing("0::/x\n", long_root, "in no cgroup2 file system");
    free(fits);
    free(long_whole);
    free(long_group);
    free(long_mount);
    free(long_root);
    free(long_other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_of_systemd_is_found),
        cmocka_unit_test(the_root_group_is_the_mount_itself),
        cmocka_unit_test(a_hybrid_host_has_it_beside_version_1),
        cmocka_unit_test(version_1_alone_has_none),
        cmocka_unit_test(a_container_without_a_namespace_mounts_its_own_part),
        cmocka_unit_test(what_is_outside_of_the_namespace_is_not_guessed),
        cmocka_unit_test(a_removed_group_is_none),
        cmocka_unit_test(escapes_of_mountinfo_are_undone_and_nothing_else_is),
        cmocka_unit_test(any_number_of_optional_fields_is_skipped),
        cmocka_unit_test(the_mount_on_top_counts),
        cmocka_unit_test(lines_cut_short_are_no_mounts),
        cmocka_unit_test(paths_end_where_there_is_no_more_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
