#include "tests/fuzz/wasi_arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/wasi/abi.h"

#define ARGUMENTS_AT  0x4000u
#define ARGUMENTS_END GUEST_RESULTS_AT
#define ALL_RIGHTS    0x0fffffffull
#define PATH_ROOM     6000u

enum kind { ADDRESS, DESCRIPTOR, PATH, PENDING, IOVECS, SUBSCRIPTIONS, SIZE, FLAGS, RIGHTS, WIDE };

static const struct {
    const char *parameter;
    enum kind kind;
} kinds[] = {
    {"uint32_t fd", DESCRIPTOR},
    {"uint32_t old_fd", DESCRIPTOR},
    {"uint32_t new_fd", DESCRIPTOR},
    {"uint32_t to", DESCRIPTOR},
    {"uint32_t path", PATH},
    {"uint32_t old_path", PATH},
    {"uint32_t new_path", PATH},
    {"uint32_t target", PATH},
    {"uint32_t path_len", PENDING},
    {"uint32_t old_path_len", PENDING},
    {"uint32_t new_path_len", PENDING},
    {"uint32_t target_len", PENDING},
    {"uint32_t iovs", IOVECS},
    {"uint32_t iovs_len", PENDING},
    {"uint32_t subscriptions", SUBSCRIPTIONS},
    {"uint32_t count", PENDING},
    {"uint32_t events", ADDRESS},
    {"uint32_t buf", ADDRESS},
    {"uint32_t buf_len", SIZE},
    {"uint32_t argv", ADDRESS},
    {"uint32_t argv_buf", ADDRESS},
    {"uint32_t env", ADDRESS},
    {"uint32_t env_buf", ADDRESS},
    {"uint32_t ret_count", ADDRESS},
    {"uint32_t ret_bytes", ADDRESS},
    {"uint32_t ret_resolution", ADDRESS},
    {"uint32_t ret_time", ADDRESS},
    {"uint32_t ret_stat", ADDRESS},
    {"uint32_t ret_prestat", ADDRESS},
    {"uint32_t ret_offset", ADDRESS},
    {"uint32_t ret_fd", ADDRESS},
    {"uint32_t ret_flags", ADDRESS},
    {"uint32_t clock_id", FLAGS},
    {"uint32_t advice", FLAGS},
    {"uint32_t flags", FLAGS},
    {"uint32_t fst_flags", FLAGS},
    {"uint32_t lookup_flags", FLAGS},
    {"uint32_t open_flags", FLAGS},
    {"uint32_t fd_flags", FLAGS},
    {"uint32_t whence", FLAGS},
    {"uint32_t signal", FLAGS},
    {"uint32_t how", FLAGS},
    {"uint32_t code", FLAGS},
    {"uint64_t rights", RIGHTS},
    {"uint64_t rights_inheriting", RIGHTS},
    {"uint64_t base", RIGHTS},
    {"uint64_t inheriting", RIGHTS},
    {"uint64_t offset", WIDE},
    {"uint64_t len", WIDE},
    {"uint64_t size", WIDE},
    {"uint64_t cookie", WIDE},
    {"uint64_t atim", WIDE},
    {"uint64_t mtim", WIDE},
    {"uint64_t precision", WIDE},
    {"void", FLAGS},
};

