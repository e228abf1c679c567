/*
 * Contents by their SHA-256 in a directory that all API processes of a service share.
 *
 *     id               of the directory, random, made at first use
 *     signing_key      of links (api/sign.h), the same; mode 0600
 *     blobs/ab/abcd..  a content; the name is its hash
 *     tmp/...          what is being written
 *
 * Nothing that a client names is part of a path. A content appears under its name by rename, whole
 * or not at all; writing one that is there already puts an equal one in its place, so that what
 * a crash of the machine has damaged is whole again. Who refers to a content is in Redis
 * (api/file_records.h), and what nobody does is removed after STORAGE_ORPHAN_SEC.
 *
 *     struct storage_put *put = storage_put_begin(storage, limit, &err);
 *     if (storage_put_add(put, data, size, &err) < 0) ...   as often as there is data
 *     if (storage_put_end(put, true, &blob, &err) < 0) ...  put is gone in either case
 *
 * All of it blocks on the disk. UNAVAILABLE: the disk is full; nothing half done is left.
 */
#ifndef RETORT_STORAGE_H
#define RETORT_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/digest.h"
#include "common/err.h"

#define STORAGE_ID_SIZE    33
#define STORAGE_KEY_SIZE   65
/* Written to or put in place so recently, a content may be without a record yet. */
#define STORAGE_ORPHAN_SEC 3600
/* A temporary file that was not written to for so long is a dead process's; no body may pause so
 * long (IDLE_TIMEOUT_MS). */
#define STORAGE_TMP_SEC    7200
/* Being written at once in one process; beyond it UNAVAILABLE. */
#define STORAGE_PUTS_MOST  64

struct storage;
struct storage_put;

struct storage_blob {
    char sha256[DIGEST_HEX_SIZE];
    uint64_t bytes;
};

/* Opens or makes what is in path, which must exist. Owner frees with storage_close(). */
struct storage *storage_open(const char *path, struct err *err);
void storage_close(struct storage *storage);
/* Both borrowed: 32 and 64 hexadecimal digits. */
const char *storage_id(const struct storage *storage);
const char *storage_signing_key(const struct storage *storage);

/* limit: bytes, beyond which storage_put_add() fails with TOO_LARGE. */
struct storage_put *storage_put_begin(struct storage *storage, uint64_t limit, struct err *err);
int storage_put_add(struct storage_put *put, const void *data, size_t size, struct err *err);
/*
 * Puts the content in place and frees put, whatever it returns. durable: it is on the disk when
 * this returns; otherwise a crash of the machine may lose it, as long as nobody put it durably.
 */
int storage_put_end(struct storage_put *put, bool durable, struct storage_blob *blob,
                    struct err *err);
/* Nothing is left. NULL is nothing. */
void storage_put_drop(struct storage_put *put);

/* A descriptor to read a content, which the caller closes; -1: it is not there, or damaged. */
int storage_blob_open(struct storage *storage, const struct storage_blob *blob, struct err *err);
/* All of it on the heap: bytes_fini(). */
int storage_blob_read(struct storage *storage, const struct storage_blob *blob, struct bytes *out,
                      struct err *err);

/* ---- cleaning up ---- */

#define STORAGE_SHELVES 256 /* blobs/00 to blobs/ff */

/* A look through a shelf: up to `most` names of contents each time. */
struct storage_walk;
struct storage_walk *storage_walk_begin(struct storage *storage, unsigned shelf);
/* How many names it found; fewer than most: there are no more. */
size_t storage_walk_next(struct storage_walk *walk, char (*names)[DIGEST_HEX_SIZE], size_t most);
void storage_walk_end(struct storage_walk *walk);
/* Removes a content that nobody refers to, unless it was put in place lately. True: removed. */
bool storage_remove_orphan(struct storage *storage, const char *sha256);
/* Removes up to `most` temporary files of dead processes. How many. */
size_t storage_remove_temporary(struct storage *storage, size_t most);

#endif
