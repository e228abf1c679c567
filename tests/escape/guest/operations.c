#include "tests/escape/guest/operations.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/escape/guest/crawl.h"
#include "tests/escape/guest/door_calls.h"

#define BUFFER_BYTES    (1u << 20)
#define NOT_YET         UINT64_C(123456789)
#define HOST_MPROTECT   10
#define HOST_READ_WRITE 3

void
say(const char *format, ...)
{
    char line[256];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length > 0)
        (void)!write(STDOUT_FILENO, line, (size_t)length);
}

/* ---- out through the door ---- */

static uint64_t
run_call(const uint64_t *words)
{
    return door(DOOR_CALL, words[0], words + 1);
}

static uint64_t
run_call_32(const uint64_t *words)
{
    return door(DOOR_CALL_32, words[0], words + 1);
}

static struct door_request asked_for;

/* later NUMBER ARGUMENT...: a call that the zygote makes when it serves */
static uint64_t
run_later(const uint64_t *words)
{
    asked_for = (struct door_request){.number = words[0], .result = NOT_YET};
    memcpy(asked_for.arguments, words + 1, sizeof(asked_for.arguments));
    door_at(DOOR_LATER, &asked_for);
    asked_for.result = NOT_YET;
    return 0;
}

/* answer: what came of it; NOT_YET if nothing has */
static uint64_t
run_answer(const uint64_t *words)
{
    (void)words;
    return *(volatile uint64_t *)&asked_for.result;
}

static uint64_t
run_jump(const uint64_t *words)
{
    return door(DOOR_JUMP, words[0], words + 1);
}

static uint64_t
run_sigreturn(const uint64_t *words)
{
    return door(DOOR_SIGRETURN, words[0], NULL);
}

static uint64_t
run_instruction(const uint64_t *words)
{
    return door(DOOR_INSTRUCTION, words[0], NULL);
}

/* where WHAT */
static uint64_t
run_where(const uint64_t *words)
{
    return door(DOOR_WHERE, words[0], NULL);
}

/* ---- memory ---- */

/* put ADDRESS BYTES VALUE */
static uint64_t
run_put(const uint64_t *words)
{
    host_write(words[0], &words[2], (size_t)words[1]);
    return words[2];
}

/* get ADDRESS BYTES */
static uint64_t
run_get(const uint64_t *words)
{
    uint64_t value = 0;

    host_read(&value, words[0], (size_t)words[1]);
    return value;
}

/* fill ADDRESS BYTES BYTE */
static uint64_t
run_fill(const uint64_t *words)
{
    static uint8_t block[PAGE_BYTES];

    memset(block, (int)words[2], sizeof(block));
    for (uint64_t done = 0; done < words[1];) {
        uint64_t size = words[1] - done < sizeof(block) ? words[1] - done : sizeof(block);
        host_write(words[0] + done, block, (size_t)size);
        done += size;
    }
    return words[1];
}

/* touch ADDRESS COUNT STEP: writes a byte, COUNT times */
static uint64_t
run_touch(const uint64_t *words)
{
    static const uint8_t byte = 1;

    for (uint64_t i = 0; i < words[1]; i++)
        host_write(words[0] + i * words[2], &byte, sizeof(byte));
    return words[1];
}

/*
 * claim ADDRESS STEP COUNT: makes STEP bytes after STEP bytes writable and writes to each page, at
 * most COUNT times, while that is granted. How often it was.
 */
static uint64_t
run_claim(const uint64_t *words)
{
    uint64_t address = words[0], step = words[1], count = words[2], granted = 0;

    while (granted < count && host_call(HOST_MPROTECT, address, step, HOST_READ_WRITE) == 0) {
        run_touch((const uint64_t[]){address, step / PAGE_BYTES, PAGE_BYTES});
        address += step;
        granted++;
    }
    return granted;
}