static const char *const names[] = {
    "a",    "b",      "c",   "d",    "e",  "f", "work",   "tmp",  "dev",       "lib",
    "data", "null",   "job", "note", "..", ".", "",       "zero", "hello.txt", "os.py",
    "link", "python", "etc", "up",   "in", "x", "random", "...",  "outputs",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

uint8_t
fuzz_byte(struct fuzz_input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static uint64_t
bytes(struct fuzz_input *input, int count)
{
    uint64_t value = 0;

    for (int i = 0; i < count; i++)
        value |= (uint64_t)fuzz_byte(input) << (8 * i);
    return value;
}

static uint32_t
anything(struct fuzz_input *input)
{
    return (uint32_t)bytes(input, 4);
}

/* Around each number that the host knows. */
static uint32_t
special(struct fuzz_input *input)
{
    static const uint32_t edges[] = {0,    1,    8,     9,         32,         255,       256,
                                     1024, 4095, 4096,  8192,      65535,      65536,     131072,
                                     511,  24,   40000, INT32_MAX, 0x80000000, UINT32_MAX};
    uint8_t byte = fuzz_byte(input);

    if (byte >= 0xf0)
        return anything(input);
    return edges[(byte >> 2) % (sizeof(edges) / sizeof(edges[0]))] + (byte & 3) - 1;
}

/* Room for a structure, or NULL when there is none left. */
static char *
place(struct fuzz_input *input, uint32_t size)
{
    if (size > ARGUMENTS_END - ARGUMENTS_AT)
        return NULL;
    if (input->place < ARGUMENTS_AT || size > ARGUMENTS_END - input->place)
        input->place = ARGUMENTS_AT;
    input->last = input->place;
    input->place += size;
    return guest_memory + input->last;
}

static uint32_t
address(struct fuzz_input *input)
{
    uint8_t byte = fuzz_byte(input);

    input->at_end = byte >= 0xb0 && byte < 0xc0;
    if (byte < 0x80)
        return GUEST_RESULTS_AT + byte * 8u;
    if (byte < 0xc0)
        return GUEST_BYTES - (byte & 0x3f);
    if (byte < 0xe0)
        return input->last + (byte & 0x1f);
    return anything(input);
}

static uint32_t
descriptor(struct fuzz_input *input)
{
    uint8_t byte = fuzz_byte(input);

    return byte < 0xe0 ? byte % 12 : special(input);
}

static uint64_t
wide(struct fuzz_input *input)
{
    uint8_t byte = fuzz_byte(input);
    uint64_t value;

    if (byte < 0x80)
        return byte;
    if (byte < 0xa0)
        return ((uint64_t)(byte & 0x1f) << 12) + fuzz_byte(input) - 128;
    if (byte < 0xc0) {
        memcpy(&value, guest_memory + GUEST_RESULTS_AT + (byte & 0x1f) * 8, sizeof(value));
        return value;
    }
    if (byte < 0xd0)
        return UINT64_MAX - (byte & 15);
    if (byte < 0xe0)
        return (uint64_t)INT64_MAX - 8 + (byte & 15);
    return byte < 0xf0 ? anything(input) : bytes(input, 8);
}

static uint64_t
rights(struct fuzz_input *input)
{
    uint8_t byte = fuzz_byte(input);

    if (byte < 0x60)
        return ALL_RIGHTS;
    if (byte < 0xa0)
        return ALL_RIGHTS & ~(uint64_t)WASI_RIGHT_FD_WRITE;
    if (byte < 0xc0)
        return ALL_RIGHTS & ~(uint64_t)WASI_RIGHT_FD_READ;
    return byte < 0xe0 ? ALL_RIGHTS & ~(1ull << (byte & 0x1f)) : bytes(input, 8);
}

static size_t
append(char *text, size_t used, const char *more)
{
    size_t size = strlen(more);

    if (size > PATH_ROOM - used)
        return used;
    memcpy(text + used, more, size);
    return used + size;
}

/* One to four names, with what may stand before, between and after them. */
static size_t
compose_path(struct fuzz_input *input, uint8_t mode, char *text)
{
    size_t used = append(text, 0, mode & 16 ? "/" : mode & 4 ? "work/" : "");

    for (uint32_t i = 0; i <= (mode & 3u); i++) {
        used = append(text, used, i > 0 ? "/" : "");
        used = append(text, used, names[fuzz_byte(input) % NAMES]);
    }
    return append(text, used, mode & 8 ? "/" : "");
}

static size_t
repeat_name(struct fuzz_input *input, char *text)
{
    const char *name = names[fuzz_byte(input) % NAMES];
    uint32_t count = fuzz_byte(input) * 4u;
    const char *slash = fuzz_byte(input) & 1 ? "/" : "";
    size_t used = 0;

    for (uint32_t i = 0; i < count; i++)
        used = append(text, append(text, used, name), slash);
    return used;
}

static size_t
raw_bytes(struct fuzz_input *input, char *text)
{
    uint8_t size = fuzz_byte(input);

    for (uint32_t i = 0; i < size; i++)
        text[i] = (char)fuzz_byte(input);
    return size;
}

static uint32_t
path(struct fuzz_input *input)
{
    char text[PATH_ROOM];
    uint8_t mode = fuzz_byte(input);
    size_t size;

    if (mode >= 0xf0) {
        input->pending = special(input);
        return anything(input);
    }
    if (mode >= 0xe0)
        size = repeat_name(input, text);
    else if (mode >= 0xd0)
        size = raw_bytes(input, text);
    else
        size = compose_path(input, mode, text);
    input->pending = (uint32_t)size;
    /* Some end where memory ends. */
    if (mode >= 0xc0 && mode < 0xd0)
        input->last = GUEST_BYTES - (uint32_t)size;
    else
        (void)place(input, (uint32_t)size);
    memcpy(guest_memory + input->last, text, size);
    return input->last;
}

static uint32_t
size_of_buffer(struct fuzz_input *input)
{
    uint8_t byte = fuzz_byte(input);

    return byte < 0xe0 ? byte : special(input);
}

/* The buffer's address, of which the length has become known. */
static uint32_t
settle(const struct fuzz_input *input, uint32_t at, uint32_t size)
{
    return input->at_end && size <= GUEST_BYTES ? GUEST_BYTES - size : at;
}

static uint32_t
iovecs(struct fuzz_input *input)
{
    uint8_t mode = fuzz_byte(input);
    uint32_t count = mode & 7;

    if (mode >= 0xf0) {
        input->pending = special(input);
        return anything(input);
    }
    if (mode >= 0xe0)
        count = 1022 + (mode & 3);
    char *array = place(input, count * (uint32_t)sizeof(struct wasi_iovec));
    uint32_t at = input->last;
    for (uint32_t i = 0; i < count; i++) {
        struct wasi_iovec iovec = {.buf = address(input), .buf_len = size_of_buffer(input)};
        iovec.buf = settle(input, iovec.buf, iovec.buf_len);
        if (mode & 16)
            iovec.buf = at;
        memcpy(array + i * sizeof(iovec), &iovec, sizeof(iovec));
    }
    input->last = at;
    input->pending = count;
    return at;
}

static uint32_t
subscriptions(struct fuzz_input *input)
{
    uint8_t mode = fuzz_byte(input);
    uint32_t count = mode & 3;

    if (mode >= 0xf0) {
        input->pending = special(input);
        return anything(input);
    }
    char *array = place(input, count * (uint32_t)sizeof(struct wasi_subscription));
    uint32_t at = input->last;
    for (uint32_t i = 0; i < count; i++) {
        struct wasi_subscription subscription = {.userdata = i,
                                                 .tag = fuzz_byte(input) & 3,
                                                 .id = descriptor(input),
                                                 .timeout = wide(input),
                                                 .precision = wide(input),
                                                 .flags = fuzz_byte(input) & 3};
        memcpy(array + i * sizeof(subscription), &subscription, sizeof(subscription));
    }
    input->last = at;
    input->pending = count;
    return at;
}

static uint64_t
argument(struct fuzz_input *input, enum kind kind)
{
    uint8_t byte;

    switch (kind) {
    case ADDRESS:
        return address(input);
    case DESCRIPTOR:
        return descriptor(input);
    case PATH:
        return path(input);
    case IOVECS:
        return iovecs(input);
    case SUBSCRIPTIONS:
        return subscriptions(input);
    case SIZE:
        return size_of_buffer(input);
    case RIGHTS:
        return rights(input);
    case WIDE:
        return wide(input);
    case PENDING:
        byte = fuzz_byte(input);
        return byte < 0xf0 ? input->pending : special(input);
    case FLAGS:
        byte = fuzz_byte(input);
        return byte < 0xf0 ? byte & 15 : anything(input);
    }
    return 0;
}

static enum kind
kind_of(const char *parameter)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].parameter, parameter) == 0)
            return kinds[i].kind;
    fprintf(stderr, "the fuzzer knows no parameter \"%s\"\n", parameter);
    exit(2);
}

void
fuzz_parameters(const char *const *parameters, size_t count, uint8_t *result)
{
    for (size_t i = 0; i < count; i++)
        result[i] = (uint8_t)kind_of(parameters[i]);
}

void
fuzz_arguments(struct fuzz_input *input, const uint8_t *parameters, size_t count,
               uint64_t *arguments)
{
    for (size_t i = 0; i < count; i++) {
        arguments[i] = argument(input, (enum kind)parameters[i]);
        if (parameters[i] == SIZE)
            arguments[i - 1] = settle(input, (uint32_t)arguments[i - 1], (uint32_t)arguments[i]);
    }
}
