/*
 * What the guest has left in /work/outputs, one file or link after the other, in the order of
 * their making; what is in a directory comes in its place. For the end of a job: nothing here
 * believes that the tree is whole, since a trap may have come from the middle of a change.
 */
#ifndef RETORT_WASI_OUTPUTS_H
#define RETORT_WASI_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/file_name.h"

#define WASI_OUTPUTS_PARENT "work"
#define WASI_OUTPUTS_NAME   "outputs"

enum output_kind {
    OUTPUT_FILE,
    OUTPUT_LINK,
    OUTPUT_OTHER,
    OUTPUT_TOO_LONG, /* its path is, which is cut; of a directory, that is not looked into */
};

struct output {
    enum output_kind kind;
    const char *path; /* below /work/outputs; valid until the next call; not NUL-terminated */
    size_t path_bytes;
    uint64_t size;
    uint32_t node;
};

struct output_walk {
    uint32_t entry;    /* the next one, or 0 */
    uint32_t left;     /* entries that can be, so that a ring of them ends */
    uint32_t depth;    /* of the directories that are being walked, /work/outputs not counted */
    size_t path_bytes; /* of the directory, with a slash unless it is empty */
    uint32_t above[FILE_NAME_BYTES / 2]; /* their entries */
    char path[FILE_NAME_BYTES];
};

/* False when there is nothing in it, which costs nothing; or no directory of that name. */
bool outputs_begin(struct output_walk *walk);
/* False at the end. */
bool outputs_next(struct output_walk *walk, struct output *output);
/* Copies the contents of a FILE of that size. */
void outputs_read(const struct output *output, char *buffer, size_t size);

#endif
