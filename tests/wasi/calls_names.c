/* The functions that make, remove and move names: path_create_directory to path_unlink_file. */
#include "tests/wasi/preview1.h"

static char buffer[8192];

static void
directories_are_made_once_and_removed_empty(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(EXIST, make_dir("d"));
    EXPECT(EXIST, make_dir("d/"));
    EXPECT(SUCCESS, make_dir("d/e/"));
    EXPECT(NOENT, make_dir("x/y"));
    EXPECT(NOTEMPTY, remove_dir("d"));
    EXPECT(SUCCESS, remove_dir("d/e/"));
    EXPECT(SUCCESS, remove_dir("d"));
    EXPECT(NOENT, remove_dir("d"));
    EXPECT(NOENT, remove_dir(""));
    EXPECT(NOENT, make_dir(""));
}

static void
a_file_is_no_directory(void)
{
    EXPECT(SUCCESS, make_file("f", "text"));
    EXPECT(NOTDIR, remove_dir("f"));
    EXPECT(NOTDIR, remove_dir("f/"));
    EXPECT(NOTDIR, make_dir("f/d"));
    EXPECT(EXIST, make_dir("f"));
    EXPECT(NOTDIR, stat_at("f/", 0));
    EXPECT(NOTDIR, stat_at("f/.", 0));
    EXPECT(NOTDIR, stat_at("f/..", 0));
    EXPECT(NOTDIR, unlink_file("f/"));
    EQUAL(-__WASI_ERRNO_NOTDIR, open_in("f/", 0, READ));
    EQUAL(-__WASI_ERRNO_NOTDIR, open_in("f", DIRECTORY, READ));
    TRUE(holds("f", "text"));
}

static void
a_directory_is_not_unlinked(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(ISDIR, unlink_file("d"));
    EXPECT(ISDIR, unlink_file("d/"));
    EXPECT(NOENT, unlink_file("none"));
    EXPECT(NOENT, unlink_file("none/"));
    EXPECT(INVAL, remove_dir("d/."));
    EXPECT(NOTEMPTY, remove_dir("d/.."));
}

static void
dots_stay_within_the_directory(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, make_dir("d/e"));
    EXPECT(SUCCESS, make_file("d/e/f", "x"));
    EXPECT(SUCCESS, stat_at("d/.//e/../../d/e/../e///./f", 0));
    EXPECT(SUCCESS, stat_at(".", 0));
    EXPECT(PERM, stat_at("..", 0));
    EXPECT(PERM, stat_at("d/../..", 0));
    EXPECT(PERM, stat_at("d/e/../../../d", 0));
    EXPECT(PERM, stat_at("/d", 0));
    EXPECT(PERM, stat_at("/", 0));
    EXPECT(NOENT, stat_at("none/..", 0));
    EXPECT(PERM, make_dir("../x"));
    EXPECT(PERM, unlink_file("../x"));
    EXPECT(PERM, rename_to("d", "../x"));
    EXPECT(PERM, rename_to("../x", "d"));
    EXPECT(PERM, symlink_to("d", "../x"));
    EXPECT(PERM, link_to("d/e/f", "../x", 0));
    EQUAL(-__WASI_ERRNO_PERM, open_in("../x", CREAT, READ | WRITE));
}

static void
a_name_has_no_nul_and_at_most_255_bytes(void)
{
    char name[300];

    memset(name, 'n', sizeof(name));
    EXPECT(SUCCESS, host_path_create_directory(dir, AT(name), 255));
    EXPECT(NAMETOOLONG, host_path_create_directory(dir, AT(name), 256));
    EXPECT(SUCCESS, host_path_remove_directory(dir, AT(name), 255));
    EXPECT(INVAL, host_path_create_directory(dir, AT("a\0b"), 3));
    EXPECT(INVAL, host_path_create_directory(dir, AT("a"), 2));
}

static void
a_path_has_at_most_4096_bytes(void)
{
    memset(buffer, '/', sizeof(buffer));
    buffer[0] = '.';
    EXPECT(SUCCESS, host_path_filestat_get(dir, 0, AT(buffer), 4095, AT(&stat)));
    EXPECT(SUCCESS, host_path_filestat_get(dir, 0, AT(buffer), 4096, AT(&stat)));
    EXPECT(NAMETOOLONG, host_path_filestat_get(dir, 0, AT(buffer), 4097, AT(&stat)));
    EXPECT(NAMETOOLONG, host_path_unlink_file(dir, AT(buffer), 4097));
}

