/*
 * A fuzzer's bytes as arguments of the WASI functions: mostly near what makes sense, since bytes
 * that are none of a kind would end at the first check, and now and then anything at all.
 */
#ifndef RETORT_FUZZ_WASI_ARGUMENTS_H
#define RETORT_FUZZ_WASI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_BYTES      65536u
#define ARGUMENTS_MOST   9
#define GUEST_RESULTS_AT 0x8000u /* where results go, and are taken from again */

extern char *guest_memory; /* GUEST_BYTES */

/* What the bytes have to give; past their end all is 0. */
struct fuzz_input {
    const uint8_t *at, *end;
    uint32_t place;   /* where the next structure goes in the guest's memory */
    uint32_t last;    /* where the last one went */
    uint32_t pending; /* length or count that belongs to it */
    bool at_end;      /* the buffer whose length comes next is to end where memory does */
};

uint8_t fuzz_byte(struct fuzz_input *input);
/*
 * What parameters are, by type and name as in functions.def ("uint32_t fd"). Exits when there is
 * one that it does not know.
 */
void fuzz_parameters(const char *const *parameters, size_t count, uint8_t *result);
void fuzz_arguments(struct fuzz_input *input, const uint8_t *parameters, size_t count,
                    uint64_t *arguments);

#endif
