/* The command line of an image's program; zygote_protocol.h has its form. */
#ifndef RETORT_SANDBOX_OPTIONS_H
#define RETORT_SANDBOX_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct sandbox_options {
    bool bootstrap;         /* the guest's read of WASI_JOB_DEVICE is the fork point */
    uint64_t work_bytes;    /* most that a job may have in files that it writes */
    uint32_t work_files;    /* most files, directories and links that a job may make */
    const char *rehearsal;  /* program that is run once before READY, or NULL */
    const char *const *env; /* NULL-terminated; of the guest */
    char *const *argv;      /* NULL-terminated; of the guest */
};

/* Borrows argv; its environment list is the heap's for the life of the process. */
int sandbox_options_parse(struct sandbox_options *options, int argc, char **argv, struct err *err);

#endif