static void
paths_are_good_up_to_the_end_of_memory(void)
{
    uint32_t last = MEMORY_END - 1;

    *(char *)(uintptr_t)last = 'z';
    EXPECT(SUCCESS, host_path_create_directory(dir, last, 1));
    EXPECT(FAULT, host_path_create_directory(dir, last, 2));
    EXPECT(FAULT, host_path_create_directory(dir, MEMORY_END - 4, UINT32_MAX));
    EXPECT(FAULT, host_path_create_directory(dir, UINT32_MAX, 2));
    EXPECT(FAULT, host_path_symlink(last, 2, dir, TEXT("l")));
    EXPECT(FAULT, host_path_rename(dir, last, 1, dir, last, 2));
    EXPECT(FAULT, host_path_filestat_get(dir, 0, last, 1, MEMORY_END - 63));
    EXPECT(SUCCESS, host_path_remove_directory(dir, last, 1));
}

static void
renaming_moves_a_file_and_replaces_another(void)
{
    EXPECT(SUCCESS, make_file("a", "first"));
    EXPECT(SUCCESS, make_file("b", "second"));
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, rename_to("a", "c"));
    EXPECT(NOENT, stat_at("a", 0));
    EXPECT(SUCCESS, rename_to("c", "b"));
    TRUE(holds("b", "first"));
    EXPECT(SUCCESS, rename_to("b", "d/b"));
    TRUE(holds("d/b", "first"));
    EXPECT(NOENT, rename_to("none", "d/b"));
    EXPECT(NOENT, rename_to("d/b", "none/b"));
    EXPECT(NOENT, rename_to("", "b"));
    EXPECT(NOENT, rename_to("d/b", ""));
}

static void
renaming_onto_oneself_changes_nothing(void)
{
    EXPECT(SUCCESS, make_file("f", "text"));
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, link_to("f", "g", 0));
    EXPECT(SUCCESS, rename_to("f", "f"));
    EXPECT(SUCCESS, rename_to("d", "d"));
    /* Two names of one file: both stay. */
    EXPECT(SUCCESS, rename_to("f", "g"));
    TRUE(holds("f", "text"));
    EXPECT(SUCCESS, stat_at("g", 0));
    EQUAL(2, stat.nlink);
}

static void
renaming_directories_takes_an_empty_one_in_the_way(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, make_file("d/f", "x"));
    EXPECT(SUCCESS, make_dir("empty"));
    EXPECT(SUCCESS, make_dir("full"));
    EXPECT(SUCCESS, make_file("full/f", "y"));
    EXPECT(NOTEMPTY, rename_to("d", "full"));
    EXPECT(SUCCESS, rename_to("d", "empty"));
    TRUE(holds("empty/f", "x"));
    EXPECT(NOTDIR, rename_to("empty", "full/f"));
    EXPECT(ISDIR, rename_to("full/f", "empty"));
    EXPECT(SUCCESS, rename_to("empty/", "moved/"));
    EXPECT(SUCCESS, rename_to("moved", "moved2/"));
    TRUE(holds("moved2/f", "x"));
}

static void
a_directory_does_not_move_into_itself(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, make_dir("d/e"));
    EXPECT(INVAL, rename_to("d", "d/x"));
    EXPECT(INVAL, rename_to("d", "d/e/x"));
    EXPECT(NOTEMPTY, rename_to("d/e", "d"));
    EXPECT(BUSY, rename_to("d", "."));
    EXPECT(BUSY, rename_to("d/.", "x"));
    EXPECT(BUSY, rename_to("d/e/..", "x"));
    EXPECT(SUCCESS, stat_at("d/e", 0));
}

static void
a_file_with_a_slash_is_not_renamed(void)
{
    EXPECT(SUCCESS, make_file("f", "x"));
    EXPECT(NOTDIR, rename_to("f/", "g"));
    EXPECT(NOTDIR, rename_to("f", "g/"));
    EXPECT(NOTDIR, rename_to("f/", "g/"));
    TRUE(holds("f", "x"));
}

static void
a_link_is_renamed_itself_also_when_it_leads_nowhere(void)
{
    EXPECT(SUCCESS, symlink_to("none", "l"));
    EXPECT(SUCCESS, make_file("f", "x"));
    EXPECT(SUCCESS, rename_to("l", "m"));
    EXPECT(SUCCESS, host_path_readlink(dir, TEXT("m"), AT(buffer), 100, AT(&ret)));
    EQUAL(4, ret);
    /* Onto a link: the link is replaced, not what it names. */
    EXPECT(SUCCESS, rename_to("f", "m"));
    EXPECT(NOENT, stat_at("none", 0));
    TRUE(holds("m", "x"));
    EXPECT(SUCCESS, symlink_to("none", "l"));
    EXPECT(SUCCESS, rename_to("l", "m"));
    EXPECT(NOENT, stat_at("m", FOLLOW));
}

static void
names_move_between_directories_that_are_open(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, make_dir("e"));
    EXPECT(SUCCESS, make_file("d/f", "x"));
    uint32_t d = (uint32_t)open_in("d", DIRECTORY, READ),
             e = (uint32_t)open_in("e", DIRECTORY, READ);
    EXPECT(SUCCESS, host_path_rename(d, TEXT("f"), e, TEXT("g")));
    TRUE(holds("e/g", "x"));
    EXPECT(SUCCESS, host_path_link(e, 0, TEXT("g"), d, TEXT("h")));
    TRUE(holds("d/h", "x"));
    EXPECT(BADF, host_path_rename(d, TEXT("h"), 200, TEXT("g")));
    EXPECT(BADF, host_path_rename(200, TEXT("h"), e, TEXT("g")));
}

