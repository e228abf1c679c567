/* link: tests/unit/wasi/fixture.c tests/unit/wasi/image.c */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/wasi/fixture.h"

#include "worker/job_memory.h"

static struct job_memory memory = {.fd = -1};
static struct wasi_filestat stat;
static int awaited, fatal;

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

/* What the sandbox does at the fork point. */
static void
await_job(void)
{
    awaited++;
    add(JOB_RECORD_ARG, "", "/work/main.py");
    add(JOB_RECORD_ARG, "", "");
    add(JOB_RECORD_ARG, "", "last");
    assert_int_equal(begin(0), 0);
}

static void
count_fatal(void)
{
    fatal++;
}

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    awaited = fatal = 0;
    fixture_setup(state);
    wasi_state.config.hooks.await_job = await_job;
    wasi_state.config.hooks.memory_fatal = count_fatal;
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
the_first_read_of_the_job_device_is_the_fork_point(void **state)
{
    char buffer[64];
    int fd = open_at(ROOT, "dev/job", 0, READ, 0);

    (void)state;
    assert_true(fd > 3);
    assert_int_equal(read_text((uint32_t)fd, buffer, 0), 0);
    assert_int_equal(awaited, 0);
    assert_int_equal(read_text((uint32_t)fd, buffer, 64), 20);
    assert_int_equal(awaited, 1);
    assert_memory_equal(buffer, "/work/main.py\0\0last\0", 20);
    assert_int_equal(read_text((uint32_t)fd, buffer, 64), 0);
    assert_int_equal(awaited, 1);
}

static void
the_job_is_read_in_pieces_of_any_size(void **state)
{
    static const char whole[20] = "/work/main.py\0\0last";

    (void)state;
    for (uint32_t size = 1; size < 21; size++) {
        char buffer[64], got[64];
        uint32_t done = 0;
        setup(state);
        int fd = open_at(ROOT, "dev/job", 0, READ, 0), part;
        while ((part = read_text((uint32_t)fd, buffer, size)) > 0) {
            memcpy(got + done, buffer, (size_t)part);
            done += (uint32_t)part;
        }
        assert_int_equal(done, 20);
        assert_memory_equal(got, whole, 20);
        teardown(state);
    }
    setup(state);
}

static void
nobody_asks_for_a_job_twice(void **state)
{
    char buffer[64];
    int early = open_at(ROOT, "dev/job", 0, READ, 0);
    int fd = open_at(ROOT, "dev/job", 0, READ, 0);

    (void)state;
    assert_int_equal(read_text((uint32_t)fd, buffer, 4), 4);
    assert_int_equal(open_at(ROOT, "dev/job", 0, READ, 0), -WASI_ENOENT);
    assert_int_equal(stat_path("dev/job", &stat), WASI_ENOENT);
    assert_int_equal(read_text((uint32_t)early, buffer, 64), 20);
    assert_int_equal(awaited, 1);
    assert_int_equal(write_text((uint32_t)fd, "x"), -WASI_EBADF);
    assert_int_equal(unlink_path("dev/null"), WASI_EROFS);
}

static void
variables_are_read_from_a_device_that_is_there_with_them(void **state)
{
    char buffer[64];

    (void)state;
    assert_int_equal(open_at(ROOT, "dev/job-env", 0, READ, 0), -WASI_ENOENT);
    assert_int_equal(begin(0), 0);
    assert_int_equal(open_at(ROOT, "dev/job-env", 0, READ, 0), -WASI_ENOENT);
    teardown(state);
    setup(state);
    add(JOB_RECORD_ENV, "", "K=v");
    add(JOB_RECORD_ARG, "", "one");
    add(JOB_RECORD_ENV, "", "EMPTY=");
    assert_int_equal(begin(0), 0);
    int fd = open_at(ROOT, "dev/job-env", 0, READ, 0);
    assert_int_equal(read_text((uint32_t)fd, buffer, 64), 11);
    assert_memory_equal(buffer, "K=v\0EMPTY=", 11);
    assert_int_equal(read_text((uint32_t)fd, buffer, 64), 0);
}

