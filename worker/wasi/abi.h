/*
 * Numbers and layouts of WASI preview 1 (wasi_snapshot_preview1.witx), as the guest sees them.
 * All integers are little-endian; structs here have the guest's layout exactly.
 */
#ifndef RETORT_WASI_ABI_H
#define RETORT_WASI_ABI_H

#include <stdint.h>

/* Only those that this host gives. */
enum wasi_errno {
    WASI_OK = 0,
    WASI_EAGAIN = 6,
    WASI_EBADF = 8,
    WASI_EBUSY = 10,
    WASI_EEXIST = 20,
    WASI_EFAULT = 21,
    WASI_EFBIG = 22,
    WASI_EINVAL = 28,
    WASI_EIO = 29,
    WASI_EISDIR = 31,
    WASI_ELOOP = 32,
    WASI_EMFILE = 33,
    WASI_ENAMETOOLONG = 37,
    WASI_ENOENT = 44,
    WASI_ENOSPC = 51,
    WASI_ENOTDIR = 54,
    WASI_ENOTEMPTY = 55,
    WASI_ENOTSOCK = 57,
    WASI_ENOTSUP = 58,
    WASI_EOVERFLOW = 61,
    WASI_EPERM = 63,
    WASI_EROFS = 69,
    WASI_ESPIPE = 70,
    WASI_EXDEV = 75,
    WASI_ENOTCAPABLE = 76,
};

enum wasi_filetype {
    WASI_FILETYPE_UNKNOWN = 0,
    WASI_FILETYPE_CHARACTER_DEVICE = 2,
    WASI_FILETYPE_DIRECTORY = 3,
    WASI_FILETYPE_REGULAR_FILE = 4,
    WASI_FILETYPE_SYMBOLIC_LINK = 7,
};

enum wasi_clock {
    WASI_CLOCK_REALTIME,
    WASI_CLOCK_MONOTONIC,
    WASI_CLOCK_PROCESS_CPU,
    WASI_CLOCK_THREAD_CPU,
    WASI_CLOCK_COUNT,
};

enum wasi_whence { WASI_WHENCE_SET, WASI_WHENCE_CUR, WASI_WHENCE_END };

enum wasi_eventtype { WASI_EVENT_CLOCK, WASI_EVENT_FD_READ, WASI_EVENT_FD_WRITE };

/* Bits. */
enum {
    WASI_LOOKUP_FOLLOW = 1,
    WASI_LOOKUP_ALL = 1,

    WASI_OPEN_CREAT = 1,
    WASI_OPEN_DIRECTORY = 2,
    WASI_OPEN_EXCL = 4,
    WASI_OPEN_TRUNC = 8,
    WASI_OPEN_ALL = 15,

    WASI_FDFLAG_APPEND = 1,
    WASI_FDFLAG_ALL = 31,

    WASI_FST_ATIM = 1,
    WASI_FST_ATIM_NOW = 2,
    WASI_FST_MTIM = 4,
    WASI_FST_MTIM_NOW = 8,
    WASI_FST_ALL = 15,

    WASI_SUBSCRIPTION_ABSTIME = 1,
    WASI_ADVICE_LAST = 5,
};

/* Rights: bit n is the n-th of the specification. All fit in 32 bits. */
#define WASI_RIGHT_FD_DATASYNC             (1u << 0)
#define WASI_RIGHT_FD_READ                 (1u << 1)
#define WASI_RIGHT_FD_SEEK                 (1u << 2)
#define WASI_RIGHT_FD_FDSTAT_SET_FLAGS     (1u << 3)
#define WASI_RIGHT_FD_SYNC                 (1u << 4)
#define WASI_RIGHT_FD_TELL                 (1u << 5)
#define WASI_RIGHT_FD_WRITE                (1u << 6)
#define WASI_RIGHT_FD_ADVISE               (1u << 7)
#define WASI_RIGHT_FD_ALLOCATE             (1u << 8)
#define WASI_RIGHT_PATH_CREATE_DIRECTORY   (1u << 9)
#define WASI_RIGHT_PATH_CREATE_FILE        (1u << 10)
#define WASI_RIGHT_PATH_LINK_SOURCE        (1u << 11)
#define WASI_RIGHT_PATH_LINK_TARGET        (1u << 12)
#define WASI_RIGHT_PATH_OPEN               (1u << 13)
#define WASI_RIGHT_FD_READDIR              (1u << 14)
#define WASI_RIGHT_PATH_READLINK           (1u << 15)
#define WASI_RIGHT_PATH_RENAME_SOURCE      (1u << 16)
#define WASI_RIGHT_PATH_RENAME_TARGET      (1u << 17)
#define WASI_RIGHT_PATH_FILESTAT_GET       (1u << 18)
#define WASI_RIGHT_PATH_FILESTAT_SET_SIZE  (1u << 19)
#define WASI_RIGHT_PATH_FILESTAT_SET_TIMES (1u << 20)
#define WASI_RIGHT_FD_FILESTAT_GET         (1u << 21)
#define WASI_RIGHT_FD_FILESTAT_SET_SIZE    (1u << 22)
#define WASI_RIGHT_FD_FILESTAT_SET_TIMES   (1u << 23)
#define WASI_RIGHT_PATH_SYMLINK            (1u << 24)
#define WASI_RIGHT_PATH_REMOVE_DIRECTORY   (1u << 25)
#define WASI_RIGHT_PATH_UNLINK_FILE        (1u << 26)
#define WASI_RIGHT_POLL_FD_READWRITE       (1u << 27)

struct wasi_iovec {
    uint32_t buf;
    uint32_t buf_len;
};

struct wasi_filestat {
    uint64_t dev;
    uint64_t ino;
    uint8_t filetype;
    uint8_t padding[7];
    uint64_t nlink;
    uint64_t size;
    uint64_t atim;
    uint64_t mtim;
    uint64_t ctim;
};

struct wasi_fdstat {
    uint8_t filetype;
    uint8_t padding;
    uint16_t flags;
    uint32_t padding2;
    uint64_t rights_base;
    uint64_t rights_inheriting;
};

struct wasi_dirent {
    uint64_t next;
    uint64_t ino;
    uint32_t namlen;
    uint8_t type;
    uint8_t padding[3];
};

struct wasi_prestat {
    uint8_t tag; /* 0: a directory */
    uint8_t padding[3];
    uint32_t name_len;
};

struct wasi_subscription {
    uint64_t userdata;
    uint8_t tag; /* enum wasi_eventtype */
    uint8_t padding[7];
    uint32_t id; /* clock or descriptor */
    uint32_t padding2;
    uint64_t timeout; /* from here on for clocks */
    uint64_t precision;
    uint16_t flags;
    uint16_t padding3[3];
};

struct wasi_event {
    uint64_t userdata;
    uint16_t error;
    uint8_t type;
    uint8_t padding[5];
    uint64_t nbytes;
    uint16_t flags;
    uint16_t padding2[3];
};

_Static_assert(sizeof(struct wasi_filestat) == 64, "witx size");
_Static_assert(sizeof(struct wasi_fdstat) == 24, "witx size");
_Static_assert(sizeof(struct wasi_dirent) == 24, "witx size");
_Static_assert(sizeof(struct wasi_prestat) == 8, "witx size");
_Static_assert(sizeof(struct wasi_subscription) == 48, "witx size");
_Static_assert(sizeof(struct wasi_event) == 32, "witx size");

#endif
