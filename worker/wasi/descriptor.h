/* Descriptors: what the guest has open. */
#ifndef RETORT_WASI_DESCRIPTOR_H
#define RETORT_WASI_DESCRIPTOR_H

#include "worker/wasi/node.h"

/* The open descriptor, or NULL. */
struct descriptor *descriptor_get(uint32_t fd);
/*
 * The open descriptor if it has those rights: WASI_EBADF when it is not open or was not opened for
 * such reading or writing, WASI_ENOTCAPABLE when it lacks another right.
 */
enum wasi_errno descriptor_need(uint32_t fd, uint32_t rights, struct descriptor **descriptor);
bool descriptor_is(const struct descriptor *descriptor, enum node_kind kind);
enum wasi_filetype descriptor_filetype(const struct descriptor *descriptor);

/* The lowest free number, or -1. */
int descriptor_free_number(void);
/* Opens node under that number with those rights, as far as its kind has them. */
struct descriptor *descriptor_open(uint32_t fd, uint32_t node, uint32_t rights,
                                   uint32_t inheriting);
/* stream 0: standard output, 1: standard error. */
void descriptor_open_stream(uint32_t fd, uint32_t stream);
void descriptor_close(uint32_t fd);

/* Rights that make sense for a node of that kind. */
uint32_t descriptor_kind_rights(enum node_kind kind);
/* What the files in a directory may be opened with. */
uint32_t descriptor_all_rights(void);

#endif