static void
records_become_files_directories_and_input(void **state)
{
    char buffer[16];

    (void)state;
    add(JOB_RECORD_FILE, "/work/main.py", "print(1)");
    add(JOB_RECORD_FILE, "/work/in/deep/data.csv", "a,b");
    add(JOB_RECORD_FILE, "/work/empty", "");
    add(JOB_RECORD_DIR, "/work/outputs", "");
    add(JOB_RECORD_STDIN, "", "typed");
    assert_int_equal(begin(0), 0);
    assert_file("work/main.py", "print(1)");
    assert_file("work/in/deep/data.csv", "a,b");
    assert_file("work/empty", "");
    assert_int_equal(make_dir("work/outputs/mine"), WASI_OK);
    assert_int_equal(read_text(0, buffer, 16), 5);
    assert_memory_equal(buffer, "typed", 5);
    assert_int_equal(read_text(0, buffer, 16), 0);
    uint32_t ret = guest_place(8);
    assert_int_equal(wasi_fd_seek(0, 1, WASI_WHENCE_SET, ret), WASI_OK);
    assert_int_equal(read_text(0, buffer, 16), 4);
    assert_int_equal(wasi_state.used_bytes, 0);
}

static void
the_input_is_copied_when_it_is_written_to(void **state)
{
    (void)state;
    add(JOB_RECORD_FILE, "/work/main.py", "print(1)");
    assert_int_equal(begin(0), 0);
    int fd = open_file("work/main.py", 0);
    assert_int_equal(write_text((uint32_t)fd, "PRI"), 3);
    assert_file("work/main.py", "PRInt(1)");
    assert_int_equal(wasi_state.used_bytes, 8);
    const char *start = (const char *)memory.header + memory.header->input_offset;
    assert_non_null(memmem(start, 200, "print(1)", 8));
    assert_int_equal(unlink_path("work/main.py"), WASI_OK);
    assert_int_equal(wasi_fd_close((uint32_t)fd), WASI_OK);
    assert_int_equal(wasi_state.used_bytes, 0);
}

static void
borrowed_contents_can_be_cut_without_a_copy(void **state)
{
    (void)state;
    add(JOB_RECORD_FILE, "/work/main.py", "print(1)");
    assert_int_equal(begin(0), 0);
    int fd = open_file("work/main.py", 0);
    assert_int_equal(wasi_fd_filestat_set_size((uint32_t)fd, 5), WASI_OK);
    assert_int_equal(wasi_state.used_bytes, 0);
    assert_int_equal(wasi_fd_filestat_set_size((uint32_t)fd, 6), WASI_OK);
    assert_int_equal(wasi_state.used_bytes, 6);
    char buffer[8];
    assert_int_equal(read_text((uint32_t)fd, buffer, 8), 6);
    assert_memory_equal(buffer, "print\0", 6);
    make_file("work/main.py", "new");
    assert_file("work/main.py", "new");
}

static void
input_larger_than_the_limit_can_be_read_but_not_changed(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    wasi_state.config.work_limit_bytes = 100;
    char *data = calloc(1, 5000);
    assert_int_equal(job_memory_add_record(&memory, JOB_RECORD_FILE, "/work/big", data, 5000, &err),
                     0);
    free(data);
    assert_int_equal(begin(0), 0);
    int fd = open_file("work/big", 0);
    assert_int_equal(write_text((uint32_t)fd, "x"), -WASI_ENOSPC);
    assert_int_equal(wasi_state.blocks.in_use, 0);
    assert_int_equal(stat_path("work/big", &stat), WASI_OK);
    assert_int_equal(stat.size, 5000);
    assert_int_equal(wasi_fd_filestat_set_size((uint32_t)fd, 10), WASI_OK);
    assert_int_equal(write_text((uint32_t)fd, "x"), 1);
}

static void
files_may_lie_over_the_image_which_stays_read_only(void **state)
{
    (void)state;
    add(JOB_RECORD_FILE, "/lib/python/extra.py", "extra");
    add(JOB_RECORD_FILE, "/lib/python/os.py", "replaced");
    add(JOB_RECORD_FILE, "/data/set/one.csv", "1");
    add(JOB_RECORD_FILE, "/top", "t");
    assert_int_equal(begin(0), 0);
    assert_file("lib/python/extra.py", "extra");
    assert_file("lib/python/os.py", "replaced");
    assert_file("lib/link", "replaced");
    assert_file("lib/python/up", "hello, image\n");
    assert_int_equal(stat_path("lib/python/../../etc/hosts", &stat), WASI_OK);
    assert_int_equal(open_file("lib/python/new", WASI_OPEN_CREAT), -WASI_EROFS);
    assert_int_equal(unlink_path("lib/python/extra.py"), WASI_EROFS);
    make_file("data/set/two.csv", "2");
    assert_int_equal(unlink_path("data/set/one.csv"), WASI_OK);
    assert_int_equal(open_file("new", WASI_OPEN_CREAT), -WASI_EROFS);
}

