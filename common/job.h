/*
 * A job (what a client wants run) and a result (what came of it): plain data, no behaviour.
 *
 * Both own every pointer in them; free with job_fini() and result_fini(), which leave the struct
 * zeroed and may be called twice.
 */
#ifndef RETORT_JOB_H
#define RETORT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/artifact.h"
#include "common/bytes.h"
#include "common/err.h"
#include "common/texts.h"
#include "common/verdict.h"

#define JOB_ID_SIZE         33 /* 128 random bits in lower-case hex, and NUL */
#define JOB_LANGUAGE_SIZE   32 /* "python", and NUL; [a-z0-9-]+ */
#define JOB_WORKER_SIZE     64
#define JOB_REQUEST_ID_SIZE 129 /* X-Request-ID of the request that it came with, and NUL */

/* MiB; a booted interpreter has most of that already. */
#define JOB_MEMORY_LEAST_MB 48

/* The rows of job_limits.def, which says what they mean. */
struct job_limits {
#define JOB_LIMIT(field, since, least, most, meaning) uint32_t field;
#include "common/job_limits.def"
#undef JOB_LIMIT
};

/* A file that goes with the program. */
struct job_file {
    struct bytes name; /* path below /work, as file_name.h has it */
    struct bytes data;
};

/* Where, below /work, the program lies, and what it leaves as artifacts. */
#define JOB_MAIN_NAME    "main.py"
#define JOB_OUTPUTS_NAME "outputs"

/* More than any setting allows; messages hold no more. */
#define JOB_FILES_MOST 256

struct job_files {
    struct job_file *list; /* of count, with room for capacity */
    size_t count, capacity;
};

/* Of arguments, and of environment variables, each; the bytes are those of all texts together. */
#define JOB_TEXTS_MOST       256
#define JOB_TEXTS_MOST_BYTES 65536

struct job {
    char id[JOB_ID_SIZE];
    char language[JOB_LANGUAGE_SIZE];
    char request_id[JOB_REQUEST_ID_SIZE]; /* for the log; "": none */
    struct bytes code;
    struct bytes input; /* the program's standard input */
    struct job_files files;
    struct texts args; /* after the program's path; without NUL */
    struct texts env;  /* NAME=value, without NUL */
    bool events;       /* its output is to be told as it comes (queue_events.h) */
    struct job_limits limits;
    int64_t start_by_ms;  /* Redis's clock, since the epoch; set by submit, 0 before */
    int64_t answer_by_ms; /* the same */
};

struct result_stream {
    struct bytes kept; /* at most limits.output_bytes, raw, never cut inside a UTF-8 character */
    uint64_t dropped_bytes; /* written by the program beyond what was kept */
};

struct result {
    char id[JOB_ID_SIZE];
    enum err_code error;  /* ERR_NONE: verdict is set; otherwise verdict is VERDICT_NONE */
    enum verdict verdict; /* what the program did */
    char detail[256];     /* one sentence more ("trap: out of bounds memory access"), or "" */
    int32_t exit_code;    /* 0..255; valid when verdict is EXITED (or MEMORY_LIMIT, else -1) */
    int32_t term_signal;  /* valid (> 0) when verdict is CRASHED by a signal */
    struct result_stream out, err;
    struct artifacts artifacts; /* none of a program that was killed */
    uint64_t queue_us;          /* accepted to started */
    uint64_t exec_us;           /* started to ended, wall clock */
    uint64_t cpu_us;            /* user plus system, from the kernel */
    uint64_t memory_peak_bytes; /* highest resident set, from the kernel */
    /* The most that it had of what limits.memory_mb bounds, by its own word; 0: not known. */
    uint64_t linear_memory_peak_bytes;
    uint32_t minor_faults; /* from the kernel */
    char worker[JOB_WORKER_SIZE];
};

/*
 * Appends a file. Copies name and data; the second takes data instead, also when it fails. -1: out
 * of memory, or JOB_FILES_MOST are there. Names are the caller's to check.
 */
int job_files_add(struct job_files *files, const char *name, size_t name_size, const void *data,
                  size_t size);
int job_files_take(struct job_files *files, const char *name, size_t name_size, struct bytes *data);
/*
 * NULL when a file of that name can be added; else why not, as it follows "the name ": not
 * well-formed (file_name.h), or where the program, its outputs or another of the files must be.
 */
const char *job_files_name_fault(const struct job_files *files, const char *name, size_t size);
uint64_t job_files_bytes(const struct job_files *files);

/* Fills id (JOB_ID_SIZE) from the kernel's random source. */
int job_new_id(char *id, struct err *err);

/* Code, input, files, arguments and environment only. */
void job_input_fini(struct job *job);
void job_fini(struct job *job);
void result_fini(struct result *result);

#endif
