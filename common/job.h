/*
 * A job (what a client wants run) and a result (what came of it): plain data, no behaviour.
 *
 * Both own every pointer in them; free with job_fini() and result_fini(), which leave the struct
 * zeroed and may be called twice.
 */
#ifndef RETORT_JOB_H
#define RETORT_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/verdict.h"

#define JOB_ID_SIZE       33 /* 128 random bits in lower-case hex, and NUL */
#define JOB_LANGUAGE_SIZE 32 /* "python", and NUL; [a-z0-9-]+ */
#define JOB_WORKER_SIZE   64

/* Heap bytes with their length; data is NULL when size is 0. data[size] is NUL when set. */
struct bytes {
    char *data;
    size_t size;
};

/* All at least 1: 0 never means "unlimited". */
struct job_limits {
    uint32_t timeout_ms;   /* wall clock, from the moment the program starts */
    uint32_t cpu_ms;       /* user plus system */
    uint32_t memory_mb;    /* linear memory, MiB */
    uint32_t output_bytes; /* kept of each of stdout and stderr, raw bytes */
};

struct job {
    char id[JOB_ID_SIZE];
    char language[JOB_LANGUAGE_SIZE];
    struct bytes code;
    struct bytes input; /* the program's standard input */
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
    uint64_t queue_us;          /* accepted to started */
    uint64_t exec_us;           /* started to ended, wall clock */
    uint64_t cpu_us;            /* user plus system, from the kernel */
    uint64_t memory_peak_bytes; /* highest resident set, from the kernel */
    uint32_t minor_faults;      /* from the kernel */
    char worker[JOB_WORKER_SIZE];
};

/* Fills id (JOB_ID_SIZE) from the kernel's random source. */
int job_new_id(char *id, struct err *err);

/* Copies size bytes into dst (which is overwritten, not freed). -1: out of memory. */
int bytes_copy(struct bytes *dst, const void *data, size_t size);
void bytes_fini(struct bytes *bytes);
void job_fini(struct job *job);
void result_fini(struct result *result);

#endif