static void
what_is_open_outlives_its_name(void)
{
    EXPECT(SUCCESS, make_file("f", "still here"));
    int fd = open_in("f", 0, READ | WRITE);
    EXPECT(SUCCESS, unlink_file("f"));
    EXPECT(NOENT, stat_at("f", 0));
    EXPECT(SUCCESS, stat_of((uint32_t)fd));
    EQUAL(0, stat.nlink);
    EQUAL(10, stat.size);
    uint64_t old = stat.ino;
    EXPECT(SUCCESS, make_file("f", "another"));
    EXPECT(SUCCESS, stat_at("f", 0));
    TRUE(stat.ino != old);
    EQUAL(10, read_bytes((uint32_t)fd, buffer, 100));
    EQUAL(1, write_text((uint32_t)fd, "!"));
    TRUE(holds("f", "another"));
}

static void
a_removed_directory_takes_no_new_names(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    uint32_t d = (uint32_t)open_in("d", DIRECTORY, READ);
    EXPECT(SUCCESS, remove_dir("d"));
    EXPECT(NOENT, host_path_create_directory(d, TEXT("x")));
    EQUAL(-__WASI_ERRNO_NOENT, open_from(d, 0, "x", CREAT, READ | WRITE));
    EXPECT(NOENT, host_path_symlink(TEXT("x"), d, TEXT("l")));
    EXPECT(SUCCESS, make_file("f", ""));
    EXPECT(NOENT, host_path_rename(dir, TEXT("f"), d, TEXT("f")));
    EXPECT(NOENT, host_path_link(dir, 0, TEXT("f"), d, TEXT("f")));
    EXPECT(SUCCESS, host_path_filestat_get(d, 0, TEXT("."), AT(&stat)));
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(NOENT, host_path_create_directory(d, TEXT("x")));
}

static void
files_are_made_emptied_and_refused_on_opening(void)
{
    EQUAL(-__WASI_ERRNO_NOENT, open_in("f", 0, READ));
    EQUAL(-__WASI_ERRNO_NOENT, open_in("d/f", CREAT, READ | WRITE));
    TRUE(open_in("f", CREAT | EXCL, READ | WRITE) > 0);
    EQUAL(-__WASI_ERRNO_EXIST, open_in("f", CREAT | EXCL, READ | WRITE));
    EXPECT(SUCCESS, make_file("f", "text"));
    TRUE(open_in("f", CREAT, READ | WRITE) > 0);
    TRUE(holds("f", "text"));
    TRUE(open_in("f", TRUNC, WRITE) > 0);
    TRUE(holds("f", ""));
    EXPECT(SUCCESS, make_dir("d"));
    EQUAL(-__WASI_ERRNO_ISDIR, open_in("d", 0, READ | WRITE));
    EQUAL(-__WASI_ERRNO_ISDIR, open_in("d", CREAT, READ));
    EQUAL(-__WASI_ERRNO_EXIST, open_in("d", CREAT | EXCL, READ));
    EQUAL(-__WASI_ERRNO_ISDIR, open_in("new/", CREAT, READ | WRITE));
    EQUAL(-__WASI_ERRNO_INVAL, open_in("e", CREAT | DIRECTORY, READ));
    EQUAL(-__WASI_ERRNO_INVAL, open_in("e", 16, READ));
    EQUAL(-__WASI_ERRNO_NOTDIR, open_from(1, 0, "f", 0, READ));
    EQUAL(-__WASI_ERRNO_BADF, open_from(200, 0, "f", 0, READ));
}

int
main(void)
{
    static const struct test tests[] = {
        TEST(directories_are_made_once_and_removed_empty),
        TEST(a_file_is_no_directory),
        TEST(a_directory_is_not_unlinked),
        TEST(dots_stay_within_the_directory),
        TEST(a_name_has_no_nul_and_at_most_255_bytes),
        TEST(a_path_has_at_most_4096_bytes),
        TEST(paths_are_good_up_to_the_end_of_memory),
        TEST(renaming_moves_a_file_and_replaces_another),
        TEST(renaming_onto_oneself_changes_nothing),
        TEST(renaming_directories_takes_an_empty_one_in_the_way),
        TEST(a_directory_does_not_move_into_itself),
        TEST(a_file_with_a_slash_is_not_renamed),
        TEST(a_link_is_renamed_itself_also_when_it_leads_nowhere),
        TEST(names_move_between_directories_that_are_open),
        TEST(what_is_open_outlives_its_name),
        TEST(a_removed_directory_takes_no_new_names),
        TEST(files_are_made_emptied_and_refused_on_opening),
    };

    return RUN(tests);
}
