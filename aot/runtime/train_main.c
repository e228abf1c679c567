/*
 * Runs a guest once, with the WASI host but without sandbox, zygote or fork: for the training
 * run of a profile-guided build, and for tests of the translation. Never part of an image.
 *
 *     program [--tree FILE] [--bootstrap] [--env NAME=VALUE]... [--file GUEST=HOST]... -- ARGV...
 *
 * With --bootstrap the guest reads its job from WASI_JOB_DEVICE; the job is the --file inputs,
 * and its arguments are the last of ARGV. Standard output and error pass through. Exit status:
 * the guest's; 134 after a trap, with its name on standard error; 125 when this program failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/engine/engine.h"
#include "worker/engine/fiber.h"
#include "worker/job_memory.h"
#include "worker/wasi/wasi.h"

#define EXIT_TRAP       134
#define EXIT_FAILED     125
#define MOST_ENV        64
#define INPUT_BYTES     ((size_t)64 << 20)
#define OUTPUT_BYTES    4096
#define WORK_BYTES      ((uint64_t)256 << 20)
#define MOST_NODES      10000
#define MEMORY_VARIABLE "RETORT_TRAIN_MEMORY_BYTES"

/* Only there in an instrumented program. */
extern void __gcov_dump(void) __attribute__((weak));

static struct job_memory job;

static _Noreturn void
finish(int status)
{
    if (__gcov_dump != NULL)
        __gcov_dump();
    _exit(status);
}

static _Noreturn void
fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    _exit(EXIT_FAILED);
}

static void
write_output(void *context, int stream, const void *data, size_t size)
{
    const char *rest = data;

    (void)context;
    while (size > 0) {
        ssize_t done = write(stream + 1, rest, size);
        if (done < 0)
            fail("writing output", strerror(errno));
        rest += done;
        size -= (size_t)done;
    }
}

static void
begin_job(void)
{
    struct err err = ERR_INIT;

    if (wasi_begin_job(job.header, 0, &err) < 0)
        fail("beginning the job", err.text);
}

static _Noreturn void
on_exit_call(uint32_t code)
{
    finish((int)(code & 0xff));
}

static void
ignore(void)
{
}

static void
on_trap(enum engine_trap trap)
{
    static const char prefix[] = "trap: ";
    const char *text = engine_trap_text(trap);

    write_output(NULL, 1, prefix, sizeof(prefix) - 1);
    write_output(NULL, 1, text, strlen(text));
    write_output(NULL, 1, "\n", 1);
    finish(EXIT_TRAP);
}

/* Maps a host file. Stays mapped. */
static const void *
map_file(const char *path, size_t *size)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &status) < 0)
        fail(path, strerror(errno));
    *size = (size_t)status.st_size;
    void *data = *size == 0 ? NULL : mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        fail(path, strerror(errno));
    close(fd);
    return data == NULL ? "" : data;
}

static void
add_record(enum job_record_type type, const char *name, const void *data, size_t size)
{
    struct err err = ERR_INIT;

    if (job_memory_add_record(&job, type, name, data, size, &err) < 0)
        fail("adding the job's input", err.text);
}

static void
add_file(char *pair)
{
    char *equals = strchr(pair, '=');
    size_t size;

    if (equals == NULL)
        fail(pair, "--file wants GUEST=HOST");
    *equals = '\0';
    const void *data = map_file(equals + 1, &size);
    add_record(JOB_RECORD_FILE, pair, data, size);
}

/* Reads the options; returns the index of the guest's argv[0]. */
static int
read_options(int argc, char **argv, struct wasi_config *config, int *bootstrap)
{
    static const char *env[MOST_ENV + 1];
    size_t env_count = 0;
    int at = 1;

    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        if (strcmp(argv[at], "--bootstrap") == 0)
            *bootstrap = 1;
        else if (at + 1 == argc)
            fail(argv[at], "is unknown, or wants a value");
        else if (strcmp(argv[at], "--tree") == 0)
            config->tree = map_file(argv[++at], &config->tree_bytes);
        else if (strcmp(argv[at], "--env") == 0 && env_count < MOST_ENV)
            env[env_count++] = argv[++at];
        else if (strcmp(argv[at], "--file") == 0)
            add_file(argv[++at]);
        else
            fail(argv[at], "is unknown");
    }
    config->env = env;
    if (at + 1 >= argc)
        fail("usage", "program [options] -- ARGV...");
    return at + 1;
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct wasi_config config = {
        .work_limit_bytes = WORK_BYTES,
        .node_limit = MOST_NODES,
        .sink = {write_output, NULL},
        .hooks = {begin_job, on_exit_call, ignore, engine_fiber_request},
    };
    int bootstrap = 0;
    const char *memory = getenv(MEMORY_VARIABLE);

    if (job_memory_open(&job, INPUT_BYTES, OUTPUT_BYTES, &err) < 0)
        fail("making the job's memory", err.text);
    config.argv = (const char *const *)argv + read_options(argc, argv, &config, &bootstrap);
    add_record(JOB_RECORD_ARG, NULL, argv[argc - 1], strlen(argv[argc - 1]));
    engine_hooks.on_trap = on_trap;
    if (engine_load(&err) < 0 || wasi_init(&config, &err) < 0 || engine_fibers_allow(&err) < 0)
        fail("starting", err.text);
    if (memory != NULL)
        engine_set_memory_limit(strtoull(memory, NULL, 10));
    if (!bootstrap)
        begin_job();
    engine_start();
    finish(0);
}