static void
the_same_path_twice_is_the_later_file(void **state)
{
    (void)state;
    add(JOB_RECORD_FILE, "/work/a", "one");
    add(JOB_RECORD_FILE, "/work/a", "two");
    assert_int_equal(begin(0), 0);
    assert_file("work/a", "two");
}

static void
impossible_paths_of_records_are_refused(void **state)
{
    static const char *const paths[] = {"/work/../up", "/work/.",      "/",
                                        "/work/",      "/hello.txt/a", "/work/..",
                                        "/dev/null",   "/dev",         "/lib/link/x"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        add(JOB_RECORD_FILE, paths[i], "x");
        assert_int_equal(begin(0), -1);
        teardown(state);
        setup(state);
    }
}

static void
add_directories(uint32_t count)
{
    char path[32];

    for (uint32_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "/work/%u", i);
        add(JOB_RECORD_DIR, path, "");
    }
}

/* How many names the guest can make, and is refused then. */
static uint32_t
names_left(void)
{
    char path[32];

    for (uint32_t i = 0;; i++) {
        snprintf(path, sizeof(path), "tmp/%u", i);
        uint32_t error = make_dir(path);
        if (error == WASI_ENOSPC)
            return i;
        assert_int_equal(error, WASI_OK);
    }
}

static void
input_is_beside_the_limit_of_names(void **state)
{
    add_directories(WASI_INPUT_NODES);
    assert_int_equal(begin(0), 0);
    assert_int_equal(names_left(), NODE_LIMIT);
    teardown(state);
    setup(state);
    /* There is some room that the host itself has not used, and an end to it. */
    add_directories(NODE_LIMIT + WASI_INPUT_NODES + WASI_BUILTIN_NODES);
    assert_int_equal(begin(0), -1);
}

static void
a_job_may_have_less_than_the_configuration_and_never_more(void **state)
{
    static const uint32_t asked[] = {1, NODE_LIMIT - 1, NODE_LIMIT, NODE_LIMIT + 1, UINT32_MAX};

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        add_directories(3);
        assert_int_equal(begin(0), 0);
        wasi_limit_job(asked[i], asked[i]);
        uint32_t names = asked[i] < NODE_LIMIT ? asked[i] : NODE_LIMIT;
        assert_int_equal(names_left(), names);
        assert_int_equal(wasi_state.config.work_limit_bytes,
                         asked[i] < WORK_LIMIT ? asked[i] : WORK_LIMIT);
        teardown(state);
        setup(state);
    }
}

static void
what_files_may_take_follows_from_the_jobs_limits(void **state)
{
    (void)state;
    uint64_t most = wasi_writable_bytes();
    assert_int_equal(begin(0), 0);
    wasi_limit_job(4096, 1);
    assert_true(wasi_writable_bytes() < most);
    assert_true(wasi_writable_bytes() > wasi_state.table_bytes);
    assert_true(wasi_mapped_bytes() >= most);
}

static void
damaged_records_are_refused(void **state)
{
    struct job_record record = {.type = JOB_RECORD_ARG, .data_bytes = UINT64_MAX};

    (void)state;
    add(JOB_RECORD_ARG, "", "argument");
    memcpy((char *)memory.header + memory.header->input_offset, &record, sizeof(record));
    assert_int_equal(begin(0), -1);
}

static void
devices_do_what_their_names_say(void **state)
{
    char buffer[64] = {0}, other[64] = {0};

    (void)state;
    assert_int_equal(stat_path("dev/null", &stat), WASI_OK);
    assert_int_equal(stat.filetype, WASI_FILETYPE_CHARACTER_DEVICE);
    int null = open_file("dev/null", WASI_OPEN_CREAT | WASI_OPEN_TRUNC);
    assert_int_equal(write_text((uint32_t)null, "gone"), 4);
    assert_int_equal(read_text((uint32_t)null, buffer, 64), 0);
    int zero = open_file("dev/zero", 0);
    memset(buffer, 1, 64);
    assert_int_equal(read_text((uint32_t)zero, buffer, 64), 64);
    assert_memory_equal(buffer, other, 64);
    int random = open_at(ROOT, "dev/urandom", 0, READ, 0);
    assert_int_equal(read_text((uint32_t)random, buffer, 64), 64);
    assert_int_equal(read_text((uint32_t)random, other, 64), 64);
    assert_memory_not_equal(buffer, other, 64);
    uint32_t ret = guest_place(8);
    assert_int_equal(wasi_fd_seek((uint32_t)random, 5, WASI_WHENCE_SET, ret), WASI_OK);
    assert_int_equal(guest_u64(ret), 0);
    assert_int_equal(wasi_fd_pread((uint32_t)random, guest_iovs(1, ret, 4u), 1, 0, ret),
                     WASI_ESPIPE);
    assert_int_equal(wasi_fd_filestat_set_size((uint32_t)null, 0), WASI_EINVAL);
}

