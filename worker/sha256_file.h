/* SHA-256 of a file. With common/digest.c the only module that knows libsodium. */
#ifndef RETORT_SHA256_FILE_H
#define RETORT_SHA256_FILE_H

#include "common/err.h"

#define SHA256_HEX_SIZE 65 /* lower-case digits and NUL */

/* Reads the whole file; blocks on the disk. hex has SHA256_HEX_SIZE bytes. */
int sha256_file(const char *path, char *hex, struct err *err);

#endif
