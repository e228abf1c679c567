/*
 * The memory that a worker and one job process share: input before, output during, notes and
 * artifacts after.
 *
 * One sealed memfd per job process, never reused. Layout, all offsets from the start:
 *
 *     struct job_memory_header   one page
 *     input records              input_capacity bytes (page-aligned)
 *     standard output            output_capacity bytes (page-aligned)
 *     standard error             output_capacity bytes (page-aligned)
 *     artifact records           artifact_capacity bytes (page-aligned)
 *
 * The worker creates it, hands a duplicate of the descriptor to the zygote, writes the records
 * and the limits when it has a job, then writes one byte to the job's socket. From then on only
 * the job process writes. The worker believes nothing in here: it reads each counter once and
 * clamps it to the capacity. What can be had from the kernel (exit status, time, memory) is taken
 * from the kernel; the notes only choose between words for it.
 */
#ifndef RETORT_JOB_MEMORY_H
#define RETORT_JOB_MEMORY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define JOB_MEMORY_VERSION      3
#define JOB_MEMORY_HEADER_BYTES 4096

/* Why the guest stopped, as it says itself. */
enum job_note {
    JOB_NOTE_NONE = 0,
    JOB_NOTE_EXITED,       /* proc_exit, or return from _start; exit_code is set */
    JOB_NOTE_TRAP,         /* a wasm trap; trap is set (enum engine_trap) */
    JOB_NOTE_HOST_FAILURE, /* our own code failed before or while the guest ran; text is set */
};

struct job_stream_counter {
    _Atomic uint64_t kept_bytes;    /* at most output_limit_bytes */
    _Atomic uint64_t written_bytes; /* by the program, kept or not */
};

struct job_memory_header {
    uint32_t version;
    uint32_t padding;
    uint64_t total_bytes;
    uint64_t input_offset, input_capacity;
    uint64_t output_offset[2], output_capacity; /* [0] standard output, [1] standard error */
    uint64_t artifact_offset, artifact_capacity;

    /* Written by the worker before the go byte. */
    uint64_t input_bytes;
    uint64_t output_limit_bytes; /* per stream, <= output_capacity */
    uint64_t memory_limit_bytes; /* linear memory */
    uint64_t cpu_limit_us;
    uint64_t work_limit_bytes; /* in files that the guest writes, together */
    uint32_t work_limit_files; /* files, directories and links that it may make */
    uint32_t artifact_limit_count;
    uint64_t artifact_limit_bytes; /* of each */
    uint64_t artifact_limit_total_bytes;

    /* Written by the job process. Untrusted. */
    struct job_stream_counter output[2];
    _Atomic uint32_t note;           /* enum job_note */
    _Atomic uint32_t trap;           /* enum engine_trap */
    _Atomic uint32_t exit_code;      /* as given to proc_exit */
    _Atomic uint32_t memory_refused; /* 1 once memory.grow was refused for the limit */
    _Atomic uint32_t memory_fatal;   /* 1 when the program said that it dies for want of memory */
    _Atomic uint32_t denied_call;    /* number of the system call that killed it, plus 1 */
    _Atomic uint64_t linear_memory_peak_bytes;
    _Atomic uint64_t artifact_bytes;    /* of complete records */
    _Atomic uint32_t artifacts_refused; /* those without a record included */
    _Atomic uint32_t artifacts_done;    /* 1 when all that was left has been looked at */
    char text[256]; /* NUL-terminated sentence for JOB_NOTE_HOST_FAILURE; may be torn */
};

_Static_assert(sizeof(struct job_memory_header) <= JOB_MEMORY_HEADER_BYTES, "one page");

/*
 * Input records: a sequence of struct job_record, each followed by name_bytes bytes of name
 * (a guest path, not NUL-terminated) and data_bytes bytes of data, padded to 8 bytes.
 * Readers check every length against what is left.
 */
enum job_record_type {
    JOB_RECORD_ARG = 1, /* data: one command-line argument, in order; argv[0] first */
    JOB_RECORD_ENV,     /* data: NAME=value */
    JOB_RECORD_FILE,    /* name: guest path, from the root; data: contents. Parents are made. */
    /* name: guest path, from the root; data: nothing, or the name under which it is preopened for a
     * module without a bootstrap */
    JOB_RECORD_DIR,
    JOB_RECORD_STDIN, /* data: standard input */
};

struct job_record {
    uint32_t type; /* enum job_record_type */
    uint32_t name_bytes;
    uint64_t data_bytes;
};

/*
 * Artifact records, written by the job process at its end: a sequence of struct artifact_record,
 * each followed by name_bytes bytes of path below /work/outputs and, if kept, size bytes of
 * contents, padded to 8 bytes.
 */
struct artifact_record {
    uint16_t kept;  /* 1, or 0: refused */
    uint16_t fault; /* enum artifact_fault, when refused */
    uint32_t name_bytes;
    uint64_t size; /* also of what was refused */
};

/* The worker's (or any parent's) side. */
struct job_memory {
    int fd;                           /* -1 when closed; sealed against shrinking and growing */
    struct job_memory_header *header; /* mapped, read-write; NULL when closed */
    size_t mapped_bytes;
    /* The layout as it was made: what stands in the header may be the job process's words. */
    uint64_t input_offset, input_capacity, input_bytes;
    uint64_t output_offset[2], output_capacity;
    uint64_t output_limit_bytes; /* believed of each stream: the capacity, or the job's own limit */
    uint64_t artifact_offset, artifact_capacity;
};

/* Bytes; rounded up to pages. */
struct job_memory_sizes {
    size_t input, output, artifacts;
};

/* Creates, sizes, seals and maps. The second: without room for artifacts. */
int job_memory_open_sized(struct job_memory *memory, const struct job_memory_sizes *sizes,
                          struct err *err);
int job_memory_open(struct job_memory *memory, size_t input_capacity, size_t output_capacity,
                    struct err *err);
void job_memory_close(struct job_memory *memory);

/* Appends one record. ERR_TOO_LARGE when it does not fit (input_bytes is then unchanged). */
int job_memory_add_record(struct job_memory *memory, enum job_record_type type, const char *name,
                          const void *data, size_t size, struct err *err);
/* Bytes that a record with such a name and data takes in the input area. */
size_t job_record_bytes(size_t name_bytes, size_t data_bytes);

/* stream 0 or 1: borrows the kept bytes and tells how many were dropped; both are clamped. */
const char *job_memory_output(const struct job_memory *memory, int stream, size_t *kept_bytes,
                              uint64_t *dropped_bytes);

/* Bytes that such an artifact's record takes; and the most that a job's records can take. */
size_t artifact_record_bytes(size_t name_bytes, size_t data_bytes);
size_t job_memory_artifact_capacity(uint32_t artifacts, uint64_t total_bytes);

struct artifact_view {
    struct artifact_record record;
    const char *name; /* not NUL-terminated */
    const char *data; /* valid if kept; in the shared memory */
};
/*
 * The worker's side: walks the artifact records, believing no length. *cursor starts at 0. 1: one
 * more, 0: end, -1: what stands there is no record.
 */
int job_memory_next_artifact(const struct job_memory *memory, uint64_t *cursor,
                             struct artifact_view *view);

/* The job process's side: walks the records. *cursor starts at 0. 1: one more, 0: end, -1: bad. */
struct job_record_view {
    enum job_record_type type;
    const char *name; /* not NUL-terminated */
    size_t name_bytes;
    const char *data; /* in the shared memory, stays valid */
    size_t data_bytes;
};
int job_memory_next_record(const struct job_memory_header *header, uint64_t *cursor,
                           struct job_record_view *view);

#endif
