#include "tests/fuzz/wasi_world.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/fuzz/wasi_arguments.h"
#include "tests/unit/wasi/image.h"
#include "tests/unit/wasi/invariants.h"

#include "worker/engine/engine.h"
#include "worker/job_memory.h"
#include "worker/wasi/blocks.h"
#include "worker/wasi/directory.h"
#include "worker/wasi/outputs.h"
#include "worker/wasi/wasi.h"

/* Small, so that a short sequence gets to each limit. */
#define WORK_LIMIT    (80u * 1024)
#define NODE_LIMIT    24u
#define INPUT_BYTES   65536u
#define GUARD_BYTES   65536u
#define MOST_SNAPSHOT 128
/* Of the bitmap of the blocks that a host starts with; the limit of bytes needs no more. */
#define GRANTED_WORDS 4

enum world_kind {
    WORLD_BEFORE_JOB, /* booting: the first read of the job device begins the job */
    WORLD_IN_JOB,
    WORLD_MODULE, /* no bootstrap: arguments, variables and directories of its own */
    WORLD_COUNT,
};

static struct world {
    struct wasi_state state;
    struct node nodes[MOST_SNAPSHOT];
    struct entry entries[MOST_SNAPSHOT];
    uint64_t used_blocks[GRANTED_WORDS];
} worlds[WORLD_COUNT];

static struct job_memory memory = {.fd = -1};
static const struct world *current;

char *guest_memory;
jmp_buf world_exit;

/* Time passes, but always in the same way; and nobody waits. */
static uint64_t now_ns = 1700000000000000000ull;

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
                           struct timespec *left);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
int __wrap_madvise(void *address, size_t size, int advice);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    (void)clock;
    now_ns += 1000;
    *time = (struct timespec){.tv_sec = (time_t)(now_ns / 1000000000),
                              .tv_nsec = (long)(now_ns % 1000000000)};
    return 0;
}

int
__wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
                       struct timespec *left)
{
    uint64_t until_ns = (uint64_t)until->tv_sec * 1000000000 + (uint64_t)until->tv_nsec;

    (void)clock, (void)flags, (void)left;
    if (until_ns > now_ns)
        now_ns = until_ns;
    return 0;
}

ssize_t
__wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
    (void)flags;
    memset(buffer, 4, size);
    return (ssize_t)size;
}

int
__wrap_madvise(void *address, size_t size, int advice)
{
    (void)advice;
    memset(address, 0, size);
    return 0;
}

void *
engine_memory_at(uint32_t address, uint64_t size)
{
    if (address > GUEST_BYTES || size > GUEST_BYTES - address)
        return NULL;
    return guest_memory + address;
}

static void
die(const char *what, const struct err *err)
{
    fprintf(stderr, "%s: %s\n", what, err != NULL ? err->text : "");
    exit(2);
}

static void
drop_output(void *context, int stream, const void *data, size_t size)
{
    const volatile char *bytes = data;

    (void)context, (void)stream;
    /* For the sanitizer to see. */
    if (size > 0)
        (void)bytes[0], (void)bytes[size - 1];
}

static __attribute__((noreturn)) void
leave(uint32_t code)
{
    (void)code;
    longjmp(world_exit, 1);
}

static void
begin(int replace_args)
{
    struct err err = ERR_INIT;

    if (wasi_begin_job(memory.header, replace_args, &err) < 0)
        die("beginning a job", &err);
}

/* What a guest made while it booted may be in the way of the job's files: the process ends. */
static void
await_job(void)
{
    struct err err = ERR_INIT;

    if (wasi_begin_job(memory.header, 0, &err) < 0)
        longjmp(world_exit, 1);
}

static void
ignore_note(void)
{
}

static void
make_input(void)
{
    static const struct {
        enum job_record_type type;
        const char *name, *data;
    } records[] = {
        {JOB_RECORD_ARG, "", "/work/main.py"},    {JOB_RECORD_ARG, "", "two"},
        {JOB_RECORD_ENV, "", "NAME=value"},       {JOB_RECORD_FILE, "/work/main.py", "print(1)"},
        {JOB_RECORD_FILE, "/work/a", "an input"}, {JOB_RECORD_FILE, "/work/d/in", "deeper"},
        {JOB_RECORD_DIR, "/data", "/data"},       {JOB_RECORD_FILE, "/data/x", "preopened"},
        {JOB_RECORD_FILE, "/lib/os.py", "over"},  {JOB_RECORD_STDIN, "", "typed\n"},
    };
    static char big[20000];
    struct err err = ERR_INIT;
    int result = job_memory_open(&memory, INPUT_BYTES, 4096, &err);

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]) && result == 0; i++)
        result = job_memory_add_record(&memory, records[i].type, records[i].name, records[i].data,
                                       strlen(records[i].data), &err);
    memset(big, 'b', sizeof(big));
    if (result == 0)
        result = job_memory_add_record(&memory, JOB_RECORD_FILE, "/work/b", big, sizeof(big), &err);
    if (result < 0)
        die("making the input", &err);
    /* A host that writes to the input dies here. */
    if (mprotect(memory.header, memory.mapped_bytes, PROT_READ) < 0)
        die("protecting the input", NULL);
}