/* stripes ADDRESS COUNT DISTANCE: a writable page every DISTANCE bytes, as claim */
static uint64_t
run_stripes(const uint64_t *words)
{
    uint64_t granted = 0;

    while (granted < words[1] && host_call(HOST_MPROTECT, words[0] + granted * words[2], PAGE_BYTES,
                                           HOST_READ_WRITE) == 0) {
        run_touch((const uint64_t[]){words[0] + granted * words[2], 1, 0});
        granted++;
    }
    return granted;
}

/* flip ADDRESS BYTES ONE OTHER COUNT: writes the two values in turn */
static uint64_t
run_flip(const uint64_t *words)
{
    for (uint64_t i = 0; i < words[4]; i++)
        host_write(words[0], &words[2 + i % 2], (size_t)words[1]);
    return words[4];
}

/* page ADDRESS: where its page starts */
static uint64_t
run_page(const uint64_t *words)
{
    return words[0] - words[0] % PAGE_BYTES;
}

/* buffer BYTES: zeroed, page-aligned, the guest's own */
static uint64_t
run_buffer(const uint64_t *words)
{
    static uint8_t space[BUFFER_BYTES] __attribute__((aligned(PAGE_BYTES)));
    static uint64_t used;
    uint64_t start = used;

    if (words[0] > BUFFER_BYTES - used)
        return 0;
    used += (words[0] + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    return host_address(space + start);
}

static uint64_t
run_header(const uint64_t *words)
{
    (void)words;
    return crawl_find_header();
}

/* readable ADDRESS */
static uint64_t
run_readable(const uint64_t *words)
{
    return host_is_readable(words[0]);
}

/* crawl SECRET: its veiled bytes in hexadecimal */
static uint64_t
run_crawl(const uint64_t *words)
{
    uint8_t secret[64];
    size_t count = 0;
    char digits[3] = "";

    for (uint64_t at = words[0]; count < sizeof(secret); at += 2) {
        host_read(digits, at, 2);
        unsigned value;
        if (digits[0] == '\0' || sscanf(digits, "%2x", &value) != 1)
            break;
        secret[count++] = (uint8_t)value;
    }
    struct crawl_result result = crawl(secret, count);
    say("crawl %" PRIu64 " pages, found %" PRIu64 "\n", result.pages, result.found);
    return result.found;
}

/* ---- the rest ---- */

static uint64_t
run_say(const uint64_t *words)
{
    say("%" PRId64 "\n", (int64_t)words[0]);
    return words[0];
}

/* print TEXT */
static uint64_t
run_print(const uint64_t *words)
{
    char text[128] = "";

    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        host_read(&text[i], words[0] + i, 1);
        if (text[i] == '\0')
            break;
    }
    say("%s\n", text);
    return 0;
}

static uint64_t
run_is(const uint64_t *words)
{
    return words[0];
}

static uint64_t
run_spin(const uint64_t *words)
{
    volatile uint64_t turns = words[0];

    for (;;)
        turns++;
}

/* exit CODE: as any program does */
static uint64_t
run_exit(const uint64_t *words)
{
    _exit((int)words[0]);
}

/* trap: as any wasm does */
static uint64_t
run_trap(const uint64_t *words)
{
    (void)words;
    __builtin_trap();
}

static const struct operation operations[] = {
    {"call", run_call},         {"call32", run_call_32},
    {"jump", run_jump},         {"sigreturn", run_sigreturn},
    {"where", run_where},       {"instruction", run_instruction},
    {"put", run_put},           {"get", run_get},
    {"fill", run_fill},         {"touch", run_touch},
    {"buffer", run_buffer},     {"header", run_header},
    {"readable", run_readable}, {"crawl", run_crawl},
    {"say", run_say},           {"is", run_is},
    {"spin", run_spin},         {"exit", run_exit},
    {"trap", run_trap},         {"claim", run_claim},
    {"stripes", run_stripes},   {"flip", run_flip},
    {"later", run_later},       {"answer", run_answer},
    {"page", run_page},         {"print", run_print},
};

const struct operation *
operation_find(const char *name)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}
