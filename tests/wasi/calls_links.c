/* Hard and symbolic links: path_link, path_symlink, path_readlink, and what follows them. */
#include "tests/wasi/preview1.h"

static char buffer[256];

static int64_t
inode(const char *path)
{
    return stat_at(path, 0) == 0 ? (int64_t)stat.ino : -1;
}

static void
hard_links_are_one_file(void)
{
    EXPECT(SUCCESS, make_file("f", "one"));
    EXPECT(SUCCESS, link_to("f", "g", 0));
    EQUAL(inode("f"), inode("g"));
    EQUAL(2, stat.nlink);
    EXPECT(SUCCESS, make_file("f", "two"));
    TRUE(holds("g", "two"));
    EXPECT(EXIST, link_to("f", "g", 0));
    EXPECT(EXIST, link_to("f", "f", 0));
    EXPECT(NOENT, link_to("none", "h", 0));
    EXPECT(NOENT, link_to("f", "h/", 0));
    EXPECT(SUCCESS, unlink_file("f"));
    TRUE(holds("g", "two"));
    EXPECT(SUCCESS, stat_at("g", 0));
    EQUAL(1, stat.nlink);
}

static void
directories_have_no_hard_links(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, make_file("f", ""));
    EXPECT(PERM, link_to("d", "e", 0));
    EXPECT(EXIST, link_to("f", "d", 0));
    EXPECT(INVAL, link_to("f", "g", 2));
}

static void
a_hard_link_is_of_the_link_unless_it_is_followed(void)
{
    EXPECT(SUCCESS, make_file("f", "x"));
    EXPECT(SUCCESS, symlink_to("f", "l"));
    EXPECT(SUCCESS, symlink_to("none", "dangling"));
    EXPECT(SUCCESS, link_to("l", "a", 0));
    EXPECT(SUCCESS, stat_at("a", 0));
    EQUAL(__WASI_FILETYPE_SYMBOLIC_LINK, stat.filetype);
    EXPECT(SUCCESS, link_to("l", "b", FOLLOW));
    EXPECT(SUCCESS, stat_at("b", 0));
    EQUAL(__WASI_FILETYPE_REGULAR_FILE, stat.filetype);
    EXPECT(SUCCESS, link_to("dangling", "c", 0));
    EXPECT(INVAL, link_to("dangling", "d", FOLLOW));
    EXPECT(EXIST, link_to("f", "dangling", 0));
}

static void
links_are_followed_when_that_is_asked_for(void)
{
    EXPECT(SUCCESS, make_file("f", "text"));
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, symlink_to("f", "l"));
    EXPECT(SUCCESS, symlink_to("d", "ld"));
    EXPECT(SUCCESS, stat_at("l", 0));
    EQUAL(__WASI_FILETYPE_SYMBOLIC_LINK, stat.filetype);
    EQUAL(1, stat.size);
    EXPECT(SUCCESS, stat_at("l", FOLLOW));
    EQUAL(__WASI_FILETYPE_REGULAR_FILE, stat.filetype);
    /* On the way, and before a slash, always. */
    EXPECT(SUCCESS, make_file("ld/x", "x"));
    EXPECT(SUCCESS, stat_at("ld/", 0));
    EQUAL(__WASI_FILETYPE_DIRECTORY, stat.filetype);
    EXPECT(NOTDIR, stat_at("l/", 0));
    EQUAL(-__WASI_ERRNO_LOOP, open_from(dir, 0, "l", 0, READ));
    EQUAL(-__WASI_ERRNO_NOTDIR, open_from(dir, 0, "ld", DIRECTORY, READ));
    TRUE(open_from(dir, FOLLOW, "ld", DIRECTORY, READ) > 0);
    EQUAL(-__WASI_ERRNO_NOTDIR, open_from(dir, FOLLOW, "l", DIRECTORY, READ));
    EXPECT(INVAL, stat_at("l", 2));
}

static void
a_link_is_made_and_removed_itself(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(SUCCESS, symlink_to("d", "l"));
    EXPECT(EXIST, symlink_to("d", "l"));
    EXPECT(EXIST, symlink_to("x", "d"));
    EXPECT(EXIST, symlink_to("x", "d/"));
    EXPECT(NOENT, symlink_to("x", "new/"));
    EXPECT(NOENT, symlink_to("", "new"));
    EXPECT(NOTDIR, remove_dir("l"));
    EXPECT(NOTDIR, unlink_file("l/"));
    EXPECT(SUCCESS, unlink_file("l"));
    EXPECT(SUCCESS, stat_at("d", 0));
}

static void
links_do_not_lead_out_of_the_directory(void)
{
    EXPECT(SUCCESS, make_dir("d"));
    EXPECT(PERM, symlink_to("/", "root"));
    EXPECT(PERM, symlink_to("/etc/passwd", "passwd"));
    EXPECT(SUCCESS, symlink_to("..", "d/up"));
    EXPECT(SUCCESS, symlink_to("../..", "d/out"));
    EXPECT(SUCCESS, stat_at("d/up/d/up/d", 0));
    EXPECT(PERM, stat_at("d/out", FOLLOW));
    EXPECT(PERM, stat_at("d/out/x", 0));
    EQUAL(-__WASI_ERRNO_PERM, open_in("d/out/x", CREAT, READ | WRITE));
    uint32_t d = (uint32_t)open_in("d", DIRECTORY, READ);
    EXPECT(PERM, host_path_filestat_get(d, FOLLOW, TEXT("up"), AT(&stat)));
}

