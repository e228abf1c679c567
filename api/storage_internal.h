/* What the files of the storage share. */
#ifndef RETORT_STORAGE_INTERNAL_H
#define RETORT_STORAGE_INTERNAL_H

#include <fcntl.h>

#include "api/storage.h"

/* Exactly these flags stand in common/daemon_calls.def. */
#define STORAGE_CREATE_FLAGS (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
#define STORAGE_FILE_MODE    0600
#define STORAGE_DIR_MODE     0700

#define STORAGE_TMP_NAME_SIZE  37 /* tmp/ and 32 digits */
#define STORAGE_BLOB_PATH_SIZE (sizeof("blobs/ab/") + DIGEST_HEX_SIZE)

struct storage {
    int fd;                                 /* of the directory */
    unsigned puts;                          /* under way */
    unsigned shelves_made[STORAGE_SHELVES]; /* 1: known to be there */
    char id[STORAGE_ID_SIZE];
    char key[STORAGE_KEY_SIZE];
};

/* A name below tmp that nobody has. */
int storage_tmp_name(char name[STORAGE_TMP_NAME_SIZE], struct err *err);
/* "blobs/ab/abcd..."; sha256 is 64 lower-case hexadecimal digits. */
void storage_blob_path(const char *sha256, char path[STORAGE_BLOB_PATH_SIZE]);
bool storage_is_hash(const char *name);
/* From errno: UNAVAILABLE when the disk or a quota of its is. -1. */
int storage_fail(struct err *err, int sys_errno, const char *what);

#endif