static void
standard_streams_have_names(void **state)
{
    char buffer[16] = {0};

    (void)state;
    add(JOB_RECORD_STDIN, "", "typed");
    assert_int_equal(begin(0), 0);
    int in = open_at(ROOT, "dev/stdin", 0, READ, 0), again = open_at(ROOT, "dev/stdin", 0, READ, 0);
    assert_int_equal(read_text((uint32_t)in, buffer, 3), 3);
    assert_int_equal(read_text((uint32_t)again, buffer, 16), 5);
    assert_memory_equal(buffer, "typed", 5);
    assert_int_equal(read_text(0, buffer, 16), 5);
    int written = open_at(ROOT, "dev/stdin", 0, READ | WRITE, 0);
    assert_int_equal(write_text((uint32_t)written, "x"), -WASI_EBADF);
    int out = open_at(ROOT, "dev/stdout", WASI_OPEN_CREAT | WASI_OPEN_TRUNC, WRITE, 0);
    int err = open_at(ROOT, "dev/stderr", 0, WRITE, 0);
    assert_int_equal(write_text((uint32_t)out, "out"), 3);
    assert_int_equal(write_text((uint32_t)err, "error"), 5);
    assert_memory_equal(fixture_output[0], "out", 3);
    assert_memory_equal(fixture_output[1], "error", 5);
    assert_int_equal(read_text((uint32_t)out, buffer, 16), -WASI_EBADF);
}

static void
a_note_reaches_the_sandbox(void **state)
{
    int note = open_at(ROOT, "dev/note", 0, WRITE, 0);

    (void)state;
    assert_int_equal(write_text((uint32_t)note, "x"), 1);
    assert_int_equal(fatal, 0);
    assert_int_equal(write_text((uint32_t)note, "M"), 1);
    assert_int_equal(fatal, 1);
}

static void
arguments_and_environment_can_be_the_jobs(void **state)
{
    uint32_t ret = guest_place(8), array = guest_place(16), text = guest_place(64);

    (void)state;
    add(JOB_RECORD_ARG, "", "prog");
    add(JOB_RECORD_ENV, "", "K=v");
    add(JOB_RECORD_ARG, "", "two");
    assert_int_equal(begin(1), 0);
    assert_int_equal(wasi_args_sizes_get(ret, ret + 4), WASI_OK);
    assert_int_equal(guest_u32(ret), 2);
    assert_int_equal(guest_u32(ret + 4), 9);
    assert_int_equal(wasi_args_get(array, text), WASI_OK);
    assert_memory_equal(guest_memory + text, "prog\0two", 9);
    assert_int_equal(guest_u32(array), text);
    assert_int_equal(guest_u32(array + 4), text + 5);
    assert_int_equal(wasi_environ_sizes_get(ret, ret + 4), WASI_OK);
    assert_int_equal(guest_u32(ret), 1);
    assert_int_equal(wasi_environ_get(array, text), WASI_OK);
    assert_string_equal(guest_memory + text, "K=v");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_read_of_the_job_device_is_the_fork_point),
        TEST(the_job_is_read_in_pieces_of_any_size),
        TEST(nobody_asks_for_a_job_twice),
        TEST(variables_are_read_from_a_device_that_is_there_with_them),
        TEST(records_become_files_directories_and_input),
        TEST(the_input_is_copied_when_it_is_written_to),
        TEST(borrowed_contents_can_be_cut_without_a_copy),
        TEST(input_larger_than_the_limit_can_be_read_but_not_changed),
        TEST(files_may_lie_over_the_image_which_stays_read_only),
        TEST(the_same_path_twice_is_the_later_file),
        TEST(impossible_paths_of_records_are_refused),
        TEST(input_is_beside_the_limit_of_names),
        TEST(a_job_may_have_less_than_the_configuration_and_never_more),
        TEST(what_files_may_take_follows_from_the_jobs_limits),
        TEST(damaged_records_are_refused),
        TEST(devices_do_what_their_names_say),
        TEST(standard_streams_have_names),
        TEST(a_note_reaches_the_sandbox),
        TEST(arguments_and_environment_can_be_the_jobs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
