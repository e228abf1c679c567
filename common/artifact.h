/* What a program left in /work/outputs: files that come back, and what did not and why. */
#ifndef RETORT_ARTIFACT_H
#define RETORT_ARTIFACT_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

/* More than any setting allows; messages hold no more. */
#define ARTIFACTS_MOST         256
/* Of what is refused so many are told by name, the rest as a number. */
#define ARTIFACTS_REFUSED_MOST 64

enum artifact_fault {
#define ARTIFACT_FAULT(symbol, name, text) ARTIFACT_FAULT_##symbol,
#include "common/artifact_fault.def"
#undef ARTIFACT_FAULT
    ARTIFACT_FAULT_COUNT
};

struct artifact {
    struct bytes name; /* path below /work/outputs, as file_name.h has it */
    struct bytes data;
};

struct artifact_refused {
    struct bytes name; /* valid UTF-8 made of it, at most FILE_NAME_BYTES; may be empty */
    uint64_t size;
    enum artifact_fault fault;
};

/* Owns all in it: artifacts_fini(), which leaves it zeroed. */
struct artifacts {
    struct artifact *list;
    size_t count, capacity;
    struct artifact_refused *refused; /* the first ARTIFACTS_REFUSED_MOST */
    size_t refused_count, refused_capacity;
    uint64_t refused_total; /* those that are not in the list included */
};

/*
 * Append. Names and data are copied, text of a refused one made valid and cut. -1: out of memory,
 * or as many as there may be are there already; refusals beyond the list are only counted.
 */
int artifacts_add(struct artifacts *artifacts, const char *name, size_t name_size, const void *data,
                  size_t size);
int artifacts_refuse(struct artifacts *artifacts, const char *name, size_t name_size, uint64_t size,
                     enum artifact_fault fault);
void artifacts_fini(struct artifacts *artifacts);

const char *artifact_fault_name(enum artifact_fault fault);
const char *artifact_fault_text(enum artifact_fault fault);
enum artifact_fault artifact_fault_from_name(const char *name);

#endif