/* Between two stretches of addresses that nobody may touch. */
static void
make_guest_memory(void)
{
    char *start =
        mmap(NULL, GUEST_BYTES + 2 * GUARD_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED ||
        mprotect(start + GUARD_BYTES, GUEST_BYTES, PROT_READ | PROT_WRITE) < 0)
        die("making the guest's memory", NULL);
    guest_memory = start + GUARD_BYTES;
}

/* What lies behind the tables in their mapping. */
static void
poison_slack(void)
{
    char *nodes_end = (char *)(wasi_state.nodes + wasi_state.node_capacity);
    char *entries_end = (char *)(wasi_state.entries + wasi_state.entry_table);
    uintptr_t end = ((uintptr_t)entries_end + 4095) & ~(uintptr_t)4095;

    ASAN_POISON_MEMORY_REGION(nodes_end, (size_t)((char *)wasi_state.entries - nodes_end));
    ASAN_POISON_MEMORY_REGION(entries_end, end - (uintptr_t)entries_end);
}

static void
make_world(enum world_kind kind)
{
    static const char *const argv[] = {"guest", "-I", NULL};
    static const char *const env[] = {"A=1", NULL};
    struct world *world = &worlds[kind];
    struct wasi_config config = {
        .argv = argv,
        .env = env,
        .work_limit_bytes = WORK_LIMIT,
        .node_limit = NODE_LIMIT,
        .sink = {.write = drop_output},
        .hooks = {.await_job = await_job, .exit = leave, .memory_fatal = ignore_note},
    };
    struct err err = ERR_INIT;

    config.tree = test_image(&config.tree_bytes);
    if (wasi_init(&config, &err) < 0)
        die("making a host", &err);
    if (kind != WORLD_BEFORE_JOB)
        begin(kind == WORLD_MODULE);
    blocks_flush();
    poison_slack();
    if (wasi_state.node_count > MOST_SNAPSHOT || wasi_state.entry_count > MOST_SNAPSHOT ||
        wasi_state.blocks.granted != GRANTED_WORDS * 64)
        die("the snapshot is too small", NULL);
    world->state = wasi_state;
    memcpy(world->nodes, wasi_state.nodes, wasi_state.node_count * sizeof(struct node));
    memcpy(world->entries, wasi_state.entries, wasi_state.entry_count * sizeof(struct entry));
    memcpy(world->used_blocks, wasi_state.blocks.used, sizeof(world->used_blocks));
}

void
world_make_all(void)
{
    make_guest_memory();
    make_input();
    for (int kind = 0; kind < WORLD_COUNT; kind++)
        make_world((enum world_kind)kind);
}

void
world_enter(uint32_t choice)
{
    current = &worlds[choice % WORLD_COUNT];
    wasi_state = current->state;
    memcpy(wasi_state.nodes, current->nodes, wasi_state.node_count * sizeof(struct node));
    memcpy(wasi_state.entries, current->entries, wasi_state.entry_count * sizeof(struct entry));
    memset(guest_memory, 0x5a, GUEST_BYTES);
    /* What the sequence removes before it begins the job. */
    invariants_spent_entries = current == &worlds[WORLD_BEFORE_JOB] ? UINT32_MAX : 0;
}

/* Empties the blocks that are in use. */
static const char *
empty_blocks(void)
{
    struct block_pool *pool = &wasi_state.blocks;
    const char *damage = NULL;

    if (pool->granted > GRANTED_WORDS * 64)
        return "files need no more blocks than their limits say";
    for (uint32_t i = 0; i < pool->granted; i++) {
        uint64_t *block = (uint64_t *)block_at(i + 1);
        if (pool->used[i / 64] >> (i % 64) & 1)
            memset(block, 0, WASI_BLOCK_BYTES);
        else if (block[0] != 0 || block[WASI_BLOCK_BYTES / 8 - 1] != 0)
            damage = "free blocks are empty";
    }
    memcpy(pool->used, current->used_blocks, sizeof(current->used_blocks));
    return damage;
}

/* What a job's end looks at. */
static const char *
walk_outputs(void)
{
    struct output_walk walk;
    struct output output;
    char contents[64];
    uint32_t count = 0;

    for (bool more = outputs_begin(&walk); more && outputs_next(&walk, &output); count++) {
        if (output.path_bytes == 0 || output.path_bytes > FILE_NAME_BYTES)
            return "outputs have paths";
        if (output.kind == OUTPUT_FILE)
            outputs_read(&output, contents,
                         output.size < sizeof(contents) ? output.size : sizeof(contents));
    }
    return count < wasi_state.entry_count ? NULL : "outputs are no more than names";
}

const char *
world_damage(void)
{
    const char *damage = walk_outputs();

    blocks_flush();
    const char *blocks = empty_blocks();
    return damage != NULL ? damage : blocks;
}
