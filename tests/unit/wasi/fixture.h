/*
 * A host with a small image, and a guest's memory to call it with: wasi_<function>() wrapped so
 * that tests can pass C strings. Each test runs in a fresh host (fixture_setup).
 */
#ifndef RETORT_TEST_WASI_FIXTURE_H
#define RETORT_TEST_WASI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/wasi/image.h"
#include "worker/wasi/abi.h"
#include "worker/wasi/functions.h"
#include "worker/wasi/state.h"

#define MEMORY_BYTES (8u << 20)
#define WORK_LIMIT   (1u << 20)
#define NODE_LIMIT   64u
#define ROOT         3u
#define READ         ((uint64_t)(WASI_RIGHT_FD_READ | WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL))
#define WRITE        ((uint64_t)WASI_RIGHT_FD_WRITE)
#define EVERYTHING   ((uint64_t)0x0fffffff)
#define DIRECTORY    (EVERYTHING & ~WRITE)

extern char guest_memory[MEMORY_BYTES];

int fixture_setup(void **state);
extern struct wasi_config fixture_config; /* what fixture_setup() used; change and wasi_init() */

/* What was written to standard output [0] and error [1]. */
extern char fixture_output[2][4096];
extern size_t fixture_output_bytes[2];

/* Places in guest memory that last until the next fixture_setup(). */
uint32_t guest_string(const char *text);
uint32_t guest_place(size_t size);
uint32_t guest_u32(uint32_t address);
uint64_t guest_u64(uint32_t address);
/* An array of count iovecs: (buffer, length) pairs of uint32_t. */
uint32_t guest_iovs(uint32_t count, ...);

/* A descriptor, or minus the WASI errno. path_open with links followed. */
int open_at(uint32_t fd, const char *path, uint32_t flags, uint64_t rights, uint32_t fd_flags);
int open_file(const char *path, uint32_t flags); /* relative to the root, to read and write */
/* Bytes, or minus the errno. */
int write_text(uint32_t fd, const char *text);
int read_text(uint32_t fd, char *buffer, uint32_t size);
/* The errno. */
uint32_t stat_at(uint32_t fd, const char *path, uint32_t flags, struct wasi_filestat *stat);
uint32_t stat_path(const char *path, struct wasi_filestat *stat);
uint32_t make_dir(const char *path);
uint32_t remove_dir(const char *path);
uint32_t unlink_path(const char *path);
uint32_t rename_path(const char *from, const char *to);
uint32_t link_path(const char *from, const char *to, uint32_t flags);
uint32_t symlink_path(const char *target, const char *path);
/* Makes a file with that text. */
void make_file(const char *path, const char *text);
/* Asserts that the file holds exactly that text. */
void assert_file(const char *path, const char *text);

#endif