static void
circles_of_links_end(void)
{
    EXPECT(SUCCESS, symlink_to("a", "a"));
    EXPECT(SUCCESS, symlink_to("c", "b"));
    EXPECT(SUCCESS, symlink_to("b", "c"));
    EXPECT(LOOP, stat_at("a", FOLLOW));
    EXPECT(LOOP, stat_at("b/x", 0));
    EQUAL(-__WASI_ERRNO_LOOP, open_in("a", 0, READ));
    EQUAL(-__WASI_ERRNO_LOOP, open_in("a", CREAT, READ | WRITE));
    EXPECT(SUCCESS, stat_at("a", 0));
    EXPECT(SUCCESS, unlink_file("a"));
}

static void
as_many_as_32_links_are_followed(void)
{
    char name[8], target[8] = "f";

    EXPECT(SUCCESS, make_file("f", "x"));
    for (int i = 1; i <= 33; i++) {
        snprintf(name, sizeof(name), "l%d", i);
        EXPECT(SUCCESS, symlink_to(target, name));
        snprintf(target, sizeof(target), "l%d", i);
    }
    EXPECT(SUCCESS, stat_at("l31", FOLLOW));
    EXPECT(SUCCESS, stat_at("l32", FOLLOW));
    EXPECT(LOOP, stat_at("l33", FOLLOW));
}

static void
a_new_file_is_made_through_a_link_to_nowhere(void)
{
    EXPECT(SUCCESS, symlink_to("made", "l"));
    EQUAL(-__WASI_ERRNO_NOENT, open_in("l", 0, READ));
    EQUAL(-__WASI_ERRNO_EXIST, open_in("l", CREAT | EXCL, READ | WRITE));
    EQUAL(-__WASI_ERRNO_LOOP, open_from(dir, 0, "l", CREAT, READ | WRITE));
    TRUE(open_in("l", CREAT, READ | WRITE) > 0);
    EXPECT(SUCCESS, stat_at("made", 0));
    EQUAL(__WASI_FILETYPE_REGULAR_FILE, stat.filetype);
    EXPECT(EXIST, make_dir("l"));
}

static void
reading_a_link_is_cut_to_the_buffer(void)
{
    EXPECT(SUCCESS, symlink_to("target", "l"));
    memset(buffer, 'x', 10);
    EXPECT(SUCCESS, host_path_readlink(dir, TEXT("l"), AT(buffer), 10, AT(&ret)));
    EQUAL(6, ret);
    TRUE(memcmp(buffer, "targetxxxx", 10) == 0);
    EXPECT(SUCCESS, host_path_readlink(dir, TEXT("l"), AT(buffer), 6, AT(&ret)));
    EQUAL(6, ret);
    EXPECT(SUCCESS, host_path_readlink(dir, TEXT("l"), AT(buffer), 4, AT(&ret)));
    EQUAL(4, ret);
    EXPECT(SUCCESS, host_path_readlink(dir, TEXT("l"), AT(buffer), 0, AT(&ret)));
    EQUAL(0, ret);
    EXPECT(SUCCESS, make_file("f", ""));
    EXPECT(INVAL, host_path_readlink(dir, TEXT("f"), AT(buffer), 10, AT(&ret)));
    EXPECT(INVAL, host_path_readlink(dir, TEXT("."), AT(buffer), 10, AT(&ret)));
    EXPECT(NOENT, host_path_readlink(dir, TEXT("none"), AT(buffer), 10, AT(&ret)));
    EXPECT(FAULT, host_path_readlink(dir, TEXT("l"), MEMORY_END - 5, 10, AT(&ret)));
    EXPECT(SUCCESS, host_path_readlink(dir, TEXT("l"), MEMORY_END - 6, 6, AT(&ret)));
}

static void
times_of_a_link_or_of_what_it_names(void)
{
    EXPECT(SUCCESS, make_file("f", ""));
    EXPECT(SUCCESS, symlink_to("f", "l"));
    EXPECT(SUCCESS, host_path_filestat_set_times(dir, 0, TEXT("l"), 5, 6, 5));
    EXPECT(SUCCESS, host_path_filestat_set_times(dir, FOLLOW, TEXT("l"), 7, 8, 5));
    EXPECT(SUCCESS, stat_at("l", 0));
    EQUAL(5, stat.atim);
    EQUAL(6, stat.mtim);
    EXPECT(SUCCESS, stat_at("f", 0));
    EQUAL(7, stat.atim);
    EQUAL(8, stat.mtim);
    EXPECT(INVAL, host_path_filestat_set_times(dir, 0, TEXT("f"), 1, 1, 3));
    EXPECT(INVAL, host_path_filestat_set_times(dir, 0, TEXT("f"), 1, 1, 12));
    EXPECT(NOENT, host_path_filestat_set_times(dir, 0, TEXT("none"), 1, 1, 5));
    EXPECT(SUCCESS, stat_at("f", 0));
    EQUAL(8, stat.mtim);
}

int
main(void)
{
    static const struct test tests[] = {
        TEST(hard_links_are_one_file),
        TEST(directories_have_no_hard_links),
        TEST(a_hard_link_is_of_the_link_unless_it_is_followed),
        TEST(links_are_followed_when_that_is_asked_for),
        TEST(a_link_is_made_and_removed_itself),
        TEST(links_do_not_lead_out_of_the_directory),
        TEST(circles_of_links_end),
        TEST(as_many_as_32_links_are_followed),
        TEST(a_new_file_is_made_through_a_link_to_nowhere),
        TEST(reading_a_link_is_cut_to_the_buffer),
        TEST(times_of_a_link_or_of_what_it_names),
    };

    return RUN(tests);
}
