/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
/* What a module that starts with its job finds open. */
#include "tests/unit/wasi/fixture.h"

#include "worker/job_memory.h"

static struct job_memory memory = {.fd = -1};
static struct wasi_filestat stat;

static void
add(enum job_record_type type, const char *name, const char *data)
{
    struct err err = ERR_INIT;

    assert_int_equal(job_memory_add_record(&memory, type, name, data, strlen(data), &err), 0);
}

static int
begin(int replace_args)
{
    struct err err = ERR_INIT;

    return wasi_begin_job(memory.header, replace_args, &err);
}

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    fixture_setup(state);
    return job_memory_open(&memory, 1 << 20, 4096, &err);
}

static int
teardown(void **state)
{
    (void)state;
    job_memory_close(&memory);
    return 0;
}

static void
directories_are_preopened_for_modules_that_start_with_their_job(void **state)
{
    uint32_t ret = guest_place(8), name = guest_place(8);

    (void)state;
    add(JOB_RECORD_DIR, "/data/set", "data");
    add(JOB_RECORD_DIR, "/data/other", "");
    add(JOB_RECORD_FILE, "/data/set/a", "inside");
    assert_int_equal(begin(1), 0);
    assert_int_equal(wasi_fd_prestat_get(3, ret), WASI_OK);
    assert_int_equal(guest_u32(ret + 4), 4);
    assert_int_equal(wasi_fd_prestat_dir_name(3, name, 4), WASI_OK);
    assert_memory_equal(guest_memory + name, "data", 4);
    assert_int_equal(stat_at(3, "a", 0, &stat), WASI_OK);
    assert_int_equal(stat_at(3, "../other", 0, &stat), WASI_EPERM);
    /* The image's files. */
    assert_int_equal(wasi_fd_prestat_dir_name(4, name, 8), WASI_OK);
    assert_memory_equal(guest_memory + name, "/", 1);
    assert_int_equal(stat_at(4, "hello.txt", 0, &stat), WASI_OK);
    assert_int_equal(wasi_fd_prestat_get(5, ret), WASI_EBADF);
    teardown(state);
    setup(state);
    add(JOB_RECORD_DIR, "/data/set", "data");
    assert_int_equal(begin(0), 0);
    assert_int_equal(wasi_fd_prestat_get(4, ret), WASI_EBADF);
    teardown(state);
    setup(state);
    /* The root takes one, too. */
    for (int i = 0; i < WASI_PREOPENS - 1; i++)
        add(JOB_RECORD_DIR, "/data/set", "data");
    assert_int_equal(begin(1), 0);
    assert_int_equal(wasi_fd_prestat_get(3 + WASI_PREOPENS - 1, ret), WASI_OK);
    teardown(state);
    setup(state);
    for (int i = 0; i < WASI_PREOPENS; i++)
        add(JOB_RECORD_DIR, "/data/set", "data");
    assert_int_equal(begin(1), -1);
}

static void
forget_image(void)
{
    struct err err = ERR_INIT;

    fixture_config.tree = NULL;
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
}

static void
assert_preopen(uint32_t fd, const char *expected)
{
    uint32_t ret = guest_place(8), name = guest_place(16);

    assert_int_equal(wasi_fd_prestat_get(fd, ret), WASI_OK);
    assert_int_equal(guest_u32(ret + 4), strlen(expected));
    assert_int_equal(wasi_fd_prestat_dir_name(fd, name, 16), WASI_OK);
    assert_memory_equal(guest_memory + name, expected, strlen(expected));
}

static void
a_module_without_files_finds_what_every_program_has(void **state)
{
    uint32_t ret = guest_place(8);

    (void)state;
    forget_image();
    assert_int_equal(begin(1), 0);
    assert_preopen(3, "/work");
    assert_preopen(4, "/tmp");
    assert_preopen(5, "/dev");
    assert_int_equal(wasi_fd_prestat_get(6, ret), WASI_EBADF);
    assert_int_equal(stat_at(5, "null", 0, &stat), WASI_OK);
    forget_image();
    add(JOB_RECORD_DIR, "/data", "/data");
    add(JOB_RECORD_FILE, "/data/a", "x");
    add(JOB_RECORD_DIR, "/tmp", "/tmp");
    add(JOB_RECORD_FILE, "/work/b", "x");
    assert_int_equal(begin(1), 0);
    assert_preopen(3, "/data");
    assert_preopen(4, "/tmp");
    assert_preopen(5, "/work");
    assert_preopen(6, "/dev");
    assert_int_equal(wasi_fd_prestat_get(7, ret), WASI_EBADF);
    assert_int_equal(stat_at(3, "a", 0, &stat), WASI_OK);
    assert_int_equal(stat_at(5, "b", 0, &stat), WASI_OK);
}

static void
a_modules_own_root_holds_what_it_was_given_and_nothing_else(void **state)
{
    static const char *const names[] = {"/", "."};

    for (size_t i = 0; i < 2; i++) {
        add(JOB_RECORD_DIR, names[i], names[i]);
        add(JOB_RECORD_FILE, i == 0 ? "/a" : "./a", "mine");
        add(JOB_RECORD_DIR, i == 0 ? "/d" : "./d", "");
        assert_int_equal(begin(1), 0);
        assert_file("a", "mine");
        assert_int_equal(make_dir("d/made"), WASI_OK);
        assert_int_equal(stat_path("hello.txt", &stat), WASI_ENOENT);
        assert_int_equal(stat_path("dev", &stat), WASI_ENOENT);
        assert_int_equal(stat_path("..", &stat), WASI_EPERM);
        assert_int_equal(symlink_path("/a", "link"), WASI_EPERM);
        make_file("new", "text");
        assert_int_equal(rename_path("a", "d/made/a"), WASI_OK);
        assert_int_equal(unlink_path("new"), WASI_OK);
        /* Named ".", it leaves the image its "/". */
        assert_int_equal(stat_at(4, "hello.txt", 0, &stat), i == 0 ? WASI_EBADF : WASI_OK);
        teardown(state);
        setup(state);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(directories_are_preopened_for_modules_that_start_with_their_job),
        TEST(a_module_without_files_finds_what_every_program_has),
        TEST(a_modules_own_root_holds_what_it_was_given_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
