/* link: tests/fuzz/wasi_world.c tests/fuzz/wasi_arguments.c */
/* link: tests/unit/wasi/invariants.c tests/unit/wasi/image.c */
/* libs: libretort-sandbox.a */
/* ldflags: -Wl,--wrap=clock_gettime,--wrap=clock_nanosleep,--wrap=getrandom,--wrap=madvise */
/*
 * Every function that a guest can call, in sequences, in one of three worlds. A sequence is a
 * byte for the world, then for each call a byte for the function and bytes for its arguments
 * (wasi_arguments.h). The sanitizers object to what is wrong in itself; afterwards the host's
 * books must balance (invariants.h), and nothing but the guest's memory may have changed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/wasi_arguments.h"
#include "tests/fuzz/wasi_world.h"
#include "tests/unit/wasi/invariants.h"

#include "worker/wasi/functions.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Arguments are uint64_t here and what the function has there. */
#pragma clang diagnostic ignored "-Wconversion"
#pragma clang diagnostic ignored "-Wshorten-64-to-32"

#define wasi_sched_yield(none) wasi_sched_yield()

#define CALL_1(f, a) f(a[0])
#define CALL_2(f, a) f(a[0], a[1])
#define CALL_3(f, a) f(a[0], a[1], a[2])
#define CALL_4(f, a) f(a[0], a[1], a[2], a[3])
#define CALL_5(f, a) f(a[0], a[1], a[2], a[3], a[4])
#define CALL_6(f, a) f(a[0], a[1], a[2], a[3], a[4], a[5])
#define CALL_7(f, a) f(a[0], a[1], a[2], a[3], a[4], a[5], a[6])
#define CALL_8(f, a) f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7])
#define CALL_9(f, a) f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8])

#define NAME_1(a)                         #a
#define NAME_2(a, b)                      #a, #b
#define NAME_3(a, b, c)                   #a, #b, #c
#define NAME_4(a, b, c, d)                #a, #b, #c, #d
#define NAME_5(a, b, c, d, e)             #a, #b, #c, #d, #e
#define NAME_6(a, b, c, d, e, f)          #a, #b, #c, #d, #e, #f
#define NAME_7(a, b, c, d, e, f, g)       #a, #b, #c, #d, #e, #f, #g
#define NAME_8(a, b, c, d, e, f, g, h)    #a, #b, #c, #d, #e, #f, #g, #h
#define NAME_9(a, b, c, d, e, f, g, h, i) #a, #b, #c, #d, #e, #f, #g, #h, #i

#define PICK(a, b, c, d, e, f, g, h, i, chosen, ...) chosen
#define COUNTED(macro, ...)                                                                        \
    PICK(__VA_ARGS__, macro##9, macro##8, macro##7, macro##6, macro##5, macro##4, macro##3,        \
         macro##2, macro##1, none)

#define WASI_FUNCTION(type, symbol, ...)                                                           \
    static void call_##symbol(const uint64_t *a)                                                   \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)COUNTED(CALL_, __VA_ARGS__)(wasi_##symbol, a);                                       \
    }
#include "worker/wasi/functions.def"
#undef WASI_FUNCTION

static struct function {
    void (*call)(const uint64_t *arguments);
    const char *name, *parameters[ARGUMENTS_MOST];
    size_t parameter_count;
    uint8_t kinds[ARGUMENTS_MOST];
} functions[] = {
#define WASI_FUNCTION(type, symbol, ...)                                                           \
    {.call = call_##symbol,                                                                        \
     .name = #symbol,                                                                              \
     .parameters = {COUNTED(NAME_, __VA_ARGS__)(__VA_ARGS__)}},
#include "worker/wasi/functions.def"
#undef WASI_FUNCTION
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static bool verbose;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    verbose = getenv("FUZZ_VERBOSE") != NULL;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        struct function *function = &functions[i];
        size_t count = 0;
        while (count < ARGUMENTS_MOST && function->parameters[count] != NULL)
            count++;
        function->parameter_count = count;
        fuzz_parameters(function->parameters, count, function->kinds);
    }
    world_make_all();
    return 0;
}

static void
call_one(struct fuzz_input *input)
{
    uint64_t arguments[ARGUMENTS_MOST];
    const struct function *function = &functions[fuzz_byte(input) % FUNCTIONS];

    fuzz_arguments(input, function->kinds, function->parameter_count, arguments);
    if (verbose) {
        fprintf(stderr, "%s(", function->name);
        for (size_t i = 0; i < function->parameter_count; i++)
            fprintf(stderr, "%s%#llx", i > 0 ? ", " : "", (unsigned long long)arguments[i]);
        fprintf(stderr, ")\n");
    }
    function->call(arguments);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.at = data, .end = data + size};

    world_enter(fuzz_byte(&input));
    /* proc_exit() leaves by here. */
    if (setjmp(world_exit) == 0)
        while (input.at < input.end)
            call_one(&input);
    const char *broken = invariants_broken();
    if (broken == NULL)
        broken = world_damage();
    if (broken != NULL) {
        fprintf(stderr, "it is not so that %s\n", broken);
        abort();
    }
    return 0;
}
