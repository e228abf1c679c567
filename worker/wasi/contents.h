/*
 * What is in a file. The image's and the job's input stay where they are (mapped, shared) until
 * they are first written to; then, and for files that the guest makes, contents are blocks.
 *
 * A file's size, holes included, counts against config.work_limit_bytes once it is in blocks.
 */
#ifndef RETORT_WASI_CONTENTS_H
#define RETORT_WASI_CONTENTS_H

#include "worker/wasi/node.h"

/* Copies up to size bytes at offset into buffer; how many there were. */
size_t contents_read(uint32_t id, uint64_t offset, char *buffer, size_t size);
/* *written of size > 0 bytes were; WASI_ENOSPC when none. */
enum wasi_errno contents_write(struct node *node, uint64_t offset, const char *data, size_t size,
                               size_t *written);
/* Cuts, or extends with zeroes. */
enum wasi_errno contents_resize(struct node *node, uint64_t size);
void contents_free(struct node *node);
/* Takes over nothing: data must outlive the node or its first write. For empty files only. */
void contents_borrow(struct node *node, const char *data, uint64_t size);

/* A symbolic link's target, contiguous, not NUL-terminated; valid while nothing is changed. */
const char *contents_target(uint32_t id, size_t *size);

#endif
